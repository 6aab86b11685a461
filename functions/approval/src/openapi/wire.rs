//! HumanLayer's wire format, and the errors of the runtime. Other crates write both as JSON values. The tests
//! here check that these structs match what the other crates write.

#![allow(dead_code, reason = "they are schemas")]

use placet_core::limits::{LONGEST_ESCALATION, LONGEST_ID};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::types::OperationState;
use crate::operations::schemas::{NewChannel, Recipients};
use crate::read::{CallId, Comment, Text};
use crate::reply::Moment;

/// An RFC 9457 problem.
#[derive(JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    #[schemars(extend("const" = "about:blank"))]
    kind: String,
    title: String,
    status: u16,
    /// A stable code for programs.
    code: String,
    /// What is wrong and how to fix it, for a person.
    detail: String,
    /// The members of the body that are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<WrongMember>,
}

/// A member of a body that is wrong.
#[derive(JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrongMember {
    /// A JSON pointer (RFC 6901) to the member.
    #[schemars(example = &"/kwargs")]
    pointer: String,
    detail: String,
}

/// An error in HumanLayer's API.
#[derive(JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detail {
    detail: String,
}

/// The response of Lambda itself, for a request that does not reach the function.
#[derive(JsonSchema)]
pub(crate) struct GatewayMessage {
    #[serde(rename = "Message")]
    message: String,
}

/// A function call to approve.
#[derive(JsonSchema)]
#[schemars(extend("examples" = [json!({
    "run_id": "run-1", "call_id": "call-1",
    "spec": {"fn": "purchase_materials", "kwargs": {"material": "wood"}},
})]))]
pub(crate) struct HumanLayerNewCall {
    run_id: Text<1, LONGEST_ID>,
    /// If left out, the server chooses one.
    call_id: Option<CallId>,
    spec: NewCallSpec,
}

/// A question to answer.
#[derive(JsonSchema)]
#[schemars(extend("examples" = [json!({
    "run_id": "run-1", "call_id": "call-1", "spec": {"msg": "Oak or pine?"},
})]))]
pub(crate) struct HumanLayerNewContact {
    run_id: Text<1, LONGEST_ID>,
    /// If left out, the server chooses one.
    call_id: Option<CallId>,
    spec: NewContactSpec,
}

/// The specification of a function call. Further members are stored and returned.
#[derive(JsonSchema)]
struct NewCallSpec {
    #[serde(rename = "fn")]
    function: Text<0, LONGEST_ID>,
    /// The arguments. If left out, there are none.
    kwargs: Option<Value>,
    channel: Option<NewChannel>,
    reject_options: Option<Vec<WireOption>>,
    /// Stored and returned.
    state: Option<Map<String, Value>>,
}

/// The specification of a question. Further members are stored and returned.
#[derive(JsonSchema)]
struct NewContactSpec {
    msg: Text<1, { usize::MAX }>,
    subject: Option<String>,
    channel: Option<NewChannel>,
    response_options: Option<Vec<WireOption>>,
    /// Stored and returned.
    state: Option<Map<String, Value>>,
}

/// An option that the client offers.
#[derive(JsonSchema)]
#[schemars(rename = "HumanLayerOption")]
struct WireOption {
    name: Text<0, LONGEST_ID>,
    title: Option<Comment>,
    description: Option<Comment>,
    prompt_fill: Option<Comment>,
    interactive: Option<bool>,
}

/// A decision on a function call.
#[derive(JsonSchema)]
pub(crate) struct HumanLayerCallResponse {
    approved: bool,
    comment: Option<Comment>,
    reject_option_name: Option<Text<0, LONGEST_ID>>,
}

/// The answer to a question: a text, an option, or both.
#[derive(JsonSchema)]
#[schemars(extend("anyOf" = [
    {"required": ["response"], "properties": {"response": {"type": "string", "minLength": 1}}},
    {"required": ["response_option_name"], "properties": {"response_option_name": {"type": "string"}}},
]))]
pub(crate) struct HumanLayerContactResponse {
    response: Option<Comment>,
    response_option_name: Option<Text<0, LONGEST_ID>>,
}

/// An escalation.
#[derive(JsonSchema)]
pub(crate) struct HumanLayerEscalation {
    escalation_msg: Text<1, LONGEST_ESCALATION>,
    additional_recipients: Option<Recipients>,
    channel: Option<NewChannel>,
}

/// A function call.
#[derive(JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HumanLayerCall {
    run_id: String,
    call_id: String,
    spec: CallSpec,
    status: CallStatus,
}

/// A question.
#[derive(JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HumanLayerContact {
    run_id: String,
    call_id: String,
    spec: ContactSpec,
    status: ContactStatus,
}

/// The specification of a function call, with all further members that the client sent.
#[derive(JsonSchema, Serialize, Deserialize)]
struct CallSpec {
    #[serde(rename = "fn")]
    function: String,
    /// The value that the client sent; never null.
    kwargs: Value,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// The specification of a question, with all further members that the client sent.
#[derive(JsonSchema, Serialize, Deserialize)]
struct ContactSpec {
    msg: String,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// The status of a function call. A pending function call has only `requested_at`.
#[derive(JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallStatus {
    #[schemars(with = "Moment")]
    requested_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Moment>")]
    responded_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reject_option_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_info: Option<UserInfo>,
    /// The state of a function call that ended without a decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OperationState>")]
    unanswered: Option<String>,
}

/// The status of a question. A pending question has only `requested_at`.
#[derive(JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactStatus {
    #[schemars(with = "Moment")]
    requested_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Moment>")]
    responded_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_option_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_info: Option<UserInfo>,
    /// The state of a question that ended without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OperationState>")]
    unanswered: Option<String>,
}

/// The author of the decision.
#[derive(JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserInfo {
    /// The channel of the decision, and the name of its author.
    source: String,
}

mod tests;

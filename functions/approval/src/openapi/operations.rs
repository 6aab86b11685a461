//! Operations in our own API.

use placet_core::Timestamp;
use placet_core::operation::{OperationKind, Refusal, State};
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::doc::Doc;
use crate::operations::schemas::{
    Cancellation, IdempotencyKey, ListOperations, ListedOperation, NewDecision, NewOperation,
    NewSettlement, NewSettlements, OperationReply, Settled,
};
use crate::operations::{OperationPath, Poll};
use crate::reply::Page;

/// The headers of a creation.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "it is a schema")]
struct CreateHeaders {
    /// The `call_id` is made from it, unless the body has one. It counts per project and kind.
    #[serde(rename = "Idempotency-Key")]
    idempotency_key: Option<IdempotencyKey>,
}

/// Why an operation cannot be decided or withdrawn any more.
const TOO_LATE: [&str; 3] = [
    Refusal::AlreadyDecided { state: State::Denied }.code(),
    Refusal::Expired { deadline: Timestamp::from_millis(0) }.code(),
    Refusal::DigestMismatch.code(),
];

/// Why an outcome cannot be settled.
const NOT_SETTLED: [&str; 4] = [
    Refusal::NotUnknown { state: State::Succeeded }.code(),
    Refusal::StaleAttempt.code(),
    Refusal::DigestMismatch.code(),
    Refusal::RunEnough.code(),
];

const WRONG_VERDICT: &str = Refusal::WrongVerdict { kind: OperationKind::FunctionCall }.code();

pub(super) fn docs() -> Vec<Doc> {
    let location = json!({"Location": {
        "description": "Where the operation is.", "schema": {"type": "string"},
    }});
    vec![
        Doc::of("create_operation", "Request approval of a function call, or ask a person a question")
            .description("A repeated request answers 200 with the operation as it stands now. What is compared is all of it but `run_id`.")
            .headers::<CreateHeaders>()
            .body::<NewOperation>()
            .reply::<OperationReply<'_>>(201, "It is new.")
            .extend_reply(201, "headers", location.clone())
            .extend_reply(201, "links", links())
            .reply::<OperationReply<'_>>(200, "It was created before; this is how it stands.")
            .extend_reply(200, "headers", location)
            .errors(400, &["invalid_idempotency_key"])
            .errors(409, &["id_taken"])
            .errors(422, &["idempotency_key_reused"]),
        Doc::of("list_operations", "List operations, the newest first")
            .description("`state` is as of now. A question shows its first 200 characters.")
            .query::<ListOperations>()
            .reply::<Page<ListedOperation<'_>>>(200, "A page."),
        Doc::of("get_operation", "Get an operation and all that happened to it")
            .path::<OperationPath>()
            .query::<Poll>()
            .reply::<OperationReply<'_>>(200, "The operation."),
        Doc::of("decide_operation", "Approve, deny or answer")
            .description("The digest must be the operation's: it says what the person saw.")
            .path::<OperationPath>()
            .body::<NewDecision>()
            .reply::<OperationReply<'_>>(200, "It is decided.")
            .errors(409, &TOO_LATE)
            .errors(409, &[WRONG_VERDICT, Refusal::EmptyAnswer.code()]),
        Doc::of("cancel_operation", "Withdraw an operation that is not decided")
            .description("An operation that is cancelled already stays as it is.")
            .path::<OperationPath>()
            .optional_body::<Cancellation>(&["application/json"])
            .reply::<OperationReply<'_>>(200, "It is cancelled.")
            .errors(409, &TOO_LATE),
        Doc::of("settle_operation", "Settle an unknown outcome")
            .description("The digest and the attempt must be the operation's: they say what the person saw. `run_again` queues it.")
            .path::<OperationPath>()
            .body::<NewSettlement>()
            .reply::<OperationReply<'_>>(200, "It is settled.")
            .errors(409, &NOT_SETTLED),
        Doc::of("settle_operations", "Settle many unknown outcomes alike")
            .description("An operation that cannot be settled does not hold up the others: its item says why. Send those that are `unavailable` again.")
            .body::<NewSettlements>()
            .reply::<Settled>(200, "What became of each, in the order of the request."),
    ]
}

/// What can be done with an operation that was created.
fn links() -> Value {
    let named = json!({"kind": "$response.body#/kind", "call_id": "$response.body#/call_id"});
    let approval = json!({"verdict": "approve", "digest": "$response.body#/digest"});
    json!({
        "get": {"operationId": "get_operation", "parameters": named},
        "approve": {"operationId": "decide_operation", "parameters": named, "requestBody": approval},
        "cancel": {"operationId": "cancel_operation", "parameters": named},
    })
}

//! The body of a request that creates an operation.

use std::collections::HashSet;

use placet_core::limits::{LONGEST_ID, MOST_OPTIONS};
use placet_core::operation::{Content, OperationKind, ResponseOption, Specification};
use placet_runtime::problem::Problem;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::channel::NewChannel;
use crate::read::{self, CallId, Comment, Text, Wrong};

/// An operation to create.
#[derive(Debug)]
pub(super) struct NewOperation {
    /// The requester's id of the run.
    pub(super) run_id: String,
    /// The requester's id of the operation, if the requester chose one.
    pub(super) call_id: Option<String>,
    /// The specification.
    pub(super) specification: Specification,
}

/// A function call to approve, or a question to answer.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "NewOperation", tag = "kind", rename_all = "snake_case"))]
#[cfg_attr(test, schemars(extend("examples" = crate::openapi::examples::new_operations())))]
pub(crate) enum Body {
    FunctionCall(NewFunctionCall),
    HumanContact(NewHumanContact),
}

/// A function call to approve.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewFunctionCall {
    /// The requester's id of the run. A repeated request may have another `run_id`.
    run_id: Text<1, LONGEST_ID>,
    /// The requester's id of the operation. If left out, the server chooses one.
    call_id: Option<CallId>,
    /// The function to call.
    #[serde(rename = "fn")]
    function: Text<0, LONGEST_ID>,
    /// The arguments of the function.
    kwargs: Option<Map<String, Value>>,
    /// Reasons for a denial, from which the approver may choose. Each name is unique.
    reject_options: Option<Vec<NewOption>>,
    /// How to reach the person.
    channel: Option<NewChannel>,
    /// Returned to the requester with the decision. Placet does not use it.
    requester_state: Option<Map<String, Value>>,
}

/// A question to answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewHumanContact {
    /// The requester's id of the run. A repeated request may have another `run_id`.
    run_id: Text<1, LONGEST_ID>,
    /// The requester's id of the operation. If left out, the server chooses one.
    call_id: Option<CallId>,
    /// The question.
    msg: Text<1, { usize::MAX }>,
    /// The subject of the question.
    subject: Option<String>,
    /// Answers from which the approver may choose. Each name is unique.
    response_options: Option<Vec<NewOption>>,
    /// How to reach the person.
    channel: Option<NewChannel>,
    /// Returned to the requester with the answer. Placet does not use it.
    requester_state: Option<Map<String, Value>>,
}

/// An option that the requester offers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewOption {
    /// The name by which the requester knows the option.
    name: Text<0, LONGEST_ID>,
    /// The text that a person reads instead of the name.
    title: Option<Comment>,
    /// What the option means.
    description: Option<Comment>,
    /// The comment or answer, if the person writes nothing else.
    prompt_fill: Option<Comment>,
    /// Whether the person may edit the text before sending it.
    interactive: Option<bool>,
}

impl NewOperation {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// If the body is not JSON, or if a member is missing, wrong or unknown. The error names the first such
    /// member.
    pub(super) fn read(body: &[u8]) -> Result<Self, Problem> {
        let mut object = read::object(body)?;
        let kind = read::take_text(&mut object, "kind")?;
        let body = match OperationKind::parse(&kind) {
            Some(OperationKind::FunctionCall) => Body::FunctionCall(read::value(object.into())?),
            Some(OperationKind::HumanContact) => Body::HumanContact(read::value(object.into())?),
            None => {
                let detail = "must be function_call or human_contact";
                return Err(Wrong::at(&["kind"], detail).into());
            }
        };
        Ok(body.try_into()?)
    }
}

impl TryFrom<Body> for NewOperation {
    type Error = Wrong;

    fn try_from(body: Body) -> Result<Self, Wrong> {
        let (run_id, call_id, content, options, channel, requester_state) = match body {
            Body::FunctionCall(new) => {
                let kwargs = new.kwargs.unwrap_or_default().into();
                let content = Content::Call { function: new.function.0, kwargs };
                let options = options("reject_options", new.reject_options)?;
                (new.run_id, new.call_id, content, options, new.channel, new.requester_state)
            }
            Body::HumanContact(new) => {
                let content = Content::Question { message: new.msg.0, subject: new.subject };
                let options = options("response_options", new.response_options)?;
                (new.run_id, new.call_id, content, options, new.channel, new.requester_state)
            }
        };
        let channel = channel.and_then(NewChannel::into_channel);
        let specification =
            Specification { channel, options, requester_state, ..Specification::of(content) };
        Ok(Self { run_id: run_id.0, call_id: call_id.map(|CallId(id)| id), specification })
    }
}

fn options(member: &str, new: Option<Vec<NewOption>>) -> Result<Vec<ResponseOption>, Wrong> {
    let new = new.unwrap_or_default();
    if new.len() > MOST_OPTIONS {
        let detail = format!("must have at most {MOST_OPTIONS} options, not {}", new.len());
        return Err(Wrong::at(&[member], detail));
    }
    let mut options: Vec<ResponseOption> = Vec::new();
    let mut names = HashSet::new();
    for (index, new) in new.into_iter().enumerate() {
        let option = ResponseOption::from(new);
        if !names.insert(option.name.clone()) {
            let index = index.to_string();
            return Err(Wrong::at(&[member, &index, "name"], "must be unique among the options"));
        }
        options.push(option);
    }
    Ok(options)
}

impl From<NewOption> for ResponseOption {
    fn from(new: NewOption) -> Self {
        let text = |text: Option<Comment>| text.map(|Comment(text)| text);
        Self {
            name: new.name.0,
            title: text(new.title),
            description: text(new.description),
            prompt_fill: text(new.prompt_fill),
            interactive: new.interactive.unwrap_or_default(),
            other: Map::new(),
        }
    }
}

#[cfg(test)]
mod tests;

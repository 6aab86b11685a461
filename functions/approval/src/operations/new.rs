//! The body of a creation.

use std::collections::HashSet;

use placet_core::operation::{Content, LONGEST_ID, OperationKind, ResponseOption, Specification};
use placet_runtime::problem::Problem;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::channel::NewChannel;
use crate::read::{self, CallId, Comment, Text, Wrong};

/// What is to be created.
#[derive(Debug)]
pub(super) struct NewOperation {
    /// The requester's id of the run.
    pub(super) run_id: String,
    /// The requester's id of the operation.
    pub(super) call_id: Option<String>,
    /// What the requester specifies.
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
    /// The requester's id of the run it belongs to. A repeated request may have another one.
    run_id: Text<1, LONGEST_ID>,
    /// The requester's id of it; chosen by the server if left out.
    call_id: Option<CallId>,
    /// The function to call.
    #[serde(rename = "fn")]
    function: Text<0, LONGEST_ID>,
    /// Its arguments.
    kwargs: Option<Map<String, Value>>,
    /// Reasons for a denial to choose from; each name once.
    reject_options: Option<Vec<NewOption>>,
    /// How the person is reached.
    channel: Option<NewChannel>,
    /// What the requester gets back with the decision. Nobody looks at it.
    requester_state: Option<Map<String, Value>>,
}

/// A question to answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewHumanContact {
    /// The requester's id of the run it belongs to. A repeated request may have another one.
    run_id: Text<1, LONGEST_ID>,
    /// The requester's id of it; chosen by the server if left out.
    call_id: Option<CallId>,
    /// The question.
    msg: Text<1, { usize::MAX }>,
    /// What it is about.
    subject: Option<String>,
    /// Answers to choose from; each name once.
    response_options: Option<Vec<NewOption>>,
    /// How the person is reached.
    channel: Option<NewChannel>,
    /// What the requester gets back with the answer. Nobody looks at it.
    requester_state: Option<Map<String, Value>>,
}

/// One of the answers a requester offers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewOption {
    /// What the requester knows it by.
    name: Text<0, LONGEST_ID>,
    /// What a person reads instead of the name.
    title: Option<Comment>,
    /// What it means.
    description: Option<Comment>,
    /// What it says if the person writes nothing else.
    prompt_fill: Option<Comment>,
    /// Whether the person may change what it says before it is sent.
    interactive: Option<bool>,
}

impl NewOperation {
    /// Reads the body of a creation.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or names the first member that is missing, wrong or unknown.
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
    let mut options: Vec<ResponseOption> = Vec::new();
    let mut names = HashSet::new();
    for (index, new) in new.unwrap_or_default().into_iter().enumerate() {
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

//! Specifications (`spec`) in the JSON form that clients send.

use serde_json::{Map, Value};

use super::channel::read_channel;
use crate::fields::{FieldError, Fields, without_nulls};
use crate::limits::{LONGEST_ID, MOST_OPTIONS};
use crate::operation::{
    ContactChannel, Content, OperationKind, ResponseOption, Specification, is_comment,
};

/// The name of the `spec` member that holds the options of a kind.
pub(super) const fn options_member(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::FunctionCall => "reject_options",
        OperationKind::HumanContact => "response_options",
    }
}

/// Reads a specification.
pub(super) fn specification(
    kind: OperationKind,
    spec: &Fields<'_>,
) -> Result<Specification, FieldError> {
    let content = content(kind, spec)?;
    let state = spec.optional_object("state")?;
    let state = state.map(|state| members(state.members()));
    let channel = spec.optional_object("channel")?;
    let channel = channel.map(|channel| read_channel(&channel)).transpose()?;
    // Some clients send four null channels. That means no channel.
    let channel = channel.filter(|channel| *channel != ContactChannel::default());
    let [call_options, question_options] =
        OperationKind::ALL.map(|kind| options(spec, options_member(kind)));
    let (call_options, question_options) = (call_options?, question_options?);
    let (options, read): (_, &[&str]) = match kind {
        OperationKind::FunctionCall => (call_options, &["fn", "kwargs"]),
        // Drop `fn`, because readers would take a question with `fn` for a call.
        OperationKind::HumanContact => (question_options, &["msg", "subject", "fn"]),
    };
    let read = [read, &["state", "channel", options_member(kind)]].concat();
    let other =
        spec.members().filter(|(name, value)| !value.is_null() && !read.contains(&name.as_str()));
    let mut other = members(other);
    // Remove null members from the options of the other kind, too.
    for kind in OperationKind::ALL {
        other.get_mut(options_member(kind)).into_iter().for_each(without_nulls);
    }
    Ok(Specification { content, channel, options, requester_state: state, other })
}

fn members<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>) -> Map<String, Value> {
    members.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Reads the content that an approver decides on. Missing `kwargs` mean no arguments. `fn` may be empty,
/// because clients also wrap functions without a name.
pub(super) fn content(kind: OperationKind, spec: &Fields<'_>) -> Result<Content, FieldError> {
    Ok(match kind {
        OperationKind::FunctionCall => Content::Call {
            function: spec.text_or_empty("fn", LONGEST_ID)?,
            kwargs: spec.get("kwargs").cloned().unwrap_or_else(|| Value::Object(Map::new())),
        },
        OperationKind::HumanContact => Content::Question {
            message: spec.text("msg", usize::MAX)?,
            subject: spec.optional_text("subject", usize::MAX)?,
        },
    })
}

/// Reads a comment or an answer, and checks its length.
pub(super) fn comment(fields: &Fields<'_>, field: &str) -> Result<String, FieldError> {
    let comment = fields.optional_text(field, usize::MAX)?.unwrap_or_default();
    if is_comment(&comment) {
        return Ok(comment);
    }
    Err(fields.error(field, "String should have at most 16 KB as JSON", "string_too_long"))
}

fn options(spec: &Fields<'_>, field: &str) -> Result<Vec<ResponseOption>, FieldError> {
    let Some(listed) = spec.get(field) else { return Ok(Vec::new()) };
    if listed.as_array().is_some_and(|listed| listed.len() > MOST_OPTIONS) {
        let msg = format!("List should have at most {MOST_OPTIONS} items after validation");
        return Err(spec.error(field, &msg, "too_long"));
    }
    let options: Option<Vec<ResponseOption>> =
        listed.as_array().and_then(|listed| listed.iter().map(option).collect());
    let Some(options) = options else {
        let msg = "Input should be a list of options, each with a name of at most 255 bytes. title, description and \
                   prompt_fill are strings of at most 16 KB; interactive is a boolean";
        return Err(spec.error(field, msg, "list_type"));
    };
    let mut names: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < options.len() {
        return Err(spec.error(field, "The names of options must be unique", "value_error"));
    }
    Ok(options)
}

fn option(written: &Value) -> Option<ResponseOption> {
    let mut written = written.clone();
    without_nulls(&mut written);
    let option: ResponseOption = serde_json::from_value(written).ok()?;
    let texts = [&option.title, &option.description, &option.prompt_fill];
    let short = texts.into_iter().flatten().all(|text| is_comment(text));
    (short && option.name.len() <= LONGEST_ID).then_some(option)
}

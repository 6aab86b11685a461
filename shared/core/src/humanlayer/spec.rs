//! Specifications as clients write them.

use serde_json::{Map, Value};

use super::channel::read_channel;
use crate::fields::{FieldError, Fields, without_nulls};
use crate::operation::{
    ContactChannel, Content, LONGEST_ID, OperationKind, ResponseOption, Specification, is_comment,
};

/// The member that holds the options of a kind.
pub(super) const fn options_member(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::FunctionCall => "reject_options",
        OperationKind::HumanContact => "response_options",
    }
}

/// What a specification says.
pub(super) fn specification(
    kind: OperationKind,
    spec: &Fields<'_>,
) -> Result<Specification, FieldError> {
    let content = content(kind, spec)?;
    let state = spec.optional_object("state")?;
    let state = state.map(|state| members(state.members()));
    let channel = spec.optional_object("channel")?;
    let channel = channel.map(|channel| read_channel(&channel)).transpose()?;
    // Clients that spell out four channels that are null mean none.
    let channel = channel.filter(|channel| *channel != ContactChannel::default());
    let [call_options, question_options] =
        OperationKind::ALL.map(|kind| options(spec, options_member(kind)));
    let (call_options, question_options) = (call_options?, question_options?);
    let (options, read): (_, &[&str]) = match kind {
        OperationKind::FunctionCall => (call_options, &["fn", "kwargs"]),
        // A question with a function would be read as a call.
        OperationKind::HumanContact => (question_options, &["msg", "subject", "fn"]),
    };
    let read = [read, &["state", "channel", options_member(kind)]].concat();
    let other =
        spec.members().filter(|(name, value)| !value.is_null() && !read.contains(&name.as_str()));
    let mut other = members(other);
    // The options of the other kind.
    for kind in OperationKind::ALL {
        other.get_mut(options_member(kind)).into_iter().for_each(without_nulls);
    }
    Ok(Specification { content, channel, options, requester_state: state, other })
}

fn members<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>) -> Map<String, Value> {
    members.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What a person decides on. Absent arguments are no arguments: clients omit them for a call without
/// any. A function without a name has an empty one: clients wrap those, too.
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

/// A comment or an answer, short enough to be kept.
pub(super) fn comment(fields: &Fields<'_>, field: &str) -> Result<String, FieldError> {
    let comment = fields.optional_text(field, usize::MAX)?.unwrap_or_default();
    if is_comment(&comment) {
        return Ok(comment);
    }
    Err(fields.error(field, "Text is too long to be kept: at most 16 KB", "string_too_long"))
}

fn options(spec: &Fields<'_>, field: &str) -> Result<Vec<ResponseOption>, FieldError> {
    let Some(listed) = spec.get(field) else { return Ok(Vec::new()) };
    let options: Option<Vec<ResponseOption>> =
        listed.as_array().and_then(|listed| listed.iter().map(option).collect());
    let Some(options) = options else {
        let msg = "Input should be a list of options, each with a name of at most 255 bytes; what else it has are \
                   texts of at most 16 KB, but for interactive";
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

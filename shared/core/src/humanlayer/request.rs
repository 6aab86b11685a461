use serde_json::{Map, Value};

use super::fields::{FieldError, Fields};
use super::spec::{check, extras, recipients};
use crate::{Command, Content, Digest, Kind, Operation, Verdict, strict_json};

/// The longest id a client may choose, in bytes.
pub(crate) const LONGEST_ID: usize = 255;

/// The longest message of an escalation, in bytes: every one stays in the history.
const LONGEST_ESCALATION: usize = 2 * 1024;

/// A body that can not be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBody {
    /// It is not JSON. The text says where it breaks.
    #[error("the body is not JSON we can take: {0}")]
    Json(String),
    /// It is JSON, but a field is missing or wrong.
    #[error("the body has an invalid field: {}: {}", .0.loc.join("."), .0.msg)]
    Field(FieldError),
}

impl From<FieldError> for InvalidBody {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

/// `POST /function_calls` and `POST /contact_requests`: what a client asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// The client's run.
    pub run_id: String,
    /// The client's id of this call; absent if the server shall choose one.
    pub call_id: Option<String>,
    /// What is asked. Absent arguments are `{}`.
    pub content: Content,
    /// The rest of the specification. Members that are null are left out, so that clients which
    /// spell them out and clients which omit them ask for the same. `bot_token` is not kept.
    pub extras: Map<String, Value>,
}

/// `POST /agent/…/{call_id}/respond`: what a person said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Respond {
    /// Yes, no, or an answer in words.
    pub verdict: Verdict,
    /// The comment or the answer; empty if absent.
    pub comment: String,
    /// The chosen option.
    pub option: Option<String>,
}

impl Respond {
    /// The decision on this operation. What an option says if nothing else is said counts; the reasons
    /// for a denial are none for an approval.
    pub fn decide(&self, operation: &Operation, by: &str, seen: Option<Digest>) -> Command {
        let option = self.option.as_deref().filter(|_| self.verdict != Verdict::Approve);
        Command::Decide {
            verdict: self.verdict,
            comment: operation.words_of(option, &self.comment),
            option: option.map(str::to_owned),
            by: by.to_owned(),
            seen,
        }
    }
}

/// `POST /agent/…/{call_id}/escalate_email`: more attention is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalate {
    /// What the person is to be told.
    pub message: String,
    /// The channel of the escalation, whose address comes first, and its further recipients.
    pub recipients: Vec<String>,
    /// Whether the channel of the escalation takes the place of the call's own.
    pub redirects: bool,
}

/// Reads the body of a creation. A `status` in it is ignored: an agent can not answer itself.
///
/// # Errors
///
/// If it is not JSON, or names the first field that is wrong.
pub fn create(kind: Kind, body: &[u8]) -> Result<Create, InvalidBody> {
    let object = parse_object(body)?;
    let call = Fields::new(&["body"], &object);
    let spec = call.object("spec")?;
    Ok(Create {
        run_id: call.text("run_id", LONGEST_ID)?,
        call_id: call_id(&call)?,
        content: content(kind, &spec)?,
        extras: extras(kind, &spec)?,
    })
}

/// Reads the body of an answer. Its time fields are ignored: the server has its own clock. The answer
/// to a question may be empty if an option is chosen.
///
/// # Errors
///
/// If it is not JSON, or names the first field that is wrong.
pub fn respond(kind: Kind, body: &[u8]) -> Result<Respond, InvalidBody> {
    let object = parse_object(body)?;
    Ok(status(kind, &Fields::new(&["body"], &object))?)
}

/// Reads the body of an escalation.
///
/// # Errors
///
/// If it is not JSON, or names the first field that is wrong.
pub fn escalate(body: &[u8]) -> Result<Escalate, InvalidBody> {
    let object = parse_object(body)?;
    let fields = Fields::new(&["body"], &object);
    let message = fields.text("escalation_msg", LONGEST_ESCALATION)?;
    let email = match fields.optional_object("channel")? {
        Some(channel) => {
            check(&channel)?;
            channel.optional_object("email")?.map(|email| recipients(&email))
        }
        None => None,
    };
    let redirects = email.is_some();
    let mut recipients = email.transpose()?.unwrap_or_default();
    recipients.extend(super::spec::additional_recipients(&fields)?);
    Ok(Escalate { message, recipients, redirects })
}

pub(super) fn status(kind: Kind, fields: &Fields<'_>) -> Result<Respond, FieldError> {
    match kind {
        Kind::FunctionCall => Ok(Respond {
            verdict: if fields.boolean("approved")? { Verdict::Approve } else { Verdict::Deny },
            comment: words(fields, "comment")?,
            option: fields.optional_text("reject_option_name", LONGEST_ID)?,
        }),
        Kind::HumanContact => {
            let option = fields.optional_text("response_option_name", LONGEST_ID)?;
            let comment = words(fields, "response")?;
            if comment.is_empty() && option.is_none() {
                return Err(fields.error(
                    "response",
                    "String should have at least 1 character",
                    "string_too_short",
                ));
            }
            Ok(Respond { verdict: Verdict::Answer, comment, option })
        }
    }
}

/// What a specification asks. Absent arguments are no arguments: clients omit them for a call without
/// any. A function without a name has an empty one: clients wrap those, too.
pub(crate) fn content(kind: Kind, spec: &Fields<'_>) -> Result<Content, FieldError> {
    Ok(match kind {
        Kind::FunctionCall => Content::Call {
            function: spec.text_or_empty("fn", LONGEST_ID)?,
            kwargs: spec.get("kwargs").cloned().unwrap_or_else(|| Value::Object(Map::new())),
        },
        Kind::HumanContact => Content::Question {
            message: spec.text("msg", usize::MAX)?,
            subject: spec.optional_text("subject", usize::MAX)?,
        },
    })
}

pub(crate) fn words(fields: &Fields<'_>, field: &str) -> Result<String, FieldError> {
    let words = fields.optional_text(field, usize::MAX)?.unwrap_or_default();
    if is_comment(&words) {
        return Ok(words);
    }
    Err(fields.error(field, "Text is too long to be kept: at most 16 KB", "string_too_long"))
}

/// Whether a comment is short enough to be kept: 16 KB as JSON, where a control character takes six.
pub fn is_comment(text: &str) -> bool {
    Value::from(text).to_string().len() <= 16 * 1024
}

pub(crate) fn parse_object(body: &[u8]) -> Result<Map<String, Value>, InvalidBody> {
    match strict_json::parse(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(InvalidBody::Field(FieldError {
            loc: vec!["body".to_owned()],
            msg: "Input should be a valid dictionary".to_owned(),
            kind: "dict_type",
        })),
        Err(reason) => Err(InvalidBody::Json(reason)),
    }
}

/// Whether a text can be the id of a call: 1 to 255 bytes, and nothing that would end or change a
/// path, because the SDKs put the id into a URL as it is.
pub fn is_call_id(text: &str) -> bool {
    let breaks_paths = |character: char| character.is_control() || "/\\?#%".contains(character);
    (1..=LONGEST_ID).contains(&text.len())
        && !text.contains(breaks_paths)
        && !matches!(text, "." | ".." | "pending" | "style.css")
        && text.trim() == text
}

pub(crate) fn call_id(call: &Fields<'_>) -> Result<Option<String>, FieldError> {
    if call.get("call_id").is_none() {
        return Ok(None);
    }
    let id = call.text("call_id", LONGEST_ID)?;
    if !is_call_id(&id) {
        let msg = "Must not be . or .. or pending or style.css, nor hold / \\ ? # % or control characters, nor start or end with a space";
        return Err(call.error("call_id", msg, "value_error"));
    }
    Ok(Some(id))
}

#[cfg(test)]
mod tests;

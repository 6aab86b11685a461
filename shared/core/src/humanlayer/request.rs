use super::channel::{additional_recipients, read_channel};
use super::spec::{comment, specification};
use crate::fields::{FieldError, Fields, InvalidBody, parse_object};
use crate::limits::{LONGEST_ESCALATION, LONGEST_ID};
use crate::operation::{Escalation, OperationKind, Response, Specification, Verdict, is_call_id};

/// The body of `POST /function_calls` and `POST /contact_requests`.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// The client's id of the agent run.
    pub run_id: String,
    /// The client's call id; `None` if the server must generate one.
    pub call_id: Option<String>,
    /// The specification of the operation.
    pub specification: Specification,
}

/// Reads the body of a creation. A `status` in the body is ignored: an agent cannot decide on its own
/// request.
///
/// # Errors
///
/// If the body is not JSON. Otherwise names the first wrong field.
pub fn create(kind: OperationKind, body: &[u8]) -> Result<Create, InvalidBody> {
    let object = parse_object(body)?;
    let call = Fields::new(&["body"], &object);
    let spec = call.object("spec")?;
    Ok(Create {
        run_id: call.text("run_id", LONGEST_ID)?,
        call_id: call_id(&call)?,
        specification: specification(kind, &spec)?,
    })
}

/// Reads the body of a response. Time fields are ignored, because the server uses its own clock. The answer
/// to a question may be empty if the approver chose an option.
///
/// # Errors
///
/// If the body is not JSON. Otherwise names the first wrong field.
pub fn respond(kind: OperationKind, body: &[u8]) -> Result<Response, InvalidBody> {
    let object = parse_object(body)?;
    Ok(status(kind, &Fields::new(&["body"], &object))?)
}

/// Reads the body of an escalation.
///
/// # Errors
///
/// If the body is not JSON. Otherwise names the first wrong field.
pub fn escalate(body: &[u8]) -> Result<Escalation, InvalidBody> {
    let object = parse_object(body)?;
    let fields = Fields::new(&["body"], &object);
    let message = fields.text("escalation_msg", LONGEST_ESCALATION)?;
    let channel = fields.optional_object("channel")?;
    let channel = channel.map(|channel| read_channel(&channel)).transpose()?;
    let email = channel.and_then(|channel| channel.email);
    let redirects = email.is_some();
    let mut recipients = Vec::new();
    if let Some(email) = email {
        recipients.push(email.address);
        recipients.extend(email.additional_recipients.into_iter().map(|one| one.address));
    }
    let more = additional_recipients(&fields)?;
    recipients.extend(more.into_iter().map(|recipient| recipient.address));
    Ok(Escalation { message, recipients, redirects })
}

pub(super) fn status(kind: OperationKind, fields: &Fields<'_>) -> Result<Response, FieldError> {
    match kind {
        OperationKind::FunctionCall => Ok(Response {
            verdict: if fields.boolean("approved")? { Verdict::Approve } else { Verdict::Deny },
            comment: comment(fields, "comment")?,
            option: fields.optional_text("reject_option_name", LONGEST_ID)?,
        }),
        OperationKind::HumanContact => {
            let option = fields.optional_text("response_option_name", LONGEST_ID)?;
            let comment = comment(fields, "response")?;
            if comment.is_empty() && option.is_none() {
                return Err(fields.error(
                    "response",
                    "String should have at least 1 character",
                    "string_too_short",
                ));
            }
            Ok(Response { verdict: Verdict::Answer, comment, option })
        }
    }
}

fn call_id(call: &Fields<'_>) -> Result<Option<String>, FieldError> {
    if call.get("call_id").is_none() {
        return Ok(None);
    }
    let id = call.text("call_id", LONGEST_ID)?;
    if !is_call_id(&id) {
        let msg = "Value should not be . or .. or pending, contain / \\ ? # % or control characters, or start or end with a space";
        return Err(call.error("call_id", msg, "value_error"));
    }
    Ok(Some(id))
}

#[cfg(test)]
mod tests;

use super::channel::{additional_recipients, read_channel};
use super::spec::{comment, specification};
use crate::fields::{FieldError, Fields, InvalidBody, parse_object};
use crate::operation::{
    Escalation, LONGEST_ESCALATION, LONGEST_ID, OperationKind, Response, Specification, Verdict,
    is_call_id,
};

/// `POST /function_calls` and `POST /contact_requests`.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// The client's run.
    pub run_id: String,
    /// The client's id of this call; absent if the server shall choose one.
    pub call_id: Option<String>,
    /// What the client specifies.
    pub specification: Specification,
}

/// Reads the body of a creation. A `status` in it is ignored: an agent cannot answer itself.
///
/// # Errors
///
/// If it is not JSON, or names the first field that is wrong.
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

/// Reads the body of an answer. Its time fields are ignored: the server has its own clock. The answer
/// to a question may be empty if an option is chosen.
///
/// # Errors
///
/// If it is not JSON, or names the first field that is wrong.
pub fn respond(kind: OperationKind, body: &[u8]) -> Result<Response, InvalidBody> {
    let object = parse_object(body)?;
    Ok(status(kind, &Fields::new(&["body"], &object))?)
}

/// Reads the body of an escalation.
///
/// # Errors
///
/// If it is not JSON, or names the first field that is wrong.
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
        let msg = "Must not be . or .. or pending or style.css, nor hold / \\ ? # % or control characters, nor start or end with a space";
        return Err(call.error("call_id", msg, "value_error"));
    }
    Ok(Some(id))
}

#[cfg(test)]
mod tests;

//! Passes a mail to Amazon SES through its API.
//!
//! <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use placet_core::delivery::Answer;
use placet_runtime::JsonService;
use placet_runtime::https::HttpsError;
use serde_json::{Value, json};

use super::Recipients;
use super::mailer::Refused;

const SEND: &str = "/v2/email/outbound-emails";

/// The errors that another attempt at the same mail would meet again, unless the identity of the sender is not
/// verified: its owner can repair that.
const FINAL: [&str; 2] = ["MessageRejected", "BadRequestException"];

/// Passes a message on.
///
/// # Errors
///
/// If SES refuses the message for ever.
pub(super) async fn send(
    service: &JsonService,
    from: &str,
    recipients: &Recipients,
    message: &[u8],
) -> Result<Answer, Refused> {
    let body = request(from, recipients, message).to_string();
    match service.post(SEND, body, SystemTime::now()).await {
        Ok(response) => answer(&response),
        Err(error @ HttpsError::Timeout) => Ok(Answer::TimedOut(format!("Amazon SES: {error}"))),
        Err(error) => Ok(Answer::Nothing(format!("Amazon SES: {error}"))),
    }
}

/// The body of the call. It names all recipients, because no header names those in `bcc`.
fn request(from: &str, recipients: &Recipients, message: &[u8]) -> Value {
    let Recipients { to, cc, bcc } = recipients;
    json!({
        "FromEmailAddress": from,
        "Destination": {"ToAddresses": to, "CcAddresses": cc, "BccAddresses": bcc},
        "Content": {"Raw": {"Data": STANDARD.encode(message)}},
    })
}

fn answer(response: &Response<Bytes>) -> Result<Answer, Refused> {
    let status = response.status();
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    if status.is_success() {
        let body = format!("message id {}", text("MessageId")).into_bytes();
        return Ok(Answer::Status { status: status.as_u16(), retry_after: None, body });
    }
    let header = response.headers().get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    // Some services put a URL after the code, or a namespace before it.
    let code = header.unwrap_or_else(|| text("__type")).split(':').next().unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default();
    let message = if text("message").is_empty() { text("Message") } else { text("message") };
    let reason = format!("Amazon SES answered {}: {code}: {message}", status.as_u16());
    let unverified = code == "MessageRejected" && message.contains("not verified");
    if FINAL.contains(&code) && !unverified {
        return Err(Refused(reason));
    }
    Ok(Answer::Status { status: status.as_u16(), retry_after: None, body: reason.into_bytes() })
}

#[cfg(test)]
mod tests;

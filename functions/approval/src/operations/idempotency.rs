//! The `Idempotency-Key` header: a repeated key names the same operation.

use lambda_http::http::{HeaderMap, StatusCode};
use placet_core::Digest;
use placet_core::limits::LONGEST_IDEMPOTENCY_KEY;
use placet_core::operation::OperationKind;
use placet_runtime::problem::Problem;
use serde_json::json;

/// The schema of a key in the OpenAPI document.
#[cfg(test)]
pub(crate) struct IdempotencyKey;

#[cfg(test)]
crate::openapi::schema!(IdempotencyKey, {
    "type": "string", "minLength": 1, "maxLength": LONGEST_IDEMPOTENCY_KEY, "pattern": "^[!-~]+$"
});

/// The `Idempotency-Key` of a request.
///
/// # Errors
///
/// 400 if the key is not 1 to 255 visible ASCII characters.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| {
        (1..=LONGEST_IDEMPOTENCY_KEY).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let detail = "the Idempotency-Key must be 1 to 255 visible ASCII characters";
    let wrong = || Problem::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", detail);
    key.ok_or_else(wrong).map(Some)
}

/// Derives the id of an operation from the requester's API key and its idempotency key. The digest of an API
/// key is known to nobody else, so no other key of the project can take the id in advance.
pub(super) fn derived_id(api_key: Option<Digest>, key: &str) -> String {
    let digest = Digest::of_json(&json!([api_key, key])).to_string();
    format!("op-{}", &digest[..32])
}

/// The 422 for a key that was used for another operation.
pub(super) fn key_reused(kind: OperationKind) -> Problem {
    let kind = kind.as_str();
    let detail = format!(
        "this Idempotency-Key was used for another {kind}: repeat that request unchanged, or choose a new key"
    );
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
}

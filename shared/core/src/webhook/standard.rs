//! Standard Webhooks with symmetric signatures (`v1`), as Placet itself sends them.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::algorithm::hmac_sha256;
use super::grammar::KeyForm;
use crate::{Secret, Timestamp};

/// The value of the signature header for a delivery of Placet.
pub fn sign(secret: &Secret, id: &str, at: Timestamp, body: &[u8]) -> String {
    let time = at.seconds().to_string();
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", body];
    format!("v1,{}", STANDARD.encode(hmac_sha256(secret.expose(), &parts)))
}

/// Decodes a secret: base64, with or without the prefix `whsec_`.
///
/// # Errors
///
/// If the secret is empty or not base64.
pub fn parse_secret(text: &str) -> Result<Secret, SecretFormat> {
    KeyForm::Whsec.read(text).map_err(|_| SecretFormat)
}

/// The text is not a Standard Webhooks secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the webhook secret is not valid: use `whsec_` followed by base64")]
pub struct SecretFormat;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors_are_reproduced() {
        let sign = |secret, id, seconds: i64, body| {
            let at = Timestamp::from_millis(seconds * 1000);
            super::sign(&parse_secret(secret).unwrap(), id, at, body)
        };
        assert_eq!(
            sign(
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                br#"{"test": 2432232314}"#,
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_eq!(
            sign(
                "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                1_649_367_553,
                br#"{"email":"test@example.com","username":"test_user"}"#,
            ),
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
        );
    }
}

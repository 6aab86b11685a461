//! Standard Webhooks with symmetric signatures (`v1`), as Placet itself sends them.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::algorithm::hmac_sha256;
use super::grammar::KeyForm;
use super::keys::{KeyError, LONGEST, SHORTEST};
use crate::{Secret, Timestamp};

/// The value of the signature header for a delivery of Placet.
pub fn sign(secret: &Secret, id: &str, at: Timestamp, body: &[u8]) -> String {
    let time = at.seconds().to_string();
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", body];
    format!("v1,{}", STANDARD.encode(hmac_sha256(secret.expose(), &parts)))
}

/// Decodes a secret that signs: base64 of 24 to 64 bytes, with or without the prefix `whsec_`.
///
/// # Errors
///
/// If the secret has another form or length.
pub fn parse_secret(text: &str) -> Result<Secret, KeyError> {
    const FORM: &str = "whsec_ followed by base64 of 24 to 64 bytes";
    const FIX: &str = "Make one for both sides: echo whsec_$(openssl rand -base64 32)";
    let secret = KeyForm::Whsec.read(text).map_err(|error| match error {
        KeyError::NotShared { .. } => KeyError::NotShared { form: FORM.to_owned(), fix: FIX },
        KeyError::Form { .. } => KeyError::Form { form: FORM.to_owned(), fix: FIX },
        other => other,
    })?;
    match secret.expose().len() {
        SHORTEST..=LONGEST => Ok(secret),
        0..SHORTEST => Err(KeyError::Short { bytes: SHORTEST, fix: FIX }),
        _ => Err(KeyError::Long { bytes: LONGEST, fix: FIX }),
    }
}

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

    #[test]
    fn a_secret_has_24_to_64_bytes() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for (text, expected) in [
            ("abc", "it is too short: it must have at least 24 bytes. "),
            (&of(23), "it is too short: it must have at least 24 bytes. "),
            (&of(65), "it is too long: it may have at most 64 bytes. "),
            ("open-sesame", "it has the wrong form: it must be whsec_ followed by base64 of "),
            ("", "it has the wrong form: "),
            ("whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=", "it is a key of a pair"),
        ] {
            let error = parse_secret(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
            assert!(error.ends_with("echo whsec_$(openssl rand -base64 32)"), "{error}");
        }
        for bytes in [24, 64] {
            assert_eq!(parse_secret(&of(bytes)).unwrap().expose().len(), bytes);
        }
    }
}

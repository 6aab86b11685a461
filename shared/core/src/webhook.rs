//! Standard Webhooks signatures, symmetric (`v1`), both ways; Svix is the same under other header
//! names. <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::{Secret, Timestamp};

/// How far a signed time may be off, both ways and inclusive, in seconds: what all reference
/// libraries use.
const TOLERANCE: i64 = 300;

/// Secrets are handed out with and without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// HMAC-SHA256 over the parts, one after the other.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes a key of any length"),
    };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The three headers of a signed delivery, as they stood in the request.
#[derive(Clone, Copy, Debug)]
pub struct SignatureHeaders<'a> {
    /// `webhook-id` or `svix-id`.
    pub id: &'a str,
    /// `webhook-timestamp` or `svix-timestamp`: seconds since the Unix epoch.
    pub timestamp: &'a str,
    /// `webhook-signature` or `svix-signature`: `v1,<base64>`, several separated by a space.
    pub signature: &'a str,
}

/// A delivery whose signature held. Only [`verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The signed delivery id, the same for every retry.
    pub id: String,
}

/// Why a delivery is not believed. The sender is told the same for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// A signature header is missing, or the two header sets are mixed.
    #[error("the signature headers are missing or incomplete")]
    Headers,
    /// The time is not a whole number of seconds.
    #[error("the signed time is not a number of seconds")]
    Time,
    /// The time is more than five minutes off.
    #[error("the signed time is {skew} s away from ours, {TOLERANCE} s are allowed")]
    Skew {
        /// Our time less the signed time, in seconds.
        skew: i64,
    },
    /// No signature of a known version verifies.
    #[error("no signature verifies")]
    Signature,
}

impl<'a> SignatureHeaders<'a> {
    /// Takes one complete set, `webhook-*` or `svix-*`; a mix of the two is not a set.
    ///
    /// # Errors
    ///
    /// [`Unverified::Headers`] if there is no complete set, or if both are there and differ.
    pub fn find(header: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Unverified> {
        let set = |prefix: &str| {
            let part = |name: &str| header(&format!("{prefix}-{name}"));
            [part("id"), part("timestamp"), part("signature")]
        };
        let (webhook, svix) = (set("webhook"), set("svix"));
        let chosen = match (webhook, svix) {
            (chosen, [None, None, None]) | ([None, None, None], chosen) => chosen,
            (left, right) if left == right => left,
            _ => return Err(Unverified::Headers),
        };
        match chosen {
            // An id with a full stop could be read as id and time, and the rest as body.
            [Some(id), Some(timestamp), Some(signature)] if !id.is_empty() && !id.contains('.') => {
                Ok(Self { id, timestamp, signature })
            }
            _ => Err(Unverified::Headers),
        }
    }
}

/// Checks the signature over the raw `body`. Every secret and every candidate is tried, in
/// constant time.
///
/// # Errors
///
/// Why the delivery is not believed; for the log, never for the sender.
pub fn verify(
    secrets: &[Secret],
    headers: &SignatureHeaders<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<Verified, Unverified> {
    let digits = headers.timestamp.as_bytes();
    if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Unverified::Time);
    }
    let seconds: i64 = headers.timestamp.parse().map_err(|_| Unverified::Time)?;
    let skew = now.seconds().saturating_sub(seconds);
    if skew.abs() > TOLERANCE {
        return Err(Unverified::Skew { skew });
    }
    let mut holds = Choice::from(0);
    for secret in secrets {
        let expected = signature(secret, headers.id, headers.timestamp, body);
        for candidate in headers.signature.split(' ') {
            let Some(("v1", encoded)) = candidate.split_once(',') else {
                continue;
            };
            if let Ok(given) = STANDARD.decode(encoded) {
                holds |= expected.as_slice().ct_eq(&given);
            }
        }
    }
    if !bool::from(holds) {
        return Err(Unverified::Signature);
    }
    Ok(Verified { id: headers.id.to_owned() })
}

/// The value of a signature header for a delivery of our own.
pub fn sign(secret: &Secret, id: &str, at: Timestamp, body: &[u8]) -> String {
    let mac = signature(secret, id, &at.seconds().to_string(), body);
    format!("v1,{}", STANDARD.encode(mac))
}

/// The key of a secret as it is handed out: `whsec_` and base64.
///
/// # Errors
///
/// If it is empty or not base64.
pub fn parse_secret(text: &str) -> Result<Secret, SecretFormat> {
    let encoded = text.trim().strip_prefix("whsec_").unwrap_or(text.trim());
    let key = LENIENT.decode(encoded).map_err(|_| SecretFormat)?;
    Secret::new(key).ok_or(SecretFormat)
}

/// The text is not a Standard Webhooks secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is `whsec_` followed by base64, and not empty")]
pub struct SecretFormat;

fn signature(secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    hmac_sha256(secret.expose(), &parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIME: &str = "1614265330";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const NOW: Timestamp = Timestamp::from_millis(1_614_265_330_000);

    fn check(
        secret: &str,
        headers: [&str; 3],
        body: &[u8],
        now: Timestamp,
    ) -> Result<Verified, Unverified> {
        let [id, timestamp, signature] = headers;
        let secrets = [parse_secret(secret).unwrap()];
        verify(&secrets, &SignatureHeaders { id, timestamp, signature }, body, now)
    }

    #[test]
    fn published_vectors_verify_and_are_reproduced() {
        assert!(check(SECRET, [ID, TIME, SIGNATURE], BODY, NOW).is_ok());
        assert_eq!(sign(&parse_secret(SECRET).unwrap(), ID, NOW, BODY), SIGNATURE);
        let second = sign(
            &parse_secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap(),
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            Timestamp::from_millis(1_649_367_553_000),
            br#"{"email":"test@example.com","username":"test_user"}"#,
        );
        assert_eq!(second, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn the_prefix_of_the_secret_and_other_signatures_do_not_matter() {
        let bare = SECRET.trim_start_matches("whsec_");
        let listed = format!("v2,abc v1,AAAA {SIGNATURE} v1a,xyz");
        assert!(check(bare, [ID, TIME, &listed], BODY, NOW).is_ok());
    }

    #[test]
    fn one_changed_byte_anywhere_is_refused() {
        for index in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[index] ^= 1;
            let result = check(SECRET, [ID, TIME, SIGNATURE], &body, NOW);
            assert_eq!(result, Err(Unverified::Signature), "at {index}");
        }
        let wrong = [
            (["msg_other", TIME, SIGNATURE], Unverified::Signature),
            ([ID, "1614265331", SIGNATURE], Unverified::Signature),
            ([ID, TIME, "v1,"], Unverified::Signature),
            ([ID, TIME, ""], Unverified::Signature),
            ([ID, TIME, &SIGNATURE[..30]], Unverified::Signature),
            ([ID, TIME, &SIGNATURE.replace("v1,", "v2,")], Unverified::Signature),
            ([ID, "1614265330.0", SIGNATURE], Unverified::Time),
            ([ID, "+1614265330", SIGNATURE], Unverified::Time),
            ([ID, "", SIGNATURE], Unverified::Time),
        ];
        for (headers, reason) in wrong {
            assert_eq!(check(SECRET, headers, BODY, NOW), Err(reason), "{headers:?}");
        }
    }

    #[test]
    fn the_time_window_is_five_minutes_both_ways_inclusive() {
        let at = |offset: i64| {
            let now = Timestamp::from_millis(NOW.millis() + offset * 1000);
            check(SECRET, [ID, TIME, SIGNATURE], BODY, now)
        };
        assert!(at(300).is_ok() && at(-300).is_ok());
        assert_eq!(at(301), Err(Unverified::Skew { skew: 301 }));
        assert_eq!(at(-301), Err(Unverified::Skew { skew: -301 }));
    }

    #[test]
    fn the_two_header_sets_are_not_mixed() {
        let find = |headers: &[(&str, &'static str)]| {
            let headers = headers.to_vec();
            SignatureHeaders::find(|name| {
                headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
            })
            .map(|found| (found.id, found.timestamp, found.signature))
        };
        let webhook =
            [("webhook-id", "a"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,x")];
        let svix = [("svix-id", "a"), ("svix-timestamp", "1"), ("svix-signature", "v1,x")];
        assert_eq!(find(&webhook), Ok(("a", "1", "v1,x")));
        assert_eq!(find(&svix), Ok(("a", "1", "v1,x")));
        assert_eq!(find(&[webhook, svix].concat()), Ok(("a", "1", "v1,x")));
        for mixed in [
            vec![],
            webhook[..2].to_vec(),
            vec![webhook[0], webhook[1], svix[2]],
            vec![("svix-id", "b"), webhook[0], webhook[1], webhook[2]],
            vec![("webhook-id", ""), webhook[1], webhook[2]],
            vec![("webhook-id", "a.1"), webhook[1], webhook[2]],
        ] {
            assert_eq!(find(&mixed), Err(Unverified::Headers), "{mixed:?}");
        }
    }

    #[test]
    fn empty_and_garbled_secrets_are_refused() {
        for wrong in ["", "whsec_", "whsec_!!", "whsec_é"] {
            assert_eq!(parse_secret(wrong).err(), Some(SecretFormat), "{wrong}");
        }
        assert!(parse_secret("whsec_AAAA").is_ok());
    }
}

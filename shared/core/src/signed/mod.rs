//! Tokens that only this deployment can make: decision links, sign-in links, sessions and form tokens.
//!
//! A token is `base64url(JSON) . base64url(HMAC-SHA256)`. The signed bytes begin with the purpose of the token,
//! so a token for one purpose is invalid for every other.

mod link;
mod session;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::webhook::hmac_sha256;
use crate::{Secret, Timestamp};

pub use link::DecisionLink;
pub use session::{
    LONGEST_INVITATION, SESSION_TIME, SessionToken, SignInAttempt, SignInLink, form_token,
    is_form_token,
};

/// The fewest bytes of a key that signs tokens.
pub const SHORTEST_LINK_KEY: usize = 32;

/// The keys that sign tokens: the first signs, and each verifies. So a key can be replaced without a loss of
/// links and sessions: put the new key before the old one, and remove the old one when its links have expired.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    newest: Secret,
    older: Vec<Secret>,
}

/// A key that signs tokens is too short, or there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must have at least {SHORTEST_LINK_KEY} bytes. Make one: openssl rand -hex 32")]
pub struct WeakKey;

impl SigningKeys {
    /// The keys in a text, separated by spaces, the newest first. A text with a shorter word is one key: a passphrase.
    ///
    /// # Errors
    ///
    /// If the text has fewer than [`SHORTEST_LINK_KEY`] bytes.
    pub fn read(text: &str) -> Result<Self, WeakKey> {
        let long = |key: &str| key.len() >= SHORTEST_LINK_KEY;
        let keys: Vec<&str> = match text.split_whitespace().all(long) {
            true => text.split_whitespace().collect(),
            false => vec![text],
        };
        let strong = |key: &str| Secret::new(key).filter(|_| long(key)).ok_or(WeakKey);
        let (newest, older) = keys.split_first().ok_or(WeakKey)?;
        let older = older.iter().map(|key| strong(key)).collect::<Result<_, _>>()?;
        Ok(Self { newest: strong(newest)?, older })
    }

    fn all(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

/// The reason why a token is invalid. The visitor sees the same page for every reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The text does not have the form of a token.
    #[error("the token is malformed")]
    Malformed,
    /// The token was not signed with a key of this deployment.
    #[error("the token's signature does not verify")]
    Signature,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
}

/// The signed content of a token.
pub trait Token: Serialize + DeserializeOwned {
    /// The begin of the signed bytes.
    const PURPOSE: &'static str;

    /// The last moment at which the token is valid.
    fn expires_at(&self) -> Timestamp;

    /// The signed token.
    fn sign(&self, keys: &SigningKeys) -> String {
        let payload = serde_json::to_vec(self).unwrap_or_default();
        let mac = mac(&keys.newest, Self::PURPOSE, &payload);
        format!("{}.{}", URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode(mac))
    }

    /// Verifies a token and reads it. The comparison of the signature takes constant time.
    ///
    /// # Errors
    ///
    /// If the token is malformed, signed with an unknown key, or expired at `now`.
    fn verify(token: &str, keys: &SigningKeys, now: Timestamp) -> Result<Self, TokenError> {
        let (payload, given) = token.split_once('.').ok_or(TokenError::Malformed)?;
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed);
        let (payload, given) = (decode(payload)?, decode(given)?);
        let signs = |key: &Secret| {
            let own = mac(key, Self::PURPOSE, &payload);
            bool::from(subtle::ConstantTimeEq::ct_eq(own.as_slice(), &given))
        };
        if !keys.all().any(signs) {
            return Err(TokenError::Signature);
        }
        let token: Self = serde_json::from_slice(&payload).map_err(|_| TokenError::Malformed)?;
        if now > token.expires_at() {
            return Err(TokenError::Expired);
        }
        Ok(token)
    }
}

fn mac(key: &Secret, purpose: &str, payload: &[u8]) -> [u8; 32] {
    hmac_sha256(key.expose(), &[purpose.as_bytes(), b"\n", payload])
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn keys(text: &str) -> SigningKeys {
        SigningKeys::read(text).unwrap()
    }

    pub(super) const KEY: &str = "0123456789abcdef0123456789abcdef";
    pub(super) const OTHER: &str = "fedcba9876543210fedcba9876543210";

    #[test]
    fn a_key_has_32_characters_and_the_newest_comes_first() {
        for weak in ["", " ", "short", &KEY[1..]] {
            assert!(SigningKeys::read(weak).is_err(), "{weak}");
        }
        let passphrase = keys("a key for links of forty bytes in length");
        assert!(passphrase.older.is_empty());
        let session = SessionToken { id: "s".into(), expires_at: Timestamp::from_millis(9) };
        let now = Timestamp::from_millis(0);
        let before = session.sign(&keys(KEY));
        let both = keys(&format!("{OTHER}  {KEY}\n"));
        assert_eq!(SessionToken::verify(&before, &both, now), Ok(session.clone()));
        let after = session.sign(&both);
        assert_eq!(SessionToken::verify(&after, &keys(OTHER), now), Ok(session));
        assert_eq!(SessionToken::verify(&after, &keys(KEY), now), Err(TokenError::Signature));
    }

    #[test]
    fn a_token_is_valid_for_its_own_purpose_only() {
        let (now, later) = (Timestamp::from_millis(0), Timestamp::from_millis(9));
        let sign_in = SignInLink { person: "ana".into(), nonce: "n".into(), expires_at: later }
            .sign(&keys(KEY));
        let session = SessionToken { id: "s".into(), expires_at: later }.sign(&keys(KEY));
        let refused = Err(TokenError::Signature);
        assert_eq!(SignInLink::verify(&session, &keys(KEY), now).map(|_| ()), refused);
        assert_eq!(SessionToken::verify(&sign_in, &keys(KEY), now).map(|_| ()), refused);
        assert_eq!(DecisionLink::verify(&session, &keys(KEY), now).map(|_| ()), refused);
    }
}

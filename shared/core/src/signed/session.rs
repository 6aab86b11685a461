use std::time::Duration;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::{SigningKeys, Token, mac};
use crate::{Digest, Timestamp, hex};

/// How long a session lasts.
pub const SESSION_TIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The longest time that a sign-in link is valid.
pub const LONGEST_INVITATION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The begin of the signed bytes of a form token.
const FORM: &str = "placet form v1";

/// A link with which a person signs in, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInLink {
    /// The id of the person.
    #[serde(rename = "w")]
    pub person: String,
    /// At least 128 random bits. The session gets its id from them, so the link makes one session at most.
    #[serde(rename = "n")]
    pub nonce: String,
    /// The last moment at which the link is valid.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
}

impl SignInLink {
    /// The id of the session that the link makes.
    pub fn session_id(&self) -> String {
        session_id(&self.nonce)
    }
}

impl Token for SignInLink {
    const PURPOSE: &'static str = "placet sign-in link v1";

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// The content of a session cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionToken {
    /// The id of the session.
    #[serde(rename = "s")]
    pub id: String,
    /// The last moment at which the session is valid.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
}

impl Token for SessionToken {
    const PURPOSE: &'static str = "placet session v1";

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// A sign-in at an OpenID Connect provider that has begun: what the answer of the provider must match. The browser
/// keeps it in a cookie until the provider sends it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInAttempt {
    /// The `state` of the request, which the answer repeats.
    #[serde(rename = "s")]
    pub state: String,
    /// The `nonce` of the request, which the id token repeats.
    #[serde(rename = "n")]
    pub nonce: String,
    /// The PKCE verifier (RFC 7636).
    #[serde(rename = "v")]
    pub verifier: String,
    /// The last moment at which the answer counts.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
}

impl SignInAttempt {
    /// The id of the session that this attempt makes: one at most.
    pub fn session_id(&self) -> String {
        session_id(&self.nonce)
    }
}

impl Token for SignInAttempt {
    const PURPOSE: &'static str = "placet sign-in attempt v1";

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// The id of the session that a random value makes.
fn session_id(nonce: &str) -> String {
    let digest = Digest::of_bytes(format!("session {nonce}").as_bytes()).to_string();
    digest.chars().take(32).collect()
}

/// The token in the forms of one session or one link, which another site cannot know.
pub fn form_token(subject: &str, keys: &SigningKeys) -> String {
    hex(&mac(&keys.newest, FORM, subject.as_bytes())[..16])
}

/// Whether a text is the token in the forms of this session or link. The comparison takes constant time.
pub fn is_form_token(given: &str, subject: &str, keys: &SigningKeys) -> bool {
    keys.all().any(|key| {
        let own = hex(&mac(key, FORM, subject.as_bytes())[..16]);
        own.as_bytes().ct_eq(given.as_bytes()).into()
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{KEY, OTHER, keys};
    use super::*;

    #[test]
    fn a_form_token_belongs_to_one_session_and_one_key() {
        let token = form_token("session-1", &keys(KEY));
        assert!(is_form_token(&token, "session-1", &keys(KEY)));
        assert!(is_form_token(&token, "session-1", &keys(&format!("{OTHER} {KEY}"))));
        assert!(!is_form_token(&token, "session-2", &keys(KEY)));
        assert!(!is_form_token(&token, "session-1", &keys(OTHER)));
        assert!(!is_form_token("", "session-1", &keys(KEY)));
    }

    #[test]
    fn two_links_make_two_sessions_and_one_link_makes_one() {
        let link = |nonce: &str| SignInLink {
            person: "ana".into(),
            nonce: nonce.into(),
            expires_at: Timestamp::from_millis(0),
        };
        assert_eq!(link("a").session_id(), link("a").session_id());
        assert_ne!(link("a").session_id(), link("b").session_id());
        assert_eq!(link("a").session_id().len(), 32);
    }
}

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::operation::{OperationId, OperationKind};
use crate::webhook::hmac_sha256;
use crate::{Digest, Secret, Timestamp};

/// Keeps a link's MAC from being taken for a MAC of anything else under the same key.
const PURPOSE: &[u8] = b"placet decision link v1\n";

/// What its bearer may decide until when: the content of a `/d/{token}` link.
///
/// The token is `base64url(JSON) . base64url(HMAC-SHA256)`. It is bound to the digest, so it can
/// decide only on what was shown. It needs no list of used tokens: the decision itself ends the
/// `pending` state that it and all its siblings need, and a settlement is good for one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionLink {
    /// The operation's project.
    #[serde(rename = "p")]
    pub project: String,
    /// What kind of question it is. Absent for a function call, so that links that were sent before
    /// there were other kinds stay good.
    #[serde(rename = "k", default = "function_call", skip_serializing_if = "is_function_call")]
    pub kind: OperationKind,
    /// Which operation.
    #[serde(rename = "c")]
    pub call_id: String,
    /// The digest of what it may decide on.
    #[serde(rename = "d")]
    pub digest: Digest,
    /// Absent in a link that decides. One that settles an unknown outcome names the attempt: the
    /// same link cannot settle the next.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub settles: Option<u32>,
    /// The last moment at which it is good.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
}

/// Why a token is not a way in. The visitor is told the same for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is not of the token's form.
    #[error("the token is malformed")]
    Malformed,
    /// It was not signed with the key of this deployment.
    #[error("the token's signature does not verify")]
    Signature,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
}

impl DecisionLink {
    /// Which operation it is about.
    pub fn id(&self) -> OperationId {
        OperationId::new(&self.project, self.kind, &self.call_id)
    }

    /// The token for this link.
    pub fn sign(&self, key: &Secret) -> String {
        let payload = serde_json::to_vec(self).unwrap_or_default();
        let mac = mac(key, &payload);
        format!("{}.{}", URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode(mac))
    }

    /// Reads a token, in constant time as far as the signature goes.
    ///
    /// # Errors
    ///
    /// If it is malformed, signed with another key, or expired at `now`.
    pub fn verify(token: &str, key: &Secret, now: Timestamp) -> Result<Self, LinkError> {
        let (payload, given) = token.split_once('.').ok_or(LinkError::Malformed)?;
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| LinkError::Malformed);
        let (payload, given) = (decode(payload)?, decode(given)?);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(mac(key, &payload).as_slice(), &given)) {
            return Err(LinkError::Signature);
        }
        let link: Self = serde_json::from_slice(&payload).map_err(|_| LinkError::Malformed)?;
        if now > link.expires_at {
            return Err(LinkError::Expired);
        }
        Ok(link)
    }
}

const fn function_call() -> OperationKind {
    OperationKind::FunctionCall
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_function_call(kind: &OperationKind) -> bool {
    *kind == function_call()
}

fn mac(key: &Secret, payload: &[u8]) -> [u8; 32] {
    hmac_sha256(key.expose(), &[PURPOSE, payload])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> DecisionLink {
        DecisionLink {
            project: "default".into(),
            kind: OperationKind::FunctionCall,
            call_id: "call-1".into(),
            digest: Digest::of_bytes(b"content"),
            settles: None,
            expires_at: Timestamp::from_millis(1000),
        }
    }

    #[test]
    fn a_signed_link_comes_back_until_it_expires() {
        let key = Secret::new("key").unwrap();
        let token = link().sign(&key);
        let at = |millis| DecisionLink::verify(&token, &key, Timestamp::from_millis(millis));
        assert_eq!(at(1000), Ok(link()));
        assert_eq!(at(1001), Err(LinkError::Expired));
    }

    #[test]
    fn a_link_names_its_kind_unless_it_is_a_function_call() {
        let key = Secret::new("key").unwrap();
        let payload = |link: &DecisionLink| {
            let token = link.sign(&key);
            let (payload, _) = token.split_once('.').unwrap();
            String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
        };
        let question = DecisionLink { kind: OperationKind::HumanContact, ..link() };
        let (of_call, of_question) = (payload(&link()), payload(&question));
        assert!(!of_call.contains("\"k\""), "a link as it always was: {of_call}");
        assert_eq!(of_question.replacen(r#""k":"human_contact","#, "", 1), of_call);
        let read = |link: &DecisionLink| {
            DecisionLink::verify(&link.sign(&key), &key, Timestamp::from_millis(0)).unwrap().id()
        };
        assert_eq!(read(&link()), OperationId::call("default", "call-1"));
        assert_eq!(
            read(&question),
            OperationId::new("default", OperationKind::HumanContact, "call-1")
        );
    }

    #[test]
    fn no_changed_token_is_let_in() {
        let key = Secret::new("key").unwrap();
        let now = Timestamp::from_millis(0);
        let token = link().sign(&key);
        assert_eq!(
            DecisionLink::verify(&token, &Secret::new("other").unwrap(), now),
            Err(LinkError::Signature)
        );
        for index in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(DecisionLink::verify(&changed, &key, now).is_err(), "at {index}");
        }
        for wrong in ["", ".", "a.b", &token[..token.len() - 1], &format!("{token}A")] {
            assert!(DecisionLink::verify(wrong, &key, now).is_err(), "{wrong}");
        }
    }
}

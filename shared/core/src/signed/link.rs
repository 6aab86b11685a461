use serde::{Deserialize, Serialize};

use super::Token;
use crate::operation::{OperationId, OperationKind};
use crate::{Digest, Timestamp};

/// The content of a `/d/{token}` link: the operation that the bearer may decide or settle, and until when.
///
/// The token contains the operation's digest, so it can decide only on the content that the approver saw. Placet
/// keeps no list of used tokens: a decision ends the `pending` state, so every other token for the same decision
/// is useless afterwards, and a settlement token is valid for one attempt. A token can be revoked: the operation
/// keeps the ids of revoked tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionLink {
    /// The operation's project.
    #[serde(rename = "p")]
    pub project: String,
    /// The kind of the operation. Absent in the JSON for a function call, so that links from before there
    /// were questions stay valid.
    #[serde(rename = "k", default = "function_call", skip_serializing_if = "is_function_call")]
    pub kind: OperationKind,
    /// The call id of the operation.
    #[serde(rename = "c")]
    pub call_id: String,
    /// The digest of the operation that the bearer may decide.
    #[serde(rename = "d")]
    pub digest: Digest,
    /// The attempt that the link settles, for a link that settles an unknown outcome. The same link cannot
    /// settle the next attempt. `None` for a link that decides.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub settles: Option<u32>,
    /// The id of the person who may use the link. `None` for a link of its bearer, which is valid only while
    /// `placet.yaml` lists nobody.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The last moment at which the link is valid.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
}

impl DecisionLink {
    /// The operation that the link is for.
    pub fn id(&self) -> OperationId {
        OperationId::new(&self.project, self.kind, &self.call_id)
    }

    /// The id of a token in histories and logs: the first 12 digits of its SHA-256. The id does not reveal the
    /// token.
    pub fn token_id(token: &str) -> String {
        Digest::of_bytes(token.as_bytes()).to_string().chars().take(12).collect()
    }
}

impl Token for DecisionLink {
    const PURPOSE: &'static str = "placet decision link v1";

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

const fn function_call() -> OperationKind {
    OperationKind::FunctionCall
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_function_call(kind: &OperationKind) -> bool {
    *kind == function_call()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::super::TokenError;
    use super::super::tests::{KEY, OTHER, keys};
    use super::*;

    fn link() -> DecisionLink {
        DecisionLink {
            project: "default".into(),
            kind: OperationKind::FunctionCall,
            call_id: "call-1".into(),
            digest: Digest::of_bytes(b"content"),
            settles: None,
            person: None,
            expires_at: Timestamp::from_millis(1000),
        }
    }

    #[test]
    fn a_signed_link_is_valid_until_it_expires() {
        let key = keys(KEY);
        let token = link().sign(&key);
        let at = |millis| DecisionLink::verify(&token, &key, Timestamp::from_millis(millis));
        assert_eq!(at(1000), Ok(link()));
        assert_eq!(at(1001), Err(TokenError::Expired));
    }

    #[test]
    fn a_link_names_its_kind_unless_it_is_a_function_call() {
        let key = keys(KEY);
        let payload = |link: &DecisionLink| {
            let token = link.sign(&key);
            let (payload, _) = token.split_once('.').unwrap();
            String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
        };
        let question = DecisionLink { kind: OperationKind::HumanContact, ..link() };
        let (of_call, of_question) = (payload(&link()), payload(&question));
        assert!(!of_call.contains("\"k\""), "links for calls keep their old form: {of_call}");
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
    fn a_changed_token_is_refused() {
        let key = keys(KEY);
        let now = Timestamp::from_millis(0);
        let token = link().sign(&key);
        assert_eq!(DecisionLink::verify(&token, &keys(OTHER), now), Err(TokenError::Signature));
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

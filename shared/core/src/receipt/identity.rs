//! What makes two requests the same event.
//!
//! If the signature covers the event's identity, the receipt's id is made from it, and one conditional
//! write is claim and storage at once. If it does not, or if there is none, anyone who has seen one request
//! could send it again under another identity: then the signature itself is claimed for the receipt
//! before. An event without identity whose time is signed is signed anew for each retry, so its body is
//! claimed, too. If the process dies between claim and storage, the next copy finds the claim and is stored
//! as the receipt that it names.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::beginning;
use crate::webhook::{Incoming, Verified};
use crate::{Digest, Timestamp};

/// How long the signature of an event with an unsigned identity is remembered: anyone who saw it once could
/// send it again for as long as the secret is the same.
const SIGNATURES: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// That a signature, or a body, belongs to a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The source, and what is claimed.
    pub key: String,
    /// Until when.
    pub expires: Timestamp,
}

/// Under which id a webhook is stored, and what has to be claimed for it before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The id of its receipt.
    pub receipt_id: String,
    /// What has to be claimed.
    pub claims: Vec<Claim>,
}

impl Identity {
    /// The identity of a verified webhook that came at `now`.
    pub fn of(verified: &Verified<'_>, now: Timestamp) -> Self {
        let (scheme, request) = (verified.scheme(), verified.request());
        let source = verified.source();
        let coverage = verified.proven.coverage;
        // A proof that does not cover the body may come with several events, as a token does.
        let signature = verified.signature.filter(|_| coverage.body);
        let request_digest = || digest_of(request, coverage.url || signature.is_none());
        let receipt_id = match &verified.identity {
            Some(identity) => receipt_id(source, identity),
            None => receipt_id(source, &format!("{} {}", request_digest(), now.millis())),
        };
        let claim = |what: String, lasting: Duration| Claim {
            key: format!("{source}#{what}"),
            expires: now.plus(lasting),
        };
        let mut claims = Vec::new();
        if let Some(signature) = signature.filter(|_| !coverage.identity) {
            let lasting = match &verified.identity {
                Some(_) => SIGNATURES,
                None if coverage.time => scheme.remember.0,
                None => scheme.remember_body.0,
            };
            let event_type = scheme.event_type(request).filter(|_| scheme.same_body_other_type);
            let event_type = beginning(&event_type.unwrap_or_default(), 256);
            claims.push(claim(format!("signature#{signature}#{event_type}"), lasting));
        }
        if verified.identity.is_none() && (signature.is_none() || coverage.time) {
            let what = format!("request#{}", request_digest());
            claims.push(claim(what, scheme.remember_body.0));
        }
        Self { receipt_id, claims }
    }
}

/// Enough of a digest that no two events ever share it.
fn receipt_id(source: &str, text: &str) -> String {
    let digest = Digest::of_bytes(text.as_bytes()).to_string();
    format!("{source}.{}", &digest[..40])
}

/// A digest of what a sender repeats when it retries: the body, and the address unless one who repeats
/// it may change that.
fn digest_of(request: &Incoming<'_>, with_address: bool) -> Digest {
    let Incoming { method, path, query, body, .. } = request;
    let target = if with_address { format!("{method} {path}?{query}\n") } else { String::new() };
    Digest::of_parts(&[target.as_bytes(), body])
}

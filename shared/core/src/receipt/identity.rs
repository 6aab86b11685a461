//! The identity of a webhook: whether two requests are the same event.
//!
//! If the signature covers the event's identity, the receipt's id is derived from the identity. Then one
//! conditional write both claims and stores the receipt. If the identity is not signed or missing, anyone
//! who has seen one request could send it again with another identity. So Placet first claims the signature
//! for the receipt. If an event has no identity and its time is signed, each retry has a new signature. So
//! Placet claims the body, too. If the process dies between the claim and the storage, the next copy finds
//! the claim and is stored under the receipt id in the claim.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::beginning;
use crate::webhook::{Incoming, Verified};
use crate::{Digest, Timestamp};

/// How long Placet remembers the signature of an event with an unsigned identity. Anyone who saw the request
/// could send it again until the secret changes.
const SIGNATURES: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A claim: this signature or body belongs to a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The source, and a digest of the claimed signature or body.
    pub key: String,
    /// When the claim expires.
    pub expires: Timestamp,
}

/// The receipt id of a webhook, and the claims that must be made before it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The id of the receipt.
    pub receipt_id: String,
    /// The claims to make.
    pub claims: Vec<Claim>,
}

impl Identity {
    /// The identity of a verified webhook that Placet received at `now`.
    pub fn of(verified: &Verified<'_>, now: Timestamp) -> Self {
        let (scheme, request) = (verified.scheme(), verified.request());
        let source = verified.source();
        let coverage = verified.proven.coverage;
        // A proof that does not cover the body, such as a token, may belong to several events.
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
            let event_type = scheme.event_type(request).ok().flatten();
            let event_type = event_type.filter(|_| scheme.same_body_other_type);
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

/// The receipt id: the source and 40 digits of a digest, which is enough to be unique.
fn receipt_id(source: &str, text: &str) -> String {
    let digest = Digest::of_bytes(text.as_bytes()).to_string();
    format!("{source}.{}", &digest[..40])
}

/// A digest of the parts that are the same in each retry: the body, and the address if `with_address`. The
/// address does not count if somebody who repeats the request could change it.
fn digest_of(request: &Incoming<'_>, with_address: bool) -> Digest {
    let Incoming { method, path, query, body, .. } = request;
    let target = if with_address { format!("{method} {path}?{query}\n") } else { String::new() };
    Digest::of_parts(&[target.as_bytes(), body])
}

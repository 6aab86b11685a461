//! The identity of a webhook: whether two requests are the same event.
//!
//! What the sender has signed decides it, because anyone who has seen a request can change the rest.
//!
//! - If the identity is signed, the receipt's id is derived from it.
//! - If only other content is signed, the receipt's id is derived from that content. For a source whose
//!   targets have effects, nothing unsigned counts: equal content is one event. For a source that only logs
//!   and forwards, the unsigned identity counts as well, so that no event is missing.
//! - If no content is signed, the identity is what the request says. It has a namespace of its own.
//!
//! In the first and the last case, a receipt with another body is another event: both are kept.
//!
//! One conditional write both claims and stores the receipt. A claim of its own is needed only where a copy is
//! recognised for a limited time, or by more than one property. If the process dies between the claim and
//! the storage, the next copy finds the claim and is stored under the receipt id in the claim.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::beginning;
use crate::webhook::{Incoming, SignedContent, Verified};
use crate::{Digest, Timestamp};

/// How long Placet remembers an event with effects whose signature never expires. Anyone who saw the request
/// could send it again until the secret changes.
const SIGNATURES: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A claim: this signed content or request belongs to a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The source, and a digest of what is claimed.
    pub key: String,
    /// When the claim expires.
    pub expires: Timestamp,
}

/// The receipt id of a webhook, and the claims that must be made before it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The id of the receipt.
    pub receipt_id: String,
    /// The claims to make.
    pub claims: Vec<Claim>,
    /// Whether a receipt with this id is another event if its body differs.
    #[serde(default)]
    pub compares_bodies: bool,
}

impl Identity {
    /// The identity of a verified webhook that Placet received at `now`.
    pub fn of(verified: &Verified<'_>, now: Timestamp) -> Self {
        let (scheme, source) = (verified.scheme(), verified.source());
        let named = |name: &str, compares_bodies| Self {
            receipt_id: receipt_id(source, name),
            claims: Vec::new(),
            compares_bodies,
        };
        let coverage = verified.proven.coverage;
        match (verified.signed, verified.identity.as_deref()) {
            (None, Some(id)) if coverage.identity => {
                named(id, coverage.body && !scheme.retries_change_body)
            }
            (None, Some(id)) => named(&format!("unsigned {id}"), true),
            (None, None) => {
                let request = request_digest(verified.request());
                let mut identity = named(&format!("request {request} {}", now.millis()), false);
                let expires = now.plus(scheme.remember_body.0);
                identity.claims = vec![claim(source, &format!("request#{request}"), expires)];
                identity
            }
            (Some(signed), id) => {
                let event_type = scheme.event_type(verified.request()).ok().flatten();
                let event_type = event_type.filter(|_| scheme.separates_types());
                let event_type = beginning(&event_type.unwrap_or_default(), 256);
                let content = format!("{} {event_type}", signed.timeless);
                if scheme.merges_equal_content() || signed.holds_time {
                    return named(&format!("content {content}"), false);
                }
                let mut claims = Vec::new();
                let SignedContent { message, timeless, .. } = signed;
                if message != timeless {
                    let expires = now.plus(scheme.remember.0);
                    claims.push(claim(source, &format!("message#{message}"), expires));
                }
                let apart = match id {
                    Some(id) => format!("id {id}"),
                    None => {
                        let expires = now.plus(scheme.remember_body.0);
                        claims.push(claim(source, &format!("content#{content}"), expires));
                        format!("at {}", now.millis())
                    }
                };
                Self { claims, ..named(&format!("content {content} {apart}"), false) }
            }
        }
    }

    /// The id of a receipt that must be kept apart from the receipt with this identity: because its body is
    /// another, or because it came under another unsigned identity.
    pub fn apart(&self, delivery_id: Option<&str>, body: &[u8]) -> String {
        let source = self.receipt_id.rsplit_once('.').map_or("", |(source, _)| source);
        let (body, delivery_id) = (Digest::of_bytes(body), delivery_id.unwrap_or_default());
        receipt_id(source, &format!("apart {} {body} {delivery_id}", self.receipt_id))
    }

    /// How long Placet must recognise a repetition of a webhook. The receipt is stored as long as that.
    pub(super) fn lasts(verified: &Verified<'_>) -> Duration {
        let (scheme, coverage) = (verified.scheme(), verified.proven.coverage);
        let configured = scheme.remember.0.max(scheme.remember_body.0);
        let signed = coverage.identity || verified.signed.is_some();
        match signed && !coverage.time && scheme.merges_equal_content() {
            true => configured.max(SIGNATURES),
            false => configured,
        }
    }
}

fn claim(source: &str, what: &str, expires: Timestamp) -> Claim {
    Claim { key: format!("{source}#{what}"), expires }
}

/// The receipt id: the source and 40 digits of a digest, which is enough to be unique.
fn receipt_id(source: &str, text: &str) -> String {
    let digest = Digest::of_bytes(text.as_bytes()).to_string();
    format!("{source}.{}", &digest[..40])
}

/// A digest of the parts of a request that are the same in each retry: the address and the body.
fn request_digest(request: &Incoming<'_>) -> Digest {
    let Incoming { method, path, query, body, .. } = request;
    Digest::of_parts(&[format!("{method} {path}?{query}\n").as_bytes(), body])
}

use serde::{Deserialize, Serialize};

use super::incoming::Incoming;
use super::scheme::Scheme;
use crate::{Digest, Timestamp};

/// A request that passed the checks of a source. Only [`Verifier::verify`](super::Verifier::verify) creates
/// this type, so an unverified request cannot be stored as verified.
#[derive(Debug)]
pub struct Verified<'v> {
    /// What the sender proved.
    pub proven: Verification,
    /// The identity of the event; `None` if the request has none.
    pub identity: Option<String>,
    /// The signed content of an event whose identity is not signed; `None` if the identity is signed, or if
    /// the proof covers no content.
    pub signed: Option<SignedContent>,
    pub(super) source: &'v str,
    pub(super) scheme: &'v Scheme,
    pub(super) request: Incoming<'v>,
}

impl<'v> Verified<'v> {
    /// The name of the source.
    pub const fn source(&self) -> &'v str {
        self.source
    }

    /// The scheme of the source.
    pub const fn scheme(&self) -> &'v Scheme {
        self.scheme
    }

    /// The request.
    pub const fn request(&self) -> &Incoming<'v> {
        &self.request
    }
}

/// Digests of what a signature covers. Without the key, nobody can change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedContent {
    /// The signed message. Two requests with one signature have one signed message.
    pub message: Digest,
    /// The signed message without a part of its own for the time, so that it is the same in each retry.
    pub timeless: Digest,
    /// Whether the rest of the message holds the time, so that no two events have the same.
    pub holds_time: bool,
}

/// A request that did not pass its checks.
#[derive(Debug)]
pub struct Rejected<'v> {
    /// The reason.
    pub reason: super::Unverified,
    /// The request, which the caller may verify again.
    pub request: Incoming<'v>,
}

/// What the sender proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The names of the passed checks, for example `hmac-sha256`.
    pub check: String,
    /// The number of the configured secret that matched, from 1.
    pub key: Option<usize>,
    /// The signed time.
    pub signed_at: Option<Timestamp>,
    /// The parts of the request that the proof covers.
    pub coverage: Coverage,
}

/// The parts of a request that its proof covers. Treat all other parts as unverified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Whether the whole body is covered.
    pub body: bool,
    /// Whether the identity of the event is covered.
    pub identity: bool,
    /// Whether the type of the event is covered.
    #[serde(rename = "type")]
    pub event_type: bool,
    /// Whether the time of sending is covered.
    pub time: bool,
    /// Whether the URL of the request is covered.
    pub url: bool,
}

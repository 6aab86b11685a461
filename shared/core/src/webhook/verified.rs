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
    /// A digest of the valid signature. Two requests with the same signature are the same request.
    pub signature: Option<Digest>,
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

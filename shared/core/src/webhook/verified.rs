use serde::{Deserialize, Serialize};

use super::incoming::Incoming;
use super::scheme::Scheme;
use crate::{Digest, Timestamp};

/// A request that passed its checks, and the source it passed them for. Only
/// [`Verifier::verify`](super::Verifier::verify) makes one, so nothing else can be stored as verified.
#[derive(Debug)]
pub struct Verified<'v> {
    /// What its sender proved.
    pub proven: Verification,
    /// What tells this event from another; `None` if the request holds nothing of the kind.
    pub identity: Option<String>,
    /// A digest of the signature that held; the same signature again is the same request again.
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

    /// The scheme whose checks it passed.
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
    /// Why.
    pub reason: super::Unverified,
    /// The request, which may be judged again.
    pub request: Incoming<'v>,
}

/// What a sender proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// What held, as in `hmac-sha256`.
    pub check: String,
    /// Which of the configured secrets, from 1.
    pub key: Option<usize>,
    /// The signed time.
    pub signed_at: Option<Timestamp>,
    /// What the proof covers.
    pub coverage: Coverage,
}

/// What of a request its proof covers. Treat the rest as unverified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The whole body.
    pub body: bool,
    /// What tells the event from another.
    pub identity: bool,
    /// What kind of event it is.
    #[serde(rename = "type")]
    pub event_type: bool,
    /// When it was sent.
    pub time: bool,
    /// The address it was sent to.
    pub url: bool,
}

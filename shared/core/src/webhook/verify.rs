use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, Period, Timestamp};

/// A request that passed its checks. Only [`Verifier::verify`](super::Verifier::verify) makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What held, as in `hmac-sha256`.
    pub check: String,
    /// Which of the configured secrets, from 1; `None` if none was needed.
    pub key: Option<usize>,
    /// The signed time.
    pub signed_at: Option<Timestamp>,
    /// What of the request the proof covers.
    pub coverage: Coverage,
    /// What tells this event from another; `None` if the request holds nothing of the kind.
    pub identity: Option<String>,
    /// A digest of the signature that held; the same signature again is the same request again.
    pub signature: Option<Digest>,
    pub(super) sealed: Sealed,
}

impl Verified {
    /// What is written down about it.
    pub fn record(&self) -> Verification {
        let Self { check, key, signed_at, coverage, .. } = self.clone();
        Verification { check, key, signed_at, coverage }
    }
}

/// What was verified, as it is written down.
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

/// Keeps others from making a [`Verified`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed;

/// What of a request its proof covers. The rest is only what the request says.
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

/// Why a request is not believed: for the log. The sender is told the same for all of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// There is no signature, token or time, or part of what is signed is not there.
    #[error("the signature, or something it covers, is missing")]
    Missing,
    /// Two readers could understand it differently.
    #[error("the request can be read in two ways")]
    Ambiguous,
    /// The body has not the form the scheme needs.
    #[error("the body can not be read as the scheme needs it")]
    Unreadable,
    /// The time is not written as it must be.
    #[error("the signed time is not written as it must be")]
    Time,
    /// The time is too far off.
    #[error(
        "the signed time is {skew} s behind ours, {past} behind and {future} ahead are allowed"
    )]
    Skew {
        /// Our time less the signed time, in seconds.
        skew: i64,
        /// How old it may be.
        past: Period,
        /// How far ahead it may be.
        future: Period,
    },
    /// No signature holds under any key.
    #[error("no signature holds under any of our keys")]
    Signature,
    /// The body is not the one whose digest is signed.
    #[error("the body does not match its signed digest")]
    BodyHash,
    /// The token is not ours.
    #[error("the token is not one of ours")]
    Token,
    /// The sender's address is not on the list.
    #[error("the address it came from is not allowed")]
    Address,
    /// The JSON Web Token does not hold.
    #[error("the JSON Web Token does not hold: {0}")]
    Jwt(&'static str),
    /// The certificate is not the sender's.
    #[error("the certificate does not hold: {0}")]
    Certificate(&'static str),
    /// There is no key for any of the checks the request is made for.
    #[error("no check with a key is made for this request")]
    NoCheck,
    /// The address the source is reached at is not configured.
    #[error("the scheme signs the address: public_url is not set")]
    PublicUrl,
    /// It can be judged once this document is there.
    #[error("the key at {url} is not there")]
    NeedsDocument {
        /// Where it is.
        url: String,
        /// Whether one that is there already is too old.
        newer: bool,
    },
}

/// Key sets and certificates that were fetched, by address.
#[derive(Clone, Debug, Default)]
pub struct Documents(BTreeMap<String, Vec<u8>>);

impl Documents {
    /// Adds or replaces a document.
    pub fn insert(&mut self, url: &str, bytes: Vec<u8>) {
        self.0.insert(url.to_owned(), bytes);
    }

    pub(super) fn get(&self, url: &str) -> Option<&[u8]> {
        self.0.get(url).map(Vec::as_slice)
    }
}

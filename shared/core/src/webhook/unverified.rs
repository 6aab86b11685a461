use std::collections::BTreeMap;

use crate::Period;

/// The reason why a request is not verified, for the log. The sender gets the same answer for every reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// The signature, the token, the time or a signed part is missing.
    #[error("the signature, or a value that it covers, is missing")]
    Missing,
    /// Two readers could understand the request differently.
    #[error("the request is ambiguous")]
    Ambiguous,
    /// The body does not have the form that the scheme needs.
    #[error("the body does not have the form that the scheme needs")]
    Unreadable,
    /// The signed time does not have the format of the scheme.
    #[error("the signed time does not have the format of the scheme")]
    Time,
    /// The signed time differs too much from the current time.
    #[error(
        "the signed time is {skew} s behind our clock, and at most {past} behind and {future} ahead are allowed"
    )]
    Skew {
        /// The current time minus the signed time, in seconds.
        skew: i64,
        /// The greatest allowed age.
        past: Period,
        /// How far the signed time may be ahead.
        future: Period,
    },
    /// No signature is valid under any key.
    #[error("no signature is valid under any configured key")]
    Signature,
    /// The body does not match its signed digest.
    #[error("the body does not match its signed digest")]
    BodyHash,
    /// The token is not a configured secret.
    #[error("the token is not a configured secret")]
    Token,
    /// The sender's IP address is not in the list.
    #[error("the sender's IP address is not allowed")]
    Address,
    /// The JSON Web Token is not valid.
    #[error("the JSON Web Token is not valid: {0}")]
    Jwt(&'static str),
    /// The certificate is not valid.
    #[error("the certificate is not valid: {0}")]
    Certificate(&'static str),
    /// No configured check with a key applies to the request.
    #[error(
        "no check of this source applies to the request, or the secret of the one that applies is not set"
    )]
    NoCheck,
    /// The public address of the source is not configured.
    #[error("public_url is not set, and the sender signs the URL: set public_url")]
    PublicUrl,
    /// The verification needs this document.
    #[error("the key at {url} is not available")]
    NeedsDocument {
        /// The address of the document.
        url: String,
        /// Whether the available copy is too old.
        newer: bool,
    },
}

/// Fetched key sets and certificates, by address.
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

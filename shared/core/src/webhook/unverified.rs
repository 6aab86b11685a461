use std::collections::BTreeMap;

use crate::Period;

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
    #[error("the body cannot be read as the scheme needs it")]
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

use super::grammar::SignatureCheck;
use super::location::Location;
use crate::{Digest, Timestamp};

/// The result of one passed check.
#[derive(Default)]
pub(super) struct Proof<'a> {
    pub(super) check: String,
    pub(super) key: Option<usize>,
    pub(super) signed_at: Option<Timestamp>,
    pub(super) signature: Option<Digest>,
    /// Whether the check covers the whole body.
    pub(super) body: bool,
    /// Whether a signed digest covers the body.
    pub(super) hashed: bool,
    /// The check, if it is a signature over parts of the request.
    pub(super) signed: Option<&'a SignatureCheck>,
}

impl Proof<'_> {
    /// Whether the proof covers the value at a location.
    pub(super) fn covers(&self, location: &Location) -> bool {
        match location {
            Location::Json(_) if self.body => true,
            Location::Form(..) if self.hashed => true,
            _ => self.signed.is_some_and(|check| check.covers(location)),
        }
    }

    pub(super) fn url(&self) -> bool {
        self.signed.is_some_and(SignatureCheck::signs_url)
    }
}

use super::grammar::SignatureCheck;
use super::location::Location;
use crate::{Digest, Timestamp};

/// What one check found.
#[derive(Default)]
pub(super) struct Proof<'a> {
    pub(super) check: String,
    pub(super) key: Option<usize>,
    pub(super) signed_at: Option<Timestamp>,
    pub(super) signature: Option<Digest>,
    /// Whether the body is proven.
    pub(super) body: bool,
    /// Whether it is by a digest of its own.
    pub(super) hashed: bool,
    /// The check, if it is one of a signature over parts of the request.
    pub(super) signed: Option<&'a SignatureCheck>,
}

impl Proof<'_> {
    /// Whether the value at a location is proven with it.
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

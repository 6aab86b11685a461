use super::location::Location;
use crate::{Digest, Timestamp};

/// What one check found.
#[derive(Default)]
pub(super) struct Proof {
    pub(super) check: String,
    pub(super) key: Option<usize>,
    pub(super) signed_at: Option<Timestamp>,
    pub(super) signature: Option<Digest>,
    /// Whether the body is proven.
    pub(super) body: bool,
    /// Whether the fields of a form are: sorted and joined, one text may be cut in several ways.
    pub(super) fields: bool,
    pub(super) url: bool,
    pub(super) covered: Vec<Location>,
    pub(super) members: Vec<String>,
}

impl Proof {
    /// Whether the value at a location is proven with it.
    pub(super) fn covers(&self, location: &Location) -> bool {
        self.covered.contains(location)
            || match location {
                Location::Json(pointer) => {
                    self.body || self.members.iter().any(|name| name == pointer.first())
                }
                Location::Form(..) => self.fields,
                Location::Query(_) | Location::Path(_) => self.url,
                Location::Header(_) => false,
            }
    }
}

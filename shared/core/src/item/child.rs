use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Header, Item, Kind, Lane, Write};
use crate::Timestamp;

/// An item that must still be created. Until then it is part of its parent's header.
///
/// The id of the child is derived from its parent. So a worker that creates the child again after a crash
/// finds the existing item. The body is a small descriptor, never a payload, because it is written as part
/// of the parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// The name of the child's kind.
    pub kind: String,
    /// The id of the child.
    pub id: String,
    /// The lane of its first work.
    pub lane: Lane,
    /// The body of its first version.
    pub body: Value,
}

impl Child {
    /// A child that will be created with this body.
    pub fn new<K: Kind>(id: String, body: K, now: Timestamp) -> Self {
        let write = Write::new("", now);
        let item = Item { header: Header::new("", &id, &write), body };
        let lane = item.wants(now).map_or(K::HOME, |(lane, _)| lane);
        let body = serde_json::to_value(&item.body).unwrap_or_default();
        Self { kind: K::NAME.to_owned(), id, lane, body }
    }
}

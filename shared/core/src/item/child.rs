use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Header, Item, Kind, Lane, Write};
use crate::Timestamp;

/// An item that has still to be created: part of its parent's header until it is.
///
/// Its id is derived from its parent, so that one who creates it again after a crash finds the one that
/// was created before. Its body is a small descriptor, never a payload: the parent is written with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// The name of its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The lane of the first thing to be done for it.
    pub lane: Lane,
    /// Its first body.
    pub body: Value,
}

impl Child {
    /// A child that will be born with this body.
    pub fn new<K: Kind>(id: String, body: K, now: Timestamp) -> Self {
        let write = Write::new("", now);
        let item = Item { header: Header::new("", &id, &write), body };
        let lane = item.wants(now).map_or(K::HOME, |(lane, _)| lane);
        let body = serde_json::to_value(&item.body).unwrap_or_default();
        Self { kind: K::NAME.to_owned(), id, lane, body }
    }
}

use std::fmt::{Debug, Display};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Child, Item, Lane, Next};
use crate::{Digest, Payload, Timestamp};

/// A kind of item: its states, what commands make of them, and what each state needs. Pure.
pub trait Kind:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Its name in keys, pointers and logs: lower case, no `#`.
    const NAME: &'static str;
    /// The lane on which transitions that need no work are written.
    const HOME: Lane = Lane::Work;
    /// Whether the first attempt may be made before the item is stored, because a repeated attempt does
    /// no harm.
    const REPEATABLE: bool = false;

    /// What changes it.
    type Command: Clone + Debug + Send + Sync;
    /// Why a command changes nothing.
    type Refusal: Clone + Debug + Display + Send + Sync;
    /// What has to be done for it outside of the table.
    type Work: Clone + Debug + Send + Sync;

    /// The body after `command`, and the items that have to be created because of it.
    ///
    /// # Errors
    ///
    /// Why nothing changes.
    fn apply(
        item: &Item<Self>,
        command: &Self::Command,
        write: &Write<'_>,
    ) -> Result<Change<Self>, Self::Refusal>;

    /// What its state needs at `now`.
    fn next(item: &Item<Self>, now: Timestamp) -> Next<Self>;

    /// The command that records that its work can never be done.
    fn failed(reason: String) -> Self::Command;

    /// Whether a text can be the id of such an item. No row is read for another.
    fn is_id(_text: &str) -> bool {
        true
    }

    /// What every write is conditional on beside the version.
    fn digest(&self) -> Option<Digest> {
        None
    }

    /// Whether it is on the list of its kind.
    fn is_listed(&self) -> bool {
        true
    }

    /// When it may be deleted; `None` while something is still to happen to it, or if it is kept.
    fn expires(_item: &Item<Self>) -> Option<Timestamp> {
        None
    }

    /// The bytes it carries; the store keeps them beside the rest of the body.
    fn payload(&self) -> Option<&Payload> {
        None
    }

    /// The body with the bytes it carries, as the store read them.
    #[must_use]
    fn with_payload(self, _payload: Payload) -> Self {
        self
    }
}

/// The write that will store a version.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// Its id, which no other write has.
    pub id: &'a str,
    /// When.
    pub at: Timestamp,
    /// The ids of pending children that exist by now.
    pub created: &'a [String],
}

impl<'a> Write<'a> {
    /// A write before which no child was created.
    pub const fn new(id: &'a str, at: Timestamp) -> Self {
        Self { id, at, created: &[] }
    }
}

/// What a command makes of a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<K> {
    /// The body after it.
    pub body: K,
    /// The items to be created once this is written.
    pub children: Vec<Child>,
}

impl<K> From<K> for Change<K> {
    fn from(body: K) -> Self {
        Self { body, children: Vec::new() }
    }
}

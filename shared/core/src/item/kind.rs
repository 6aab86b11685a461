use std::fmt::{Debug, Display};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Child, Item, Lane, Next};
use crate::{Digest, Payload, Timestamp};

/// A kind of item: its states, its transitions, and what each state needs. All functions are pure.
pub trait Kind:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The name in keys, pointers and logs: lower case, no `#`.
    const NAME: &'static str;
    /// The lane for transitions that need no work.
    const HOME: Lane = Lane::Work;
    /// Whether a worker may make the first attempt before the item is stored, because a repeated attempt
    /// does no harm.
    const REPEATABLE: bool = false;

    /// A command that changes the item.
    type Command: Clone + Debug + Send + Sync;
    /// The reason why a command changes nothing.
    type Refusal: Clone + Debug + Display + Send + Sync;
    /// Work outside of the table.
    type Work: Clone + Debug + Send + Sync;

    /// The body after `command`, and the items to create because of the command.
    ///
    /// # Errors
    ///
    /// The reason why nothing changes.
    fn apply(
        item: &Item<Self>,
        command: &Self::Command,
        write: &Write<'_>,
    ) -> Result<Change<Self>, Self::Refusal>;

    /// What the item's state needs at `now`.
    fn next(item: &Item<Self>, now: Timestamp) -> Next<Self>;

    /// The command that records that the item's work can never be done.
    fn failed(reason: String) -> Self::Command;

    /// Whether a text can be the id of an item of this kind. The store reads no row for any other text.
    fn is_id(_text: &str) -> bool {
        true
    }

    /// A digest on which every write is conditional, in addition to the version.
    fn digest(&self) -> Option<Digest> {
        None
    }

    /// Whether the item is in the list of its kind.
    fn is_listed(&self) -> bool {
        true
    }

    /// When the item may be deleted; `None` if the item is not terminal or is kept for ever.
    fn expires(_item: &Item<Self>) -> Option<Timestamp> {
        None
    }

    /// The payload of the item. The store keeps it separately from the rest of the body.
    fn payload(&self) -> Option<&Payload> {
        None
    }

    /// The body with the payload that the store read.
    #[must_use]
    fn with_payload(self, _payload: Payload) -> Self {
        self
    }
}

/// The write that stores a version.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// The unique id of the write.
    pub id: &'a str,
    /// The time of the write.
    pub at: Timestamp,
    /// The ids of the pending children that are created by now.
    pub created: &'a [String],
}

impl<'a> Write<'a> {
    /// A write without created children.
    pub const fn new(id: &'a str, at: Timestamp) -> Self {
        Self { id, at, created: &[] }
    }
}

/// The result of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<K> {
    /// The new body.
    pub body: K,
    /// The items to create after the new body is written.
    pub children: Vec<Child>,
}

impl<K> From<K> for Change<K> {
    fn from(body: K) -> Self {
        Self { body, children: Vec::new() }
    }
}

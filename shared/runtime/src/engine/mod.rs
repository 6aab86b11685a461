//! The engine of every kind of item: load, apply, send a pointer, write.
//!
//! # Why no item is lost
//!
//! Every item that is not terminal has an entry in the index `due`, or a message with a pointer. The engine
//! sends the message *before* the write that needs it, and the pointer names the version of that write. So
//! the item never exists without its message. If the write of a message is not there yet, the queue delivers
//! the message again for half a minute. A worker deletes its message only if the item is terminal, or has
//! another message or an entry in `due`.
//!
//! # Why a lost reply does no harm
//!
//! The header of an item has the ids of its last writes. If the reply to a write was lost, or the SDK
//! repeated the call, the writer finds its id there. So the writer knows that its write succeeded, even if
//! later writes followed.

mod again;
mod batch;
mod birth;
mod gates;
mod kinds;
mod memory;
mod perform;
mod step;
mod work;
mod write;

use std::fmt::Display;

use placet_core::Timestamp;
use placet_core::item::{Hold, Item, Kind, Write};
use uuid::Uuid;

use crate::{AnyItem, Clock, Put, Queue, Store, StoreError};

pub use again::Again;
pub use batch::process_batch;
pub use birth::{Later, Parent};
pub use gates::{Destination, Gates, Name};
pub use kinds::Kinds;
pub use memory::Memory;
pub use work::{Context, Work, WorkError};

/// How often a command is applied again if other writers keep writing first. In every round, one writer
/// succeeds.
const ROUNDS: usize = 100;

/// The engine of one deployment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    /// The table.
    pub store: Store,
    /// The queues.
    pub queue: Queue,
    /// The clock.
    pub clock: Clock,
    /// The limits of concurrent attempts.
    pub gates: Gates,
}

/// The result of a creation.
#[derive(Clone, Debug)]
pub enum Created<K> {
    /// The item is new.
    New(Item<K>),
    /// An item with this id existed before: its present version.
    Before(Item<K>),
}

impl<K> Created<K> {
    /// The item, new or existing.
    pub fn into_item(self) -> Item<K> {
        match self {
            Self::New(item) | Self::Before(item) => item,
        }
    }
}

/// Why a command changed nothing, or why its effect is unknown.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError<R: Display> {
    /// There is no item with this id.
    #[error("there is no {kind} with id {id}")]
    NotFound {
        /// The name of its kind.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// The state machine refused the command.
    #[error("{0}")]
    Refused(R),
    /// The effect is unknown: so many other writes followed that the header no longer has the id of this
    /// write.
    #[error("it is unknown whether this write to {kind} {id} was stored: read the {kind} again")]
    Unclear {
        /// The name of its kind.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// Other writers wrote first in every round.
    #[error("{kind} {id} is being changed by others: retry in a moment")]
    Busy {
        /// The name of its kind.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Creates an item, or returns the existing item with the same id. `new` builds the item for a given
    /// write.
    ///
    /// # Errors
    ///
    /// If the table fails.
    pub async fn create<K: Kind>(
        &self,
        new: impl FnOnce(&Write<'_>) -> Item<K>,
    ) -> Result<Created<K>, StoreError> {
        let id = write_id();
        let item = new(&Write::new(&id, self.now()));
        self.store_new(item, &id).await
    }

    /// Stores the first version of an item, written by `write`.
    async fn store_new<K: Kind>(
        &self,
        item: Item<K>,
        write: &str,
    ) -> Result<Created<K>, StoreError> {
        match self.write(None, item, None).await? {
            (Put::Stored, item) => Ok(Created::New(item)),
            (Put::Existing(existing), item) => {
                let existing: Item<K> = existing.ok_or_else(|| vanished(&item))?.decode()?;
                Ok(match existing.header.wrote(write, 1) {
                    Some(true) => Created::New(item),
                    _ => Created::Before(existing),
                })
            }
        }
    }

    /// Applies a command to an item, and returns the new version. The engine calls `command` again for each
    /// version that it loads.
    ///
    /// # Errors
    ///
    /// If there is no such item, the state machine refuses the command, or the table fails.
    pub async fn command<K: Kind>(
        &self,
        project: &str,
        id: &str,
        command: impl Fn(&Item<K>) -> K::Command,
    ) -> Result<Item<K>, ChangeError<K::Refusal>> {
        let found = self.store.item::<K>(project, id, true).await?;
        let not_found = || ChangeError::NotFound { kind: K::NAME, id: id.to_owned() };
        self.change(found.ok_or_else(not_found)?, command).await
    }

    /// Applies a command to an item that was just read, or to its newer version.
    ///
    /// # Errors
    ///
    /// If the item no longer exists, the state machine refuses the command, or the table fails.
    pub async fn change<K: Kind>(
        &self,
        item: Item<K>,
        command: impl Fn(&Item<K>) -> K::Command,
    ) -> Result<Item<K>, ChangeError<K::Refusal>> {
        self.advance(item, None, &[], |item, write| item.apply(&command(item), write)).await
    }

    /// The loop of a command: applies `next` to the present version of the item until a write succeeds.
    async fn advance<K: Kind>(
        &self,
        mut current: Item<K>,
        hold: Option<&Hold>,
        created: &[String],
        next: impl Fn(&Item<K>, &Write<'_>) -> Result<Item<K>, K::Refusal>,
    ) -> Result<Item<K>, ChangeError<K::Refusal>> {
        let (kind, id) = (K::NAME, current.header.id.clone());
        let write_id = write_id();
        for _ in 0..ROUNDS {
            let write = Write { id: &write_id, at: self.now(), created };
            let item = next(&current, &write).map_err(ChangeError::Refused)?;
            match self.write(Some(&current), item, hold).await? {
                (Put::Stored, item) => return Ok(item),
                (Put::Existing(None), _) => return Err(ChangeError::NotFound { kind, id }),
                (Put::Existing(Some(existing)), item) => {
                    current = AnyItem::decode(&existing)?;
                    match current.header.wrote(&write_id, item.header.version) {
                        Some(true) => return Ok(item),
                        Some(false) => {}
                        None => return Err(ChangeError::Unclear { kind, id }),
                    }
                }
            }
        }
        Err(ChangeError::Busy { kind, id })
    }
}

/// The error for a failed condition on a row that does not exist.
fn vanished<K: Kind>(item: &Item<K>) -> StoreError {
    let cause =
        format!("the condition failed on {} {}, which does not exist", K::NAME, item.header.id);
    StoreError::Service { action: "PutItem", cause }
}

/// A new write id, unique among the writes of an item: 64 random bits.
fn write_id() -> String {
    let random =
        u64::from_be_bytes(Uuid::new_v4().into_bytes()[8..].try_into().unwrap_or_default());
    format!("{random:016x}")
}

//! The one engine: load, apply, announce, write, for every kind of item.
//!
//! # Why nothing is forgotten
//!
//! Every item that is not terminal has an entry in the index `due`, or a message. The message is sent
//! *before* the write that needs it and names the version of that write, so there is no moment at which
//! the item exists without it. A message whose write is not there yet is received again for half a minute. A worker
//! deletes its message only if the item is terminal, or rests on something else.
//!
//! # Why a lost reply does no harm
//!
//! The header keeps the ids of the last writes. A writer whose reply was lost, or whose call the SDK has
//! repeated, finds its id there and knows that the write was its own, also under later ones.

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
pub use gates::{Destination, Gates, Name, PROJECT_SHARE};
pub use kinds::Kinds;
pub use memory::Memory;
pub use work::{Context, Work, WorkError};

/// How often a command is applied again when others keep writing. Every round, one of them wins.
const ROUNDS: usize = 100;

/// The engine of one deployment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    /// The table.
    pub store: Store,
    /// The queues.
    pub queue: Queue,
    /// The time.
    pub clock: Clock,
    /// Who may be called now.
    pub gates: Gates,
}

/// What came of a creation.
#[derive(Clone, Debug)]
pub enum Created<K> {
    /// It is new.
    New(Item<K>),
    /// There was one with its id before; this is how it stands.
    Before(Item<K>),
}

impl<K> Created<K> {
    /// The item, new or not.
    pub fn into_item(self) -> Item<K> {
        match self {
            Self::New(item) | Self::Before(item) => item,
        }
    }
}

/// Why a command changed nothing, or may have changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError<R: Display> {
    /// There is no such item.
    #[error("there is no {kind} with id {id}")]
    NotFound {
        /// The name of its kind.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// The state machine refuses.
    #[error("{0}")]
    Refused(R),
    /// Others wrote so often that the ids of the writes no longer say whether ours was one of them.
    #[error("{kind} {id} was written so often that this write cannot be found: look at it again")]
    Unclear {
        /// The name of its kind.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// Others wrote first, again and again.
    #[error("{kind} {id} is being written by others all the time: try again in a moment")]
    Busy {
        /// The name of its kind.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// The table does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// The current moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Creates an item, or finds the one that was created with its id before. `new` makes the item for a
    /// write.
    ///
    /// # Errors
    ///
    /// If the table does not answer.
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

    /// Applies a command to an item and hands back what it has become. `command` is asked again for each
    /// version that is met.
    ///
    /// # Errors
    ///
    /// If there is no such item, the command does not apply, or the table does not answer.
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

    /// The same to an item as it was read, or to what has become of it since.
    ///
    /// # Errors
    ///
    /// If it is gone, the command does not apply, or the table does not answer.
    pub async fn change<K: Kind>(
        &self,
        item: Item<K>,
        command: impl Fn(&Item<K>) -> K::Command,
    ) -> Result<Item<K>, ChangeError<K::Refusal>> {
        self.advance(item, None, &[], |item, write| item.apply(&command(item), write)).await
    }

    /// The loop: applies `next` to the item as it is now until one version is written.
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

/// DynamoDB says that the condition of a new row failed, and shows no row.
fn vanished<K: Kind>(item: &Item<K>) -> StoreError {
    let cause =
        format!("the condition failed on {} {}, which is not there", K::NAME, item.header.id);
    StoreError::Service { action: "PutItem", cause }
}

/// An id that no other write of the same item has: 64 random bits.
fn write_id() -> String {
    let random =
        u64::from_be_bytes(Uuid::new_v4().into_bytes()[8..].try_into().unwrap_or_default());
    format!("{random:016x}")
}

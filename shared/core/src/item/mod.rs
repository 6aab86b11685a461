//! An item: a header that the engine owns, and a body that a pure state machine owns.
//!
//! Operations, receipts and deliveries are kinds of items. Each kind defines two functions: the effect of a
//! command ([`Kind::apply`]) and the need of a state ([`Kind::next`]). The engine derives everything else
//! in the same way for every kind: when an item is due, on which queue its pointer belongs, and whether the
//! item relies on the timer or on a message.

mod child;
mod header;
mod kind;
mod lane;
mod next;
mod pointer;
mod schedule;
#[cfg(test)]
mod tests;

use std::ops::Deref;

pub use child::Child;
pub(crate) use header::is_zero;
pub use header::{Header, Rests};
pub use kind::{Change, Kind, Write};
pub use lane::Lane;
pub use next::{Job, Need, Next};
pub use pointer::{Pointer, PointerError};
pub use schedule::{Hold, LONGEST_DELAY, Schedule, rescheduled_after};

/// A version of an item, stored or not stored yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<K> {
    /// The part that the engine owns.
    pub header: Header,
    /// The part that the state machine of the kind owns.
    pub body: K,
}

/// Reads the fields of the body as fields of the item.
impl<K> Deref for Item<K> {
    type Target = K;

    fn deref(&self) -> &K {
        &self.body
    }
}

impl<K: Kind> Item<K> {
    /// The first version of an item.
    pub fn new(project: &str, id: &str, body: K, write: &Write<'_>) -> Self {
        let header = Header::new(project, id, write);
        Self { header, body }
    }

    /// The project of the item.
    pub fn project(&self) -> &str {
        &self.header.project
    }

    /// The version after `command`.
    ///
    /// # Errors
    ///
    /// The refusal of the kind: the reason why nothing changes.
    pub fn apply(&self, command: &K::Command, write: &Write<'_>) -> Result<Self, K::Refusal> {
        let Change { body, children } = K::apply(self, command, write)?;
        let mut header = self.header.after(write);
        header.rescheduled = 0;
        header.children.extend(children);
        Ok(Self { header, body })
    }

    /// Applies `command` to an item that is not stored yet. The item stays at version 1.
    ///
    /// # Errors
    ///
    /// The refusal of the kind: the reason why nothing changes.
    pub fn apply_unstored(
        &self,
        command: &K::Command,
        write: &Write<'_>,
    ) -> Result<Self, K::Refusal> {
        let mut item = self.apply(command, write)?;
        item.header.version = 1;
        item.header.writes = vec![write.id.to_owned()];
        Ok(item)
    }

    /// The next version, with a changed header and the same body.
    #[must_use]
    pub fn touched(&self, write: &Write<'_>) -> Self {
        Self { header: self.header.after(write), body: self.body.clone() }
    }
}

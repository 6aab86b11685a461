//! An item: a header that the engine owns, and a body that one pure state machine owns.
//!
//! Operations, receipts and deliveries are kinds of items. Each of them says two things: what a command
//! makes of it ([`Kind::apply`]) and what its state needs ([`Kind::next`]). Everything else, when it is
//! due, on which queue a pointer to it belongs, what it rests on while it waits, follows from these two
//! and is the same for every kind.

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
pub use header::{Header, Rests};
pub use kind::{Change, Kind, Write};
pub use lane::Lane;
pub use next::{Job, Need, Next};
pub use pointer::{Pointer, PointerError};
pub use schedule::{Hold, LONGEST_DELAY, Schedule, rescheduled_after};

/// One version of an item, stored or about to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<K> {
    /// What the engine knows about it.
    pub header: Header,
    /// What its kind knows about it.
    pub body: K,
}

/// The fields of the body are read as the item's own.
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

    /// The project it belongs to.
    pub fn project(&self) -> &str {
        &self.header.project
    }

    /// The version after `command`.
    ///
    /// # Errors
    ///
    /// The kind's reason why nothing changes.
    pub fn apply(&self, command: &K::Command, write: &Write<'_>) -> Result<Self, K::Refusal> {
        let Change { body, children } = K::apply(self, command, write)?;
        let mut header = self.header.after(write);
        header.rescheduled = 0;
        header.children.extend(children);
        Ok(Self { header, body })
    }

    /// The same while it is not stored: it stays version 1.
    ///
    /// # Errors
    ///
    /// The kind's reason why nothing changes.
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

    /// A version that differs in its header only.
    #[must_use]
    pub fn touched(&self, write: &Write<'_>) -> Self {
        Self { header: self.header.after(write), body: self.body.clone() }
    }
}

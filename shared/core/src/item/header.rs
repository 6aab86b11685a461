use serde::{Deserialize, Serialize};

use super::{Child, Write};
use crate::Timestamp;

/// How many write ids the header keeps. A writer whose reply was lost looks up its write id later. By then
/// workers may have written several later versions, because the pointer was on the queue before the write.
const KEPT_WRITES: usize = 4;

/// The part of an item that the engine owns. The key of the row holds the kind, project and id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The project of the item.
    #[serde(skip)]
    pub project: String,
    /// The id, unique among the items of this kind in the project.
    #[serde(skip)]
    pub id: String,
    /// The number of writes, from 1. Every write is conditional on the previous version (law 2).
    #[serde(skip)]
    pub version: u64,
    /// When the timer processes the item; `None` if the item relies on a message or is terminal.
    #[serde(skip)]
    pub due: Option<Timestamp>,
    /// When the item was created.
    pub created_at: Timestamp,
    /// When this version was written.
    pub changed_at: Timestamp,
    /// The ids of the last writes, newest last.
    pub writes: Vec<String>,
    /// What guarantees that the item is processed.
    pub rests: Rests,
    /// The items that must still be created.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Child>,
    /// How many times the item was rescheduled since its last transition.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rescheduled: u32,
}

/// What guarantees that an item is processed (law 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rests {
    /// Nothing, because the item is terminal.
    Nothing,
    /// The item's entry in the index `due`.
    Due,
    /// A message that the queue has accepted.
    Message,
}

impl Header {
    pub(super) fn new(project: &str, id: &str, write: &Write<'_>) -> Self {
        Self {
            project: project.to_owned(),
            id: id.to_owned(),
            version: 1,
            due: None,
            created_at: write.at,
            changed_at: write.at,
            writes: vec![write.id.to_owned()],
            rests: Rests::Nothing,
            children: Vec::new(),
            rescheduled: 0,
        }
    }

    /// The header of the next version.
    pub(super) fn after(&self, write: &Write<'_>) -> Self {
        let mut next = self.clone();
        next.version += 1;
        next.changed_at = write.at;
        next.writes.push(write.id.to_owned());
        let surplus = next.writes.len().saturating_sub(KEPT_WRITES);
        next.writes.drain(..surplus);
        next.children.retain(|child| !write.created.contains(&child.id));
        next
    }

    /// Whether the write with this id wrote `version`; `None` if the header no longer keeps the id of that
    /// write.
    pub fn wrote(&self, write: &str, version: u64) -> Option<bool> {
        let Some(age) = self.version.checked_sub(version) else { return Some(false) };
        let from_the_end = usize::try_from(age).ok()?.checked_add(1)?;
        let at = self.writes.len().checked_sub(from_the_end)?;
        Some(self.writes[at] == write)
    }
}

/// Whether a stored number is left out.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
pub(crate) const fn is_zero(number: &u32) -> bool {
    *number == 0
}

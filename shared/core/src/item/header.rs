use serde::{Deserialize, Serialize};

use super::{Child, Write};
use crate::Timestamp;

/// How many ids of writes are kept. A pointer is on its queue before the write that needs it, so workers
/// may have written several later versions before a writer whose reply was lost looks again.
const KEPT_WRITES: usize = 4;

/// What the engine knows about an item. The key of its row says its kind, project and id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The project it belongs to.
    #[serde(skip)]
    pub project: String,
    /// Unique among the items of its kind in its project.
    #[serde(skip)]
    pub id: String,
    /// Counts the writes, from 1. Every write is conditional on the one before (law 2).
    #[serde(skip)]
    pub version: u64,
    /// When the timer looks at it; `None` if it rests on a message, or on nothing because it is terminal.
    #[serde(skip)]
    pub due: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When this version was written.
    pub changed_at: Timestamp,
    /// The ids of the last writes, the newest last.
    pub writes: Vec<String>,
    /// What keeps it from being forgotten.
    pub rests: Rests,
    /// The items that have still to be created.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Child>,
    /// How often it was rescheduled since it last moved on.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rescheduled: u32,
}

/// What keeps an item from being forgotten (law 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rests {
    /// Nothing has to: it is terminal.
    Nothing,
    /// Its entry in the index `due`.
    Due,
    /// A message that a queue has confirmed.
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

    /// Whether the write with this id wrote `version`; `None` if its id is no longer kept.
    pub fn wrote(&self, write: &str, version: u64) -> Option<bool> {
        let Some(age) = self.version.checked_sub(version) else { return Some(false) };
        let from_the_end = usize::try_from(age).ok()?.checked_add(1)?;
        let at = self.writes.len().checked_sub(from_the_end)?;
        Some(self.writes[at] == write)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

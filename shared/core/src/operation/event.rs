use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Entry, Operation};
use crate::Timestamp;

/// An event of an operation of which endpoints and people are notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// A requester created the operation.
    Requested,
    /// The operation still waits for a decision, or for the settlement of its outcome.
    Reminded,
    /// A requester or the configured time escalated the operation.
    Escalated,
    /// The operation was decided or cancelled, or nobody decided before its deadline.
    Completed,
    /// Nobody decided before the deadline.
    Expired,
    /// The call certainly had no effect, and Placet makes no further attempt.
    Failed,
    /// The configuration that runs the call is missing.
    Blocked,
    /// The call may have had its effect.
    Unknown,
}

impl Event {
    /// All events, in the order of an operation's life.
    pub const ALL: [Self; 8] = [
        Self::Requested,
        Self::Reminded,
        Self::Escalated,
        Self::Completed,
        Self::Expired,
        Self::Failed,
        Self::Blocked,
        Self::Unknown,
    ];

    /// The name in events, in the store and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Reminded => "reminded",
            Self::Escalated => "escalated",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
        }
    }

    /// The event with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }

    /// Whether this entry of the history records the event. The history records no reminder of an unknown outcome,
    /// because that reminder is repeated without an end.
    fn is_recorded_by(self, entry: &Entry) -> bool {
        match (self, entry.event.as_str()) {
            (Self::Requested, "created") => true,
            (Self::Completed, name) => {
                matches!(name, "approved" | "denied" | "answered" | "cancelled" | "expired")
            }
            (Self::Failed, "settled") => entry.detail["found"] == "did_not_happen",
            (event, name) => event.as_str() == name,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// An event of an operation that took place: the event, how often it took place until then, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The event.
    pub event: Event,
    /// The number of the occurrence among those of the same event, from 1.
    pub number: u32,
    /// The time of the occurrence.
    pub at: Timestamp,
}

impl Operation {
    /// How often an event took place until now.
    pub fn times(&self, event: Event) -> u32 {
        if event == Event::Reminded {
            return self.reminded;
        }
        let entries = self.history.entries().iter();
        let recorded = entries.filter(|entry| event.is_recorded_by(entry)).count();
        u32::try_from(recorded).unwrap_or(u32::MAX)
    }

    /// Whether the operation waited for a decision at an occurrence. A later decision does not change the answer.
    pub fn awaits_decision_at(&self, occurrence: &Occurrence) -> bool {
        match occurrence.event {
            Event::Requested | Event::Escalated => true,
            Event::Reminded => {
                self.decision.as_ref().is_none_or(|decision| decision.at > occurrence.at)
            }
            _ => false,
        }
    }

    /// The entry of the history that records an occurrence; `None` for a reminder.
    pub fn entry_of(&self, occurrence: &Occurrence) -> Option<&Entry> {
        let Occurrence { event, number, .. } = *occurrence;
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let entries = self.history.entries().iter();
        entries.filter(|entry| event != Event::Reminded && event.is_recorded_by(entry)).nth(index)
    }
}

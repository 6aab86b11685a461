//! A receipt: a verified webhook that we stored, and what became of it.

mod identity;
mod record;
#[cfg(test)]
mod tests;
mod transition;

use serde::{Deserialize, Serialize};

use crate::webhook::{Verification, Verified};
use crate::{Payload, Timestamp};

pub use identity::{Claim, Identity};
pub use record::{Record, beginning};
pub use transition::{Command, Refusal, Work};

/// Where a receipt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Stored and acknowledged; the worker has yet to process it.
    Received,
    /// Processed. Terminal, unless a person replays it.
    Processed,
    /// It cannot be processed; the note says why. Terminal, unless a person replays it.
    Failed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Received, Self::Processed, Self::Failed];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Processed => "processed",
            Self::Failed => "failed",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A verified webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// What is known about the request.
    pub record: Record,
    /// What its sender proved.
    pub verified: Verification,
    /// Until when a repetition is recognised.
    pub remembered_until: Timestamp,
    /// Where it stands.
    pub state: State,
    /// The type of its event, once it is processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// What came of it, for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// How often and when a person replayed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replays: Option<Replays>,
    /// The raw body.
    #[serde(skip)]
    pub body: Payload,
}

/// Replays by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replays {
    /// How many.
    pub count: u32,
    /// The last one.
    pub last_at: Timestamp,
}

impl Receipt {
    /// The receipt of a verified request; its body is still to be stored.
    pub fn of(verified: &Verified<'_>, now: Timestamp) -> Self {
        let scheme = verified.scheme();
        Self {
            record: Record::of(verified, now),
            verified: verified.proven.clone(),
            remembered_until: now.plus(scheme.remember.0.max(scheme.remember_body.0)),
            state: State::Received,
            event_type: None,
            note: String::new(),
            replays: None,
            body: Payload::default(),
        }
    }

    /// The number of the current replay; 0 before the first.
    pub fn replay(&self) -> u32 {
        self.replays.map_or(0, |replays| replays.count)
    }

    /// Whether a text can be a receipt's id: `<source>.<hex digits>`.
    pub fn is_id(text: &str) -> bool {
        let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        text.rsplit_once('.').is_some_and(|(source, digest)| {
            (1..=64).contains(&source.len())
                && source.bytes().all(name)
                && (1..=64).contains(&digest.len())
                && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    }
}

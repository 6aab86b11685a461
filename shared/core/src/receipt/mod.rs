//! A receipt: a verified webhook that Placet stored, and the result of its processing.

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

/// The state of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Stored and acknowledged, not processed yet.
    Received,
    /// Processed. Terminal unless a person replays the receipt.
    Processed,
    /// Processing failed; the note says why. Terminal unless a person replays the receipt.
    Failed,
}

impl State {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Received, Self::Processed, Self::Failed];

    /// The name of the state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Processed => "processed",
            Self::Failed => "failed",
        }
    }

    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A stored verified webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The stored request.
    pub record: Record,
    /// What the sender proved.
    pub verified: Verification,
    /// Until when Placet recognises a repetition of the webhook.
    pub remembered_until: Timestamp,
    /// The state of the receipt.
    pub state: State,
    /// The type of the event; `None` before the receipt is processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The result of the processing, for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The replays by a person; `None` if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replays: Option<Replays>,
    /// The raw body.
    #[serde(skip)]
    pub body: Payload,
}

/// Replays of a receipt by a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replays {
    /// The number of replays.
    pub count: u32,
    /// The time of the last replay.
    pub last_at: Timestamp,
}

impl Receipt {
    /// The receipt of a verified request. The caller must still set the body.
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

    /// The number of the current replay; 0 before the first replay.
    pub fn replay(&self) -> u32 {
        self.replays.map_or(0, |replays| replays.count)
    }

    /// Whether a text can be the id of a receipt: `<source>.<hex digits>`.
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

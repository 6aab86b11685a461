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
    /// Processing failed; the note says why. Terminal unless a person replays the receipt, or its sender
    /// sends it again.
    Failed,
    /// Its signed content came before under another id, so it has no effect; the note names the first
    /// receipt. Terminal unless a person replays the receipt.
    Duplicate,
}

impl State {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Received, Self::Processed, Self::Failed, Self::Duplicate];

    /// The name of the state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Processed => "processed",
            Self::Failed => "failed",
            Self::Duplicate => "duplicate",
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
    /// The replays by a person, and by a sender that sends a failed webhook again; `None` if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replays: Option<Replays>,
    /// The raw body.
    #[serde(skip)]
    pub body: Payload,
}

/// Replays of a receipt.
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
        Self {
            record: Record::of(verified, now),
            verified: verified.proven.clone(),
            remembered_until: now.plus(Identity::lasts(verified)),
            state: State::Received,
            event_type: None,
            note: String::new(),
            replays: None,
            body: Payload::default(),
        }
    }

    /// Whether a webhook with the same signed content may be another event, which this receipt hides: it came
    /// under another id, and no signed time proves that it is the same request.
    pub fn may_hide(&self, other: &Self) -> bool {
        let id = &other.record.delivery_id;
        let signed_at = other.verified.signed_at;
        self.state != State::Failed
            && id.is_some()
            && *id != self.record.delivery_id
            && (signed_at.is_none() || signed_at != self.verified.signed_at)
    }

    /// This receipt as a duplicate of the receipt with the id `first`, which has the same signed content.
    #[must_use]
    pub fn duplicate_of(self, first: &str) -> Self {
        let note = format!(
            "not processed: {first} came before with the same signed content. If this is an event of its \
             own, replay it"
        );
        Self { state: State::Duplicate, note, ..self }
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

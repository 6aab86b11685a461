//! A delivery: one outgoing webhook to one endpoint, with its attempts.
//!
//! A delivery is made at least once: its receiver recognises a second copy by the `webhook-id`, which
//! never changes. So an attempt needs no lease: two workers that make the same attempt do no harm, and
//! one of them records it. Each failed attempt moves on along one [`schedule`]. At its end the delivery
//! has failed until a person sends it again.

mod schedule;
mod signature;
#[cfg(test)]
mod tests;
mod transition;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::item::Item;
use crate::operation::OperationId;
use crate::{Digest, Payload, Timestamp};

pub use schedule::schedule;
pub use signature::signed_headers;
pub use transition::{Command, Refusal, Work};

/// How many attempts the log keeps: two whole schedules.
const LOG: usize = 16;

/// How much of an answer is kept, in bytes.
pub const LARGEST_ANSWER: usize = 1024;

/// How much of a reason is kept, in bytes.
const LARGEST_ERROR: usize = 512;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for its next attempt.
    Pending,
    /// The endpoint has accepted it. Terminal.
    Delivered,
    /// It was not accepted. Terminal, unless a person sends it again.
    Failed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A signed webhook to one endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The name of the endpoint in `placet.yaml`.
    pub endpoint: String,
    /// The name of its event.
    pub event_type: String,
    /// The media type of its body; empty if the webhook that is forwarded had none.
    pub content_type: String,
    /// The id of the operation whose decision it notifies of. Its body is made from the operation when it
    /// is sent: the operation is decided, so the body is the same for every attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_of: Option<String>,
    /// Any other delivery's body.
    #[serde(skip)]
    pub payload: Payload,
    /// Where it stands.
    pub state: State,
    /// How many attempts were made.
    #[serde(default)]
    pub attempts: u32,
    /// How many of them failed in the current schedule.
    #[serde(default)]
    pub failed_attempts: u32,
    /// The next attempt starts no earlier.
    pub not_before: Timestamp,
    /// When its current schedule began.
    pub since: Timestamp,
    /// What came of the last attempts, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<Attempt>,
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which attempt it was, from 1; 0 if none was made.
    pub attempt: u32,
    /// When it ended.
    pub at: Timestamp,
    /// The status of the answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
    /// The first bytes of the answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
}

/// How an endpoint answered an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With a status.
    Status {
        /// The HTTP status.
        status: u16,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
        /// The first bytes of its body.
        body: Vec<u8>,
    },
    /// Not at all, or it was not called; the reason, for a person.
    Nothing(String),
    /// Not in time; the reason, for a person.
    TimedOut(String),
}

impl Answer {
    /// Whether the endpoint has accepted the delivery.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Status { status: 200..=299, .. })
    }

    /// Whether the endpoint wants no more deliveries.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Status { status: 410, .. })
    }
}

impl Delivery {
    /// The id, which is the `webhook-id`, too, of what is about `key` to this endpoint: the same key to the
    /// same endpoint is the same delivery. A signed id holds no full stop, so it is made of a digest.
    pub fn id(endpoint: &str, key: &str) -> String {
        let digest = Digest::of_bytes(format!("{endpoint}#{key}").as_bytes()).to_string();
        format!("msg_{}", &digest[..32])
    }

    /// Whether this text can be the id of a delivery.
    pub fn is_id(text: &str) -> bool {
        let digits = text.strip_prefix("msg_");
        digits.is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    }

    /// A delivery of these bytes, whose first attempt may start at once.
    pub fn of(
        endpoint: &str,
        event_type: &str,
        content_type: &str,
        payload: Payload,
        now: Timestamp,
    ) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            event_type: event_type.to_owned(),
            content_type: content_type.to_owned(),
            decision_of: None,
            payload,
            state: State::Pending,
            attempts: 0,
            failed_attempts: 0,
            not_before: now,
            since: now,
            log: Vec::new(),
        }
    }

    /// A delivery that notifies of the decision on an operation, whose first attempt may start at once.
    pub fn of_decision(endpoint: &str, event: &str, id: &OperationId, now: Timestamp) -> Self {
        let delivery = Self::of(endpoint, event, "application/json", Payload::default(), now);
        Self { decision_of: Some(id.path()), ..delivery }
    }

    fn note(&mut self, attempt: Attempt) {
        let surplus = (self.log.len() + 1).saturating_sub(LOG);
        self.log.drain(..surplus);
        self.log.push(attempt);
    }
}

impl Item<Delivery> {
    /// The operation whose decision it notifies of; `None` if it is about something else.
    pub fn operation(&self) -> Option<OperationId> {
        OperationId::parse(self.project(), self.decision_of.as_ref()?)
    }
}

/// As much of the text as fits into `most` bytes, cut between characters.
fn excerpt(text: &str, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

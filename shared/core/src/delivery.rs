//! A signed webhook to one endpoint, and the state machine that gets it there.
//!
//! A delivery is at-least-once by nature: whoever receives it tells a second copy by its
//! `webhook-id`, which never changes. So a worker that was not heard of in time is simply counted
//! as a failed attempt, and the next one follows. Every failed attempt moves on along one schedule
//! ([`schedule`]), at whose end the delivery has failed until a person sends it again.

mod schedule;
mod signature;
#[cfg(test)]
mod tests;
mod transition;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Digest, Lease, OperationId, Timestamp};

pub use schedule::schedule;
pub use signature::signed_headers;
pub use transition::{Command, Refusal, Transition};

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
    /// It is being sent, or waits for its next attempt.
    Pending,
    /// The endpoint has accepted it. Terminal.
    Delivered,
    /// It is given up. Terminal, unless a person sends it again.
    Failed,
}

impl State {
    /// The name on every surface.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// A signed webhook to one endpoint. Its payload is kept beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The `webhook-id`: the same for every attempt, and when it is sent again by hand.
    pub id: String,
    /// Whose it is.
    pub tenant: String,
    /// The name of the endpoint in `placet.yaml`.
    pub endpoint: String,
    /// What it tells of.
    pub event_type: String,
    /// The media type of the payload.
    pub content_type: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Counts the writes, from 1.
    pub version: u64,
    /// The id of the last write.
    pub last_write: String,
    /// How many attempts were started.
    pub attempts: u32,
    /// How many of them in the current schedule.
    pub tries: u32,
    /// The next attempt starts no earlier.
    pub not_before: Timestamp,
    /// When the timer looks at it; always set while it is pending.
    pub due: Option<Timestamp>,
    /// Who is sending it now.
    pub lease: Option<Lease>,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// What came of the last attempts, oldest first.
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

/// What a delivery is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Whose it is.
    pub tenant: String,
    /// The name of the endpoint in `placet.yaml`.
    pub endpoint: String,
    /// What it is about: the same key to the same endpoint is the same delivery.
    pub key: String,
    /// What it tells of.
    pub event_type: String,
    /// The media type of the payload.
    pub content_type: String,
}

/// What an endpoint made of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It answered.
    Status {
        /// The HTTP status.
        status: u16,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
        /// The first bytes of its body.
        body: Vec<u8>,
    },
    /// It did not, or was not asked; the reason, for a person.
    Nothing(String),
}

impl Answer {
    /// Whether the endpoint has accepted the delivery.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Status { status: 200..=299, .. })
    }

    /// Whether the endpoint wants no delivery any more.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Status { status: 410, .. })
    }
}

impl Delivery {
    /// The id of what is about `key` to this endpoint: a signed id holds no full stop, so it is made
    /// of a digest.
    pub fn id_of(endpoint: &str, key: &str) -> String {
        let digest = Digest::of_bytes(format!("{endpoint}#{key}").as_bytes()).to_string();
        format!("msg_{}", &digest[..32])
    }

    /// What a delivery is about that tells of the decision on this operation.
    pub fn key_of(id: &OperationId) -> String {
        format!("decision/{}/{}", id.tenant, id.path())
    }

    /// Whether this text can be the id of a delivery.
    pub fn is_id(text: &str) -> bool {
        let digits = text.strip_prefix("msg_");
        digits.is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    }

    /// A delivery whose first attempt may start at once.
    pub fn new(new: NewDelivery, write: &str, now: Timestamp) -> Self {
        Self {
            id: Self::id_of(&new.endpoint, &new.key),
            tenant: new.tenant,
            endpoint: new.endpoint,
            event_type: new.event_type,
            content_type: new.content_type,
            created_at: now,
            state: State::Pending,
            version: 1,
            last_write: write.to_owned(),
            attempts: 0,
            tries: 0,
            not_before: now,
            due: Some(now.plus(transition::GRACE)),
            lease: None,
            changed_at: now,
            log: Vec::new(),
        }
    }

    fn note(&mut self, attempt: Attempt) {
        let surplus = (self.log.len() + 1).saturating_sub(LOG);
        self.log.drain(..surplus);
        self.log.push(attempt);
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

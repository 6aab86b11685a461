//! A delivery: one outgoing webhook to one endpoint, with its attempts.
//!
//! Placet sends a delivery at least once. The receiver recognises a second copy by the `webhook-id`, which
//! never changes. So an attempt needs no lease: two workers may make the same attempt, and one of them
//! records it. Each failed attempt advances the delivery along its [`schedule`]. At the end of the schedule
//! the delivery fails. A person can send it again.

mod schedule;
mod signature;
#[cfg(test)]
mod tests;
mod transition;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::item::Item;
use crate::operation::{Event, Occurrence, OperationId};
use crate::{Digest, Payload, Timestamp};

pub use schedule::schedule;
pub use signature::signed_headers;
pub use transition::{Command, Refusal, Work};

/// How many attempts the log keeps: the attempts of two schedules.
const LOG: usize = 16;

/// How much of an error message the log keeps, in bytes.
const LARGEST_ERROR: usize = 512;

/// The state of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for the next attempt.
    Pending,
    /// The endpoint accepted the delivery. Terminal.
    Delivered,
    /// The endpoint did not accept the delivery. Terminal unless a person sends it again.
    Failed,
    /// The notification was not needed any more, so it was not sent. Terminal unless a person sends it again.
    Skipped,
}

/// Who gets a mail.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTo {
    /// The person with this id in `placet.yaml`, at the address that is listed there at the attempt.
    Person(String),
    /// This address, which a requester named. The mail only informs.
    Address(String),
}

/// The name of the destination of all mails. No endpoint may have it.
pub const MAIL: &str = "mail";

impl State {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Failed, Self::Skipped];

    /// The name of the state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// An outgoing signed webhook to one endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The name of the endpoint in `placet.yaml`; [`MAIL`] for a mail.
    pub endpoint: String,
    /// Who gets the mail; `None` for a webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailTo>,
    /// The name of the event.
    pub event_type: String,
    /// The media type of the body; empty if a forwarded webhook had no media type.
    pub content_type: String,
    /// The item id of the operation of which this delivery notifies. The worker builds the body for each attempt, from
    /// what of the operation never changes after the event. So the body is always the same.
    #[serde(default, rename = "decision_of", skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The event of the operation; `None` for its decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    occurrence: Option<Occurrence>,
    /// The body of any other delivery.
    #[serde(skip)]
    pub payload: Payload,
    /// The state of the delivery.
    pub state: State,
    /// The number of attempts.
    #[serde(default)]
    pub attempts: u32,
    /// The number of failed attempts in the current schedule.
    #[serde(default)]
    pub failed_attempts: u32,
    /// The next attempt starts no earlier than this.
    pub not_before: Timestamp,
    /// The start of the current schedule.
    pub since: Timestamp,
    /// The results of the last attempts, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<Attempt>,
}

/// The result of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The number of the attempt, from 1; 0 if the delivery failed without an attempt.
    pub attempt: u32,
    /// The end of the attempt.
    pub at: Timestamp,
    /// The HTTP status of the answer, if there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The reason why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The duration of the attempt in milliseconds.
    pub duration_ms: u64,
    /// The first 1024 bytes of the answer's body.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
}

/// How an endpoint answered an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The endpoint answered.
    Status {
        /// The HTTP status.
        status: u16,
        /// The wait that the endpoint asked for (`Retry-After`).
        retry_after: Option<Duration>,
        /// The first bytes of the answer's body.
        body: Vec<u8>,
    },
    /// The endpoint did not answer, or was not called. The reason is for a person.
    Nothing(String),
    /// The endpoint did not answer within the timeout. The reason is for a person.
    TimedOut(String),
}

impl Answer {
    /// Whether the endpoint accepted the delivery: a status of 200 to 299.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Status { status: 200..=299, .. })
    }

    /// Whether the endpoint wants no more deliveries: a status of 410.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Status { status: 410, .. })
    }
}

impl Delivery {
    /// The id of the delivery about `key` to `endpoint`. It is also the `webhook-id`. The same key and
    /// endpoint always give the same id. A signed id must not contain a full stop, so the id is a digest.
    pub fn id(endpoint: &str, key: &str) -> String {
        let digest = Digest::of_bytes(format!("{endpoint}#{key}").as_bytes()).to_string();
        format!("msg_{}", &digest[..32])
    }

    /// Whether a text can be the id of a delivery: `msg_` and 32 hexadecimal digits.
    pub fn is_id(text: &str) -> bool {
        let digits = text.strip_prefix("msg_");
        digits.is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    }

    /// A delivery of `payload`. Its first attempt may start at once.
    pub fn of(
        endpoint: &str,
        event_type: &str,
        content_type: &str,
        payload: Payload,
        now: Timestamp,
    ) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            mail: None,
            event_type: event_type.to_owned(),
            content_type: content_type.to_owned(),
            operation: None,
            occurrence: None,
            payload,
            state: State::Pending,
            attempts: 0,
            failed_attempts: 0,
            not_before: now,
            since: now,
            log: Vec::new(),
        }
    }

    /// A delivery that notifies of an event of an operation. Its first attempt may start at once.
    pub fn notification(
        endpoint: &str,
        event_type: &str,
        id: &OperationId,
        occurrence: Occurrence,
    ) -> Self {
        let (json, body) = ("application/json", Payload::default());
        let delivery = Self::of(endpoint, event_type, json, body, occurrence.at);
        let occurrence = (occurrence.event != Event::Completed).then_some(occurrence);
        Self { operation: Some(id.path()), occurrence, ..delivery }
    }

    /// A delivery that notifies by mail of an event of an operation. Its first attempt may start at once.
    pub fn mail(to: MailTo, id: &OperationId, occurrence: Occurrence) -> Self {
        let event_type = format!("{MAIL}.{}", occurrence.event);
        let delivery = Self::notification(MAIL, &event_type, id, occurrence);
        Self { mail: Some(to), content_type: "message/rfc822".to_owned(), ..delivery }
    }

    fn note(&mut self, attempt: Attempt) {
        let surplus = (self.log.len() + 1).saturating_sub(LOG);
        self.log.drain(..surplus);
        self.log.push(attempt);
    }
}

impl Item<Delivery> {
    /// The operation and its event of which this delivery notifies; `None` for any other delivery.
    pub fn notifies_of(&self) -> Option<(OperationId, Occurrence)> {
        let id = OperationId::parse(self.project(), self.operation.as_ref()?)?;
        let at = self.header.created_at;
        let decision = Occurrence { event: Event::Completed, number: 1, at };
        Some((id, self.occurrence.unwrap_or(decision)))
    }
}

/// The beginning of a text, at most `most` bytes, cut between characters.
fn excerpt(text: &str, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

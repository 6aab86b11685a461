//! A delivery as our API shows it.

use placet_core::delivery::{self, Delivery, State};
use placet_core::item::{Item, Kind};
use serde::Serialize;

use crate::reply::Moment;

/// An outgoing webhook in a list.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ListedDelivery<'a> {
    /// Its id, which is its `webhook-id`.
    #[cfg_attr(test, schemars(example = crate::openapi::examples::DELIVERY))]
    id: &'a str,
    /// The name of the endpoint in `placet.yaml`.
    #[cfg_attr(test, schemars(example = &"billing"))]
    endpoint: &'a str,
    /// The name of its event.
    event_type: &'a str,
    /// Where it stands.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::DeliveryState"))]
    state: State,
    /// How many attempts were made.
    attempts: u32,
    created_at: Moment,
    changed_at: Moment,
    /// The next attempt starts no earlier; null if there is none.
    next_attempt_at: Option<Moment>,
    /// The status of the last answer.
    last_status: Option<u16>,
    /// Why the last attempt had no answer.
    last_error: Option<&'a str>,
}

/// An outgoing webhook.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Delivery"))]
pub(crate) struct DeliveryReply<'a> {
    #[serde(flatten)]
    listed: ListedDelivery<'a>,
    /// The media type of its body.
    content_type: &'a str,
    /// How many bytes its body has; null if it is made when it is sent.
    size: Option<usize>,
    /// The operation of whose decision it notifies.
    #[cfg_attr(test, schemars(example = &"function_call/call-1"))]
    decision_of: Option<&'a str>,
    /// What came of the last attempts, oldest first.
    log: Vec<AttemptReply<'a>>,
}

/// What came of one attempt.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Attempt"))]
struct AttemptReply<'a> {
    /// Which attempt it was, from 1; 0 if none was made.
    attempt: u32,
    /// When it ended.
    at: Moment,
    /// The status of the answer.
    status: Option<u16>,
    /// Why there was none.
    error: Option<&'a str>,
    duration_ms: u64,
    /// The first bytes of the answer.
    answer: &'a str,
}

impl<'a> ListedDelivery<'a> {
    /// A delivery as it stands.
    pub(crate) fn new(delivery: &'a Item<Delivery>) -> Self {
        let last = delivery.log.last();
        let pending = delivery.state == State::Pending;
        Self {
            id: &delivery.header.id,
            endpoint: &delivery.endpoint,
            event_type: &delivery.event_type,
            state: delivery.state,
            attempts: delivery.attempts,
            created_at: Moment(delivery.header.created_at),
            changed_at: Moment(delivery.header.changed_at),
            next_attempt_at: pending.then_some(Moment(delivery.not_before)),
            last_status: last.and_then(|attempt| attempt.status),
            last_error: last.and_then(|attempt| attempt.error.as_deref()),
        }
    }
}

impl<'a> DeliveryReply<'a> {
    /// A delivery and what came of its attempts.
    pub(super) fn new(delivery: &'a Item<Delivery>) -> Self {
        Self {
            listed: ListedDelivery::new(delivery),
            content_type: &delivery.content_type,
            size: delivery.body.payload().map(placet_core::Payload::size),
            decision_of: delivery.decision_of.as_deref(),
            log: delivery.log.iter().map(AttemptReply::new).collect(),
        }
    }
}

impl<'a> AttemptReply<'a> {
    fn new(attempt: &'a delivery::Attempt) -> Self {
        Self {
            attempt: attempt.attempt,
            at: Moment(attempt.at),
            status: attempt.status,
            error: attempt.error.as_deref(),
            duration_ms: attempt.duration_ms,
            answer: &attempt.answer,
        }
    }
}

#[cfg(test)]
mod tests;

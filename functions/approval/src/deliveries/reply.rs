//! A delivery in the replies of our API.

use placet_core::delivery::{self, Delivery, MailTo, State};
use placet_core::item::{Item, Kind};
use serde::Serialize;

use crate::reply::Moment;
use crate::shown::ShownBody;

/// An outgoing webhook in a list.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ListedDelivery<'a> {
    /// The id of the delivery, which is also the `webhook-id` of its webhook.
    #[cfg_attr(test, schemars(example = crate::openapi::examples::DELIVERY))]
    id: &'a str,
    /// The name of the endpoint in `placet.yaml`; `mail` for a mail.
    #[cfg_attr(test, schemars(example = &"billing"))]
    endpoint: &'a str,
    /// The id of the person in `placet.yaml` who gets the mail; null for webhooks and for mails to other addresses.
    person: Option<&'a str>,
    /// The address that gets the mail; null for webhooks and for mails to people.
    address: Option<&'a str>,
    /// The type of the event.
    event_type: &'a str,
    /// The operation of whose event this webhook notifies; null for other webhooks.
    #[cfg_attr(test, schemars(example = &"function_call/call-1"))]
    operation: Option<&'a str>,
    /// The state of the delivery.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::DeliveryState"))]
    state: State,
    /// The number of attempts so far.
    attempts: u32,
    created_at: Moment,
    changed_at: Moment,
    /// The earliest time of the next attempt; null if there is no further attempt.
    next_attempt_at: Option<Moment>,
    /// The HTTP status of the last attempt; null if there was no response.
    last_status: Option<u16>,
    /// Why the last attempt got no response.
    last_error: Option<&'a str>,
}

/// An outgoing webhook.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Delivery"))]
pub(crate) struct DeliveryReply<'a> {
    #[serde(flatten)]
    listed: ListedDelivery<'a>,
    /// The media type of the body.
    content_type: &'a str,
    /// The size of the body in bytes; null if each attempt makes the body anew.
    size: Option<usize>,
    #[serde(flatten)]
    body: ShownBody,
    /// The last attempts, oldest first.
    log: Vec<AttemptReply<'a>>,
}

/// An attempt and its result.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Attempt"))]
struct AttemptReply<'a> {
    /// The number of the attempt, from 1; 0 if no attempt was made.
    attempt: u32,
    /// When the attempt ended.
    at: Moment,
    /// The HTTP status of the response.
    status: Option<u16>,
    /// Why there was no response.
    error: Option<&'a str>,
    duration_ms: u64,
    /// The first bytes of the response body.
    answer: &'a str,
}

impl<'a> ListedDelivery<'a> {
    /// Describes a delivery in a list.
    pub(crate) fn new(delivery: &'a Item<Delivery>) -> Self {
        let last = delivery.log.last();
        let pending = delivery.state == State::Pending;
        let (person, address) = match &delivery.mail {
            None => (None, None),
            Some(MailTo::Person(id)) => (Some(id.as_str()), None),
            Some(MailTo::Address(address)) => (None, Some(address.as_str())),
        };
        Self {
            id: &delivery.header.id,
            endpoint: &delivery.endpoint,
            person,
            address,
            event_type: &delivery.event_type,
            operation: delivery.operation.as_deref(),
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
    /// Describes a delivery with its body and its attempts.
    pub(super) fn new(delivery: &'a Item<Delivery>, body: ShownBody) -> Self {
        Self {
            listed: ListedDelivery::new(delivery),
            content_type: &delivery.content_type,
            size: delivery.body.payload().map(placet_core::Payload::size),
            body,
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

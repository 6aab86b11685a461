//! What follows a decision: the notifications of it, and what waits next.

use placet_core::Timestamp;
use placet_core::delivery::{Delivery, State};
use placet_core::item::Item;
use placet_core::operation::Event;
use placet_runtime::Rest;

use super::address::Projects;
use super::list::count;
use super::row::{last, progress};
use super::visible::Shown;
use super::words::span;

/// What follows the decision on an operation.
#[derive(Clone, Debug, Default)]
pub struct After {
    /// What waits for the viewer, if the operation was decided just now.
    pub more: Option<More>,
    /// The notifications of the operation.
    pub notified: Vec<Notified>,
}

/// The operations that wait for the viewer after a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct More {
    /// How many operations wait, in words: `7`, `1,000+`.
    pub count: String,
    /// The address of the one with the nearest deadline; `None` if nothing waits.
    pub next: Option<String>,
}

impl More {
    /// So many operations were read, and these follow.
    pub fn new(read: usize, rest: Rest, next: Option<String>) -> Self {
        Self { count: count(read + rest.counted, rest.more), next }
    }
}

/// A notification of an event of the operation.
#[derive(Clone, Debug)]
pub struct Notified {
    /// Who is notified.
    pub to: Recipient,
    /// The event.
    pub event: Event,
    /// Whether the delivery is still to be created.
    pub awaited: bool,
    /// Whether the viewer may open the page of the delivery.
    pub linked: bool,
    /// The delivery, if it is stored.
    pub delivery: Option<Item<Delivery>>,
}

/// Somebody who is notified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// The endpoint with this name.
    Endpoint(String),
    /// The person with this name, or an address.
    Person(String),
}

/// A notification in words.
pub(super) struct Sentence {
    /// Whether an endpoint is notified, not a person.
    pub(super) endpoint: bool,
    pub(super) name: Shown,
    /// The event, in words.
    pub(super) event: &'static str,
    /// What came of it, as the rest of a sentence that begins with the name.
    pub(super) words: String,
    /// The reason why the last attempt failed.
    pub(super) reason: Option<Shown>,
    /// The page of the delivery.
    pub(super) href: Option<String>,
    pub(super) failed: bool,
}

impl Sentence {
    pub(super) fn new(notified: &Notified, projects: &Projects<'_>, now: Timestamp) -> Self {
        let delivery = notified.delivery.as_ref();
        let state = delivery.map(|delivery| delivery.body.state);
        let words = match delivery {
            _ if notified.awaited => {
                "has not been notified yet: the notification is being prepared.".to_owned()
            }
            None => "has no stored notification: it ended more than a week ago, or there was none."
                .to_owned(),
            Some(delivery) => match delivery.body.state {
                State::Delivered => {
                    let ago = delivery.log.last().map(|attempt| span(now.since(attempt.at)));
                    format!("was notified {} ago.", ago.unwrap_or_default())
                }
                State::Pending if delivery.attempts == 0 => {
                    "has not been notified yet: the first attempt starts now.".to_owned()
                }
                State::Pending => {
                    format!("has not been notified yet: {}.", progress(delivery, now))
                }
                State::Skipped => "was not notified: it was not needed any more.".to_owned(),
                State::Failed => {
                    format!("was not notified: {}.", progress(delivery, now).to_lowercase())
                }
            },
        };
        let unheard = delivery
            .filter(|delivery| delivery.body.state != State::Delivered && delivery.attempts > 0);
        Self {
            endpoint: matches!(notified.to, Recipient::Endpoint(_)),
            name: Shown::text(match &notified.to {
                Recipient::Endpoint(name) | Recipient::Person(name) => name,
            }),
            event: occasion(notified.event),
            words,
            reason: unheard.map(|delivery| Shown::text(&last(delivery))),
            href: delivery
                .filter(|_| notified.linked)
                .map(|delivery| projects.delivery(&delivery.header.id)),
            failed: state == Some(State::Failed),
        }
    }
}

/// What the notification is about, in words.
const fn occasion(event: Event) -> &'static str {
    match event {
        Event::Requested => "Request",
        Event::Reminded => "Reminder",
        Event::Escalated => "Escalation",
        Event::Completed => "Decision",
        Event::Expired => "Expiry",
        Event::Failed => "Failure",
        Event::Blocked => "Blocked",
        Event::Unknown => "Unknown outcome",
    }
}

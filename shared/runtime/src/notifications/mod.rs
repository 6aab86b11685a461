//! Whom to notify of the events of an operation, and what a notification contains.

use placet_core::delivery::Delivery;
use placet_core::humanlayer::{Addresses, Format, Subscription};
use placet_core::item::Item;
use placet_core::operation::{
    ContactChannel, Escalation, Event, Notice, Notified, Operation, OperationId,
};
use placet_core::{SigningKeys, Token as _};

use crate::{Config, Environment, Runtime};

mod mail;

use mail::Audience;
pub use mail::MAILBOX;

/// The most notifications of one event that are shown, the last ones.
const SHOWN: u32 = 10;

/// A notification of an event of an operation that took place, or of the decision to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Whom to notify, and of which event.
    pub notice: Notice,
    /// The number of the event among those of the same type, from 1.
    pub number: u32,
    /// The id of the delivery.
    pub delivery_id: String,
}

impl Runtime {
    /// The notifications of an operation: those of the events so far, as `placet.yaml` says now, and those of its
    /// decision. A delivery of another event than the decision may be missing, because its endpoint may list the event
    /// only since later.
    pub fn notifications(&self, operation: &Item<Operation>) -> Vec<Notification> {
        let id = operation.id();
        let mut notices = self.notices(operation);
        if let Some(to) = operation.escalated_to() {
            notices.retain(|notice| notice.event != Event::Escalated);
            let escalated = self.notices_of_escalation(operation, to, &[]);
            notices.extend(escalated.into_iter().filter(|one| one.event == Event::Escalated));
        }
        let numbered = |notice: Notice| {
            let event = notice.event;
            let last = if event == Event::Completed { 1 } else { operation.times(event) };
            let id = id.clone();
            (last.saturating_sub(SHOWN) + 1..=last).map(move |number| {
                let destination = notice.to.destination();
                let delivery_id = Notice::delivery_id(&destination, &id, event, number);
                Notification { notice: notice.clone(), number, delivery_id }
            })
        };
        notices.into_iter().flat_map(numbered).collect()
    }

    /// The notices of all events of an operation: to each endpoint that lists an event, and by mail.
    pub fn notices(&self, operation: &Item<Operation>) -> Vec<Notice> {
        let audience = Audience::of(operation.project(), operation);
        let mut notices = self.to_endpoints(&operation.id());
        notices.extend(self.mails(&audience));
        notices
    }

    /// The notices of the creation of an operation.
    pub(crate) fn notices_of_creation(
        &self,
        id: &OperationId,
        approvers: &[String],
        channel: Option<&ContactChannel>,
    ) -> Vec<Notice> {
        let audience = Audience { project: &id.project, approvers, channel, is_unknown: false };
        let mut notices = self.to_endpoints(id);
        notices.extend(self.mails(&audience));
        notices.retain(|notice| notice.event == Event::Requested);
        notices
    }

    /// The notices of an escalation by the requester.
    pub fn notices_of_request(
        &self,
        operation: &Item<Operation>,
        escalation: &Escalation,
    ) -> Vec<Notice> {
        let audience = Audience::of(operation.project(), operation);
        let mut notices = self.to_endpoints(&operation.id());
        notices.extend(self.mails_of_escalation(&audience, Some(escalation)));
        notices
    }

    /// The notices of the escalation of an operation to `to`, in time. If that is the name of an endpoint, it is notified
    /// even if it does not list the event. `added` are the people whom the escalation makes approvers.
    pub fn notices_of_escalation(
        &self,
        operation: &Item<Operation>,
        to: &str,
        added: &[String],
    ) -> Vec<Notice> {
        let id = operation.id();
        let mut notices = self.to_endpoints(&id);
        let event = Event::Escalated;
        let is_listed = |known: &Notice| {
            let endpoint = matches!(&known.to, Notified::Endpoint { name, .. } if name == to);
            known.event == event && endpoint
        };
        if self.config.endpoint(&id.project, to).is_some() && !notices.iter().any(is_listed) {
            let subscription = Subscription { format: Format::V1Beta2, kind: id.kind, event };
            notices.push(notice(to, subscription));
        }
        let known = &operation.approvers.people;
        let approvers = if known.is_empty() { Vec::new() } else { [known, added].concat() };
        let audience = Audience { approvers: &approvers, ..Audience::of(&id.project, operation) };
        notices.extend(self.mails_of_escalation(&audience, None));
        notices
    }

    fn to_endpoints(&self, id: &OperationId) -> Vec<Notice> {
        let notified = self.config.notified(id);
        notified.map(|(name, subscription)| notice(name, subscription)).collect()
    }

    /// The bytes of a notification; `None` if this version of Placet does not know its event. A decision link needs
    /// `link_keys`.
    pub fn notification_body(
        &self,
        delivery: &Item<Delivery>,
        operation: &Item<Operation>,
        link_keys: Option<&SigningKeys>,
    ) -> Option<Vec<u8>> {
        let subscription = Subscription::parse(&delivery.event_type)?;
        let (_, occurrence) = delivery.notifies_of()?;
        let origin = inbox_origin(&self.environment);
        let at = |path: String| origin.as_ref().map(|origin| format!("{origin}{path}"));
        // The bytes must not depend on the state now, so the link is the one of the request: to decide.
        let keys = link_keys.filter(|_| operation.awaits_decision_at(&occurrence));
        let link = keys.map(|keys| operation.link(None, None, operation.deadline).sign(keys));
        let addresses = Addresses {
            page: at(self.config.inbox_address(&operation.id())),
            link: link.and_then(|token| at(format!("/d/{token}"))),
        };
        Some(subscription.bytes(operation, &occurrence, &addresses))
    }
}

fn notice(endpoint: &str, subscription: Subscription) -> Notice {
    let (name, event_type) = (endpoint.to_owned(), subscription.to_string());
    Notice { to: Notified::Endpoint { name, event_type }, event: subscription.event }
}

/// The origin of the pages, from `PLACET_INBOX_URL`; `None` if it is not set.
pub fn inbox_origin(environment: &Environment) -> Option<String> {
    let url = environment.get("PLACET_INBOX_URL")?;
    Some(url.trim_end_matches('/').to_owned())
}

/// The keys of decision links, from `PLACET_LINK_SECRET`; `None` if it is not set or too short.
pub fn link_keys(environment: &Environment) -> Option<SigningKeys> {
    SigningKeys::read(&environment.get("PLACET_LINK_SECRET")?).ok()
}

/// Why the events to an endpoint with `links` have no decision link; `None` if nothing is missing. Where people are
/// listed, a link decides for one of them only, and an endpoint is nobody.
pub fn missing_for_links(config: &Config, environment: &Environment) -> Option<&'static str> {
    if !config.people.is_empty() {
        return Some("people are listed, and only a link of one of them decides");
    }
    if inbox_origin(environment).is_none() {
        return Some("PLACET_INBOX_URL is not set");
    }
    let none = link_keys(environment).is_none();
    none.then_some("PLACET_LINK_SECRET is not set, or has fewer than 32 bytes")
}

#[cfg(test)]
mod tests;

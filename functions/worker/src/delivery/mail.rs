//! A notification by mail: whom it reaches now, whether it is still needed, and what it says.

use placet_core::delivery::{Answer, Delivery, MailTo};
use placet_core::item::Item;
use placet_core::operation::{Event, Notice, Notified, Occurrence, Operation, State};
use placet_core::people::{Person, PersonRight};
use placet_core::{DecisionLink, Token as _};
use placet_runtime::engine::WorkError;
use placet_runtime::inbox_origin;

use crate::Worker;
use crate::mail::{Mail, Notification, Recipients};

/// How an attempt at a mail ended.
pub(super) enum Sent {
    Answered(Answer),
    NotNeeded(String),
}

/// Why there is no mail to send.
enum Unsent {
    /// It is not needed any more.
    NotNeeded(String),
    /// Something is missing in the environment. A later attempt may find it.
    Missing(String),
}

impl Worker {
    /// Makes one attempt at a mail.
    pub(super) async fn send_mail(
        &self,
        item: &Item<Delivery>,
        to: &MailTo,
        operation: &Item<Operation>,
        occurrence: &Occurrence,
    ) -> Result<Sent, WorkError> {
        let mail = match self.prepare(item, to, operation, occurrence) {
            Ok(mail) => mail,
            Err(Unsent::NotNeeded(reason)) => return Ok(Sent::NotNeeded(reason)),
            Err(Unsent::Missing(reason)) => return Ok(Sent::Answered(Answer::Nothing(reason))),
        };
        match self.mailer.send(&mail).await {
            Ok(answer) => Ok(Sent::Answered(answer)),
            Err(refused) => Err(WorkError::Terminal(refused.to_string())),
        }
    }

    /// The mail that is true now.
    fn prepare(
        &self,
        item: &Item<Delivery>,
        to: &MailTo,
        operation: &Item<Operation>,
        occurrence: &Occurrence,
    ) -> Result<Mail, Unsent> {
        let id = operation.id();
        let waits = operation.state_at(self.runtime.engine.now()) == State::Pending;
        if let Some(reason) = outdated(occurrence, operation, waits) {
            return Err(Unsent::NotNeeded(reason.to_owned()));
        }
        let (address, person) = self.reached(to).map_err(Unsent::NotNeeded)?;
        let missing = "the mail has no address to open: PLACET_INBOX_URL is not set";
        let origin = inbox_origin(&self.runtime.environment);
        let origin = origin.ok_or_else(|| Unsent::Missing(missing.to_owned()))?;
        let inbox = format!("{origin}{}", self.runtime.config.inbox_address(&id));
        let approver = person.filter(|person| waits && decides(person, operation));
        let link = approver.and_then(|person| self.link(operation, person));
        let channel = operation.channel.as_ref();
        let contact = self.runtime.config.email_contact(&id.project, channel);
        let contact =
            contact.filter(|one| Recipients::of(one).all().any(|known| *known == address));
        let notification = Notification {
            event: event_of(occurrence, operation),
            operation,
            contact,
            page: &link.as_ref().map_or(inbox.clone(), |token| format!("{origin}/d/{token}")),
            inbox: &inbox,
            may_decide: approver.is_some()
                || person.is_some_and(|person| settles(person, operation)),
            own_template: person.is_some(),
        };
        let recipients = Recipients::one(address);
        let (began, at) = (self.began_with(to, operation, occurrence), item.header.created_at);
        Ok(Mail::about(&notification, &item.header.id, at, recipients, began.as_deref()))
    }

    /// The address that the mail goes to now, and its person.
    ///
    /// # Errors
    ///
    /// Why nobody is reached any more.
    fn reached(&self, to: &MailTo) -> Result<(String, Option<&Person>), String> {
        let id = match to {
            MailTo::Address(address) => return Ok((address.clone(), None)),
            MailTo::Person(id) => id,
        };
        let person = self.runtime.config.people.get(id);
        let person = person.ok_or_else(|| format!("{id} is not in placet.yaml any more"))?;
        let address = person.email.clone();
        let address = address.ok_or_else(|| format!("{id} has no e-mail address any more"))?;
        Ok((address, Some(person)))
    }

    /// The token of a link with which this person decides the operation until its deadline.
    fn link(&self, operation: &Item<Operation>, person: &Person) -> Option<String> {
        let link = operation.link(Some(&person.id), None, operation.deadline);
        let token = link.sign(self.link_keys.as_ref()?);
        let revoked = operation.revoked_links.contains(&DecisionLink::token_id(&token));
        (!revoked).then_some(token)
    }

    /// The id of the delivery that notified of the request, for a later mail to somebody who was notified of it.
    fn began_with(
        &self,
        to: &MailTo,
        operation: &Item<Operation>,
        occurrence: &Occurrence,
    ) -> Option<String> {
        let first = Notice { to: Notified::Mail(to.clone()), event: Event::Requested };
        let mut added = operation.history.of("escalated").flat_map(|entry| {
            entry.detail["people"].as_array().into_iter().flatten().filter_map(|id| id.as_str())
        });
        let is_added = matches!(to, MailTo::Person(id) if added.any(|one| one == id));
        if occurrence.event == first.event
            || is_added
            || !self.runtime.notices(operation).contains(&first)
        {
            return None;
        }
        Some(Notice::delivery_id(&first.to.destination(), &operation.id(), first.event, 1))
    }
}

/// Why a mail is not true any more.
fn outdated(occurrence: &Occurrence, operation: &Operation, waits: bool) -> Option<&'static str> {
    let asks = operation.awaits_decision_at(occurrence);
    match occurrence.event {
        _ if asks && !waits => Some("the operation did not wait for a decision any more"),
        Event::Unknown | Event::Reminded if !asks && operation.state != State::Unknown => {
            Some("the outcome was settled meanwhile")
        }
        Event::Blocked if operation.state != State::Blocked => {
            Some("the operation is not blocked any more")
        }
        _ => None,
    }
}

/// Whether the person may decide the operation.
fn decides(person: &Person, operation: &Operation) -> bool {
    person.may(PersonRight::Decide) && operation.approvers.include(&person.id)
}

/// The event that the mail is about: the unknown outcome, if it is a reminder of that.
fn event_of(occurrence: &Occurrence, operation: &Operation) -> Event {
    match occurrence.event {
        Event::Reminded if operation.state == State::Unknown => Event::Unknown,
        event => event,
    }
}

/// Whether the person may settle the outcome of the operation, on its page.
fn settles(person: &Person, operation: &Operation) -> bool {
    let open = matches!(operation.state, State::Unknown | State::Failed | State::Blocked);
    open && (person.may(PersonRight::Operate) || decides(person, operation))
}

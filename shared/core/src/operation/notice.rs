use super::{Event, Occurrence, OperationId};
use crate::delivery::{Delivery, MailTo};
use crate::item::Child;

/// A notification to send as soon as an event takes place: whom to notify, and of which event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whom to notify.
    pub to: Notified,
    /// The event.
    pub event: Event,
}

/// Somebody who is notified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notified {
    /// An endpoint, by a signed webhook.
    Endpoint {
        /// The name of the endpoint in `placet.yaml`.
        name: String,
        /// The name of the event as the endpoint lists it, which also selects the format:
        /// `v1beta2.function_call.completed`.
        event_type: String,
    },
    /// A person or an address, by mail.
    Mail(MailTo),
}

impl Notified {
    /// The name of the destination, which is part of the id of each delivery.
    pub fn destination(&self) -> String {
        match self {
            Self::Endpoint { name, .. } => name.clone(),
            // The name of an endpoint has no slash.
            Self::Mail(MailTo::Person(id)) => format!("person/{id}"),
            Self::Mail(MailTo::Address(address)) => format!("address/{address}"),
        }
    }
}

impl Notice {
    /// The id of the delivery that notifies a destination of an event of this operation. `number` is the number of the
    /// occurrence. An operation has one decision, whose id has no number.
    pub fn delivery_id(destination: &str, id: &OperationId, event: Event, number: u32) -> String {
        let operation = format!("{}/{}", id.project, id.path());
        let key = match event {
            Event::Completed => format!("decision/{operation}"),
            event => format!("{event}/{number}/{operation}"),
        };
        Delivery::id(destination, &key)
    }

    /// The notification of this occurrence, as a child that must still be created.
    pub(super) fn child(&self, id: &OperationId, occurrence: Occurrence) -> Child {
        let Occurrence { event, number, at } = occurrence;
        let delivery = match &self.to {
            Notified::Endpoint { name, event_type } => {
                Delivery::notification(name, event_type, id, occurrence)
            }
            Notified::Mail(to) => Delivery::mail(to.clone(), id, occurrence),
        };
        Child::new(Self::delivery_id(&self.to.destination(), id, event, number), delivery, at)
    }
}

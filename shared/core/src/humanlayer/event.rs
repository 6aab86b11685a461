use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{item, notification};
use crate::Timestamp;
use crate::item::Item;
use crate::operation::{Event, Occurrence, Operation, OperationKind};

/// The name of an event: HumanLayer's names for the event of a decision, and ours for the others.
pub(super) fn event_name(kind: OperationKind, event: Event) -> String {
    format!("{}.{event}", kind.as_str())
}

/// The shape of an outgoing event. The prefix of the subscribed event name selects it, as at HumanLayer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The bare object.
    V1,
    /// `{is_test, type, event}`.
    V1Beta2,
    /// The same envelope; the event also has `contact_channel_id`.
    V1Beta3,
}

impl Format {
    const ALL: [Self; 3] = [Self::V1, Self::V1Beta2, Self::V1Beta3];

    const fn prefix(self) -> &'static str {
        match self {
            Self::V1 => "",
            Self::V1Beta2 => "v1beta2.",
            Self::V1Beta3 => "v1beta3.",
        }
    }

    /// Whether this format can carry an event. A receiver reads a bare object without an approval as a denial, so
    /// every event but that of the decision needs the envelope.
    fn carries(self, event: Event) -> bool {
        self != Self::V1 || event == Event::Completed
    }
}

/// An event that an endpoint subscribes to, for example `v1beta2.function_call.completed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Subscription {
    /// The shape of the event.
    pub format: Format,
    /// The kind of the operations.
    pub kind: OperationKind,
    /// The event.
    pub event: Event,
}

/// The addresses in an event at which a person acts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// The address of the operation's page, if the address of the inbox is known.
    pub page: Option<String>,
    /// The address of a decision link, if the endpoint gets one.
    pub link: Option<String>,
}

impl Subscription {
    /// All subscriptions.
    pub fn all() -> impl Iterator<Item = Self> {
        let every = Format::ALL.into_iter().flat_map(|format| {
            let of = move |kind| Event::ALL.map(|event| Self { format, kind, event });
            OperationKind::ALL.into_iter().flat_map(of)
        });
        every.filter(|one| one.format.carries(one.event))
    }

    /// The subscription with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|subscription| subscription.to_string() == name)
    }

    /// The event for what took place at an operation. It depends only on what of the operation never changes
    /// afterwards.
    pub fn payload(
        &self,
        operation: &Item<Operation>,
        occurrence: &Occurrence,
        addresses: &Addresses,
        is_test: bool,
    ) -> Value {
        let mut event = match occurrence.event {
            // The reply for a decided operation does not depend on the time.
            Event::Completed => item(operation, Timestamp::from_millis(i64::MAX)),
            _ => notification(operation, occurrence, addresses),
        };
        match self.format {
            Format::V1 if is_test => {
                event["is_test"] = true.into();
                event
            }
            Format::V1 => event,
            Format::V1Beta2 => self.envelope(event, is_test),
            Format::V1Beta3 => {
                event["contact_channel_id"] = event["spec"]["channel"]["channel_id"].clone();
                self.envelope(event, is_test)
            }
        }
    }

    /// The bytes of the event. They are the same for every call.
    pub fn bytes(
        &self,
        operation: &Item<Operation>,
        occurrence: &Occurrence,
        addresses: &Addresses,
    ) -> Vec<u8> {
        self.payload(operation, occurrence, addresses, false).to_string().into_bytes()
    }

    fn envelope(&self, event: Value, is_test: bool) -> Value {
        json!({"is_test": is_test, "type": event_name(self.kind, self.event), "event": event})
    }
}

impl fmt::Display for Subscription {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.format.prefix(), event_name(self.kind, self.event))
    }
}

impl TryFrom<String> for Subscription {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::parse(&name).ok_or_else(|| {
            let bare = Self::parse(&format!("v1beta2.{name}"));
            if let Some(enveloped) = bare {
                return format!("{name:?} is not sent as a bare object: write {enveloped}");
            }
            let events: Vec<&str> = Event::ALL.into_iter().map(Event::as_str).collect();
            format!(
                "{name:?} is not an event: write function_call.completed or human_contact.completed, or v1beta2. or \
                 v1beta3., then function_call. or human_contact., then one of {}",
                events.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests;

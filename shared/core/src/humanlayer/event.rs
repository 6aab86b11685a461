use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

use super::item;
use crate::Timestamp;
use crate::item::Item;
use crate::operation::{Operation, OperationKind};

/// HumanLayer's name for the event of a decision.
pub(super) const fn event_name(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::FunctionCall => "function_call.completed",
        OperationKind::HumanContact => "human_contact.completed",
    }
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
}

/// An event that an endpoint subscribes to, for example `v1beta2.function_call.completed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Subscription {
    /// The shape of the event.
    pub format: Format,
    /// The kind of the operations.
    pub kind: OperationKind,
}

impl Subscription {
    /// All subscriptions.
    pub fn all() -> impl Iterator<Item = Self> {
        Format::ALL
            .into_iter()
            .flat_map(|format| OperationKind::ALL.map(|kind| Self { format, kind }))
    }

    /// The subscription with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|subscription| subscription.to_string() == name)
    }

    /// The event for a decided operation.
    pub fn payload(&self, operation: &Item<Operation>, is_test: bool) -> Value {
        // The reply for a decided operation does not depend on the time.
        let mut item = item(operation, Timestamp::from_millis(i64::MAX));
        match self.format {
            Format::V1 if is_test => {
                item["is_test"] = true.into();
                item
            }
            Format::V1 => item,
            Format::V1Beta2 => self.envelope(item, is_test),
            Format::V1Beta3 => {
                item["contact_channel_id"] = item["spec"]["channel"]["channel_id"].clone();
                self.envelope(item, is_test)
            }
        }
    }

    /// The bytes of the event for a decided operation. They are the same for every call.
    pub fn bytes(&self, operation: &Item<Operation>) -> Vec<u8> {
        self.payload(operation, false).to_string().into_bytes()
    }

    fn envelope(&self, event: Value, is_test: bool) -> Value {
        json!({"is_test": is_test, "type": event_name(self.kind), "event": event})
    }
}

impl fmt::Display for Subscription {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.format.prefix(), event_name(self.kind))
    }
}

impl TryFrom<String> for Subscription {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::parse(&name).ok_or_else(|| {
            let known: Vec<String> = Self::all().map(|one| one.to_string()).collect();
            format!("{name:?} is not an event: use one of {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests;

//! Schemas of types that cannot derive them: types of other crates, and texts and numbers with a rule.

use std::borrow::Cow;

use placet_core::humanlayer::Subscription;
use placet_core::limits::LONGEST_ID;
use placet_core::operation;
use placet_core::{delivery, receipt};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::schema;
use crate::read::{CallId, Comment, Number, Seconds, Text, When};
use crate::reply::Moment;

/// Stands for [`operation::OperationKind`].
pub(crate) struct OperationKind;

/// Stands for [`operation::State`].
pub(crate) struct OperationState;

/// Stands for [`operation::Verdict`].
pub(crate) struct Verdict;

/// Stands for [`operation::Actor`].
pub(crate) struct Actor;

/// Stands for [`operation::Settlement`].
pub(crate) struct Settlement;

/// Stands for [`receipt::State`].
pub(crate) struct ReceiptState;

/// Stands for [`delivery::State`].
pub(crate) struct DeliveryState;

/// Stands for [`Subscription`].
pub(crate) struct EventName;

/// Stands for [`placet_core::Digest`].
pub(crate) struct Digest;

/// Stands for a digest as callers write it.
pub(crate) struct SeenDigest;

const DIGEST: &str = "bd416f2bbf6275eb892d58f2a1078b8e19caa072b0a6566cc76c2c1fa3ca1fa4";

schema!(OperationKind as "OperationKind", {
    "description": "Whether a person approves a function call or answers a question.",
    "type": "string",
    "enum": operation::OperationKind::ALL.map(operation::OperationKind::as_str)
});
schema!(OperationState as "OperationState", {
    "description": "The state of an operation.",
    "type": "string",
    "enum": operation::State::ALL.map(operation::State::as_str)
});
schema!(Verdict as "Verdict", {
    "description": "The decision of a person.",
    "type": "string",
    "enum": [operation::Verdict::Approve, operation::Verdict::Deny, operation::Verdict::Answer]
});
schema!(Actor as "Actor", {
    "description": "Who acted on an operation, and how they proved it: the channel, and what identifies the actor there.",
    "type": "object",
    "required": ["channel"],
    "properties": {
        "channel": {
            "type": "string",
            "enum": ["api", "inbox", "link", "webhook", "upstream", "demo", "worker", "timer"]
        },
        "key": {"type": "string", "description": "`api`: the id of the API key."},
        "name": {"type": "string", "description": "`api`: the name of the API key. Two keys can have one name."},
        "id": {"type": "string", "description": "`link`: the id of the decision link."},
        "person": {
            "type": "object",
            "description": "`inbox` and `link`: the person of `placet.yaml`. Absent for the person at a developer's machine and for the bearer of a link.",
            "required": ["id", "name", "proof"],
            "properties": {
                "id": {"type": "string", "description": "The id of the person."},
                "name": {"type": "string", "description": "The name of the person at that time."},
                "proof": {
                    "type": "string",
                    "enum": ["session", "oidc", "link", "slack"],
                    "description": "How the person proved it."
                },
                "from": {"type": "string", "description": "The IP address of the browser."}
            }
        },
        "source": {"type": "string", "description": "`webhook`: the name of the webhook source."},
        "receipt": {"type": "string", "description": "`webhook`: the id of the receipt."},
        "event": {"type": "string", "description": "`webhook`: the sender's id of the event, if the signature covers it."},
        "url": {"type": "string", "description": "`upstream`: the base URL of the upstream approver."}
    },
    "examples": [{"channel": "api", "key": "0123456789ab", "name": "ci"}]
});
schema!(Settlement as "Settlement", {
    "description": "What a person found out. `happened`: the call ran. `did_not_happen`: the call did not run and will not run. `run_again`: the call did not run and Placet runs it now.",
    "type": "string",
    "enum": operation::Settlement::ALL.map(operation::Settlement::as_str)
});
schema!(ReceiptState as "ReceiptState", {
    "description": "The state of a receipt.",
    "type": "string",
    "enum": receipt::State::ALL.map(receipt::State::as_str)
});
schema!(DeliveryState as "DeliveryState", {
    "description": "The state of a delivery.",
    "type": "string",
    "enum": delivery::State::ALL.map(delivery::State::as_str)
});
schema!(EventName as "EventName", {
    "description": "The event that an endpoint is notified of, and its format.",
    "type": "string",
    "enum": Subscription::all().map(|event| event.to_string()).collect::<Vec<_>>()
});
schema!(Digest, {"type": "string", "pattern": "^[0-9a-f]{64}$", "examples": [DIGEST]});
schema!(SeenDigest, {"type": "string", "pattern": "^[0-9a-fA-F]{64}$", "examples": [DIGEST]});
schema!(Moment, {
    "type": "string", "format": "date-time", "examples": ["2026-11-21T11:41:25.781Z"]
});
schema!(CallId, {
    "type": "string", "minLength": 1, "maxLength": LONGEST_ID, "examples": ["call-1"],
    "description": "Up to 255 bytes, without `/ \\ ? # %` and control characters."
});
schema!(Comment, {"type": "string", "description": "At most 16 KB when encoded as JSON."});
schema!(When, {"anyOf": [
    {"type": "string", "format": "date-time"},
    {"type": "string", "pattern": "^[1-9][0-9]{0,3}(ms|s|m|h|d)$"}
]});
schema!(Seconds, {"type": "number", "minimum": 0, "maximum": 25});

impl<const MIN: usize, const MAX: usize> JsonSchema for Text<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({"type": "string"});
        if MIN > 0 {
            schema.insert("minLength".to_owned(), MIN.into());
        }
        if MAX < usize::MAX {
            schema.insert("maxLength".to_owned(), MAX.into());
        }
        schema
    }
}

impl<const MIN: usize, const MAX: usize> JsonSchema for Number<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({"type": "integer", "minimum": MIN});
        if MAX < usize::MAX {
            schema.insert("maximum".to_owned(), MAX.into());
        }
        schema
    }
}

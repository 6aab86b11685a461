//! The pieces that schemas are made of, and those that many routes share.

use placet_core::humanlayer::Subscription;
use placet_core::{Kind, State};
use serde_json::{Map, Value, json};

/// Named schemas.
pub(crate) type Schemas = Vec<(String, Value)>;

pub(crate) fn reference(part: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{part}/{name}")})
}

pub(crate) fn schema(name: &str) -> Value {
    reference("schemas", name)
}

pub(crate) fn named<const N: usize>(schemas: [(&str, Value); N]) -> Schemas {
    schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// An object with these members and no others, all of them always there.
pub(crate) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let mut object = json!({"type": "object", "required": required, "additionalProperties": false});
    object["properties"] =
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    object
}

/// The same, but only these have to be there.
pub(crate) fn only_required(mut object: Value, required: &[&str]) -> Value {
    object["required"] = json!(required);
    object
}

/// The same with the members of another object besides.
pub(crate) fn with(mut object: Value, more: &Value) -> Value {
    let members = |object: &Value| object["properties"].as_object().cloned().unwrap_or_default();
    let mut all: Map<String, Value> = members(&object);
    all.extend(members(more));
    object["properties"] = all.into();
    if let (Some(required), Some(more)) =
        (object["required"].as_array_mut(), more["required"].as_array())
    {
        required.extend(more.iter().cloned());
    }
    object
}

pub(crate) fn text() -> Value {
    json!({"type": "string"})
}

pub(crate) fn text_like(example: &str) -> Value {
    json!({"type": "string", "examples": [example]})
}

pub(crate) fn number() -> Value {
    json!({"type": "integer", "minimum": 0})
}

pub(crate) fn boolean() -> Value {
    json!({"type": "boolean"})
}

pub(crate) fn moment() -> Value {
    json!({"type": "string", "format": "date-time", "examples": ["2026-11-21T11:41:25.781Z"]})
}

pub(crate) fn digest() -> Value {
    let example = "bd416f2bbf6275eb892d58f2a1078b8e19caa072b0a6566cc76c2c1fa3ca1fa4";
    json!({"type": "string", "pattern": "^[0-9a-f]{64}$", "examples": [example]})
}

pub(crate) fn one_of<const N: usize>(names: [&str; N]) -> Value {
    json!({"type": "string", "enum": names.as_slice()})
}

pub(crate) fn list_of(item: Value) -> Value {
    json!({"type": "array", "items": item})
}

pub(crate) fn nullable(mut schema: Value) -> Value {
    match schema.get("type").and_then(Value::as_str).map(str::to_owned) {
        Some(name) if schema.get("enum").is_none() => {
            schema["type"] = json!([name, "null"]);
            schema
        }
        _ => json!({"oneOf": [schema, {"type": "null"}]}),
    }
}

pub(crate) fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

/// A page of a list.
pub(crate) fn page(item: &str) -> Value {
    let next = "The `cursor` of the next page; null after the last. A page may be short and still have a next.";
    object([("items", list_of(schema(item))), ("next", described(nullable(text()), next))])
}

/// What several parts use.
pub(crate) fn schemas() -> Schemas {
    let pointer = described(text_like("/kwargs"), "A JSON pointer (RFC 6901) to the member");
    let wrong = object([("pointer", pointer), ("detail", text())]);
    let problem = object([
        ("type", json!({"const": "about:blank"})),
        ("title", text()),
        ("status", json!({"type": "integer"})),
        ("code", described(text(), "Stable: programs go by this")),
        ("detail", described(text(), "What is wrong and the mend, for a person")),
        ("errors", described(list_of(wrong), "The members of the body that are wrong")),
    ]);
    let problem = only_required(problem, &["type", "title", "status", "code", "detail"]);
    let message = json!({
        "description": "What Lambda answers before the function is asked",
        "type": "object", "required": ["Message"], "properties": {"Message": text()},
    });
    named([
        ("Kind", one_of(Kind::ALL.map(Kind::as_str))),
        ("State", one_of(State::ALL.map(State::as_str))),
        ("Problem", problem),
        ("Message", message),
    ])
}

/// All parameters, by the names that paths, queries and headers have for them.
pub(crate) fn parameters() -> Value {
    let path = |name: &str, schema: Value| json!({"name": name, "in": "path", "required": true, "schema": schema});
    let query = |name: &str, schema: Value| json!({"name": name, "in": "query", "schema": schema});
    let example = |mut parameter: Value, example: Value| {
        parameter["example"] = example;
        parameter
    };
    let moment = json!({"anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": "^[1-9][0-9]{0,3}(ms|s|m|h|d)$"},
    ]});
    let limit = |most: u32| json!({"type": "integer", "minimum": 1, "maximum": most});
    let event: Vec<String> = Subscription::all().map(|event| event.to_string()).collect();
    let key = json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"});
    let wait = json!({"type": "number", "minimum": 0, "maximum": 25});
    json!({
        "kind": path("kind", schema("Kind")),
        "call_id": example(path("call_id", text()), json!("call-1")),
        "id": example(path("id", text()), json!("msg_5b1d0c2f4a9e8d7c6b5a493827161504")),
        "name": example(path("name", text()), json!("billing")),
        "channel_id": example(path("channel_id", text()), json!("7")),
        "of_kind": query("kind", schema("Kind")),
        "of_state": query("state", schema("State")),
        "of_function": query("fn", text()),
        "of_run": query("run_id", text()),
        "of_source": query("source", text()),
        "of_endpoint": query("endpoint", text()),
        "receipt_state": query("state", one_of(["received", "done", "failed"])),
        "delivery_state": query("state", one_of(["pending", "delivered", "failed"])),
        "since": described(query("since", moment.clone()), "Not before this moment, or so long ago"),
        "until": described(query("until", moment), "Not after this moment, or so long ago"),
        "limit": query("limit", limit(100)),
        "page_limit": query("limit", json!({"type": "integer", "minimum": 1})),
        "cursor": described(query("cursor", text()), "The `next` of the page before"),
        "offset": query("offset", number()),
        "format": described(query("format", json!({"const": "array"})), "A bare array, as before June 2025"),
        "event": described(query("event", json!({"type": "string", "enum": event})), "Only this one"),
        "wait": described(query("wait", wait), "How many seconds to be held while it is pending, if holding is on"),
        "idempotency_key": {"name": "Idempotency-Key", "in": "header", "schema": key},
    })
}

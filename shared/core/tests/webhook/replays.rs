//! Attacks with a captured request: whatever an attacker changes, one signature has one effect, and no later
//! event of the sender is taken for a copy.

use placet_core::webhook::Verifier;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::request::{Request, open_scheme, scheme};
use crate::sender::{NOW, Sender};
use crate::senders::SENDERS;
use crate::sns;
use crate::store::Store;

/// A change that needs no key.
#[derive(Clone, Debug)]
enum Change {
    Drop(prop::sample::Index),
    Double(prop::sample::Index),
    Set(&'static str, &'static str),
    Query(&'static str),
    Path(&'static str),
    Method(&'static str),
    Member(&'static str),
    /// Moves this many bytes from the body into the query.
    IntoQuery(usize),
    /// Moves the first field of a form into the query.
    FieldIntoQuery,
}

const HEADERS: [&str; 16] = [
    "content-type",
    "x-github-delivery",
    "x-github-event",
    "x-shopify-webhook-id",
    "shopify-webhook-id",
    "x-shopify-topic",
    "i-twilio-idempotency-token",
    "linear-delivery",
    "x-zendesk-webhook-invocation-id",
    "request-id",
    "x-webhook-id",
    "idempotency-key",
    "webhook-id",
    "svix-id",
    "x-gitlab-event",
    "x-request-id",
];

const VALUES: [&str; 6] =
    ["1", "2", "orders/paid", "application/json", "application/x-www-form-urlencoded", ""];

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let header = (prop::sample::select(&HEADERS[..]), prop::sample::select(&VALUES[..]));
    let change = prop_oneof![
        1 => any::<prop::sample::Index>().prop_map(Change::Drop),
        1 => any::<prop::sample::Index>().prop_map(Change::Double),
        4 => header.prop_map(|(name, value)| Change::Set(name, value)),
        1 => prop::sample::select(vec!["", "x=2", "x=1&y=2"]).prop_map(Change::Query),
        1 => prop::sample::select(vec!["/in/abd", "/in"]).prop_map(Change::Path),
        1 => prop::sample::select(vec!["PUT", "GET"]).prop_map(Change::Method),
        1 => prop::sample::select(vec!["UnsubscribeURL", "MessageAttributes"])
            .prop_map(Change::Member),
        1 => (1..20_usize).prop_map(Change::IntoQuery),
        1 => Just(Change::FieldIntoQuery),
    ];
    prop::collection::vec(change, 0..4)
}

fn changed(request: Request, change: &Change) -> Request {
    let header = |index: &prop::sample::Index| {
        let headers = &request.headers;
        (!headers.is_empty()).then(|| headers[index.index(headers.len())].clone())
    };
    match change {
        Change::Drop(index) => match header(index) {
            Some((name, _)) => request.without(&name),
            None => request,
        },
        Change::Double(index) => match header(index) {
            Some((name, value)) => request.add(&name, &value),
            None => request,
        },
        Change::Set(name, value) => request.set(name, value),
        Change::Query(query) => request.with_query(query),
        Change::Path(path) => Request { path: (*path).to_owned(), ..request },
        Change::Method(method) => Request { method: (*method).to_owned(), ..request },
        Change::Member(name) => match serde_json::from_slice::<Value>(&request.body) {
            Ok(Value::Object(_)) => request.with_member(name, "changed"),
            _ => request,
        },
        Change::IntoQuery(bytes) => {
            let text = String::from_utf8_lossy(&request.body).into_owned();
            let (moved, rest) = text.split_at((*bytes).min(text.len()));
            let query = format!("{}{moved}", request.query);
            request.with_query(&query).with_body(rest)
        }
        Change::FieldIntoQuery => {
            let text = String::from_utf8_lossy(&request.body).into_owned();
            let (field, rest) = text.split_once('&').unwrap_or((&text, ""));
            let query = format!("{}{}", request.query, field.replacen('=', "", 1));
            request.with_query(&query).with_body(rest)
        }
    }
}

/// The `n`-th event of a sender, under the unsigned ids that an attacker may also use.
fn event(sender: &Sender, n: usize, shape: usize) -> Request {
    let id = format!("evt_{n}");
    let event = json!({"id": id, "event_id": id, "webhook_id": id, "notification_id": id,
        "event": {"id": id}, "eventId": n, "subscriptionId": 1, "occurredAt": 2});
    let body = match shape {
        0 => event.to_string(),
        1 => json!([event]).to_string(),
        _ => format!("{{\"n\":{n}}}"),
    };
    let time = sender.time_text(NOW);
    let mut request = sender.unsigned(&time, body.as_bytes());
    if sender.preset == "sns" {
        request = request.with_member("MessageId", id.as_str());
    }
    if let Some(name) = sender.id {
        request = request.set(name, &id);
    }
    let signature = sender.written.text(&sender.signature_of(&request, &time));
    let request = sender.with_signatures(request, &time, &[signature]);
    ["x-github-delivery", "i-twilio-idempotency-token", "linear-delivery", "x-webhook-id"]
        .into_iter()
        .filter(|name| sender.id != Some(name))
        .fold(request, |request, name| request.set(name, &n.to_string()))
}

fn passes(verifier: &Verifier, request: &Request) -> bool {
    request.judged_with(verifier, &sns::documents(), NOW).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_unsigned_change_makes_a_second_effect_or_hides_a_later_event(
        shape in 0..3_usize,
        sent in prop::collection::vec((0..3_usize, changes()), 1..8),
    ) {
        for sender in SENDERS {
            let (verifier, mut store) = (sender.verifier(), Store::default());
            let mut seen = std::collections::BTreeSet::new();
            // What an attacker sends, and then every event as its sender sends it.
            let genuine = (0..3_usize).map(|n| (n, Vec::new()));
            for (n, changes) in sent.iter().cloned().chain(genuine) {
                let request = changes.iter().fold(event(sender, n, shape), changed);
                if !passes(&verifier, &request) {
                    prop_assert!(!changes.is_empty(), "{}", sender.name);
                    continue;
                }
                seen.insert(n);
                let events = store.receives(&verifier, &request, NOW);
                prop_assert_eq!(events, seen.len(), "{}: {:?} of {}", sender.name, changes, n);
            }
        }
    }

    /// A source that only logs and forwards may store a copy again, but never loses an event.
    #[test]
    fn without_effects_no_unsigned_change_hides_a_later_event(
        sent in prop::collection::vec((0..3_usize, changes()), 0..8),
    ) {
        for sender in SENDERS {
            let separate = scheme(sender.preset, json!({"equal_content": "separate"}));
            let verifier = open_scheme(separate, &[&sender.keys.secret(1)]);
            let mut store = Store::default();
            for (_, changes) in &sent {
                let request = changes.iter().fold(event(sender, 0, 2), changed);
                if passes(&verifier, &request) {
                    store.receives(&verifier, &request, NOW);
                }
            }
            for n in 1..3 {
                let before = store.len();
                let after = store.receives(&verifier, &event(sender, n, 2), NOW);
                prop_assert_eq!(after, before + 1, "{}: event {}", sender.name, n);
            }
        }
    }
}

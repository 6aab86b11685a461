//! Attacks with a captured request: whatever an attacker changes, one signature has one effect, and no later
//! event of the sender is taken for a copy.

use placet_core::webhook::Verifier;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::crypto::{base64, from_base64};
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

/// Anyone can make the ECDSA signature (r, n − s) from (r, s), and both are valid. The claim is over the message.
#[test]
fn a_negated_signature_makes_no_second_event() {
    let sender = SENDERS.iter().find(|sender| sender.preset == "sendgrid").unwrap();
    let (verifier, mut store) = (sender.verifier(), Store::default());
    let request = event(sender, 0, 2);
    let signature = from_base64(&sender.value(&request));
    let negated = sender.with_value(request.clone(), &base64(&negated(&signature)));
    assert_ne!(sender.value(&negated), sender.value(&request));
    assert!(passes(&verifier, &negated));
    assert_eq!(store.receives(&verifier, &request, NOW), 1);
    assert_eq!(store.receives(&verifier, &negated, NOW), 1);
}

/// The DER form of (r, n − s) for the curve P-256.
fn negated(der: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let r = &der[2..4 + usize::from(der[3])];
    let s = &der[2 + r.len() + 2..];
    let mut padded = [0; 32];
    let digits = &s[s.len().saturating_sub(32)..];
    padded[32 - digits.len()..].copy_from_slice(digits);
    let (mut difference, mut borrow) = (vec![0; 32], 0);
    for at in (0..32).rev() {
        let digit = i16::from(ORDER[at]) - i16::from(padded[at]) - borrow;
        borrow = i16::from(digit < 0);
        difference[at] = digit.rem_euclid(256) as u8;
    }
    let zeros = difference.iter().take_while(|digit| **digit == 0).count();
    let mut number = difference.split_off(zeros);
    if number[0] & 0x80 != 0 {
        number.insert(0, 0);
    }
    let s = [&[2, number.len() as u8], number.as_slice()].concat();
    [&[0x30, (r.len() + s.len()) as u8], r, s.as_slice()].concat()
}

//! Sends two signed events of every preset, and between them the first event again, with everything changed that its
//! signature does not cover: an attacker who has captured one request makes no second event, and hides no other one.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use placet_core::Timestamp;
use placet_core::receipt::Identity;
use placet_core::webhook::{Documents, Draft, Incoming, Scheme, Signed, Verifier, presets};
use placet_fuzz::NOW;

/// A secret of each form that signs.
const SECRETS: [&str; 3] = [
    "whsec_YSBzZWNyZXQgdGhhdCB0aGUgZnV6emVyIGRvZXMgbm90IGtub3c=",
    "abb201e014a493eda97dce11ec8de6dedabcce1cf1dda0062b38885382c276af",
    "a secret that is a text of more than thirty-two bytes",
];

const BODIES: [&str; 2] = [
    r#"{"id":"evt_1","event_id":"evt_1","type":"ping","n":1,"event":{"id":"evt_1","type":"ping"}}"#,
    r#"{"id":"evt_2","event_id":"evt_2","type":"ping","n":2,"event":{"id":"evt_2","type":"ping"}}"#,
];

/// A preset whose signature covers content, and two signed events.
struct Sender {
    verifier: Verifier,
    events: [Signed; 2],
}

static SENDERS: LazyLock<Vec<Sender>> = LazyLock::new(|| {
    let each = |name| SECRETS.iter().find_map(move |secret| sender(name, secret));
    let senders: Vec<Sender> = presets::names().filter_map(each).collect();
    assert!(senders.len() > 20, "only {} presets can be signed", senders.len());
    senders
});

fn sender(name: &str, secret: &str) -> Option<Sender> {
    let scheme: Scheme = serde_json::from_value(presets::preset(name)?).ok()?;
    let public_url = Some("https://hooks.example.com");
    let verifier = Verifier::open(name, scheme, &[secret.to_owned()], &[], public_url).ok()?;
    let sign = |n: usize| {
        let id = format!("msg_{n}");
        let body = BODIES.get(n)?.as_bytes();
        let content_type = "application/json";
        verifier.sign(&Draft { path: "/in", content_type, id: &id, body, at: NOW }).ok()
    };
    let events = [sign(0)?, sign(1)?];
    let covers_content = {
        let verified = verifier.verify(incoming(&events[0], BODIES[0]), &Documents::default(), NOW);
        let verified = verified.expect("a signed event");
        verified.signed.is_some() || verified.proven.coverage.identity
    };
    covers_content.then_some(Sender { verifier, events })
}

fn incoming<'a>(signed: &'a Signed, body: &'a str) -> Incoming<'a> {
    let mut request = Incoming::post("/in", body.as_bytes());
    request.method = &signed.method;
    request.query = &signed.query;
    request.headers =
        signed.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    request
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    for Sender { verifier, events } in SENDERS.iter() {
        let mut store = Store::default();
        let genuine = |n: usize| incoming(&events[n], BODIES[n]);
        let counted = store.receives(verifier, genuine(0), NOW);
        assert_eq!(counted, Some(1));
        for copy in text.split("\n\n").take(4) {
            let counted = store.receives(verifier, changed(genuine(0), copy), NOW);
            assert!(counted.is_none_or(|counted| counted == 1), "{}: {copy}", verifier.source());
        }
        assert_eq!(store.receives(verifier, genuine(1), NOW), Some(2), "{}", verifier.source());
    }
});

/// The request with these changes, one a line: `-name` drops a header, `+name: value` adds one, `name: value` sets
/// one, `?query` and `/path` replace those.
fn changed<'a>(mut request: Incoming<'a>, changes: &'a str) -> Incoming<'a> {
    for change in changes.lines() {
        match (change.chars().next(), change.split_once(": ")) {
            (Some('?'), _) => request.query = &change[1..],
            (Some('/'), _) => request.path = change,
            (Some('-'), _) => request.headers.retain(|(name, _)| *name != &change[1..]),
            (Some('+'), Some((name, value))) => request.headers.push((&name[1..], value)),
            (_, Some((name, value))) => {
                request.headers.retain(|(known, _)| *known != name);
                request.headers.push((name, value));
            }
            _ => {}
        }
    }
    request
}

/// The claims and receipts of the webhook function, in memory.
#[derive(Default)]
struct Store {
    claims: BTreeMap<String, String>,
    receipts: BTreeMap<String, Vec<u8>>,
}

impl Store {
    /// Stores a request that verifies. Returns the number of events; `None` if the request does not verify.
    fn receives(
        &mut self,
        verifier: &Verifier,
        request: Incoming<'_>,
        at: Timestamp,
    ) -> Option<usize> {
        let body = request.body.to_vec();
        let verified = verifier.verify(request, &Documents::default(), at).ok()?;
        let identity = Identity::of(&verified, at);
        let mut id = identity.receipt_id.clone();
        for claim in &identity.claims {
            id.clone_from(self.claims.entry(claim.key.clone()).or_insert_with(|| id.clone()));
        }
        if identity.compares_bodies && self.receipts.get(&id).is_some_and(|known| *known != body) {
            id = identity.apart(None, &body);
        }
        self.receipts.entry(id).or_insert(body);
        Some(self.receipts.len())
    }
}

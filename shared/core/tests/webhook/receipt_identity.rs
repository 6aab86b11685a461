//! Which requests are the same event: the ids and the claims of receipts.

use std::collections::BTreeMap;
use std::time::Duration;

use placet_core::Timestamp;
use placet_core::receipt::{Identity, Receipt};
use placet_core::webhook::{Documents, Verifier, merged};
use serde_json::{Value, json};

use crate::crypto::{Keys, base64, hex, hmac_sha256};
use crate::request::{Request, open_scheme, scheme, written};
use crate::sender::{NOW, Sender};
use crate::senders::SENDERS;
use crate::{jwt, sns, tokens};

const MINUTE: i64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn moment(at: i64) -> Timestamp {
    Timestamp::from_millis(at * 1000)
}

fn identity(verifier: &Verifier, request: &Request, at: i64) -> Identity {
    identity_with(&sns::documents(), verifier, request, at)
}

fn identity_with(
    documents: &Documents,
    verifier: &Verifier,
    request: &Request,
    at: i64,
) -> Identity {
    let verified = request.verified(verifier, documents, at).unwrap();
    Identity::of(&verified, moment(at))
}

/// The kind and the lifetime of each claim, in seconds after `at`.
fn claims(identity: &Identity, at: i64) -> Vec<(&str, u64)> {
    let claims = identity.claims.iter();
    claims
        .map(|claim| {
            let what = claim.key.split('#').nth(1).unwrap();
            (what, claim.expires.since(moment(at)).as_secs())
        })
        .collect()
}

fn sender(name: &str) -> &'static Sender {
    SENDERS.iter().find(|sender| sender.name == name).unwrap()
}

/// The stored claims: the receipt of each claim, and its expiry.
#[derive(Default)]
struct Store {
    claimed: BTreeMap<String, (String, Timestamp)>,
    receipts: Vec<String>,
}

impl Store {
    /// Stores a request as the webhook function does: makes the claims, then stores the receipt that the
    /// claims name. Returns the number of receipts.
    fn receives(&mut self, verifier: &Verifier, request: &Request, at: i64) -> usize {
        self.stores(identity(verifier, request, at), at)
    }

    fn stores(&mut self, identity: Identity, at: i64) -> usize {
        let Identity { mut receipt_id, claims } = identity;
        for claim in claims {
            let held = self.claimed.get(&claim.key).filter(|(_, until)| *until > moment(at));
            match held {
                Some((owner, _)) => receipt_id.clone_from(owner),
                None => {
                    self.claimed.insert(claim.key, (receipt_id.clone(), claim.expires));
                }
            }
        }
        if !self.receipts.contains(&receipt_id) {
            self.receipts.push(receipt_id);
        }
        self.receipts.len()
    }
}

#[test]
fn a_signed_identity_needs_no_claim() {
    for name in ["standard", "svix", "stripe", "slack", "paddle", "sns", "twilio, JSON"] {
        let sender = sender(name);
        let body = br#"{"id":"evt_1","event_id":"evt_1","type":"t"}"#;
        let body = if name == "twilio, JSON" { &br#"[{"id":"evt_1"}]"#[..] } else { body };
        let request = sender.send(1, &sender.time_text(NOW), body);
        let verifier = sender.verifier();
        let first = identity(&verifier, &request, NOW);
        assert_eq!(first.claims, [], "{name}");
        assert_eq!(first, identity(&verifier, &request, NOW + MINUTE), "{name}");
        let retried = sender.send(1, &sender.time_text(NOW + MINUTE), body);
        let retried = identity(&verifier, &retried, NOW + MINUTE);
        assert_eq!(retried.receipt_id, first.receipt_id, "{name}: a new signature");
    }
}

#[test]
fn an_unsigned_identity_claims_its_signature_for_ninety_days() {
    let sender = sender("github");
    let request = sender.request().add("x-github-delivery", "guid-1");
    let found = identity(&sender.verifier(), &request, NOW);
    assert_eq!(claims(&found, NOW), [("signature", 90 * DAY)]);
    assert!(found.claims[0].key.starts_with("source#signature#"), "{:?}", found.claims);
    let other_id = request.clone().set("x-github-delivery", "guid-2");
    let other = identity(&sender.verifier(), &other_id, NOW);
    assert_ne!(other.receipt_id, found.receipt_id);
    assert_eq!(other.claims, found.claims, "both have one signature");
    let other_body = sender.send(1, "", b"{}").add("x-github-delivery", "guid-1");
    let other = identity(&sender.verifier(), &other_body, NOW);
    assert_eq!(other.receipt_id, found.receipt_id);
    assert_ne!(other.claims, found.claims);
}

#[test]
fn one_signature_under_two_unsigned_ids_is_one_event() {
    let (mut store, sender) = (Store::default(), sender("github"));
    let verifier = sender.verifier();
    let with_id = |id: &str, body: &[u8]| sender.send(1, "", body).add("x-github-delivery", id);
    for (id, body, known) in [
        ("guid-1", b"{\"a\":1}", 1),
        ("guid-2", b"{\"a\":1}", 1),
        ("guid-1", b"{\"a\":1}", 1),
        ("guid-3", b"{\"a\":2}", 2),
    ] {
        assert_eq!(store.receives(&verifier, &with_id(id, body), NOW), known, "{id}");
    }
    let other_type = with_id("guid-4", b"{\"a\":1}").add("x-github-event", "push");
    assert_eq!(
        store.receives(&verifier, &other_type, NOW),
        2,
        "another type does not make another event"
    );
}

/// A sender without identity and without signed time sends the same signature in each retry.
#[test]
fn a_body_without_identity_is_one_event_while_its_claim_lasts() {
    let sender = sender("dropbox");
    let (request, verifier) = (sender.send(1, "", b"{}"), sender.verifier());
    let found = identity(&verifier, &request, NOW);
    assert_eq!(claims(&found, NOW), [("signature", 10)]);
    let mut store = Store::default();
    for (later, known) in [(0, 1), (4, 1), (9, 1), (10, 2), (19, 2), (20, 3)] {
        let receipts = store.receives(&verifier, &request, NOW + later);
        assert_eq!(receipts, known, "{later} s later");
    }
}

/// With a signed time each retry has another signature, so the body is claimed, too.
#[test]
fn a_retry_with_a_new_signature_is_the_same_event() {
    let (mut store, sender) = (Store::default(), sender("zendesk"));
    let verifier = sender.verifier();
    let signed = |at| sender.send(1, &sender.time_text(at), b"{}");
    let found = identity(&verifier, &signed(NOW), NOW);
    assert_eq!(claims(&found, NOW), [("signature", 7 * DAY), ("request", 7 * DAY)]);
    for minutes in [0, 1, 2] {
        let at = NOW + minutes * MINUTE;
        assert_eq!(store.receives(&verifier, &signed(at), at), 1, "{minutes}");
    }
    let other = sender.send(1, &sender.time_text(NOW), b"[]");
    assert_eq!(store.receives(&verifier, &other, NOW), 2);
}

/// The signature covers neither the address nor the id, so anyone who has seen the request can change both.
#[test]
fn changes_of_unsigned_parts_do_not_make_another_event() {
    let (mut store, sender) = (Store::default(), sender("linear"));
    let (verifier, request) = (sender.verifier(), sender.request());
    for changed in [
        request.clone(),
        request.clone().with_query("x=2"),
        request.clone().with_query("x=2").add("linear-delivery", "2"),
        request.clone().add("linear-delivery", "3"),
    ] {
        assert_eq!(store.receives(&verifier, &changed, NOW), 1, "{changed:?}");
    }
    assert_eq!(store.receives(&verifier, &sender.send(1, &sender.time_text(NOW), b"x"), NOW), 2);
}

#[test]
fn one_body_with_two_types_is_two_events_if_the_sender_reuses_bodies() {
    let sender = sender("shopify");
    let request = |topic: &str, id: &str| {
        let request = sender.send(1, "", b"{\"id\":1}").add("x-shopify-topic", topic);
        request.add("x-shopify-webhook-id", id)
    };
    let mut store = Store::default();
    for (topic, id, known) in [
        ("orders/create", "1", 1),
        ("orders/paid", "2", 2),
        ("orders/paid", "3", 2),
        ("orders/paid", "2", 2),
    ] {
        assert_eq!(
            store.receives(&sender.verifier(), &request(topic, id), NOW),
            known,
            "{topic} {id}"
        );
    }
    let long = identity(&sender.verifier(), &request(&"é".repeat(400), "1"), NOW);
    assert!(long.claims[0].key.len() < 400, "a key holds the beginning of a long type");
}

/// A token does not cover the body, so several events may have the same token.
#[test]
fn a_request_with_a_token_and_without_identity_claims_body_and_address() {
    let sender = tokens::SENDERS.iter().find(|sender| sender.preset == "bearer").unwrap();
    let (verifier, request) = (sender.verifier(), sender.request());
    let found = identity(&verifier, &request, NOW);
    assert_eq!(claims(&found, NOW), [("request", 300)]);
    let mut store = Store::default();
    let put = Request { method: "PUT".to_owned(), ..request.clone() };
    let other_path = Request { path: "/in/abd".to_owned(), ..request.clone() };
    for (changed, known) in [
        (request.clone(), 1),
        (request.clone().add("x-request-id", "2"), 1),
        (request.clone().with_body("[]"), 2),
        (request.clone().with_query("x=2"), 3),
        (other_path, 4),
        (put, 5),
    ] {
        assert_eq!(store.receives(&verifier, &changed, NOW), known, "{changed:?}");
    }
    assert_eq!(store.receives(&verifier, &request, NOW + 300), 6, "the claim has expired");
}

#[test]
fn a_request_with_a_token_and_an_identity_needs_no_claim() {
    let sender = tokens::SENDERS.iter().find(|sender| sender.preset == "bearer").unwrap();
    let request = sender.request().add("idempotency-key", "k");
    let found = identity(&sender.verifier(), &request, NOW);
    assert_eq!(found.claims, []);
    let other = identity(&sender.verifier(), &request.with_body("[]"), NOW + MINUTE);
    assert_eq!(other, found, "the sender says which event it is");
}

/// A JSON Web Token may be used with several bodies while it is valid.
#[test]
fn a_proof_that_does_not_cover_the_body_is_not_claimed() {
    let (verifier, request) = (jwt::verifier(&json!({})), jwt::request());
    let mut store = Store::default();
    for (body, known) in [("{}", 1), ("[]", 2), ("{}", 2)] {
        let request = request.clone().with_body(body);
        let found = identity_with(&jwt::documents(), &verifier, &request, NOW);
        assert_eq!(claims(&found, NOW), [("request", 7 * DAY)]);
        assert_eq!(store.stores(found, NOW), known, "{body}");
    }
}

/// The source configures the lifetime of signature claims (`remember`) and body claims (`remember_body`).
#[test]
fn a_claim_lasts_as_long_as_the_source_says() {
    let lasting = json!({"remember": "20m", "remember_body": "30m"});
    let verifier = hmac_with(json!(["time", ".", "body"]), &lasting);
    let found = identity(&verifier, &signed(&Request::post("{}"), &format!("{NOW}.{{}}")), NOW);
    assert_eq!(claims(&found, NOW), [("signature", 20 * 60), ("request", 30 * 60)]);
}

/// If the address is signed, a request to another address is another request.
#[test]
fn a_signed_address_is_part_of_the_request() {
    let verifier = hmac(json!(["url", ".", "time", ".", "body"]));
    let request_claim = |query: &str| {
        let request = Request::post("{}").with_query(query);
        let message = format!("{}.{NOW}.{{}}", request.url());
        let found = identity(&verifier, &signed(&request, &message), NOW);
        let claim = found.claims.into_iter().find(|claim| claim.key.contains("#request#"));
        claim.unwrap().key
    };
    assert_eq!(request_claim("x=1"), request_claim("x=1"));
    assert_ne!(request_claim("x=1"), request_claim("x=2"));
}

#[test]
fn an_unsigned_address_does_not_make_another_request() {
    let verifier = hmac(json!(["time", ".", "body"]));
    let [first, second] = ["x=1", "x=2"].map(|query| {
        let request = Request::post("{}").with_query(query);
        identity(&verifier, &signed(&request, &format!("{NOW}.{{}}")), NOW)
    });
    assert_eq!(first, second);
}

const SECRET: &str = "a secret of more than sixteen bytes";

/// A source whose sender signs these parts and has no identity.
fn hmac(signed: Value) -> Verifier {
    hmac_with(signed, &json!({}))
}

fn hmac_with(signed: Value, more: &Value) -> Verifier {
    let mac = json!({
        "algorithm": "hmac-sha256", "signed": signed,
        "signature": {"at": "header:x-mac", "encoding": "hex"},
        "time": {"at": "header:x-time"}
    });
    open_scheme(written(merged(json!({"checks": {"mac": mac}}), more)), &[SECRET])
}

/// The request with the current time and the signature of this message.
fn signed(request: &Request, message: &str) -> Request {
    let mac = hex(&hmac_sha256(SECRET.as_bytes(), message.as_bytes()));
    request.clone().add("x-time", &NOW.to_string()).add("x-mac", &mac)
}

#[test]
fn two_sources_never_share_a_receipt_or_a_claim() {
    let request = sender("github").request().add("x-github-delivery", "guid-1");
    let of_source = |source: &str| {
        let secrets = [Keys::Text.secret(1)];
        let verifier =
            Verifier::open(source, scheme("github", json!({})), &secrets, &[], None).unwrap();
        identity(&verifier, &request, NOW)
    };
    let [one, other] = ["github", "github-2"].map(of_source);
    assert!(one.receipt_id.starts_with("github.") && other.receipt_id.starts_with("github-2."));
    assert_ne!(one.claims[0].key, other.claims[0].key);
}

#[test]
fn an_event_keeps_its_receipt_for_every_sender() {
    for sender in SENDERS {
        let (verifier, request) = (sender.verifier(), sender.request());
        let first = identity(&verifier, &request, NOW);
        assert!(Receipt::is_id(&first.receipt_id), "{}: {}", sender.name, first.receipt_id);
        assert_eq!(first, identity(&verifier, &request, NOW), "{}", sender.name);
        let mut store = Store::default();
        for later in [0, 1, 5] {
            let receipts = store.receives(&verifier, &request, NOW + later);
            assert_eq!(receipts, 1, "{}: the same bytes {later} s later", sender.name);
        }
        let unsigned = |claim: &placet_core::receipt::Claim| claim.expires > moment(NOW);
        assert!(first.claims.iter().all(unsigned), "{}", sender.name);
    }
}

/// A claim contains no secret and no body.
#[test]
fn a_claim_holds_digests_only() {
    let sender = sender("github");
    let request = sender.send(1, "", b"the body").add("x-github-delivery", "guid-1");
    let found = identity(&sender.verifier(), &request, NOW);
    let text = serde_json::to_string(&found.claims).unwrap();
    let signature = base64(&sender.signature_of(&request, ""));
    for secret in
        ["the body", "the secret", "guid-1", &signature, &request.header("x-hub-signature-256")]
    {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let until = moment(NOW).plus(Duration::from_secs(90 * DAY));
    assert_eq!(found.claims[0].expires, until);
}

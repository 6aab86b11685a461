//! Which requests are the same event: the ids and the claims of receipts.

use placet_core::receipt::{Identity, Receipt};
use placet_core::webhook::{Verifier, merged};
use serde_json::{Value, json};

use crate::crypto::{Keys, base64, hex, hmac_sha256};
use crate::request::{Request, open_scheme, scheme, written};
use crate::sender::{NOW, Sender};
use crate::senders::SENDERS;
use crate::store::{Store, identity, identity_with, moment};
use crate::{jwt, sns, tokens};

const MINUTE: i64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

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

/// A verifier of this preset for a source that only logs and forwards.
fn separate(sender: &Sender) -> Verifier {
    let changed = scheme(sender.preset, json!({"equal_content": "separate"}));
    open_scheme(changed, &[&sender.keys.secret(1)])
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

/// An unsigned id changes nothing: the receipt is that of the signed body.
#[test]
fn equal_signed_content_is_one_event_under_any_unsigned_id() {
    let (mut store, sender) = (Store::default(), sender("github"));
    let verifier = sender.verifier();
    let with_id = |id: &str, body: &[u8]| sender.send(1, "", body).add("x-github-delivery", id);
    assert_eq!(identity(&verifier, &with_id("guid-1", b"{}"), NOW).claims, []);
    let other_type = with_id("guid-4", b"{\"a\":1}").add("x-github-event", "push");
    for (request, known) in [
        (with_id("guid-1", b"{\"a\":1}"), 1),
        (with_id("guid-2", b"{\"a\":1}"), 1),
        (with_id("guid-1", b"{\"a\":1}").without("x-github-delivery"), 1),
        (other_type, 1),
        (with_id("guid-1", b"{\"a\":2}"), 2),
        (with_id("guid-3", b"{\"a\":2}"), 2),
    ] {
        assert_eq!(store.receives(&verifier, &request, NOW), known, "{request:?}");
    }
}

/// A source that only logs and forwards keeps every delivery.
#[test]
fn a_source_without_effects_keeps_equal_content_under_each_id() {
    let (mut store, sender) = (Store::default(), sender("github"));
    let verifier = separate(sender);
    let with_id = |id: &str, body: &[u8]| sender.send(1, "", body).add("x-github-delivery", id);
    assert_eq!(identity(&verifier, &with_id("guid-1", b"{}"), NOW).claims, []);
    for (id, body, known) in [
        ("guid-1", b"{\"a\":1}", 1),
        ("guid-2", b"{\"a\":1}", 2),
        ("guid-1", b"{\"a\":1}", 2),
        ("guid-1", b"{\"a\":2}", 3),
        ("guid-2", b"{\"a\":2}", 4),
    ] {
        assert_eq!(store.receives(&verifier, &with_id(id, body), NOW), known, "{id}");
    }
}

/// A signed time makes each delivery unique, so one signature is one event also there.
#[test]
fn a_signature_with_a_time_is_one_event_under_any_unsigned_id() {
    let (mut store, sender) = (Store::default(), sender("zendesk"));
    let verifier = separate(sender);
    let sent = |at, id: &str| {
        let request = sender.send(1, &sender.time_text(at), b"[]");
        request.add("x-zendesk-webhook-invocation-id", id)
    };
    let found = identity(&verifier, &sent(NOW, "1"), NOW);
    assert_eq!(claims(&found, NOW), [("message", 7 * DAY)]);
    for (request, known) in [
        (sent(NOW, "1"), 1),
        (sent(NOW, "2"), 1),
        (sent(NOW, "1").without("x-zendesk-webhook-invocation-id"), 1),
        (sent(NOW, "1").add("x-zendesk-webhook-invocation-id", "2"), 1),
        (sent(NOW + MINUTE, "1"), 1),
        (sent(NOW + MINUTE, "2"), 1),
        (sent(NOW + 2 * MINUTE, "3"), 2),
    ] {
        assert_eq!(store.receives(&verifier, &request, NOW + 2 * MINUTE), known, "{request:?}");
    }
}

/// An event is remembered as long as its signature could be sent again, and its receipt as long as that.
#[test]
fn a_receipt_is_kept_as_long_as_a_repetition_must_be_recognised() {
    let kept = |verifier: &Verifier, request: &Request| {
        let verified = request.verified(verifier, &sns::documents(), NOW).unwrap();
        Receipt::of(&verified, moment(NOW)).remembered_until.since(moment(NOW)).as_secs()
    };
    for (name, expected) in
        [("github", 90 * DAY), ("pagerduty", 90 * DAY), ("meta", 90 * DAY), ("stripe", 7 * DAY)]
    {
        let sender = sender(name);
        let request = sender.send(1, &sender.time_text(NOW), br#"{"event":{"id":"1"}}"#);
        assert_eq!(kept(&sender.verifier(), &request), expected, "{name}");
        assert_eq!(kept(&separate(sender), &request), 7 * DAY, "{name}");
    }
    let sender = tokens::SENDERS.iter().find(|sender| sender.preset == "bearer").unwrap();
    assert_eq!(kept(&sender.verifier(), &sender.request()), 7 * DAY);
}

/// A sender without identity and without signed time sends the same signature in each retry.
#[test]
fn a_body_without_identity_is_one_event_while_its_claim_lasts() {
    let sender = sender("dropbox");
    let (request, verifier) = (sender.send(1, "", b"{}"), sender.verifier());
    let found = identity(&verifier, &request, NOW);
    assert_eq!(claims(&found, NOW), [("content", 10)]);
    let mut store = Store::default();
    for (later, known) in [(0, 1), (4, 1), (9, 1), (10, 2), (19, 2), (20, 3)] {
        let receipts = store.receives(&verifier, &request, NOW + later);
        assert_eq!(receipts, known, "{later} s later");
    }
}

/// With a signed time each retry has another signature.
#[test]
fn a_retry_with_a_new_signature_is_the_same_event() {
    let (mut store, sender) = (Store::default(), sender("zendesk"));
    let verifier = sender.verifier();
    let signed = |at| sender.send(1, &sender.time_text(at), b"{}");
    assert_eq!(identity(&verifier, &signed(NOW), NOW).claims, []);
    let logged = identity(&separate(sender), &signed(NOW), NOW);
    assert_eq!(claims(&logged, NOW), [("message", 7 * DAY), ("content", 7 * DAY)]);
    for minutes in [0, 1, 2] {
        let at = NOW + minutes * MINUTE;
        assert_eq!(store.receives(&verifier, &signed(at), at), 1, "{minutes}");
    }
    let other = sender.send(1, &sender.time_text(NOW), b"[]");
    assert_eq!(store.receives(&verifier, &other, NOW), 2);
}

/// The signed body holds the time, so each delivery has its own, also in a source without effects.
#[test]
fn a_signed_body_with_its_time_is_one_event() {
    let (mut store, sender) = (Store::default(), sender("linear"));
    let (verifier, request) = (separate(sender), sender.request());
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

/// Shopify sends one body under two topics. It signs neither the topic nor the id.
#[test]
fn an_unsigned_type_makes_another_event_only_if_it_is_accepted() {
    let sender = sender("shopify");
    let request = |topic: &str, id: &str| {
        let request = sender.send(1, "", b"{\"id\":1}").add("x-shopify-topic", topic);
        request.add("x-shopify-webhook-id", id)
    };
    let accepted = scheme("shopify", json!({"accept_unsigned_type": true}));
    let accepted = open_scheme(accepted, &[&sender.keys.secret(1)]);
    for (verifier, expected) in [
        (sender.verifier(), [1, 1, 1, 1]),
        (accepted, [1, 2, 2, 2]),
        (separate(sender), [1, 2, 3, 3]),
    ] {
        let mut store = Store::default();
        let sent = [("orders/create", "1"), ("orders/paid", "2"), ("orders/paid", "3")];
        for ((topic, id), known) in sent.into_iter().chain([sent[1]]).zip(expected) {
            let receipts = store.receives(&verifier, &request(topic, id), NOW);
            assert_eq!(receipts, known, "{topic} {id}");
        }
    }
}

/// The same id with another body is another event. If retries change the body, the signed id decides.
#[test]
fn one_signed_id_with_two_bodies_is_two_events() {
    for (name, expected) in
        [("standard", 2), ("stripe", 2), ("slack", 2), ("mux", 1), ("intercom", 1), ("hubspot", 1)]
    {
        let (mut store, sender) = (Store::default(), sender(name));
        let send = |attempt: u32| {
            let event = json!({"id": "e", "event_id": "e", "attempt": attempt,
                "eventId": 1, "subscriptionId": 2, "occurredAt": 3});
            let list = name == "hubspot";
            let body = if list { json!([event]).to_string() } else { event.to_string() };
            sender.send(1, &sender.time_text(NOW), body.as_bytes())
        };
        for attempt in [1, 2, 1, 2] {
            store.receives(&sender.verifier(), &send(attempt), NOW);
        }
        assert_eq!(store.len(), expected, "{name}");
    }
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

/// Anyone with the token can send any identity, so another body under it is another event.
#[test]
fn an_identity_beside_a_token_needs_no_claim() {
    let sender = tokens::SENDERS.iter().find(|sender| sender.preset == "bearer").unwrap();
    let (verifier, mut store) = (sender.verifier(), Store::default());
    let request = sender.request().add("idempotency-key", "k");
    assert_eq!(identity(&verifier, &request, NOW).claims, []);
    for (request, known) in
        [(request.clone(), 1), (request.clone().with_query("x=2"), 1), (request.with_body("[]"), 2)]
    {
        assert_eq!(store.receives(&verifier, &request, NOW + MINUTE), known, "{request:?}");
    }
}

/// GitLab sends an id that is signed, or that is not signed and beside a token.
#[test]
fn an_unsigned_id_never_takes_the_receipt_of_a_signed_id() {
    let signed = sender("gitlab, signed");
    let token = tokens::SENDERS.iter().find(|sender| sender.preset == "gitlab").unwrap();
    let signed = identity(&signed.verifier(), &signed.request(), NOW);
    let unsigned = token.request().add("webhook-id", "msg_1");
    assert_ne!(signed.receipt_id, identity(&token.verifier(), &unsigned, NOW).receipt_id);
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
        assert_eq!(store.stores(found, &request.body, NOW), known, "{body}");
    }
}

/// The source configures how long a signature (`remember`) and a body (`remember_body`) are claimed.
#[test]
fn a_claim_lasts_as_long_as_the_source_says() {
    let lasting = json!({"remember": "20m", "remember_body": "30m", "equal_content": "separate"});
    let verifier = hmac_with(json!(["time", ".", "body"]), &lasting);
    let found = identity(&verifier, &signed(&Request::post("{}"), &format!("{NOW}.{{}}")), NOW);
    assert_eq!(claims(&found, NOW), [("message", 20 * 60), ("content", 30 * 60)]);
}

/// If the address is signed, a request to another address is another request.
#[test]
fn a_signed_address_is_part_of_the_request() {
    let verifier = hmac(json!(["url", ".", "time", ".", "body"]));
    let receipt = |query: &str| {
        let request = Request::post("{}").with_query(query);
        let message = format!("{}.{NOW}.{{}}", request.url());
        identity(&verifier, &signed(&request, &message), NOW).receipt_id
    };
    assert_eq!(receipt("x=1"), receipt("x=1"));
    assert_ne!(receipt("x=1"), receipt("x=2"));
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
    let request = sender("dropbox").request();
    let of_source = |source: &str| {
        let secrets = [Keys::Text.secret(1)];
        let verifier =
            Verifier::open(source, scheme("dropbox", json!({})), &secrets, &[], None).unwrap();
        identity(&verifier, &request, NOW)
    };
    let [one, other] = ["dropbox", "dropbox-2"].map(of_source);
    assert!(one.receipt_id.starts_with("dropbox.") && other.receipt_id.starts_with("dropbox-2."));
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
    let sender = sender("dropbox");
    let request = sender.send(1, "", b"the body");
    let found = identity(&sender.verifier(), &request, NOW);
    let text = serde_json::to_string(&found).unwrap();
    let signature = base64(&sender.signature_of(&request, ""));
    for secret in ["the body", "the secret", &signature, &request.header("x-dropbox-signature")] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

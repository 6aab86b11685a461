//! Identity and type of each sender's events, and whether they are proven.

use placet_core::webhook::{merged, presets};
use serde_json::{Value, json};

use crate::request::{Request, open_scheme, written};
use crate::sender::{NOW, Sender, Time};
use crate::senders::SENDERS;
use crate::{sns, tokens};

/// A typical event and the expected result: the identity, whether it is proven, the type, and whether it is
/// proven.
struct Event {
    sender: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    identity: (Option<&'static str>, bool),
    kind: (Option<&'static str>, bool),
}

const fn event(
    sender: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    identity: (Option<&'static str>, bool),
    kind: (Option<&'static str>, bool),
) -> Event {
    Event { sender, headers, body, identity, kind }
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[rustfmt::skip]
const EVENTS: &[Event] = &[
    event("standard", &[], r#"{"type":"a.b"}"#, (Some("msg_1"), true), (Some("a.b"), true)),
    event("standard under a public key", &[], r#"{"type":"a.b"}"#, (Some("msg_1"), true), (Some("a.b"), true)),
    event("svix", &[], r#"{"type":"a.b"}"#, (Some("msg_1"), true), (Some("a.b"), true)),
    event("svix, white label", &[], "[]", (Some("msg_1"), true), (None, true)),
    event("humanlayer", &[], r#"{"type":"human_contact.completed"}"#, (Some("msg_1"), true), (Some("human_contact.completed"), true)),
    event("gitlab, signed", &[("x-gitlab-event", "Push Hook"), ("idempotency-key", "k")], r#"{"object_kind":"push"}"#, (Some("msg_1"), true), (Some("push"), true)),
    event("stripe", &[], r#"{"id":"evt_1","type":"charge.succeeded"}"#, (Some("evt_1"), true), (Some("charge.succeeded"), true)),
    event("mux", &[], r#"{"id":"evt_1","type":"video.asset.ready"}"#, (Some("evt_1"), true), (Some("video.asset.ready"), true)),
    event("paddle", &[], r#"{"event_id":"evt_1","notification_id":"ntf_1","event_type":"transaction.paid"}"#, (Some("ntf_1"), true), (Some("transaction.paid"), true)),
    event("paddle", &[], r#"{"event_id":"evt_1"}"#, (Some("evt_1"), true), (None, true)),
    event("pagerduty", &[], r#"{"event":{"id":"01BW","event_type":"incident.triggered"}}"#, (Some("01BW"), true), (Some("incident.triggered"), true)),
    event("github", &[("x-github-delivery", "72d3162e"), ("x-github-event", "issues")], r#"{"action":"opened"}"#, (Some("72d3162e"), false), (Some("issues.opened"), false)),
    event("github", &[("x-github-delivery", "72d3162e"), ("x-github-event", "ping")], r#"{"zen":"z"}"#, (Some("72d3162e"), false), (Some("ping"), false)),
    event("github", &[], r#"{"action":"opened"}"#, (None, false), (Some("opened"), false)),
    event("meta", &[], r#"{"object":"page","entry":[{"changes":[{"field":"feed"}]}]}"#, (None, false), (Some("page.feed"), true)),
    event("whatsapp", &[], r#"{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages"}]}]}"#, (None, false), (Some("whatsapp_business_account.messages"), true)),
    event("x", &[], r#"{"for_user_id":"1"}"#, (None, false), (None, false)),
    event("hmac", &[("x-webhook-id", "h")], r#"{"id":"evt_1","type":"a"}"#, (Some("h"), false), (Some("a"), true)),
    event("hmac", &[("x-webhook-id", "h")], r#"{"event":"e"}"#, (Some("h"), false), (Some("e"), true)),
    event("hmac", &[], r#"{"webhook_id":"w","id":"evt_1"}"#, (Some("w"), true), (None, true)),
    event("dropbox", &[], r#"{"list_folder":{"accounts":["a"]}}"#, (None, false), (None, false)),
    event("sentry", &[("request-id", "r"), ("sentry-hook-resource", "issue")], r#"{"action":"created"}"#, (Some("r"), false), (Some("issue.created"), false)),
    event("shopify", &[("x-shopify-webhook-id", "w"), ("x-shopify-topic", "orders/create")], "{}", (Some("w"), false), (Some("orders/create"), false)),
    event("shopify, events", &[("shopify-webhook-id", "w"), ("shopify-topic", "orders/create"), ("x-shopify-webhook-id", "other")], "{}", (Some("w"), false), (Some("orders/create"), false)),
    event("intercom", &[], r#"{"id":"notif_1","topic":"conversation.user.created"}"#, (Some("notif_1"), true), (Some("conversation.user.created"), true)),
    event("intercom", &[], r#"{"id":null,"topic":"ping"}"#, (None, false), (Some("ping"), true)),
    event("slack", &[], r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"message"}}"#, (Some("Ev1"), true), (Some("message"), true)),
    event("slack", &[FORM], "payload=%7B%22type%22%3A%22block_actions%22%2C%22trigger_id%22%3A%221.2%22%7D", (Some("1.2"), true), (Some("block_actions"), true)),
    event("slack", &[], "payload=%7B%22type%22%3A%22block_actions%22%2C%22trigger_id%22%3A%221.2%22%7D", (Some("1.2"), true), (None, true)),
    event("slack", &[FORM], "command=%2Fdeploy&trigger_id=1.2.3", (Some("1.2.3"), true), (Some("/deploy"), true)),
    event("zoom", &[], r#"{"event":"meeting.started","event_ts":1800000000000,"payload":{"object":{"uuid":"u=="}}}"#, (None, false), (Some("meeting.started"), true)),
    event("linear", &[("linear-delivery", "d"), ("linear-event", "Issue")], "{}", (Some("d"), false), (Some("Issue"), true)),
    event("zendesk", &[("x-zendesk-webhook-invocation-id", "i"), ("x-zendesk-webhook-id", "w")], r#"{"id":"e","type":"zen:event-type:ticket.created"}"#, (Some("e"), true), (Some("zen:event-type:ticket.created"), true)),
    event("zendesk", &[("x-zendesk-webhook-invocation-id", "i")], "[]", (Some("i"), false), (None, true)),
    event("zendesk", &[], r#"{"id":"e"}"#, (Some("e"), true), (None, true)),
    event("discord", &[], r#"{"type":2,"id":"112","data":{"name":"approve"}}"#, (Some("112"), true), (Some("2.approve"), true)),
    event("discord-events", &[], r#"{"type":1,"event":{"type":"ENTITLEMENT_CREATE"}}"#, (None, false), (Some("ENTITLEMENT_CREATE"), true)),
    event("sendgrid", &[], r#"[{"sg_event_id":"a","event":"open"},{"sg_event_id":"b","event":"click"}]"#, (Some(r#"["a","b"]"#), true), (Some("open"), true)),
    event("square", &[], r#"{"event_id":"e","type":"payment.created"}"#, (Some("e"), true), (Some("payment.created"), true)),
    event("hubspot", &[], r#"[{"eventId":1,"subscriptionId":2,"occurredAt":3,"subscriptionType":"contact.creation"}]"#, (Some(r#"["1","2","3"]"#), true), (Some("contact.creation"), true)),
    event("twilio", &[("i-twilio-idempotency-token", "t")], "", (Some("t"), false), (None, false)),
    event("twilio, JSON", &[("i-twilio-idempotency-token", "t")], r#"[{"id":"e"}]"#, (Some("e"), true), (None, true)),
    event("twilio, JSON", &[], r#"[{"id":"e","type":"com.twilio.error"}]"#, (Some("e"), true), (Some("com.twilio.error"), true)),
    event("sns", &[], "", (Some("165545c9-2a5c-472c-8df2-7ff2be2b3b1b"), true), (Some("Notification"), true)),
];

fn sender(name: &str) -> &'static Sender {
    SENDERS.iter().find(|sender| sender.name == name).unwrap()
}

#[test]
fn identity_and_type_of_every_sender_that_signs() {
    for event in EVENTS {
        let sender = sender(event.sender);
        let mut request = sender.send(1, &sender.time_text(NOW), event.body.as_bytes());
        for (name, value) in event.headers {
            request = request.set(name, value);
        }
        let verified = sender.judge(&request).unwrap();
        let at = format!("{} {}", event.sender, event.body);
        assert_eq!(
            (verified.identity.as_deref(), verified.proven.coverage.identity),
            event.identity,
            "{at}"
        );
        let kind = sender.verifier().scheme().event_type(&request.incoming()).ok().flatten();
        assert_eq!((kind.as_deref(), verified.proven.coverage.event_type), event.kind, "{at}");
        let whole_body = sender.preset != "sns";
        assert_eq!(verified.proven.coverage.body, whole_body, "{at}");
        let address = ["twilio", "square", "hubspot"].contains(&sender.preset);
        assert_eq!(verified.proven.coverage.url, address, "{at}");
    }
    for sender in SENDERS.iter().filter(|sender| sender.name == sender.preset) {
        assert!(EVENTS.iter().any(|event| event.sender == sender.name), "{}", sender.name);
    }
}

#[test]
fn identity_and_type_of_every_sender_that_sends_a_token() {
    for (preset, header, body, identity, kind) in [
        ("gitlab", ("idempotency-key", "k"), r#"{"object_kind":"push"}"#, Some("k"), Some("push")),
        ("gitlab", ("x", ""), r#"{"event_name":"user_create"}"#, None, Some("user_create")),
        ("gitlab", ("x-gitlab-event", "Push Hook"), "{}", None, None),
        ("gitlab", ("x-gitlab-event-uuid", "u"), "{}", None, None),
        ("telegram", ("x", ""), r#"{"update_id":10000,"message":{}}"#, Some("10000"), None),
        ("bearer", ("idempotency-key", "k"), r#"{"id":"e","type":"t"}"#, Some("k"), Some("t")),
        ("basic", ("x", ""), r#"{"id":"e","type":"t"}"#, None, Some("t")),
        ("api-key", ("idempotency-key", ""), r#"{"id":"e"}"#, None, None),
        ("huma", ("x", ""), r#"{"conversion_id":"c"}"#, Some("c"), None),
        (
            "huma",
            ("x", ""),
            r#"{"ticket_number":"7","question_status":"ANSWERED"}"#,
            Some(r#"["7","ANSWERED"]"#),
            None,
        ),
    ] {
        let sender = tokens::SENDERS.iter().find(|sender| sender.preset == preset).unwrap();
        let request = sender.request().with_body(body).set(header.0, header.1);
        let verified = request.judged(&sender.verifier(), NOW).unwrap();
        assert_eq!(verified.identity.as_deref(), identity, "{preset} {body}");
        assert!(!verified.proven.coverage.identity, "{preset}");
        let found = sender.verifier().scheme().event_type(&request.incoming()).unwrap();
        assert_eq!(found.as_deref(), kind, "{preset} {body}");
    }
}

#[test]
fn identity_and_type_of_graph() {
    let verifier = crate::request::open("microsoft-graph", &["s"]);
    let of = |values: Value| {
        let request = Request::post(json!({"value": values}).to_string());
        let identity = request.judged(&verifier, NOW).unwrap().identity;
        (identity, verifier.scheme().event_type(&request.incoming()).unwrap())
    };
    let own = |mut value: Value| {
        value["clientState"] = json!("s");
        value
    };
    let some = |text: &str| Some(text.to_owned());
    let (first, second) =
        (own(json!({"id": "a", "changeType": "created"})), own(json!({"id": "b"})));
    assert_eq!(of(json!([first])), (some("a"), some("created")));
    assert_eq!(of(json!([first, second])), (some(r#"["a","b"]"#), some("created")));
    let none = own(json!({"subscriptionId": "s", "resource": "r", "changeType": "updated",
        "resourceData": {"@odata.etag": "e"}}));
    assert_eq!(of(json!([none])), (some(r#"["s","r","updated","e"]"#), some("updated")));
    assert_eq!(of(json!([first, none])).0, None, "a partial identity does not count");
    let lifecycle = own(json!({"lifecycleEvent": "missed", "subscriptionId": "s"}));
    assert_eq!(of(json!([lifecycle])), (None, some("missed")));
}

#[test]
fn the_signed_content_is_that_of_the_message() {
    for sender in SENDERS {
        let send = |at, body: &[u8]| sender.send(1, &sender.time_text(at), body);
        let content = |request: &Request| sender.judge(request).unwrap().signed;
        let Some(first) = content(&send(NOW, b"{}")) else { continue };
        let again = send(NOW, b"{}").add("x-request-id", "another");
        assert_eq!(content(&again), Some(first), "{}", sender.name);
        let other = content(&send(NOW, b"[]")).unwrap();
        assert!(other.message != first.message && other.timeless != first.timeless);
        if let Time::Header(..) | Time::Tag(_) = sender.time {
            let retried = content(&send(NOW + 1, b"{}")).unwrap();
            assert!(retried.message != first.message && retried.timeless == first.timeless);
        }
    }
}

#[test]
fn an_unsigned_part_is_never_reported_as_proven() {
    let members = json!({
        "checks": {"mac": {
            "algorithm": "hmac-sha256",
            "signed": ["header:x-id", ".", "body"],
            "signature": {"at": "header:x-mac", "encoding": "hex"}
        }},
        "identity": ["header:x-id + header:x-other", "header:x-id"],
        "type": ["json:/type", "query:type"]
    });
    let verifier = open_scheme(written(members.clone()), &["key"]);
    let mac = crate::crypto::hmac_sha256(b"key", br#"i.{"type":"t"}"#);
    let request =
        Request::post(r#"{"type":"t"}"#).add("x-id", "i").add("x-mac", &crate::crypto::hex(&mac));
    let verified = request.judged(&verifier, NOW).unwrap();
    assert_eq!(
        (verified.identity.as_deref(), verified.proven.coverage.identity),
        (Some("i"), true)
    );
    assert!(!verified.proven.coverage.event_type, "the type could come from the query");
    let request = request.add("x-other", "o");
    let signed_first = request.judged(&verifier, NOW).unwrap();
    assert_eq!(signed_first, verified, "an unsigned value does not replace a signed one");
    let scheme = merged(members, &json!({"identity": "header:x-id + header:x-other"}));
    let verified = request.judged(&open_scheme(written(scheme), &["key"]), NOW).unwrap();
    assert_eq!(verified.identity.as_deref(), Some(r#"["i","o"]"#));
    assert!(!verified.proven.coverage.identity, "part of the identity is not signed");
}

#[test]
fn a_token_proves_nothing_of_a_form() {
    let changes = json!({"identity": "form:id", "type": "form:type"});
    let scheme = crate::request::scheme("bearer", changes);
    let verifier = open_scheme(scheme, &["a-token-long-enough"]);
    let request = Request::post("id=1&type=t").add(FORM.0, FORM.1);
    let request = request.set("authorization", "Bearer a-token-long-enough");
    let verified = request.judged(&verifier, NOW).unwrap();
    assert_eq!(verified.identity.as_deref(), Some("1"));
    assert_eq!(verified.proven.coverage, placet_core::webhook::Coverage::default());
}

#[test]
fn the_signature_of_sns_covers_the_identity_but_not_the_body() {
    let sender = sender("sns");
    let request = sender.request().with_member("UnsubscribeURL", "https://other.example");
    let verified = request.judged_with(&sender.verifier(), &sns::documents(), NOW).unwrap();
    assert!(verified.proven.coverage.identity && !verified.proven.coverage.body);
}

#[test]
fn a_preset_with_like_contains_only_its_differences() {
    assert_eq!(presets::preset("svix"), presets::preset("standard"));
    let (one, other) =
        (presets::preset("discord").unwrap(), presets::preset("discord-events").unwrap());
    assert_eq!(one["checks"], other["checks"]);
    assert_eq!(other.get("identity"), None);
    assert_eq!(presets::preset("unknown"), None);
}

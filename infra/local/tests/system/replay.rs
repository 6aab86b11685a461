//! Webhooks that an attacker sends again with changes to unsigned fields, and different events that look
//! alike.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use placet_core::receipt::{Command, State};
use placet_core::webhook::hmac_sha256;
use placet_runtime::ChangeError;
use serde_json::json;

use crate::webhooks::hex_mac;
use crate::world::World;

const SECRET: &str = "a secret of more than sixteen bytes";

/// A world with a source that has these members in addition to its secret.
async fn world(source: &str, members: &str) -> World {
    let members = format!("{{{members}, secret: env:SECRET}}");
    World::building().secret("SECRET", SECRET).source(source, &members).start().await
}

fn base64(parts: &[&[u8]]) -> String {
    STANDARD.encode(hmac_sha256(SECRET.as_bytes(), parts))
}

/// Posts a webhook, checks that it is accepted, and returns the number of receipts.
async fn post(world: &World, path: &str, headers: &[(&str, &str)], body: &str) -> usize {
    let post = world.post(path).header("content-type", "application/json");
    let headers = headers.iter();
    let post = headers.fold(post, |post, (name, value)| post.header(name, value));
    let reply = post.body(body.to_owned()).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
    world.receipts().await.len()
}

/// Posts a webhook as GitHub does.
async fn github(world: &World, path: &str, body: &str) {
    let signature = format!("sha256={}", hex_mac(SECRET, &[body.as_bytes()]));
    let headers = [("x-hub-signature-256", signature.as_str()), ("x-github-delivery", "1")];
    post(world, path, &headers, body).await;
}

#[tokio::test]
async fn a_signed_time_does_not_protect_an_unsigned_identity() {
    let world = world("linear", "preset: linear").await;
    let body = json!({"webhookTimestamp": world.clock.now().millis(), "type": "Issue"}).to_string();
    let signature = hex_mac(SECRET, &[body.as_bytes()]);
    let signed = ("linear-signature", signature.as_str());
    for (path, headers) in [
        ("/webhooks/linear", vec![signed, ("linear-delivery", "1")]),
        ("/webhooks/linear", vec![signed]),
        ("/webhooks/linear?x=1", vec![signed]),
        ("/webhooks/linear?x=2", vec![signed, ("linear-delivery", "2")]),
    ] {
        assert_eq!(post(&world, path, &headers, &body).await, 1, "{path}");
    }
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_retry_with_a_new_signature_is_the_same_event() {
    let world = world("zendesk", "preset: zendesk").await;
    for minutes in [0, 1, 2] {
        world.advance(Duration::from_secs(minutes * 60));
        let time = world.clock.now().to_string();
        let signature = base64(&[time.as_bytes(), b"{}"]);
        let headers = [
            ("x-zendesk-webhook-signature", signature.as_str()),
            ("x-zendesk-webhook-signature-timestamp", time.as_str()),
        ];
        assert_eq!(post(&world, "/webhooks/zendesk", &headers, "{}").await, 1, "{minutes}");
    }
    world.settle().await;
    world.finish().await;
}

/// Shopify signs neither the topic nor the id.
#[tokio::test]
async fn one_body_under_two_topics_of_shopify_is_two_events_where_the_topic_is_accepted() {
    let members = "preset: shopify, accept_unsigned_type: true, targets: [{operation: {fn: charge}, \
         types: [orders/paid]}]";
    let world = world("shopify", members).await;
    let signature = base64(&[b"{\"id\":1}"]);
    for (topic, id, known) in
        [("orders/create", "1", 1), ("orders/paid", "2", 2), ("orders/paid", "2", 2)]
    {
        let headers = [
            ("x-shopify-hmac-sha256", signature.as_str()),
            ("x-shopify-topic", topic),
            ("x-shopify-webhook-id", id),
        ];
        let receipts = post(&world, "/webhooks/shopify", &headers, "{\"id\":1}").await;
        assert_eq!(receipts, known, "{topic} {id}");
    }
    world.settle().await;
    assert_eq!(world.open_operations().await.len(), 1);
    world.finish().await;
}

/// A source of this preset that requests an approval of every event.
async fn requests(preset: &str) -> World {
    let targets = "[{operation: {fn: charge, kwargs: {amount: {at: /amount, default: 1}}}}]";
    world(preset, &format!("preset: {preset}, targets: {targets}")).await
}

/// The states of the receipts, sorted.
async fn states(world: &World) -> Vec<&'static str> {
    let receipts = world.receipts().await;
    let mut states: Vec<_> = receipts.iter().map(|receipt| receipt.state.as_str()).collect();
    states.sort_unstable();
    states
}

#[tokio::test]
async fn an_unsigned_id_of_zendesk_requests_no_second_approval() {
    for body in [r#"{"amount":7}"#, r#"{"amount":7,"id":"e"}"#] {
        let world = requests("zendesk").await;
        let time = world.clock.now().to_string();
        let signature = base64(&[time.as_bytes(), body.as_bytes()]);
        let signed = [
            ("x-zendesk-webhook-signature", signature.as_str()),
            ("x-zendesk-webhook-signature-timestamp", time.as_str()),
        ];
        let id = ("x-zendesk-webhook-invocation-id", "i-1");
        for ids in [vec![id], vec![], vec![id, id], vec![id, ("x-other", "1")]] {
            post(&world, "/webhooks/zendesk", &[&signed[..], &ids].concat(), body).await;
        }
        world.settle().await;
        assert_eq!(world.open_operations().await.len(), 1, "{body}");
        assert_eq!(states(&world).await, ["processed"], "{body}");
        world.finish().await;
    }
}

#[tokio::test]
async fn slack_is_one_event_under_any_content_type() {
    let world = requests("slack").await;
    let body = "payload=%7B%22type%22%3A%22block_actions%22%2C%22trigger_id%22%3A%221.2%22%7D";
    let time = world.clock.now().seconds().to_string();
    let signature =
        format!("v0={}", hex_mac(SECRET, &[b"v0:", time.as_bytes(), b":", body.as_bytes()]));
    for kind in ["application/x-www-form-urlencoded", "application/json", "text/plain"] {
        let post = world.post("/webhooks/slack").header("content-type", kind);
        let post = post.header("x-slack-signature", &signature);
        let post = post.header("x-slack-request-timestamp", &time).body(body);
        assert_eq!(post.send().await.status, StatusCode::OK);
        assert_eq!(world.receipts().await.len(), 1, "{kind}");
    }
    world.settle().await;
    world.finish().await;
}

/// GitHub signs the body only. The second delivery is not lost: a person finds it and can replay it.
#[tokio::test]
async fn an_equal_body_under_another_id_has_no_effect_and_can_be_found() {
    let world = requests("github").await;
    let body = r#"{"action":"created","amount":7}"#;
    let signature = format!("sha256={}", hex_mac(SECRET, &[body.as_bytes()]));
    for guid in ["guid-1", "guid-2", "guid-1", "guid-2"] {
        let headers = [("x-hub-signature-256", signature.as_str()), ("x-github-delivery", guid)];
        post(&world, "/webhooks/github", &headers, body).await;
        world.advance(Duration::from_secs(8 * 24 * 60 * 60));
    }
    world.settle().await;
    assert_eq!(world.open_operations().await.len(), 1);
    assert_eq!(states(&world).await, ["duplicate", "processed"]);
    let client = world.client();
    let found = client.receipts("state=duplicate").await.items.remove(0);
    assert_eq!(found.delivery_id.as_deref(), Some("guid-2"));
    assert!(found.note.contains("came before with the same signed content"), "{}", found.note);

    client.replay(&found.id).await.is(StatusCode::ACCEPTED);
    world.settle().await;

    assert_eq!(world.open_operations().await.len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn a_source_that_only_logs_keeps_equal_bodies() {
    let world = world("github", "preset: github").await;
    let signature = format!("sha256={}", hex_mac(SECRET, &[b"{}"]));
    for (guid, known) in [("guid-1", 1), ("guid-2", 2), ("guid-1", 2)] {
        let headers = [("x-hub-signature-256", signature.as_str()), ("x-github-delivery", guid)];
        assert_eq!(post(&world, "/webhooks/github", &headers, "{}").await, known, "{guid}");
    }
    world.settle().await;
    assert_eq!(states(&world).await, ["processed", "processed"]);
    world.finish().await;
}

/// An attacker sends an old request under the token of a coming one.
#[tokio::test]
async fn an_old_event_of_twilio_does_not_take_the_place_of_a_coming_one() {
    let building = World::building().secret("SECRET", SECRET);
    let source = "{preset: twilio, secret: env:SECRET, public_url: 'https://hooks.example.com', \
        targets: [{operation: {fn: charge, kwargs: {amount: /Amount}}}]}";
    let world = building.source("twilio", source).start().await;
    for (amount, token) in [("1", "coming"), ("2", "coming"), ("2", "other"), ("1", "first")] {
        let body = format!("Amount={amount}");
        let kind = "application/x-www-form-urlencoded";
        let reply = world.signed("twilio", token, kind, body.as_bytes()).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{amount} {token}");
    }
    world.settle().await;
    assert_eq!(world.open_operations().await.len(), 2);
    assert_eq!(states(&world).await, ["duplicate", "duplicate", "processed", "processed"]);
    world.finish().await;
}

#[tokio::test]
async fn one_signed_id_with_two_bodies_is_two_events() {
    let world = requests("stripe").await;
    let time = world.clock.now().seconds().to_string();
    let large = format!(r#"{{"id":"evt_1","amount":3,"x":"{}"}}"#, "x".repeat(9_000));
    for body in [r#"{"id":"evt_1","amount":1}"#, r#"{"id":"evt_1","amount":2}"#, &large] {
        let mac = hex_mac(SECRET, &[time.as_bytes(), b".", body.as_bytes()]);
        let signature = format!("t={time},v1={mac}");
        for _ in 0..2 {
            let headers = [("stripe-signature", signature.as_str())];
            post(&world, "/webhooks/stripe", &headers, body).await;
        }
    }
    world.settle().await;
    assert_eq!(world.open_operations().await.len(), 3);
    assert_eq!(states(&world).await, ["processed"; 3]);
    world.finish().await;
}

/// A failed event had no effect, so the same webhook is processed again.
#[tokio::test]
async fn a_failed_receipt_is_processed_again_when_its_sender_sends_it_again() {
    let targets = "[{decide: {}}]";
    let world = world("pagerduty", &format!("preset: pagerduty, targets: {targets}")).await;
    let body = json!({"event": {"id": "E1"}, "call_id": "call-1",
        "spec": {"fn": "charge", "kwargs": {}}, "status": {"approved": true}});
    let body = body.to_string();
    let signature = format!("v1={}", hex_mac(SECRET, &[body.as_bytes()]));
    let headers = [("x-pagerduty-signature", signature.as_str())];
    post(&world, "/webhooks/pagerduty", &headers, &body).await;
    world.settle().await;
    assert_eq!(world.the_receipt().await.state, State::Failed, "there is no such operation yet");

    post(&world, "/webhooks/pagerduty", &headers, &body).await;

    let again = world.the_receipt().await;
    assert_eq!((again.state, again.replays.unwrap().count), (State::Received, 1));
    world.settle().await;
    assert_eq!(world.the_receipt().await.state, State::Failed);
    world.finish().await;
}

#[tokio::test]
async fn two_targets_that_request_approval_are_two_operations() {
    let targets = "[{operation: {fn: charge, kwargs: {amount: /amount}}}, \
         {operation: {fn: charge_once, kwargs: {amount: /amount}}}]";
    let world = world("twice", &format!("preset: github, targets: {targets}")).await;

    github(&world, "/webhooks/twice", "{\"amount\":7}").await;
    world.settle().await;

    let requested = world.open_operations().await;
    let mut functions: Vec<_> =
        requested.iter().map(|operation| operation.content.function().unwrap()).collect();
    functions.sort_unstable();
    assert_eq!(functions, ["charge", "charge_once"]);
    assert_eq!(world.the_receipt().await.state, State::Processed);
    world.finish().await;
}

#[tokio::test]
async fn an_event_is_routed_by_a_type_in_its_path() {
    let targets = "[{log: {}, types: [orders]}]";
    let world = world("typed", &format!("preset: github, type: path:1, targets: {targets}")).await;

    github(&world, "/webhooks/typed/orders", "{}").await;
    world.settle().await;

    let receipt = world.the_receipt().await;
    assert_eq!((receipt.event_type.as_deref(), receipt.note.as_str()), (Some("orders"), "logged"));
    world.finish().await;
}

#[tokio::test]
async fn a_secret_in_the_query_is_stored_nowhere() {
    let world = world("query", "checks: {token: {at: query:token}}, identity: json:/id").await;
    let secret = SECRET.replace(' ', "%20");

    let path = format!("/webhooks/query?a=1&token={secret}&b=2");
    post(&world, &path, &[], "{\"id\":1}").await;
    world.settle().await;

    let contents = world.contents().await.concat();
    for part in ["more%20than", "more than sixteen"] {
        assert!(!contents.contains(part), "{part}");
    }
    assert!(contents.contains("a=1&token=***&b=2"));
    world.finish().await;
}

#[tokio::test]
async fn a_secret_in_the_path_is_stored_nowhere() {
    let secret = "another-of-more-than-sixteen-bytes";
    let members = "{checks: {token: {at: path:1}}, secret: env:IN_PATH, identity: json:/id}";
    let building = World::building().secret("IN_PATH", secret).source("path", members);
    let world = building.start().await;

    post(&world, &format!("/webhooks/path/{secret}"), &[], "{\"id\":1}").await;
    world.settle().await;

    let contents = world.contents().await.concat();
    assert!(!contents.contains("more-than"));
    assert!(contents.contains("/webhooks/path/***"));
    world.finish().await;
}

#[tokio::test]
async fn an_event_whose_id_and_type_are_too_long_is_not_lost() {
    let world = World::building()
        .source(
            "wide",
            "{preset: standard, secret: env:PLACET_SECRET_HUMANLAYER, identity: json:/id}",
        )
        .start()
        .await;
    let body = json!({"id": "i".repeat(500_000), "type": "t".repeat(450_000)}).to_string();
    for _ in 0..2 {
        let signed = world.signed("wide", "msg_1", "application/json", body.as_bytes());
        assert_eq!(signed.send().await.status, StatusCode::OK);
        assert_eq!(world.receipts().await.len(), 1);
    }
    world.settle().await;
    assert_eq!(world.the_receipt().await.state, State::Processed);
    world.finish().await;
}

#[tokio::test]
async fn a_request_with_many_signatures_is_refused() {
    let world = world("stripe", "preset: stripe").await;
    let time = world.clock.now().seconds().to_string();
    let good = hex_mac(SECRET, &[time.as_bytes(), b".", b"{}"]);
    for (others, status) in [(15, StatusCode::OK), (16, StatusCode::UNAUTHORIZED)] {
        let signatures = format!("t={time}{},v1={good}", ",v1=00".repeat(others));
        let post = world.post("/webhooks/stripe").header("stripe-signature", &signatures);
        assert_eq!(post.body("{}").send().await.status, status, "{others}");
    }
    world.settle().await;
    world.finish().await;
}

/// The slow worker reports about an earlier replay of the receipt.
#[tokio::test]
async fn a_slow_worker_does_not_undo_a_replay() {
    let world = world("github", "preset: github").await;
    github(&world, "/webhooks/github", "{}").await;
    let slow = world.the_receipt().await;
    world.settle().await;
    let replayed = world.client().replay(&slow.header.id).await;
    replayed.is(StatusCode::ACCEPTED);

    let report = Command::Processed { replay: 0, event_type: None, note: "too late".to_owned() };
    let changed = world.system.runtime.engine.change(slow, |_| report.clone()).await;

    assert!(matches!(changed, Err(ChangeError::Refused(_))), "{changed:?}");
    let receipt = world.the_receipt().await;
    assert_eq!((receipt.state, receipt.replays.unwrap().count), (State::Received, 1));
    world.settle().await;
    assert_eq!(world.the_receipt().await.note, "logged");
    world.finish().await;
}

//! Requests that were seen once and are sent again, changed where nothing is signed; and events that
//! only look the same.

use std::time::Duration;

use http::StatusCode;
use placet_core::webhook::{hmac_sha256, parse_secret, sign};
use placet_runtime::ReceiptState;
use serde_json::json;

use crate::world::{WEBHOOK_SECRET, World};

const SECRET: &str = "a secret of more than sixteen bytes";

const IN_PATH: &str = "another-of-more-than-sixteen-bytes";

const SOURCES: &str = "
  linear: {preset: linear, secret: env:SECRET}
  zendesk: {preset: zendesk, secret: env:SECRET}
  shopify: {preset: shopify, secret: env:SECRET}
  github: {preset: github, secret: env:SECRET}
  stripe: {preset: stripe, secret: env:SECRET}
  twice:
    preset: github
    secret: env:SECRET
    targets:
      - operation: {fn: charge, kwargs: {amount: /amount}}
      - operation: {fn: charge_once, kwargs: {amount: /amount}}
  typed: {preset: github, secret: env:SECRET, type: path:1, targets: [{log: {}, types: [orders]}]}
  open_token:
    checks: {token: {at: query:token}}
    secret: env:SECRET
    identity: json:/id
  path_token:
    checks: {token: {at: path:1}}
    secret: env:IN_PATH
    identity: json:/id
  wide: {preset: standard, secret: env:WIDE, identity: json:/id}
";

async fn world() -> World {
    World::with(SOURCES, &[("SECRET", SECRET), ("WIDE", WEBHOOK_SECRET), ("IN_PATH", IN_PATH)])
        .await
}

fn hex(parts: &[&[u8]]) -> String {
    hmac_sha256(SECRET.as_bytes(), parts).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(parts: &[&[u8]]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(hmac_sha256(SECRET.as_bytes(), parts))
}

/// Posts and hands back how many receipts there are then.
async fn post(world: &World, path: &str, headers: &[(&str, &str)], body: &str) -> usize {
    let mut post = world.post(path).header("content-type", "application/json");
    for (name, value) in headers {
        post = post.header(name, value);
    }
    let answer = post.body(body.to_owned()).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    world.receipts().await.len()
}

#[tokio::test]
async fn a_signed_time_does_not_save_what_is_not_signed() {
    let world = world().await;
    let body = json!({"webhookTimestamp": world.clock.now().millis(), "type": "Issue"}).to_string();
    let signature = hex(&[body.as_bytes()]);
    let signed = ("linear-signature", signature.as_str());
    assert_eq!(
        post(&world, "/webhooks/linear", &[signed, ("linear-delivery", "1")], &body).await,
        1
    );
    for (path, headers) in [
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
async fn a_retry_that_is_signed_anew_is_the_same_event() {
    let world = world().await;
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

#[tokio::test]
async fn one_body_under_two_topics_of_shopify_is_two_events() {
    let world = world().await;
    let signature = base64(&[b"{\"id\":1}"]);
    let signed = ("x-shopify-hmac-sha256", signature.as_str());
    for (topic, id, known) in [
        ("orders/create", "1", 1),
        ("orders/paid", "2", 2),
        ("orders/paid", "3", 2),
        ("orders/paid", "2", 2),
    ] {
        let headers = [signed, ("x-shopify-topic", topic), ("x-shopify-webhook-id", id)];
        assert_eq!(
            post(&world, "/webhooks/shopify", &headers, "{\"id\":1}").await,
            known,
            "{topic} {id}"
        );
    }
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn two_targets_that_ask_are_two_approvals() {
    let world = world().await;
    let signature = format!("sha256={}", hex(&[b"{\"amount\":7}"]));
    let headers = [("x-hub-signature-256", signature.as_str()), ("x-github-delivery", "1")];
    post(&world, "/webhooks/twice", &headers, "{\"amount\":7}").await;
    world.settle().await;
    let mut asked: Vec<_> = world
        .open_operations()
        .await
        .into_iter()
        .map(|one| one.content.function().unwrap().to_owned())
        .collect();
    asked.sort();
    assert_eq!(asked, ["charge", "charge_once"]);
    assert_eq!(world.receipts().await[0].state, ReceiptState::Done);
    world.finish().await;
}

#[tokio::test]
async fn a_type_in_the_path_is_routed_by() {
    let world = world().await;
    let signature = format!("sha256={}", hex(&[b"{}"]));
    let headers = [("x-hub-signature-256", signature.as_str()), ("x-github-delivery", "1")];
    post(&world, "/webhooks/typed/orders", &headers, "{}").await;
    world.settle().await;
    let receipt = world.receipts().await.remove(0);
    assert_eq!((receipt.event_type.as_deref(), receipt.note.as_str()), (Some("orders"), "logged"));
    world.finish().await;
}

#[tokio::test]
async fn a_secret_in_the_address_is_kept_nowhere() {
    let world = world().await;
    let secret = SECRET.replace(' ', "%20");
    post(&world, &format!("/webhooks/open_token?a=1&token={secret}&b=2"), &[], "{\"id\":1}").await;
    post(&world, &format!("/webhooks/path_token/{IN_PATH}"), &[], "{\"id\":1}").await;
    world.settle().await;
    let contents = world.contents().await.concat();
    for part in ["more%20than", "more than sixteen", "more-than"] {
        assert!(!contents.contains(part), "{part}");
    }
    assert!(contents.contains("a=1&token=***&b=2"));
    world.finish().await;
}

#[tokio::test]
async fn what_is_too_long_for_an_item_is_no_lost_event() {
    let world = world().await;
    let body = json!({"id": "i".repeat(500_000), "type": "t".repeat(450_000)}).to_string();
    let now = world.clock.now();
    let secret = parse_secret(WEBHOOK_SECRET).unwrap();
    for _ in 0..2 {
        let signature = sign(&secret, "msg_1", now, body.as_bytes());
        let time = now.seconds().to_string();
        let headers = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", time.as_str()),
            ("webhook-signature", signature.as_str()),
        ];
        assert_eq!(post(&world, "/webhooks/wide", &headers, &body).await, 1);
    }
    world.settle().await;
    assert_eq!(world.receipts().await[0].state, ReceiptState::Done);
    world.finish().await;
}

#[tokio::test]
async fn many_signatures_are_no_way_to_make_us_work() {
    let world = world().await;
    let time = world.clock.now().seconds().to_string();
    let good = hex(&[time.as_bytes(), b".", b"{}"]);
    let header = |others: usize| format!("t={time}{},v1={good}", ",v1=00".repeat(others));
    let send = async |others: usize| {
        let post = world.post("/webhooks/stripe").header("stripe-signature", &header(others));
        post.body("{}").send().await.status
    };
    assert_eq!(send(15).await, StatusCode::OK);
    assert_eq!(send(16).await, StatusCode::UNAUTHORIZED);
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_worker_that_is_slow_does_not_undo_a_replay() {
    let world = world().await;
    let signature = format!("sha256={}", hex(&[b"{}"]));
    let headers = [("x-hub-signature-256", signature.as_str()), ("x-github-delivery", "1")];
    post(&world, "/webhooks/github", &headers, "{}").await;
    let slow = world.receipts().await.remove(0);
    world.settle().await;
    world.system.runtime.replay("default", &slow.about.id).await.unwrap();
    assert!(!world.system.runtime.store.replace_receipt(slow).await.unwrap());
    assert_eq!(world.receipts().await[0].replays.unwrap().count, 1);
    world.settle().await;
    world.finish().await;
}

//! Webhooks of any sender: each is stored once, and acknowledged only after it is stored, whatever fails.

mod lost_replies;

use std::time::Duration;

use aws_credential_types::Credentials;
use futures_util::future::join_all;
use http::{Method, StatusCode};
use placet_core::item::{Item, Rests};
use placet_core::receipt::{Receipt, State};
use placet_local::faults::Plan;
use placet_runtime::{Blobs, Https};
use serde_json::{Value, json};

use crate::crash::{at_every_call, with_faults};
use crate::receiver::closed_port;
use crate::request::Reply;
use crate::webhooks::{hex_mac, noise};
use crate::world::{Building, World};

const SECRET: &str = "a secret of more than sixteen bytes";

/// A source that requests approval of charges above 100.
const REQUESTS: &str = "{preset: hmac, secret: env:SECRET, targets: [{operation: {fn: charge, \
    kwargs: {amount: /data/amount, note: {value: by webhook}}}, types: ['charge.*'], \
    where: ['/data/amount > 100']}, log]}";

fn building() -> Building {
    World::building()
        .secret("SECRET", SECRET)
        .source("github", "{preset: github, secret: env:SECRET, equal_content: one_event}")
        .source("dropbox", "{preset: dropbox, secret: env:SECRET, remember_body: 5m}")
        .source("hmac", "{preset: hmac, secret: env:SECRET}")
        .source("pagerduty", "{preset: pagerduty, secret: env:SECRET}")
        .source("requests", REQUESTS)
}

/// Sends a webhook as GitHub does. GitHub does not retry and signs only the body.
async fn github(world: &World, guid: &str, body: &[u8]) -> Reply {
    world.signed("github", guid, "application/json", body).send().await
}

/// Sends a webhook under the generic scheme. Its signed body holds its id.
async fn generic(world: &World, source: &str, body: &Value) -> Reply {
    signed(world, source, body.to_string().as_bytes()).await
}

async fn signed(world: &World, source: &str, body: &[u8]) -> Reply {
    let post = world.post(&format!("/webhooks/{source}"));
    let post = post.header("x-webhook-signature", &hex_mac(SECRET, &[body]));
    post.header("content-type", "application/json").body(body.to_vec()).send().await
}

fn event(id: &str, event_type: &str, amount: u32) -> Value {
    json!({"id": id, "type": event_type, "data": {"amount": amount}})
}

/// Lets the timer drain the spool and returns the number of stored events.
async fn drain_spool(world: &World) -> usize {
    let past = world.clock.now().seconds().rem_euclid(300).unsigned_abs();
    world.advance(Duration::from_secs(300 - past));
    world.tick().await.drained
}

async fn body_of(world: &World, receipt: &Item<Receipt>) -> Vec<u8> {
    world.system.runtime.blobs.body(&receipt.body.body).await.unwrap().to_vec()
}

#[tokio::test]
async fn two_hundred_copies_at_once_are_one_event() {
    let world = building().start().await;
    let body = event("evt-1", "charge.wanted", 150);
    for reply in join_all((0..200).map(|_| generic(&world, "requests", &body))).await {
        let stored = reply.status == StatusCode::OK;
        let later = reply.status == StatusCode::SERVICE_UNAVAILABLE && reply.retry_after == "5";
        assert!(stored || later, "{reply:?}");
    }
    world.settle().await;
    assert_eq!(world.the_receipt().await.state, State::Processed);
    assert_eq!(world.open_operations().await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn any_body_is_returned_byte_for_byte() {
    let world = building().start().await;
    let bodies: [Vec<u8>; 6] = [
        Vec::new(),
        b"{}".to_vec(),
        vec![0xff, 0xfe, 0x00, 0x0a],
        b"a=1&a=2&payload=%7B%7D".to_vec(),
        "\u{2665}".repeat(60_000).into_bytes(),
        noise(4_400_000),
    ];
    for (n, body) in bodies.iter().enumerate() {
        let reply = github(&world, &n.to_string(), body).await;
        assert_eq!(reply.status, StatusCode::OK, "{n}: {}", reply.text);
    }
    world.settle().await;
    let receipts = world.receipts().await;
    assert_eq!(receipts.len(), bodies.len());
    for receipt in receipts {
        let n: usize = receipt.record.delivery_id.as_deref().unwrap().parse().unwrap();
        assert!(body_of(&world, &receipt).await == bodies[n], "{n}");
        assert_eq!(receipt.state, State::Processed);
    }
    world.finish().await;
}

#[tokio::test]
async fn equal_bodies_without_an_id_are_one_event_for_a_short_time_only() {
    let world = building().start().await;
    for (minutes_later, known) in [(0, 1), (4, 1), (1, 2), (4, 2), (2, 3)] {
        world.advance(Duration::from_secs(minutes_later * 60));
        let post = world.signed("dropbox", "", "application/json", b"{\"list_folder\":{}}");
        assert_eq!(post.send().await.status, StatusCode::OK);
        assert_eq!(world.receipts().await.len(), known, "{minutes_later} minutes later");
    }
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_crash_at_any_call_neither_loses_nor_duplicates_an_event() {
    at_every_call(async |plan| {
        let world = building().start().await;
        let crashed = world.crashes(plan, github(&world, "guid-1", b"{}")).await;
        // The sender got no answer. It sends the webhook again, and once more under another id.
        for guid in ["guid-1", "guid-2"] {
            assert_eq!(github(&world, guid, b"{}").await.status, StatusCode::OK, "{plan:?}");
        }
        world.settle().await;
        let receipts = world.receipts().await;
        let state = |guid: &str| {
            let mut of =
                receipts.iter().map(|receipt| (&receipt.record.delivery_id, receipt.state));
            of.find(|(id, _)| id.as_deref() == Some(guid)).unwrap().1
        };
        let states = (state("guid-1"), state("guid-2"), receipts.len());
        assert_eq!(states, (State::Processed, State::Duplicate, 2), "{plan:?}");
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn an_error_of_the_table_or_the_queue_creates_no_second_event() {
    with_faults(&[Plan::LoseAnswer, Plan::Fail], async |plan| {
        let world = building().start().await;
        let (reply, reached) = world.survives(plan, github(&world, "guid-1", b"{}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{plan:?}");
        drain_spool(&world).await;
        world.settle().await;
        assert_eq!(world.the_receipt().await.state, State::Processed, "{plan:?}");
        world.finish().await;
        reached
    })
    .await;
}

#[tokio::test]
async fn a_sender_that_retries_gets_an_error_when_the_table_is_unavailable() {
    let world = building().start().await;
    let body = json!({"event": {"id": "E1", "event_type": "incident.triggered"}}).to_string();
    let post = || world.signed("pagerduty", "", "application/json", body.as_bytes()).send();

    world.faults.arm(Plan::Outage("DynamoDB"));
    let reply = post().await;
    world.faults.reset();

    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.retry_after, "5");
    assert_eq!(world.receipts().await.len(), 0);
    assert_eq!(post().await.status, StatusCode::OK);
    world.settle().await;
    assert_eq!(world.the_receipt().await.state, State::Processed);
    world.finish().await;
}

#[tokio::test]
async fn an_event_is_stored_without_the_queue_and_processed_after_the_timer_runs() {
    let world = building().start().await;

    world.faults.arm(Plan::Outage("SQS"));
    assert_eq!(github(&world, "guid-1", b"{}").await.status, StatusCode::OK);
    world.faults.reset();

    assert_eq!(world.work().await.delivered, 0);
    let receipt = world.the_receipt().await;
    assert_eq!((receipt.state, receipt.header.rests), (State::Received, Rests::Due));
    world.settle().await;
    assert_eq!(world.the_receipt().await.state, State::Processed);
    world.finish().await;
}

#[tokio::test]
async fn the_webhook_of_a_sender_that_never_retries_is_spooled_and_drained() {
    let world = building().start().await;
    let body = b"{\"a\": \xff}";

    world.faults.arm(Plan::Outage("DynamoDB"));
    for _ in 0..2 {
        assert_eq!(github(&world, "guid-1", body).await.status, StatusCode::OK);
    }
    world.faults.reset();
    assert_eq!(world.receipts().await.len(), 0);
    // A copy is stored before the spool is drained. The event must still have one effect.
    assert_eq!(github(&world, "guid-1", body).await.status, StatusCode::OK);

    assert_eq!(drain_spool(&world).await, 1);
    assert_eq!(drain_spool(&world).await, 0);
    world.settle().await;
    let receipt = world.the_receipt().await;
    assert_eq!(receipt.state, State::Processed);
    assert_eq!(body_of(&world, &receipt).await, body);
    world.finish().await;
}

#[tokio::test]
async fn a_spooled_event_that_cannot_be_read_is_moved_to_the_damaged_folder() {
    let world = building().start().await;
    let blobs = &world.system.runtime.blobs;
    blobs.put("spool/github.0", "no event".into()).await.unwrap();
    world.faults.arm(Plan::Outage("DynamoDB"));
    assert_eq!(github(&world, "guid-1", b"{}").await.status, StatusCode::OK);
    world.faults.reset();

    assert_eq!(drain_spool(&world).await, 1);

    assert_eq!(blobs.list("spool", 10).await.unwrap(), [""; 0]);
    assert_eq!(blobs.get("spool-damaged/github.0").await.unwrap().unwrap(), "no event");
    world.settle().await;
    assert_eq!(world.the_receipt().await.state, State::Processed);
    world.finish().await;
}

#[tokio::test]
async fn nothing_is_acknowledged_without_table_and_blob_store() {
    let (_socket, port) = closed_port();
    let bucket = format!("http://127.0.0.1:{port}/bucket");
    let credentials = Credentials::new("id", "key", None, None, "test");
    let blobs = Blobs::in_bucket(bucket, "eu-central-1", credentials, Https::plain());
    let world = building().blobs(blobs).start().await;

    let large = signed(&world, "hmac", &noise(300_000)).await;
    assert_eq!(large.status, StatusCode::SERVICE_UNAVAILABLE, "the body cannot be stored");
    world.faults.arm(Plan::Outage("DynamoDB"));
    let small = github(&world, "guid-1", b"{}").await;
    world.faults.reset();

    assert_eq!(small.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(small.retry_after, "5");
    assert_eq!(world.receipts().await.len(), 0);
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn an_event_becomes_an_approval_that_runs_once_approved() {
    let world = building().start().await;
    for (id, event_type, amount) in
        [("1", "charge.wanted", 150), ("2", "charge.wanted", 100), ("3", "refund", 500)]
    {
        let reply = generic(&world, "requests", &event(id, event_type, amount)).await;
        assert_eq!(reply.status, StatusCode::OK);
    }
    assert_eq!(world.open_operations().await.len(), 0, "the worker has not run yet");

    world.settle().await;

    let mut requested = world.open_operations().await;
    assert_eq!(requested.len(), 1);
    let operation = requested.remove(0);
    assert_eq!(operation.content.function(), Some("charge"));
    let kwargs = json!({"amount": 150, "note": "by webhook"});
    assert_eq!(*operation.content.kwargs().unwrap(), kwargs);
    let call_id = operation.call_id();
    assert_eq!(world.effects(call_id).await, 0);
    assert_eq!(world.respond(call_id, true).await.status, StatusCode::OK);
    world.settle().await;
    assert_eq!(world.effects(call_id).await, 1);
    world.finish().await;
}

#[tokio::test]
async fn a_replay_requests_no_second_approval() {
    let world = building().start().await;
    generic(&world, "requests", &event("1", "charge.wanted", 150)).await;
    world.settle().await;
    let receipt = world.the_receipt().await;

    world.client().replay(&receipt.header.id).await.is(StatusCode::ACCEPTED);
    world.settle().await;

    assert_eq!(world.open_operations().await.len(), 1);
    assert_eq!(world.the_receipt().await.note, receipt.note);
    world.finish().await;
}

#[tokio::test]
async fn an_event_that_lacks_an_argument_fails_and_can_be_replayed() {
    let lacks = REQUESTS.replace("/data/amount,", "/data/sum,");
    let world = World::building().secret("SECRET", SECRET).source("requests", &lacks).start().await;
    generic(&world, "requests", &event("1", "charge.wanted", 150)).await;

    world.settle().await;

    let receipt = world.the_receipt().await;
    assert_eq!(receipt.state, State::Failed);
    assert!(receipt.note.contains("/data/sum"), "{}", receipt.note);
    let client = world.client();
    client.replay(&receipt.header.id).await.is(StatusCode::ACCEPTED);
    client.replay(&receipt.header.id).await.refused(StatusCode::CONFLICT, "under_way");
    world.settle().await;
    let receipt = world.the_receipt().await;
    assert_eq!((receipt.state, receipt.replays.unwrap().count), (State::Failed, 1));
    world.finish().await;
}

#[tokio::test]
async fn a_request_that_is_not_an_event_is_answered_and_not_stored() {
    let world = building()
        .source("old", "{preset: hmac, secret: env:SECRET, retired: true}")
        .source("small", "{preset: hmac, secret: env:SECRET, limit: 10}")
        .start()
        .await;
    let before = world.contents().await;

    let head = world.request(Method::HEAD, "/webhooks/github").send().await;
    assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
    let options = world.request(Method::OPTIONS, "/webhooks/github").send().await;
    assert_eq!(options.status, StatusCode::METHOD_NOT_ALLOWED);
    for (source, body, status) in [
        ("old", "{}", StatusCode::GONE),
        ("small", "12345678901", StatusCode::PAYLOAD_TOO_LARGE),
        ("nobody", "{}", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(signed(&world, source, body.as_bytes()).await.status, status, "{source}");
    }
    let challenge = world.get("/webhooks/dropbox?challenge=a%20b").send().await;
    assert_eq!((challenge.status, challenge.text.as_str()), (StatusCode::OK, "a b"));
    assert!(challenge.content_type.starts_with("text/plain"));

    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_repeated_signature_header_does_not_verify() {
    let world = building().start().await;
    let post = world.post("/webhooks/github").header("x-hub-signature-256", "sha256=00");
    let good = format!("sha256={}", hex_mac(SECRET, &[b"{}"]));
    let post = post.header("x-hub-signature-256", &good);

    assert_eq!(post.body("{}").send().await.status, StatusCode::UNAUTHORIZED);

    assert_eq!(world.receipts().await.len(), 0);
    world.finish().await;
}

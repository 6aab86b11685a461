//! Webhooks of any sender: kept once, acknowledged only when kept, whatever fails.

use std::time::Duration;

use futures_util::future::join_all;
use http::{Method, StatusCode};
use placet_core::Digest;
use placet_core::webhook::hmac_sha256;
use placet_local::engines::Storage;
use placet_local::faults::Plan;
use placet_runtime::{Receipt, ReceiptState};
use serde_json::json;

use crate::ask::Answer;
use crate::crash::at_every_call;
use crate::world::World;

const SECRET: &str = "a secret of more than sixteen bytes";

/// World's configuration ends with its sources: these are more of them.
const SOURCES: &str = "
  github: {preset: github, secret: env:SECRET}
  dropbox: {preset: dropbox, secret: env:SECRET, remember_body: 5m}
  hmac: {preset: hmac, secret: env:SECRET}
  pagerduty: {preset: pagerduty, secret: env:SECRET}
  asks:
    preset: hmac
    secret: env:SECRET
    targets:
      - operation: {fn: charge, kwargs: {amount: /data/amount, note: {value: by webhook}}}
        types: [\"charge.*\"]
        where: [\"/data/amount > 100\"]
      - log
  old: {preset: hmac, secret: env:SECRET, retired: true}
  small: {preset: hmac, secret: env:SECRET, limit: 10}
";

async fn world() -> World {
    World::with(SOURCES, &[("SECRET", SECRET)]).await
}

fn hex(body: &[u8]) -> String {
    hmac_sha256(SECRET.as_bytes(), &[body]).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A delivery of GitHub.
async fn github(world: &World, guid: &str, body: &[u8]) -> Answer {
    let post = world.post("/webhooks/github").header("content-type", "application/json");
    let post = post.header("x-hub-signature-256", &format!("sha256={}", hex(body)));
    let post = post.header("x-github-delivery", guid).header("x-github-event", "push");
    post.body(body.to_vec()).send().await
}

/// A delivery under the generic scheme.
async fn generic(world: &World, source: &str, body: &[u8]) -> Answer {
    let post =
        world.post(&format!("/webhooks/{source}")).header("content-type", "application/json");
    post.header("x-webhook-signature", &hex(body)).body(body.to_vec()).send().await
}

async fn dropbox(world: &World, body: &[u8]) -> Answer {
    let post = world.post("/webhooks/dropbox").header("x-dropbox-signature", &hex(body));
    post.body(body.to_vec()).send().await
}

/// Bytes that do not compress.
fn noise(size: u32) -> Vec<u8> {
    let blocks =
        (0..size.div_ceil(32)).map(|block| *Digest::of_bytes(&block.to_le_bytes()).as_bytes());
    blocks.flatten().take(size as usize).collect()
}

/// Lets the timer look for what was put aside; says how much it took back.
async fn take_back(world: &World) -> usize {
    while world.clock.now().seconds() / 60 % 5 != 0 {
        world.advance(Duration::from_secs(1));
    }
    world.tick().await.taken_back
}

async fn body_of(world: &World, receipt: &Receipt) -> Vec<u8> {
    world.system.runtime.blobs.body(&receipt.body).await.unwrap().to_vec()
}

#[tokio::test]
async fn two_hundred_copies_at_once_are_one_event() {
    let world = world().await;
    let body = json!({"id": "evt-1", "type": "charge.wanted", "data": {"amount": 150}}).to_string();
    let copies = (0..200).map(|_| generic(&world, "asks", body.as_bytes()));
    for answer in join_all(copies).await {
        let kept = answer.status == StatusCode::OK;
        let later = answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.retry_after == "5";
        assert!(kept || later, "{answer:?}");
    }
    world.settle().await;
    let receipts = world.receipts().await;
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0].state, ReceiptState::Done);
    assert_eq!(world.open_operations().await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_body_comes_back_byte_for_byte_whatever_it_is() {
    let world = world().await;
    let bodies: [Vec<u8>; 6] = [
        Vec::new(),
        b"{}".to_vec(),
        vec![0xff, 0xfe, 0x00, 0x0a],
        b"a=1&a=2&payload=%7B%7D".to_vec(),
        "\u{2665}".repeat(60_000).into_bytes(),
        noise(4_400_000),
    ];
    for (n, body) in bodies.iter().enumerate() {
        let answer = github(&world, &format!("guid-{n}"), body).await;
        assert_eq!(answer.status, StatusCode::OK, "{n}: {}", answer.text);
    }
    world.settle().await;
    let receipts = world.receipts().await;
    assert_eq!(receipts.len(), bodies.len());
    for receipt in receipts {
        let n: usize = receipt.about.delivery_id.as_deref().unwrap()[5..].parse().unwrap();
        assert_eq!(body_of(&world, &receipt).await, bodies[n], "{n}");
        assert_eq!(receipt.state, ReceiptState::Done);
    }
    world.finish().await;
}

#[tokio::test]
async fn one_signature_under_two_unsigned_ids_is_one_event() {
    let world = world().await;
    github(&world, "guid-1", b"{\"a\":1}").await;
    let replayed = github(&world, "guid-2", b"{\"a\":1}").await;
    assert_eq!(replayed.status, StatusCode::OK);
    let redelivered = github(&world, "guid-1", b"{\"a\":1}").await;
    assert_eq!(redelivered.status, StatusCode::OK);
    assert_eq!(world.receipts().await.len(), 1);
    github(&world, "guid-3", b"{\"a\":2}").await;
    assert_eq!(world.receipts().await.len(), 2);
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_body_without_identity_is_one_event_for_a_short_time_only() {
    let world = world().await;
    for (minutes_later, known) in [(0, 1), (4, 1), (1, 2), (4, 2), (2, 3)] {
        world.advance(Duration::from_secs(minutes_later * 60));
        assert_eq!(dropbox(&world, b"{\"list_folder\":{}}").await.status, StatusCode::OK);
        assert_eq!(world.receipts().await.len(), known, "{minutes_later} minutes later");
    }
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_crash_at_any_call_loses_nothing_and_doubles_nothing() {
    at_every_call(async |plan| {
        let world = world().await;
        let crashed = world.crashes(plan, github(&world, "guid-1", b"{}")).await;
        // The sender saw no answer, and sends it again, perhaps under the cover of another id.
        assert_eq!(github(&world, "guid-1", b"{}").await.status, StatusCode::OK, "{plan:?}");
        assert_eq!(github(&world, "guid-2", b"{}").await.status, StatusCode::OK, "{plan:?}");
        world.settle().await;
        let receipts = world.receipts().await;
        assert_eq!(receipts.len(), 1, "{plan:?}");
        assert_eq!(receipts[0].state, ReceiptState::Done, "{plan:?}");
        assert_eq!(receipts[0].about.delivery_id.as_deref(), Some("guid-1"), "{plan:?}");
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_of_the_table_or_the_queue_is_no_second_event() {
    for call in 0..3 {
        for plan in [Plan::LoseAnswer(call), Plan::Fail(call)] {
            let world = world().await;
            world.faults.arm(plan);
            assert_eq!(github(&world, "guid-1", b"{}").await.status, StatusCode::OK, "{plan:?}");
            assert!(world.faults.was_reached(), "{plan:?}");
            world.faults.reset();
            take_back(&world).await;
            world.settle().await;
            assert_eq!(world.receipts().await.len(), 1, "{plan:?}");
            world.finish().await;
        }
    }
}

#[tokio::test]
async fn without_the_table_a_sender_that_retries_is_told_to() {
    let world = world().await;
    world.faults.arm(Plan::Outage("DynamoDB"));
    let body = json!({"event": {"id": "E1", "event_type": "incident.triggered"}}).to_string();
    let post = || {
        let post = world.post("/webhooks/pagerduty");
        post.header("x-pagerduty-signature", &format!("v1={}", hex(body.as_bytes())))
            .body(body.clone())
    };
    let answer = post().send().await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.retry_after, "5");
    world.faults.reset();
    assert_eq!(world.receipts().await.len(), 0);
    assert_eq!(post().send().await.status, StatusCode::OK);
    world.settle().await;
    assert_eq!(world.receipts().await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn without_the_queue_the_event_is_kept_and_the_timer_has_it_worked_off() {
    let world = world().await;
    world.faults.arm(Plan::Outage("SQS"));
    assert_eq!(github(&world, "guid-1", b"{}").await.status, StatusCode::OK);
    world.faults.reset();
    assert_eq!(world.work().await.delivered, 0);
    assert_eq!(world.open_receipts().await, 1);
    world.settle().await;
    assert_eq!(world.receipts().await[0].state, ReceiptState::Done);
    world.finish().await;
}

#[tokio::test]
async fn without_the_table_a_sender_that_never_retries_is_put_aside_and_taken_back() {
    let world = world().await;
    world.faults.arm(Plan::Outage("DynamoDB"));
    for _ in 0..2 {
        assert_eq!(github(&world, "guid-1", b"{\"a\": \xff}").await.status, StatusCode::OK);
    }
    world.faults.reset();
    assert_eq!(world.receipts().await.len(), 0);
    // The same once more, now that the table is back: nothing may come of it twice.
    assert_eq!(github(&world, "guid-1", b"{\"a\": \xff}").await.status, StatusCode::OK);
    assert_eq!(take_back(&world).await, 1);
    assert_eq!(take_back(&world).await, 0);
    world.settle().await;
    let receipts = world.receipts().await;
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0].state, ReceiptState::Done);
    assert_eq!(body_of(&world, &receipts[0]).await, b"{\"a\": \xff}");
    world.finish().await;
}

#[tokio::test]
async fn with_neither_table_nor_blob_store_nothing_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::Folder(folder.path().to_owned());
    let world = World::over(storage, SOURCES, &[("SECRET", SECRET)]).await;
    let place = folder.path().join("blobs");
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::write(&place, "no folder").unwrap();
    let answer = generic(&world, "hmac", &noise(300_000)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "its body has no place");
    world.faults.arm(Plan::Outage("DynamoDB"));
    let answer = github(&world, "guid-1", b"{}").await;
    assert_eq!(
        (answer.status, answer.retry_after.as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "5")
    );
    world.faults.reset();
    assert_eq!(world.receipts().await.len(), 0);
    world.finish().await;
}

#[tokio::test]
async fn an_event_becomes_an_approval_that_runs_once_approved() {
    let world = world().await;
    let event = |id: &str, kind: &str, amount: u32| {
        json!({"id": id, "type": kind, "data": {"amount": amount}}).to_string()
    };
    for (id, kind, amount) in
        [("1", "charge.wanted", 150), ("2", "charge.wanted", 100), ("3", "refund", 500)]
    {
        let body = event(id, kind, amount);
        assert_eq!(generic(&world, "asks", body.as_bytes()).await.status, StatusCode::OK);
    }
    assert_eq!(world.open_operations().await.len(), 0, "all work is behind the queue");
    world.settle().await;
    let asked = world.open_operations().await;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].content.function(), Some("charge"));
    assert_eq!(*asked[0].content.kwargs().unwrap(), json!({"amount": 150, "note": "by webhook"}));
    let call_id = asked[0].call_id.clone();
    assert_eq!(world.effects(&call_id).await, 0);
    // Working it off again asks nobody twice.
    let of_call = |one: &Receipt| call_id.starts_with(&one.about.id);
    let receipt = world.receipts().await.into_iter().find(of_call).unwrap();
    world.system.runtime.replay("default", &receipt.about.id).await.unwrap();
    world.settle().await;
    assert_eq!(world.open_operations().await.len(), 1);
    assert_eq!(world.respond(&call_id, true).await.status, StatusCode::OK);
    world.settle().await;
    assert_eq!(world.effects(&call_id).await, 1);
    world.finish().await;
}

#[tokio::test]
async fn an_event_that_lacks_an_argument_fails_and_can_be_worked_off_again() {
    let config = SOURCES.replace("amount: /data/amount,", "amount: /data/sum,");
    let world = World::with(&config, &[("SECRET", SECRET)]).await;
    let body = json!({"id": "1", "type": "charge.wanted", "data": {"amount": 150}}).to_string();
    generic(&world, "asks", body.as_bytes()).await;
    world.settle().await;
    let receipt = world.receipts().await.remove(0);
    assert_eq!(receipt.state, ReceiptState::Failed);
    assert!(receipt.note.contains("/data/sum"), "{}", receipt.note);
    let replayed = world.system.runtime.replay("default", &receipt.about.id).await.unwrap();
    assert_eq!(replayed.replays.unwrap().count, 1);
    assert!(world.system.runtime.replay("default", &receipt.about.id).await.is_err(), "under way");
    assert!(world.system.runtime.replay("other", &receipt.about.id).await.is_err(), "not theirs");
    world.settle().await;
    assert_eq!(world.receipts().await[0].state, ReceiptState::Failed);
    world.finish().await;
}

#[tokio::test]
async fn what_is_no_event_is_answered_and_not_kept() {
    let world = world().await;
    let before = world.contents().await;
    let head = world.ask(Method::HEAD, "/webhooks/github").send().await;
    assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
    let options = world.ask(Method::OPTIONS, "/webhooks/github").send().await;
    assert_eq!(options.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(generic(&world, "old", b"{}").await.status, StatusCode::GONE);
    assert_eq!(
        generic(&world, "small", b"12345678901").await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(generic(&world, "nobody", b"{}").await.status, StatusCode::NOT_FOUND);
    let challenge = world.get("/webhooks/dropbox?challenge=a%20b").send().await;
    assert_eq!((challenge.status, challenge.text.as_str()), (StatusCode::OK, "a b"));
    assert!(challenge.content_type.starts_with("text/plain"));
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_repeated_header_is_no_second_chance() {
    let world = world().await;
    let good = format!("sha256={}", hex(b"{}"));
    let answer = world
        .post("/webhooks/github")
        .header("x-hub-signature-256", "sha256=00")
        .header("x-hub-signature-256", &good)
        .body("{}")
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.receipts().await.len(), 0);
    world.finish().await;
}

#[tokio::test]
async fn what_is_put_aside_and_can_not_be_read_is_out_of_the_way() {
    let world = world().await;
    let blobs = &world.system.runtime.blobs;
    blobs.put("spool/github.0", "no event".into()).await.unwrap();
    world.faults.arm(Plan::Outage("DynamoDB"));
    assert_eq!(github(&world, "guid-1", b"{}").await.status, StatusCode::OK);
    world.faults.reset();
    assert_eq!(take_back(&world).await, 1);
    assert_eq!(blobs.list("spool", 10).await.unwrap(), [""; 0]);
    assert_eq!(blobs.get("spool-damaged/github.0").await.unwrap().unwrap(), "no event");
    world.settle().await;
    assert_eq!(world.receipts().await.len(), 1);
    world.finish().await;
}

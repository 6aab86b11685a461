//! A webhook of HumanLayer's cloud brings a decision for the operation with its id.

use std::time::Duration;

use http::StatusCode;
use placet_core::item::Rests;
use placet_core::operation::State;
use placet_core::receipt;
use placet_core::webhook::{parse_secret, sign};
use placet_local::faults::Plan;
use serde_json::{Value, json};

use crate::client::call;
use crate::crash::with_faults;
use crate::webhooks::completed;
use crate::world::{WEBHOOK_SECRET, World};

/// The webhook body for a decided call of `charge`.
fn decided(call_id: &str, approved: bool) -> Value {
    completed(&call(call_id, "charge"), approved)
}

#[tokio::test]
async fn a_bare_or_enveloped_webhook_decides() {
    for envelope in [false, true] {
        let world = World::start().await;
        for (call_id, approved) in [("yes", true), ("no", false)] {
            world.create(call_id, "charge").await;
            let bare = decided(call_id, approved);
            let enveloped = json!({"type": "function_call.completed", "event": bare});
            let reply = world.deliver(call_id, if envelope { &enveloped } else { &bare }).await;
            assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({"status": "ok"})));
            assert_eq!(world.state(call_id).await, State::Pending, "the worker has not run yet");
        }
        world.settle().await;
        assert_eq!(world.ended("yes").await, (State::Succeeded, 1));
        assert_eq!(world.ended("no").await, (State::Denied, 0));
        assert_eq!(world.operation("no").await.body.decision.unwrap().comment, "by mail");
        world.finish().await;
    }
}

#[tokio::test]
async fn a_repeated_webhook_is_accepted_and_changes_nothing() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    world.deliver("msg_1", &decided("call-1", true)).await;
    world.settle().await;
    let before = world.contents().await;

    let again = world.deliver("msg_1", &decided("call-1", true)).await;
    world.settle().await;

    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn every_request_without_a_valid_signature_gets_the_same_answer_and_changes_nothing() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let before = world.contents().await;
    let body = decided("call-1", true).to_string();
    let now = world.clock.now();
    let signed_with =
        |secret: &str| sign(&parse_secret(secret).unwrap(), "msg_1", now, body.as_bytes());
    let good = signed_with(WEBHOOK_SECRET);
    let wrong = signed_with("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let (seconds, stale) = (now.seconds().to_string(), (now.seconds() - 301).to_string());
    let cases: [&[(&str, &str)]; 6] = [
        &[],
        &[("svix-id", "msg_1"), ("svix-timestamp", &seconds)],
        &[("svix-id", "msg_1"), ("svix-timestamp", &seconds), ("svix-signature", &wrong)],
        &[("svix-id", "msg_2"), ("svix-timestamp", &seconds), ("svix-signature", &good)],
        &[("svix-id", "msg_1"), ("svix-timestamp", &stale), ("svix-signature", &good)],
        &[("svix-id", "msg_1"), ("svix-timestamp", &seconds), ("webhook-signature", &good)],
    ];

    let mut replies = Vec::new();
    for headers in cases {
        let post = world.post("/webhook/inbound").body(body.clone());
        let post = headers.iter().fold(post, |post, (name, value)| post.header(name, value));
        replies.push(post.send().await);
    }

    for reply in &replies {
        assert_eq!((reply.status, &reply.text), (StatusCode::UNAUTHORIZED, &replies[0].text));
    }
    assert_eq!(world.work().await.delivered, 0);
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_source_without_a_usable_secret_is_closed() {
    for (secret, status) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some(""), StatusCode::UNAUTHORIZED),
        // The variable is set and is not a valid secret. This is our fault, so the sender has to retry.
        (Some("whsec_"), StatusCode::SERVICE_UNAVAILABLE),
        (Some("whsec_typo!!"), StatusCode::SERVICE_UNAVAILABLE),
    ] {
        let name = "PLACET_SECRET_HUMANLAYER";
        let building = World::building();
        let world = match secret {
            None => building.without(name).start().await,
            Some(secret) => building.secret(name, secret).start().await,
        };
        world.create("call-1", "charge").await;

        let reply = world.deliver("msg_1", &decided("call-1", true)).await;

        assert_eq!(reply.status, status, "{secret:?}");
        assert_eq!(world.state("call-1").await, State::Pending);
        world.finish().await;
    }
}

#[tokio::test]
async fn a_decision_on_another_call_is_not_applied() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let mut bodies = vec![decided("call-1", true); 4];
    bodies[0]["spec"]["kwargs"]["amount"] = json!(8);
    bodies[1]["spec"]["fn"] = json!("charge_once");
    bodies[2]["spec"].as_object_mut().unwrap().remove("kwargs");
    bodies[3]["call_id"] = json!("nobody-knows");
    for (n, body) in bodies.iter().enumerate() {
        assert_eq!(world.deliver(&format!("msg_{n}"), body).await.status, StatusCode::OK);
    }

    world.settle().await;

    assert_eq!(world.state("call-1").await, State::Pending);
    let receipts = world.receipts().await;
    assert_eq!(receipts.len(), 4);
    assert!(receipts.iter().all(|one| one.state == receipt::State::Failed), "{receipts:?}");
    world.finish().await;
}

#[tokio::test]
async fn a_webhook_without_a_valid_decision_is_stored_and_decides_nothing() {
    let world = World::start().await;
    let bodies = [json!("hello"), json!({}), json!({"type": "x", "event": {}}), json!([1])];
    for (n, body) in bodies.iter().enumerate() {
        assert_eq!(world.deliver(&format!("msg_{n}"), body).await.status, StatusCode::OK);
    }

    world.settle().await;

    assert_eq!(world.receipts().await.len(), bodies.len());
    world.finish().await;
}

#[tokio::test]
async fn nothing_is_acknowledged_unless_it_is_stored() {
    with_faults(&[Plan::Fail, Plan::LoseAnswer], async |plan| {
        let world = World::start().await;
        world.create("call-1", "charge").await;
        let body = decided("call-1", true);

        let (reply, reached) = world.survives(plan, world.deliver("msg_1", &body)).await;

        let stored = world.receipts().await.len() == 1;
        match reply.status {
            StatusCode::OK => assert!(stored, "{plan:?}"),
            status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{plan:?}"),
        }
        // The sender retries after an error.
        assert_eq!(world.deliver("msg_1", &body).await.status, StatusCode::OK);
        world.settle().await;
        assert_eq!(world.ended("call-1").await, (State::Succeeded, 1), "{plan:?}");
        world.finish().await;
        reached
    })
    .await;
}

#[tokio::test]
async fn an_acknowledged_webhook_is_processed_after_half_a_day_without_the_queue() {
    let world = World::start().await;
    world.faults.arm(Plan::Outage("SQS"));
    let reply = world.deliver("msg_1", &decided("call-1", true)).await;
    assert_eq!(reply.status, StatusCode::OK);

    for _ in 0..12 {
        world.advance(Duration::from_secs(3600));
        assert!(world.system.timer.handle().await.is_err(), "the run of the timer fails");
    }
    world.faults.reset();
    world.advance(Duration::from_secs(3600));

    assert_eq!(world.work().await.delivered, 0);
    let receipt = world.the_receipt().await;
    assert_eq!((receipt.state, receipt.header.rests), (receipt::State::Received, Rests::Due));
    assert_eq!(world.tick().await.enqueued, 1);
    world.work().await;
    assert_ne!(world.the_receipt().await.state, receipt::State::Received);
    world.finish().await;
}

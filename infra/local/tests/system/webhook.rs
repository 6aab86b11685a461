//! A completed function call as webhook decides the operation with its id.

use std::time::Duration;

use http::StatusCode;
use placet_core::State;
use placet_core::webhook::{parse_secret, sign};
use placet_local::faults::Plan;
use serde_json::{Value, json};

use crate::world::{WEBHOOK_SECRET, World};

fn completed(call_id: &str, approved: bool) -> Value {
    json!({"run_id": "run", "call_id": call_id, "spec": {"fn": "charge", "kwargs": {"amount": 7}},
           "status": {"approved": approved, "comment": "by mail"}})
}

#[tokio::test]
async fn bare_and_enveloped_deliveries_decide() {
    for envelope in [false, true] {
        let world = World::start().await;
        world.create("yes", "charge").await;
        world.create("no", "charge").await;
        for (call_id, approved) in [("yes", true), ("no", false)] {
            let bare = completed(call_id, approved);
            let body = if envelope {
                json!({"type": "function_call.completed", "event": bare})
            } else {
                bare
            };
            let answer = world.deliver(call_id, &body).await;
            assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({"status": "ok"})));
            assert_eq!(world.state(call_id).await, State::Pending, "all work is behind the queue");
        }
        world.settle().await;
        assert_eq!(world.ended("yes").await, (State::Succeeded, 1));
        assert_eq!(world.ended("no").await, (State::Denied, 0));
        assert_eq!(world.operation("no").await.decision.unwrap().comment, "by mail");
        world.finish().await;
    }
}

#[tokio::test]
async fn the_same_delivery_again_is_accepted_and_changes_nothing() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    world.deliver("msg_1", &completed("call-1", true)).await;
    world.settle().await;
    let before = world.contents().await;
    assert_eq!(world.deliver("msg_1", &completed("call-1", true)).await.status, StatusCode::OK);
    world.settle().await;
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn what_is_not_signed_by_the_source_is_refused_alike_and_changes_nothing() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let before = world.contents().await;
    let body = completed("call-1", true).to_string();
    let now = world.clock.now();
    let seconds = now.seconds().to_string();
    let good = sign(&parse_secret(WEBHOOK_SECRET).unwrap(), "msg_1", now, body.as_bytes());
    let wrong = sign(
        &parse_secret("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap(),
        "msg_1",
        now,
        body.as_bytes(),
    );
    let stale = (now.seconds() - 301).to_string();
    let cases: [&[(&str, &str)]; 6] = [
        &[],
        &[("svix-id", "msg_1"), ("svix-timestamp", &seconds)],
        &[("svix-id", "msg_1"), ("svix-timestamp", &seconds), ("svix-signature", &wrong)],
        &[("svix-id", "msg_2"), ("svix-timestamp", &seconds), ("svix-signature", &good)],
        &[("svix-id", "msg_1"), ("svix-timestamp", &stale), ("svix-signature", &good)],
        &[("svix-id", "msg_1"), ("svix-timestamp", &seconds), ("webhook-signature", &good)],
    ];
    let mut answers = Vec::new();
    for headers in cases {
        let mut ask = world.post("/webhook/inbound").body(body.clone());
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        answers.push(ask.send().await);
    }
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (StatusCode::UNAUTHORIZED, &answers[0].text));
    }
    assert_eq!(world.work().await.delivered, 0);
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_source_without_a_secret_is_closed() {
    let variable = "PLACET_SECRET_HUMANLAYER";
    let cases: [(&[(&str, &str)], StatusCode); 4] = [
        (&[], StatusCode::UNAUTHORIZED),
        (&[(variable, "")], StatusCode::UNAUTHORIZED),
        // Set, but no secret: our fault, so the sender is to come again.
        (&[(variable, "whsec_")], StatusCode::SERVICE_UNAVAILABLE),
        (&[(variable, "whsec_typo!!")], StatusCode::SERVICE_UNAVAILABLE),
    ];
    for (environment, status) in cases {
        let world = World::with_environment(environment).await;
        world.create("call-1", "charge").await;
        let refused = world.deliver("msg_1", &completed("call-1", true)).await;
        assert_eq!(refused.status, status, "{environment:?}");
        assert_eq!(world.state("call-1").await, State::Pending);
        world.finish().await;
    }
}

#[tokio::test]
async fn a_decision_about_other_arguments_is_not_applied() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let mut bodies = vec![completed("call-1", true); 4];
    bodies[0]["spec"]["kwargs"]["amount"] = json!(8);
    bodies[1]["spec"]["fn"] = json!("charge_once");
    bodies[2]["spec"].as_object_mut().unwrap().remove("kwargs");
    bodies[3]["call_id"] = json!("nobody-knows");
    for (n, body) in bodies.iter().enumerate() {
        assert_eq!(world.deliver(&format!("msg_{n}"), body).await.status, StatusCode::OK);
    }
    world.settle().await;
    assert_eq!(world.state("call-1").await, State::Pending);
    world.finish().await;
}

#[tokio::test]
async fn a_delivery_that_makes_no_sense_is_kept_and_decides_nothing() {
    let world = World::start().await;
    for (n, body) in [json!("hello"), json!({}), json!({"type": "x", "event": {}}), json!([1])]
        .iter()
        .enumerate()
    {
        assert_eq!(world.deliver(&format!("msg_{n}"), body).await.status, StatusCode::OK);
    }
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn nothing_is_acknowledged_that_is_not_stored() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let body = completed("call-1", true);
    world.faults.arm(Plan::Fail(0));
    let unavailable = world.deliver("msg_1", &body).await;
    assert_eq!(unavailable.status, StatusCode::SERVICE_UNAVAILABLE);
    world.faults.arm(Plan::Fail(1));
    assert_eq!(world.deliver("msg_1", &body).await.status, StatusCode::OK, "stored, not enqueued");
    world.faults.reset();
    world.settle().await;
    assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
    world.finish().await;
}

#[tokio::test]
async fn what_was_acknowledged_is_never_given_up() {
    let world = World::start().await;
    let body = completed("call-1", true);
    // Stored, not enqueued; and for half a day each message of the timer is lost, too.
    world.faults.arm(Plan::Fail(1));
    assert_eq!(world.deliver("msg_1", &body).await.status, StatusCode::OK);
    for _ in 0..24 {
        world.advance(Duration::from_secs(30 * 60));
        // Query, read, write, send.
        world.faults.arm(Plan::Fail(3));
        world.tick().await;
    }
    world.faults.reset();
    assert_eq!((world.work().await.delivered, world.open_receipts().await), (0, 1));
    world.advance(Duration::from_secs(3600));
    assert_eq!(world.tick().await.receipts, 1);
    world.work().await;
    assert_eq!(world.open_receipts().await, 0);
    world.finish().await;
}

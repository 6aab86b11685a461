//! Law 1: shown = approved = executed, also if somebody changes the table in between.

use std::time::Duration;

use http::StatusCode;
use placet_core::operation::{Failure, Outcome, State};
use serde_json::{Value, json};

use crate::world::World;

/// A world with an approved call of `charge_once`. This member of the call was changed before the call ran.
async fn after_changing(pointer: &str, value: Value) -> World {
    let world = World::start().await;
    world.approved("call-1", "charge_once").await;
    world.tamper("call-1", |body| *body.pointer_mut(pointer).unwrap() = value).await;
    world.work().await;
    assert_eq!(world.effects("call-1").await, 0, "{pointer}");
    world
}

/// Why the call did not run.
async fn failure(world: &World) -> Failure {
    let operation = world.operation("call-1").await.body;
    assert_eq!(operation.state, State::Failed);
    match operation.outcome {
        Some(Outcome::Failure(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_call_that_was_changed_after_its_approval_does_not_run() {
    let plan = json!({"executor": "function charge", "idempotent": true, "max_attempts": 5,
        "retry_for": {"secs": 86_400, "nanos": 0}, "timeout": {"secs": 20, "nanos": 0}});
    for (pointer, value) in [
        ("/content/call/kwargs", json!({"amount": 8})),
        ("/content/call/kwargs", json!({"amount": 7, "to": "me"})),
        ("/content/call/function", json!("charge")),
        ("/plan", plan),
    ] {
        let world = after_changing(pointer, value).await;
        let Failure { code, message } = failure(&world).await;
        assert_eq!(code, "digest_mismatch", "{pointer}: {message}");
        assert!(message.contains("differs from the approved one"), "{pointer}: {message}");
        let page = world.page("/inbox/call-1").await;
        assert!(page.text.contains("differs from the approved one"), "{pointer}");
        world.finish().await;
    }
}

/// The row also has the digest outside of the body, for the condition of each write.
#[tokio::test]
async fn a_call_whose_digest_was_changed_does_not_run() {
    let world = after_changing("/digest", json!("0".repeat(64))).await;
    world.later(Duration::from_secs(3600)).await;
    assert_eq!(world.effects("call-1").await, 0);
    world.abandon();
}

#[tokio::test]
async fn a_call_whose_history_was_rewritten_does_not_run() {
    let world = after_changing("/history/1/detail/comment", json!("of course")).await;
    assert_eq!(failure(&world).await.code, "history_broken");
    world.finish().await;
}

#[tokio::test]
async fn a_call_that_was_changed_before_its_decision_cannot_be_decided() {
    let world = World::start().await;
    world.create("call-1", "charge_once").await;
    world.tamper("call-1", |body| body["content"]["call"]["kwargs"]["amount"] = json!(8)).await;
    let refused = world.respond("call-1", true).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert_eq!(world.state("call-1").await, State::Pending);
    world.finish().await;
}

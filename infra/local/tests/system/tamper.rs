//! Law 1: shown = approved = executed, whatever somebody does to the table in between.

use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::{Outcome, State};

use crate::world::World;

#[tokio::test]
async fn nothing_runs_that_was_changed_after_it_was_approved() {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let plan = r#"{"executor":"function charge","idempotent":true,"max_attempts":5,"timeout":{"secs":20,"nanos":0},"redrive":{"secs":120,"nanos":0}}"#;
    let changes = [
        ("kwargs", text(r#"{"amount":8}"#)),
        ("kwargs", text(r#"{"amount":7,"to":"me"}"#)),
        ("fn", text("charge")),
        ("plan", text(plan)),
        ("tenant", text("other")),
        ("digest", text(&"0".repeat(64))),
    ];
    for (attribute, value) in changes {
        let world = World::start().await;
        world.approved("call-1", "charge_once").await;
        world.tamper("call-1", attribute, value.clone()).await;
        world.work().await;
        assert_eq!(world.effects("call-1").await, 0, "{attribute}");
        if !matches!(attribute, "tenant" | "digest") {
            let operation = world.operation("call-1").await;
            assert_eq!(operation.state, State::Failed, "{attribute}");
            let Some(Outcome::Failure(failure)) = operation.outcome else { panic!("{attribute}") };
            assert_eq!(failure.code, "digest_mismatch", "{attribute}: {}", failure.message);
            assert!(failure.message.contains("changed"), "{}", failure.message);
            let page = world.get("/inbox/call-1").page().send().await;
            assert!(page.text.contains("not what was approved"), "{attribute}");
        }
        world.system.runtime.store.operation("default", "call-1", true).await.unwrap();
        world.abandon();
    }
}

#[tokio::test]
async fn a_rewritten_history_is_found() {
    let world = World::start().await;
    world.approved("call-1", "charge_once").await;
    let history = serde_json::to_string(&world.operation("call-1").await.history).unwrap();
    let forged = history.replace("because", "of course");
    assert_ne!(forged, history);
    world.tamper("call-1", "history", AttributeValue::S(forged)).await;
    world.work().await;
    let operation = world.operation("call-1").await;
    let Some(Outcome::Failure(failure)) = operation.outcome else { panic!("it ran") };
    assert_eq!((operation.state, failure.code.as_str()), (State::Failed, "history_broken"));
    assert_eq!(world.effects("call-1").await, 0);
    world.finish().await;
}

#[tokio::test]
async fn what_was_changed_before_the_decision_can_not_be_decided() {
    let world = World::start().await;
    world.create("call-1", "charge_once").await;
    world.tamper("call-1", "kwargs", AttributeValue::S(r#"{"amount":8}"#.to_owned())).await;
    let refused = world.respond("call-1", true).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert_eq!(world.state("call-1").await, State::Pending);
    world.finish().await;
}

//! Law 1: shown = approved = executed, whatever somebody does to the table in between.

use placet_core::{Outcome, State};

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn nothing_runs_that_was_changed_after_it_was_approved() {
    let plan = json!({"executor": "function charge", "idempotent": true, "max_attempts": 5,
        "timeout": {"secs": 20, "nanos": 0}, "redrive": {"secs": 120, "nanos": 0}});
    let changes = [
        ("/content/call/kwargs", json!({"amount": 8})),
        ("/content/call/kwargs", json!({"amount": 7, "to": "me"})),
        ("/content/call/function", json!("charge")),
        ("/plan", plan),
        ("/digest", json!("0".repeat(64))),
    ];
    for (attribute, value) in changes {
        let world = World::start().await;
        world.approved("call-1", "charge_once").await;
        world.tamper("call-1", |stored| *stored.pointer_mut(attribute).unwrap() = value).await;
        world.work().await;
        assert_eq!(world.effects("call-1").await, 0, "{attribute}");
        if attribute != "/digest" {
            let operation = world.operation("call-1").await;
            assert_eq!(operation.state, State::Failed, "{attribute}");
            let Some(Outcome::Failure(failure)) = operation.outcome else { panic!("{attribute}") };
            assert_eq!(failure.code, "digest_mismatch", "{attribute}: {}", failure.message);
            assert!(failure.message.contains("changed"), "{}", failure.message);
            let page = world.get("/inbox/call-1").page().send().await;
            assert!(page.text.contains("not what was approved"), "{attribute}");
        }
        world.abandon();
    }
}

#[tokio::test]
async fn a_rewritten_history_is_found() {
    let world = World::start().await;
    world.approved("call-1", "charge_once").await;
    let forge = |stored: &mut Value| stored["history"][1]["detail"]["comment"] = json!("of course");
    world.tamper("call-1", forge).await;
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
    world.tamper("call-1", |stored| stored["content"]["call"]["kwargs"]["amount"] = json!(8)).await;
    let refused = world.respond("call-1", true).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert_eq!(world.state("call-1").await, State::Pending);
    world.finish().await;
}

//! Reminders and escalations at their times.

use std::time::Duration;

use placet_core::operation::State;
use serde_json::json;

use super::{UNKNOWN, every_event, id, last, types};
use crate::client::question;
use crate::receiver::Receiver;
use crate::world::World;

const MINUTE: Duration = Duration::from_secs(60);

/// A world whose operations are reminded of after 10 and 30 minutes, and escalated to `leads` after 20. `leads` lists
/// no event.
async fn world(receiver: &Receiver) -> World {
    World::building()
        .endpoint("app", receiver, &every_event())
        .endpoint("leads", receiver, "")
        .operation("plain", "{remind: []}")
        .defaults("remind: [10m, 30m], escalate: {after: 20m, to: leads}")
        .start()
        .await
}

#[tokio::test]
async fn reminders_and_the_escalation_come_at_their_times() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.create("call-1", UNKNOWN).await;
    world.work().await;
    world.later(9 * MINUTE).await;
    assert_eq!(receiver.received().len(), 1, "only the request");

    for _ in 0..4 {
        world.later(6 * MINUTE).await;
    }

    let mut all = types(&receiver);
    all.sort();
    let expected = ["escalated", "escalated", "reminded", "reminded", "requested"];
    assert_eq!(all, expected.map(|event| format!("function_call.{event}")));
    let paths: Vec<_> = receiver.received().iter().map(|one| one.path.clone()).collect();
    assert_eq!(paths.iter().filter(|path| *path == "/leads").count(), 1, "{paths:?}");
    let operation = world.operation("call-1").await;
    assert_eq!((operation.state, operation.escalated_to()), (State::Pending, Some("leads")));
    let page = world.page("/inbox/call-1").await.text;
    assert!(page.contains("nobody had decided, so it was escalated to leads"), "{page}");
    let webhooks = world.client().operation("function_call/call-1").await.webhooks;
    assert_eq!(webhooks.len(), 5, "{webhooks:?}");
    world.finish().await;
}

#[tokio::test]
async fn an_escalation_names_whom_it_goes_to() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.client().request_approval(&question("q-1", "Oak?")).await;
    world.work().await;
    world.later(11 * MINUTE).await;
    assert_eq!(last(&receiver)["event"]["waits_for"], "decision");
    world.later(10 * MINUTE).await;
    let event = last(&receiver);
    assert_eq!(event["type"], "human_contact.escalated");
    assert_eq!(event["event"]["escalation"], json!({"to": "leads", "people": []}));
    world.finish().await;
}

#[tokio::test]
async fn nothing_comes_after_the_decision() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.create("call-1", UNKNOWN).await;
    world.work().await;
    world.later(9 * MINUTE).await;
    world.respond("call-1", true).await;
    for _ in 0..5 {
        world.later(10 * MINUTE).await;
    }
    assert_eq!(types(&receiver), ["function_call.requested"]);
    assert_eq!(world.operation("call-1").await.header.version, 3, "created, children, decided");
    world.finish().await;
}

#[tokio::test]
async fn an_operation_can_have_no_reminders_of_its_own() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.create("call-1", "plain").await;
    world.later(11 * MINUTE).await;
    let operation = world.operation("call-1").await;
    assert_eq!((operation.reminders.len(), operation.reminded), (0, 0));
    assert!(operation.escalation.is_some(), "{:?}", id("call-1"));
    world.finish().await;
}

/// Before the escalation only Ana may decide; after it the group `leads` may, too.
#[tokio::test]
async fn an_escalation_to_a_group_lets_its_members_decide() {
    let receiver = Receiver::start().await;
    let world = World::building()
        .endpoint("app", &receiver, &format!("links: true, {}", every_event()))
        .operation("guarded", "{approvers: [ana], escalate: {after: 20m, to: leads}}")
        .sections("people:\n  ana: {}\n  bo: {}\n  cy: {}\ngroups: {leads: [bo, ana]}")
        .start()
        .await;
    world.create("call-1", "guarded").await;
    world.work().await;
    assert_eq!(world.operation("call-1").await.approvers.people, ["ana"]);
    let requested = last(&receiver)["event"].clone();
    assert!(requested.get("decision_link").is_none(), "an endpoint is nobody: {requested}");
    world.later(21 * MINUTE).await;

    assert_eq!(world.operation("call-1").await.approvers.people, ["ana", "bo"]);
    let expected = json!({"to": "leads", "people": ["bo", "ana"]});
    assert_eq!(last(&receiver)["event"]["escalation"], expected);
    world.finish().await;
}

//! Notifications of the events before and after a decision: of what, to whom, when, with which bytes.

mod crashes;
mod follow_up;
mod links;

use std::time::Duration;

use http::StatusCode;
use placet_core::delivery::State;
use placet_core::item::Rests;
use placet_core::operation::{Event, OperationId, State as Operation};
use serde_json::{Value, json};

use crate::client::question;
use crate::receiver::{Receiver, Reply};
use crate::world::{ENDPOINT_SECRET, KEY, PROJECT, World};

/// A function without an executor.
const UNKNOWN: &str = "nothing_runs_this";

/// The option `events` with all events of both kinds, but for the decision.
fn every_event() -> String {
    let events = Event::ALL.into_iter().filter(|event| *event != Event::Completed);
    let names = events.flat_map(|event| {
        ["function_call", "human_contact"].map(|kind| format!("v1beta2.{kind}.{event}"))
    });
    format!("events: [{}]", names.collect::<Vec<_>>().join(", "))
}

async fn world(receiver: &Receiver) -> World {
    World::building().endpoint("app", receiver, &every_event()).start().await
}

fn id(call_id: &str) -> OperationId {
    OperationId::call(PROJECT, call_id)
}

/// Escalates `call-1` through HumanLayer's API.
async fn escalate(world: &World) {
    let path = "/humanlayer/v1/agent/function_calls/call-1/escalate_email";
    let body = json!({"escalation_msg": "the saw stands still"});
    let escalated = world.post(path).key(KEY).json(&body).send().await;
    assert_eq!(escalated.status, StatusCode::OK, "{}", escalated.text);
}

/// The types of the received events in the order of their arrival.
fn types(receiver: &Receiver) -> Vec<String> {
    let kind = |body: &[u8]| {
        let event: Value = serde_json::from_slice(body).unwrap();
        event["type"].as_str().unwrap().to_owned()
    };
    receiver.received().iter().map(|one| kind(&one.body)).collect()
}

/// The last received event.
fn last(receiver: &Receiver) -> Value {
    serde_json::from_slice(&receiver.received().last().unwrap().body).unwrap()
}

#[tokio::test]
async fn a_request_of_either_kind_notifies_once() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.create("call-1", UNKNOWN).await;
    world.create("call-1", UNKNOWN).await;
    world.client().request_approval(&question("q-1", "Which disk?")).await;

    world.settle().await;

    assert_eq!(types(&receiver), ["function_call.requested", "human_contact.requested"]);
    for request in receiver.received() {
        world.signed_id(&request, ENDPOINT_SECRET);
    }
    let event = &last(&receiver)["event"];
    assert_eq!(event["spec"]["msg"], "Which disk?");
    assert_eq!(event["status"].as_object().unwrap().len(), 1, "only requested_at: {event}");
    assert_eq!(event["page"], "http://127.0.0.1:8000/inbox/questions/q-1");
    assert!(event.get("decision_link").is_none(), "{event}");
    world.finish().await;
}

#[tokio::test]
async fn the_bare_format_and_an_endpoint_without_events_get_only_what_they_got() {
    let receiver = Receiver::start().await;
    let bare = "events: [function_call.completed]";
    let world = World::building().endpoint("app", &receiver, bare).endpoint("audit", &receiver, "");
    let world = world.start().await;
    world.create("call-1", "charge").await;
    world.work().await;
    assert_eq!(receiver.received().len(), 0);
    world.later(Duration::from_secs(2 * 3600)).await;
    world.settle().await;
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(last(&receiver)["status"]["unanswered"], "expired");
    world.finish().await;
}

#[tokio::test]
async fn an_expiry_is_sent_as_completed_and_as_expired() {
    let receiver = Receiver::start().await;
    let events = "events: [v1beta3.function_call.completed, v1beta2.function_call.expired]";
    let world = World::building().endpoint("app", &receiver, events).start().await;
    world.create("call-1", UNKNOWN).await;
    world.later(Duration::from_secs(25 * 3600)).await;

    let mut all = types(&receiver);
    all.sort();
    assert_eq!(all, ["function_call.completed", "function_call.expired"]);
    assert_eq!(world.operation("call-1").await.header.rests, Rests::Nothing);
    world.finish().await;
}

/// The executor answers 400, which is a failure; then 500, whose outcome is unknown.
#[tokio::test]
async fn a_failure_and_an_unknown_outcome_notify_with_their_reason() {
    for (status, state, kind) in [
        (400, Operation::Failed, "function_call.failed"),
        (500, Operation::Unknown, "function_call.unknown"),
    ] {
        let receiver = Receiver::start().await;
        let executor = Receiver::start().await;
        executor.answers([Reply::Status(status)]);
        let world = World::building().endpoint("app", &receiver, &every_event());
        let world = world.executor("refund", &executor).start().await;
        world.approved("call-1", "refund").await;
        world.work().await;

        assert_eq!(world.state("call-1").await, state);
        assert_eq!(types(&receiver), ["function_call.requested", kind]);
        let failure = &last(&receiver)["event"]["failure"];
        assert!(failure["code"].is_string() && failure["message"].is_string(), "{failure}");
        world.finish().await;
    }
}

#[tokio::test]
async fn an_expired_lease_and_each_day_of_an_unknown_outcome_notify() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.approved("call-1", "panics").await;
    world.settle().await;
    assert_eq!(world.state("call-1").await, Operation::Unknown);
    for day in 1..=2 {
        world.later(Duration::from_secs(24 * 3600 + 60)).await;
        let event = last(&receiver);
        assert_eq!(event["type"], "function_call.reminded");
        assert_eq!(
            (&event["event"]["number"], &event["event"]["waits_for"]),
            (&json!(day), &json!("settlement"))
        );
    }
    world.finish().await;
}

#[tokio::test]
async fn a_blocked_operation_notifies_once() {
    let receiver = Receiver::start().await;
    let url = format!("http://127.0.0.1:{}/run", receiver.port);
    let executor = format!("{{executor: {{http: {{url: '{url}', secret: env:MISSING}}}}}}");
    let world = World::building().endpoint("app", &receiver, &every_event());
    let world = world.operation("refund", &executor).start().await;
    world.approved("call-1", "refund").await;
    world.work().await;
    for _ in 0..3 {
        world.later(Duration::from_secs(600)).await;
    }

    assert_eq!(world.state("call-1").await, Operation::Blocked);
    assert_eq!(types(&receiver), ["function_call.requested", "function_call.blocked"]);
    world.abandon();
}

#[tokio::test]
async fn an_escalation_through_the_api_notifies_each_time() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.create("call-1", UNKNOWN).await;
    for number in 1..=2 {
        escalate(&world).await;
        world.work().await;
        let event = last(&receiver);
        assert_eq!(event["type"], "function_call.escalated");
        assert_eq!(event["event"]["number"], number);
        assert_eq!(event["event"]["escalation"]["message"], "the saw stands still");
    }
    world.finish().await;
}

/// The endpoint is down when the operation is requested, and back after the decision.
#[tokio::test]
async fn a_retry_after_the_decision_sends_the_same_bytes_under_the_same_id() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Status(500)]);
    world.create("call-1", UNKNOWN).await;
    world.work().await;
    world.respond("call-1", true).await;

    world.settle().await;

    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    let sent = world.notification_of("app", &id("call-1"), Event::Requested, 1).await.unwrap();
    assert_eq!((sent.state, sent.attempts), (State::Delivered, 2));
    world.finish().await;
}

#[tokio::test]
async fn the_api_shows_each_notification_with_its_event() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Status(500)]);
    world.create("call-1", UNKNOWN).await;
    let get = async || {
        let reply = world.get("/v1/operations/function_call/call-1").key(KEY).send();
        serde_json::from_str::<Value>(&reply.await.text).unwrap()["webhooks"].clone()
    };
    let shown = get().await;
    assert_eq!(
        (&shown[0]["event_type"], &shown[0]["state"]),
        (&json!("v1beta2.function_call.requested"), &Value::Null)
    );
    world.work().await;
    let shown = get().await;
    assert_eq!(shown.as_array().unwrap().len(), 1);
    assert_eq!((&shown[0]["number"], &shown[0]["state"]), (&json!(1), &json!("pending")));

    let listed = world.client().deliveries("").await.items.remove(0);
    assert_eq!(listed.id, shown[0]["delivery_id"]);
    assert_eq!(listed.event_type, "v1beta2.function_call.requested");
    let delivery = world.client().delivery(&listed.id).await;
    assert_eq!(delivery.other["operation"], "function_call/call-1");
    let body = receiver.received().remove(0).body;
    assert_eq!(delivery.other["body"], String::from_utf8(body.to_vec()).unwrap());
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_test_event_of_each_type_is_marked() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.client().test_endpoint("app", "").await.is(StatusCode::ACCEPTED);

    world.work().await;

    let received = receiver.received();
    assert_eq!(received.len(), 14);
    for one in &received {
        let event: Value = serde_json::from_slice(&one.body).unwrap();
        assert_eq!(event["is_test"], true, "{event}");
    }
    world.finish().await;
}

//! Notifications of decisions to endpoints, for every channel of a decision and after every crash.

mod api;

use std::time::Duration;

use http::StatusCode;
use placet_core::delivery::State;
use placet_core::item::Rests;
use placet_core::operation::{OperationId, OperationKind};
use serde_json::{Value, json};

use crate::client::{Draft, call, question};
use crate::crash::at_every_call;
use crate::receiver::{Receiver, Reply};
use crate::webhooks::completed;
use crate::world::{ENDPOINT_SECRET, OTHER, PROJECT, World};

const BOTH: &str = "v1beta2.function_call.completed, v1beta2.human_contact.completed";

/// A function without an executor: the requester runs it after the approval.
const UNKNOWN: &str = "nothing_runs_this";

/// A world with an endpoint `app` that is notified of these events, and an endpoint of another project.
async fn world(receiver: &Receiver, events: &str) -> World {
    let theirs = format!("project: {OTHER}, events: [function_call.completed]");
    World::building()
        .endpoint("app", receiver, &format!("events: [{events}]"))
        .endpoint("theirs", receiver, &theirs)
        .start()
        .await
}

fn disk(call_id: &str) -> Draft {
    question(call_id, "Which disk?")
        .with("state", json!({"n": 1}))
        .with("response_options", json!([{"name": "b", "title": "sdb"}]))
}

fn id_of(call_id: &str) -> OperationId {
    OperationId::call(PROJECT, call_id)
}

/// Creates and decides a call without an executor.
async fn decided(world: &World, call_id: &str) {
    world.approved(call_id, UNKNOWN).await;
    world.work().await;
}

/// The only received event, with its signature checked.
fn event(world: &World, receiver: &Receiver) -> Value {
    let received = receiver.received();
    assert_eq!(received.len(), 1, "{received:?}");
    world.signed_id(&received[0], ENDPOINT_SECRET);
    serde_json::from_slice(&received[0].body).unwrap()
}

#[tokio::test]
async fn each_format_equals_that_of_humanlayers_cloud() {
    for (events, enveloped, beta3) in [
        ("function_call.completed", false, false),
        ("v1beta2.function_call.completed", true, false),
        ("v1beta3.function_call.completed", true, true),
    ] {
        let receiver = Receiver::start().await;
        let world = world(&receiver, events).await;
        world.create("call-1", UNKNOWN).await;
        world.respond("call-1", false).await;
        assert_eq!(receiver.received().len(), 0, "the worker has not run yet");

        world.work().await;

        let mut shown = world.client().function_call("call-1").await;
        if beta3 {
            shown["contact_channel_id"] = Value::Null;
        }
        let expected = match enveloped {
            false => shown,
            true => json!({"is_test": false, "type": "function_call.completed", "event": shown}),
        };
        assert_eq!(event(&world, &receiver), expected, "{events}");
        world.finish().await;
    }
}

#[tokio::test]
async fn the_notification_of_an_answer_holds_the_requesters_state() {
    let receiver = Receiver::start().await;
    let world = world(&receiver, BOTH).await;
    world.client().request_approval(&disk("q-1")).await;
    let answered = world.client().answer("q-1", &json!({"response_option_name": "b"})).await;
    assert_eq!(answered.status, StatusCode::OK);

    world.work().await;

    let event = event(&world, &receiver);
    assert_eq!(event["type"], "human_contact.completed");
    assert_eq!(event["event"], world.client().contact_request("q-1").await);
    assert_eq!(event["event"]["status"]["response"], "sdb");
    assert_eq!(event["event"]["spec"]["state"], json!({"n": 1}));
    world.finish().await;
}

#[tokio::test]
async fn a_decision_through_any_channel_notifies_once() {
    for channel in ["api", "inbox", "webhook", "deadline"] {
        let receiver = Receiver::start().await;
        let world = world(&receiver, BOTH).await;
        world.create("call-1", UNKNOWN).await;
        match channel {
            "api" => drop(world.respond("call-1", true).await),
            "inbox" => drop(world.decide_in_inbox("call-1", "deny").await),
            "webhook" => {
                world.deliver("msg_1", &completed(&call("call-1", UNKNOWN), true)).await;
            }
            _ => world.later(Duration::from_secs(25 * 3600)).await,
        }

        world.work().await;

        let shown = world.client().function_call("call-1").await;
        assert!(shown["status"]["approved"].is_boolean(), "{channel}");
        assert_eq!(event(&world, &receiver)["event"], shown, "{channel}");
        let header = world.operation("call-1").await.header;
        assert_eq!((header.children.len(), header.rests), (0, Rests::Nothing), "{channel}");
        world.settle().await;
        assert_eq!(receiver.received().len(), 1, "{channel}");
        world.finish().await;
    }
}

#[tokio::test]
async fn nobody_is_notified_before_a_decision_or_of_another_project() {
    let receiver = Receiver::start().await;
    let world = world(&receiver, "human_contact.completed").await;
    decided(&world, "call-1").await;
    world.client().request_approval(&disk("q-1")).await;

    world.settle().await;

    assert_eq!(receiver.received().len(), 0);
    let header = world.operation("call-1").await.header;
    assert_eq!(
        (header.version, header.rests),
        (2, Rests::Nothing),
        "without a recipient nothing is written"
    );
    world.finish().await;
}

#[tokio::test]
async fn a_call_and_a_question_with_the_same_id_are_two_operations() {
    let receiver = Receiver::start().await;
    let world = world(&receiver, BOTH).await;
    world.create("x", UNKNOWN).await;
    world.client().request_approval(&disk("x")).await;
    world.respond("x", true).await;
    world.client().answer("x", &json!({"response": "sdb"})).await;

    world.work().await;

    let mut types: Vec<String> = receiver
        .received()
        .iter()
        .map(|one| serde_json::from_slice::<Value>(&one.body).unwrap()["type"].to_string())
        .collect();
    types.sort();
    assert_eq!(types, [r#""function_call.completed""#, r#""human_contact.completed""#]);
    for kind in OperationKind::ALL {
        let sent = world.notification("app", &OperationId::new(PROJECT, kind, "x")).await;
        assert_eq!(sent.unwrap().state, State::Delivered);
    }
    world.finish().await;
}

#[tokio::test]
async fn a_crash_at_any_call_loses_no_notification_and_runs_nothing_twice() {
    at_every_call(async |plan| {
        let receiver = Receiver::start().await;
        let world = world(&receiver, BOTH).await;
        world.create("call-1", "charge").await;
        world.create("call-2", UNKNOWN).await;
        let work = async {
            world.respond("call-1", true).await;
            world.respond("call-2", false).await;
            world.work().await;
        };
        let crashed = world.crashes(plan, work).await;
        world.nothing_is_forgotten().await;
        for (call_id, approved) in [("call-1", true), ("call-2", false)] {
            world.respond(call_id, approved).await;
        }
        world.settle().await;
        assert_eq!(world.effects("call-1").await, 1, "{plan:?}");
        let mut expected = Vec::new();
        for call_id in ["call-1", "call-2"] {
            let sent = world.notification("app", &id_of(call_id)).await.unwrap();
            assert_eq!(sent.state, State::Delivered, "{plan:?} {call_id}");
            assert_eq!(world.operation(call_id).await.header.rests, Rests::Nothing, "{plan:?}");
            expected.push(sent.header.id);
        }
        let received = receiver.received();
        let mut ids: Vec<_> =
            received.iter().map(|one| one.header("webhook-id").unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        expected.sort();
        assert_eq!(ids, expected, "{plan:?}: all copies have the same id");
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_fails_or_redirects_delays_nothing_and_is_notified_by_schedule() {
    let moved = Reply::Header(302, "location", "/another");
    for reply in [Reply::Status(500), moved, Reply::Status(404)] {
        let receiver = Receiver::start().await;
        let world = world(&receiver, BOTH).await;
        receiver.answers([reply.clone()]);
        world.approved("call-1", "charge").await;

        world.work().await;

        assert_eq!(world.effects("call-1").await, 1, "{reply:?}");
        let waiting = world.notification("app", &id_of("call-1")).await.unwrap();
        assert_eq!((waiting.state, waiting.attempts), (State::Pending, 1), "{reply:?}");
        let listed = world.client().deliveries("").await.items.remove(0);
        assert_eq!(listed.id, waiting.header.id, "{reply:?}");
        assert_eq!(listed.event_type, "v1beta2.function_call.completed");
        world.settle().await;
        let sent = world.notification("app", &id_of("call-1")).await.unwrap();
        assert_eq!((sent.state, sent.attempts), (State::Delivered, 2), "{reply:?}");
        let received = receiver.received();
        assert_eq!(received.len(), 2);
        assert_eq!(received[0].body, received[1].body);
        assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
        assert!(received.iter().all(|one| one.path == "/app"));
        world.finish().await;
    }
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_and_no_longer_notified() {
    let receiver = Receiver::start().await;
    let world = world(&receiver, BOTH).await;
    receiver.answers([Reply::Status(410)]);
    for call_id in ["call-1", "call-2"] {
        decided(&world, call_id).await;
        let ended = world.notification("app", &id_of(call_id)).await.unwrap();
        assert_eq!(ended.state, State::Failed, "{call_id}");
    }
    assert_eq!(receiver.received().len(), 1);

    let id = world.notification("app", &id_of("call-2")).await.unwrap().header.id;
    assert_eq!(world.client().enable_endpoint("app").await.ok().state, "enabled");
    world.client().redeliver(&id).await.is(StatusCode::ACCEPTED);
    world.work().await;

    assert_eq!(receiver.received().len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn a_notification_that_was_accepted_at_once_is_not_listed_and_can_be_sent_again() {
    let receiver = Receiver::start().await;
    let world = world(&receiver, BOTH).await;
    let client = world.client();
    decided(&world, "call-1").await;
    let id = world.notification("app", &id_of("call-1")).await.unwrap().header.id;
    assert!(client.deliveries("").await.items.is_empty());
    let shown = client.delivery(&id).await;
    assert_eq!(shown.state, "delivered");
    assert_eq!(shown.other["operation"], "function_call/call-1");

    client.redeliver(&id).await.is(StatusCode::ACCEPTED);
    world.work().await;

    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(client.deliveries("").await.items[0].id, id);
    world.finish().await;
}

//! A call takes effect, its reply is lost, and the SDK sends the call again. The engine recognises every
//! repeated write of a delivery as our own, so nothing is sent or recorded twice.

use std::time::Duration;

use futures_util::future::join_all;
use placet_core::delivery::State;
use placet_core::operation::{self, OperationId};
use placet_local::faults::{CallRecord, Plan};

use super::{send, wait, world};
use crate::crash::with_lost_replies;
use crate::receiver::{Receiver, Reply};
use crate::world::{PROJECT, World};

/// A webhook is accepted, and two attempts are made and recorded.
#[tokio::test]
async fn a_webhook_is_accepted_and_each_attempt_recorded_once() {
    with_lost_replies(async |plan| {
        let receiver = Receiver::start().await;
        let world = world(&receiver).await;
        receiver.answers([Reply::Status(500)]);

        let everything = async {
            let id = send(&world, "billing", "one").await;
            world.work().await;
            world.advance(wait(&world, &id).await + Duration::from_secs(1));
            world.work().await;
            id
        };
        let (id, calls) = world.traced(plan, everything).await;

        let sent = world.delivery(&id).await;
        assert_eq!((sent.state, sent.attempts), (State::Delivered, 2), "{plan:?}");
        assert_eq!(sent.header.version, 3, "{plan:?}");
        assert_eq!(receiver.received().len(), 2, "{plan:?}");
        world.finish().await;
        calls
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_and_the_delivery_recorded_once() {
    with_lost_replies(async |plan| {
        let receiver = Receiver::start().await;
        let world = world(&receiver).await;
        receiver.answers([Reply::Status(410)]);
        let id = send(&world, "billing", "one").await;

        let (_, calls) = world.traced(plan, world.work()).await;

        let ended = world.delivery(&id).await;
        assert_eq!((ended.state, ended.header.version), (State::Failed, 2), "{plan:?}");
        let store = &world.system.runtime.engine.store;
        assert!(store.endpoint(PROJECT, "billing").await.unwrap().disabled.is_some(), "{plan:?}");
        world.finish().await;
        calls
    })
    .await;
}

#[tokio::test]
async fn a_redelivery_is_accepted_and_made_once() {
    with_lost_replies(async |plan| {
        let receiver = Receiver::start().await;
        let world = world(&receiver).await;
        let id = send(&world, "billing", "one").await;
        world.work().await;

        let client = world.client();
        let (redelivered, calls) = world.traced(plan, client.redeliver(&id)).await;

        redelivered.is(http::StatusCode::ACCEPTED);
        world.settle().await;
        let sent = world.delivery(&id).await;
        assert_eq!((sent.header.version, sent.attempts), (4, 2), "{plan:?}");
        assert_eq!(receiver.received().len(), 2, "{plan:?}");
        world.finish().await;
        calls
    })
    .await;
}

#[tokio::test]
async fn a_notification_that_is_accepted_at_once_is_stored_once() {
    with_lost_replies(async |plan| {
        let receiver = Receiver::start().await;
        let calls = notified(&receiver, plan, 1).await;
        assert_eq!(receiver.received().len(), 1, "{plan:?}");
        calls
    })
    .await;
}

/// The replies of the endpoint come after a second of real time, so all scenarios run at the same time.
#[tokio::test]
async fn a_notification_that_is_accepted_late_is_stored_and_recorded_once() {
    let slow = async |call: usize| {
        let receiver = Receiver::start().await;
        receiver.answers([Reply::After(Duration::from_millis(1100), 200)]);
        let calls = notified(&receiver, Plan::Repeat(call), 2).await;
        assert_eq!(receiver.received().len(), 1, "call {call}");
        calls.iter().filter(|call| call.changes()).count()
    };
    let changes = join_all((0..16).map(slow)).await;
    assert!(changes.iter().all(|changes| (6..16).contains(changes)), "{changes:?}");
}

/// Decides, notifies and runs a call with this fault. Returns the calls of the worker.
async fn notified(receiver: &Receiver, plan: Plan, version: u64) -> Vec<CallRecord> {
    let events = "events: [function_call.completed]";
    let world = World::building().endpoint("app", receiver, events).start().await;
    world.create("call-1", "charge").await;

    let everything = async {
        world.respond("call-1", true).await;
        world.work().await;
    };
    let ((), calls) = world.traced(plan, everything).await;

    let sent = world.notification("app", &OperationId::call(PROJECT, "call-1")).await.unwrap();
    assert_eq!((sent.state, sent.attempts), (State::Delivered, 1), "{plan:?}");
    assert_eq!(sent.header.version, version, "{plan:?}");
    assert_eq!(world.ended("call-1").await, (operation::State::Succeeded, 1), "{plan:?}");
    // The versions: created, decided, started, finished.
    assert_eq!(world.operation("call-1").await.header.version, 4, "{plan:?}");
    world.finish().await;
    calls
}

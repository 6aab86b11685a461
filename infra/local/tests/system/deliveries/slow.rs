//! A notification waits for the response of the endpoint for a second of real time before it is stored. A
//! slower endpoint delays nothing.

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::delivery;
use placet_core::item::Item;
use placet_core::operation::{OperationId, State};

use crate::receiver::{Receiver, Reply};
use crate::world::{PROJECT, World};

const EVENTS: &str = "events: [function_call.completed]";

async fn world(receiver: &Receiver) -> World {
    World::building().endpoint("app", receiver, EVENTS).start().await
}

async fn notification(world: &World, endpoint: &str, call_id: &str) -> Item<delivery::Delivery> {
    let stored = world.notification(endpoint, &OperationId::call(PROJECT, call_id)).await;
    stored.unwrap_or_else(|| panic!("the notification of {call_id} is not stored"))
}

/// Waits until the call has succeeded. The caller runs the worker at the same time.
async fn succeeded(world: &World, call_id: &str) {
    let succeeds = async {
        while world.state(call_id).await != State::Succeeded {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), succeeds).await.unwrap();
}

#[tokio::test]
async fn a_slow_endpoint_does_not_delay_its_operation() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Held(200)]);
    world.approved("call-1", "charge").await;

    let meanwhile = async {
        receiver.reached(1).await;
        succeeded(&world, "call-1").await;
        let waiting = notification(&world, "app", "call-1").await;
        assert_eq!((waiting.state, waiting.attempts), (delivery::State::Pending, 0));
        world.nothing_is_forgotten().await;
        receiver.release();
    };
    let (report, ()) = tokio::join!(world.work(), meanwhile);

    assert_eq!(report.failed, 0);
    let sent = notification(&world, "app", "call-1").await;
    assert_eq!((sent.state, sent.attempts), (delivery::State::Delivered, 1));
    assert_eq!((receiver.received().len(), world.effects("call-1").await), (1, 1));
    world.finish().await;
}

#[tokio::test]
async fn a_slow_endpoint_delays_no_other_endpoint() {
    let (quick, slow) = (Receiver::start().await, Receiver::start().await);
    let world = World::building()
        .endpoint("slow", &slow, EVENTS)
        .endpoint("quick", &quick, EVENTS)
        .start()
        .await;
    slow.answers([Reply::Held(200)]);
    world.approved("call-1", "charge").await;
    world.faults.reset();

    let meanwhile = async {
        slow.reached(1).await;
        succeeded(&world, "call-1").await;
        slow.release();
    };
    tokio::join!(world.work(), meanwhile);

    let (first, second) = (
        notification(&world, "quick", "call-1").await,
        notification(&world, "slow", "call-1").await,
    );
    let calls = world.faults.calls();
    let stored = |id: &str| {
        let names = |request: &[u8]| String::from_utf8_lossy(request).contains(id);
        calls.iter().position(|call| call.operation == "PutItem" && names(&call.request)).unwrap()
    };
    assert!(stored(&first.header.id) < stored(&second.header.id));
    assert_eq!((first.header.version, first.state), (1, delivery::State::Delivered));
    assert_eq!((second.header.version, second.state), (2, delivery::State::Delivered));
    world.finish().await;
}

#[tokio::test]
async fn a_slow_endpoint_delays_no_other_record() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Held(200)]);
    world.approved("slow", "charge").await;

    let meanwhile = async {
        receiver.reached(1).await;
        world.approved("quick", "charge").await;
        world.work().await;
        assert_eq!(world.ended("quick").await, (State::Succeeded, 1));
        let sent = notification(&world, "app", "quick").await;
        assert_eq!(sent.state, delivery::State::Delivered);
        receiver.release();
    };
    tokio::join!(world.work(), meanwhile);

    assert_eq!(world.ended("slow").await, (State::Succeeded, 1));
    assert_eq!(notification(&world, "app", "slow").await.state, delivery::State::Delivered);
    assert_eq!(receiver.received().len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn an_attempt_that_ends_without_an_answer_is_recorded_later() {
    let receiver = Receiver::start().await;
    let members = format!("{EVENTS}, timeout: 1100ms");
    let world = World::building().endpoint("app", &receiver, &members).start().await;
    receiver.answers([Reply::Silence]);
    world.approved("call-1", "charge").await;

    world.work().await;

    assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
    let waiting = notification(&world, "app", "call-1").await;
    assert_eq!((waiting.state, waiting.attempts), (delivery::State::Pending, 1));
    assert!(waiting.log[0].duration_ms >= 1100 && waiting.log[0].error.is_some());
    let wait = waiting.not_before.since(world.clock.now());
    assert!(wait <= Duration::from_secs(6), "not the first pause of the schedule: {wait:?}");
    world.settle().await;
    let sent = notification(&world, "app", "call-1").await;
    assert_eq!((sent.state, sent.attempts), (delivery::State::Delivered, 2));
    world.finish().await;
}

/// The result of the first attempt is unknown. The next attempt waits until the first has surely ended.
#[tokio::test]
async fn another_worker_makes_the_next_attempt_if_this_one_is_stopped() {
    let receiver = Receiver::start().await;
    let members = format!("{EVENTS}, timeout: 5s");
    let world = World::building().endpoint("app", &receiver, &members).start().await;
    receiver.answers([Reply::Silence]);
    world.approved("call-1", "charge").await;

    tokio::select! {
        _ = world.work() => panic!("the endpoint never answers"),
        () = succeeded(&world, "call-1") => {}
    }

    let waiting = notification(&world, "app", "call-1").await;
    assert_eq!((waiting.state, waiting.attempts), (delivery::State::Pending, 0));
    let until: Timestamp = world.clock.now().plus(Duration::from_secs(15));
    assert_eq!(waiting.not_before, until, "the timeout of the attempt and a margin");
    world.nothing_is_forgotten().await;
    world.settle().await;
    let sent = notification(&world, "app", "call-1").await;
    assert_eq!((sent.state, sent.attempts), (delivery::State::Delivered, 1));
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    world.finish().await;
}

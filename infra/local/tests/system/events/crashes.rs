//! A crash at any call leaves nobody without a notification, and sends none twice under two ids.

use std::time::Duration;

use placet_core::delivery::State;
use placet_core::operation::{Event, Notice};

use super::{UNKNOWN, every_event, id};
use crate::crash::at_every_call;
use crate::receiver::Receiver;
use crate::world::{KEY, World};

const FOLLOWED: &str = "{remind: [10m], escalate: {after: 20m, to: app}}";

/// Runs `before`, then `flow` with a crash at one call after the other. Afterwards every occurrence of every event
/// in the history of `call-1` has one delivery, these events took place, and the endpoint got nothing else.
async fn survives(
    events: &[Event],
    before: impl AsyncFn(&World),
    flow: impl AsyncFn(&World),
    again: impl AsyncFn(&World),
) {
    at_every_call(async |plan| {
        let receiver = Receiver::start().await;
        let world = World::building()
            .endpoint("app", &receiver, &every_event())
            .operation("followed", FOLLOWED)
            .operation("blocked", "{executor: {function: not_compiled_in}}")
            .start()
            .await;
        before(&world).await;
        let crashed = world.crashes(plan, flow(&world)).await;
        again(&world).await;
        world.settle().await;

        let operation = world.operation("call-1").await;
        for event in events {
            assert!(operation.times(*event) > 0, "{plan:?}: {event} did not take place");
        }
        let mut expected = Vec::new();
        for event in Event::ALL.into_iter().filter(|event| *event != Event::Completed) {
            for number in 1..=operation.times(event) {
                let sent = world.notification_of("app", &id("call-1"), event, number).await;
                let sent = sent.unwrap_or_else(|| panic!("{plan:?}: {event} {number} is lost"));
                assert_eq!(sent.state, State::Delivered, "{plan:?}: {event} {number}");
                expected.push(Notice::delivery_id("app", &id("call-1"), event, number));
            }
        }
        let received = receiver.received();
        let mut ids: Vec<_> =
            received.iter().map(|one| one.header("webhook-id").unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        expected.sort();
        assert_eq!(ids, expected, "{plan:?}: all copies have the same id");
        world.nothing_is_forgotten().await;
        world.finish().await;
        crashed
    })
    .await;
}

async fn nothing(_: &World) {}

async fn requested(world: &World, function: &str) {
    world.create("call-1", function).await;
    world.work().await;
}

/// Time passes, so that the timer repeats what was lost.
async fn time_passes(world: &World) {
    for _ in 0..3 {
        world.later(Duration::from_secs(16 * 60)).await;
    }
}

#[tokio::test]
async fn of_a_request() {
    let create = async |world: &World| requested(world, UNKNOWN).await;
    survives(&[Event::Requested], nothing, create, create).await;
}

#[tokio::test]
async fn of_a_reminder_and_an_escalation_that_are_due() {
    let before = async |world: &World| requested(world, "followed").await;
    let flow = async |world: &World| {
        world.later(Duration::from_secs(601)).await;
        world.later(Duration::from_secs(600)).await;
    };
    survives(&[Event::Reminded, Event::Escalated], before, flow, time_passes).await;
}

#[tokio::test]
async fn of_an_escalation_through_the_api() {
    let before = async |world: &World| requested(world, UNKNOWN).await;
    let escalate = async |world: &World| {
        super::escalate(world).await;
        world.work().await;
    };
    survives(&[Event::Escalated], before, escalate, escalate).await;
}

#[tokio::test]
async fn of_an_expiry() {
    let before = async |world: &World| requested(world, UNKNOWN).await;
    let flow = async |world: &World| world.later(Duration::from_secs(25 * 3600)).await;
    survives(&[Event::Expired], before, flow, time_passes).await;
}

#[tokio::test]
async fn of_an_unknown_outcome() {
    let before = async |world: &World| {
        requested(world, "panics").await;
        world.respond("call-1", true).await;
    };
    let flow = async |world: &World| {
        world.work().await;
    };
    survives(&[Event::Unknown], before, flow, time_passes).await;
}

#[tokio::test]
async fn of_a_reminder_of_an_unknown_outcome() {
    let before = async |world: &World| {
        requested(world, "panics").await;
        world.respond("call-1", true).await;
        world.settle().await;
    };
    let flow = async |world: &World| world.later(Duration::from_secs(24 * 3600 + 60)).await;
    survives(&[Event::Unknown, Event::Reminded], before, flow, time_passes).await;
}

#[tokio::test]
async fn of_a_block_and_a_failure() {
    let before = async |world: &World| {
        requested(world, "blocked").await;
        world.respond("call-1", true).await;
    };
    let settle = async |world: &World| {
        let digest = world.operation("call-1").await.digest.to_string();
        let body =
            serde_json::json!({"settlement": "did_not_happen", "digest": digest, "attempt": 0});
        let path = "/v1/operations/function_call/call-1/settle";
        world.post(path).key(KEY).json(&body).send().await;
        world.work().await;
    };
    let flow = async |world: &World| {
        world.work().await;
        settle(world).await;
    };
    let again = async |world: &World| {
        time_passes(world).await;
        settle(world).await;
    };
    survives(&[Event::Blocked, Event::Failed], before, flow, again).await;
}

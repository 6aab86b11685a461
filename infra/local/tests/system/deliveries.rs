//! Signed webhooks to endpoints: they are sent, retried by schedule and never lost.

mod api;
mod attempts;
mod crashes;
mod lost_replies;
mod slow;

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use placet_core::delivery::State;
use placet_runtime::NewDelivery;

use crate::receiver::{Receiver, Reply};
use crate::webhooks::noise;
use crate::world::{Building, ENDPOINT_SECRET, PROJECT, WEBHOOK_SECRET, World};

fn building(receiver: &Receiver) -> Building {
    World::building()
        .endpoint("billing", receiver, "secrets: [env:ENDPOINT, env:PLACET_SECRET_HUMANLAYER]")
        .endpoint("shipping", receiver, "")
}

async fn world(receiver: &Receiver) -> World {
    building(receiver).start().await
}

fn new(endpoint: &str, key: &str, body: impl Into<Bytes>) -> NewDelivery {
    NewDelivery {
        project: PROJECT.to_owned(),
        endpoint: endpoint.to_owned(),
        key: key.to_owned(),
        event_type: "order.paid".to_owned(),
        content_type: "application/json".to_owned(),
        body: body.into(),
    }
}

/// Accepts a webhook for delivery and returns the id of the delivery.
async fn send(world: &World, endpoint: &str, key: &str) -> String {
    let new = new(endpoint, key, r#"{"amount":7}"#);
    world.system.runtime.send_webhook(new).await.unwrap().header.id
}

/// The time until the next attempt. The delay of its message is a second longer.
async fn wait(world: &World, id: &str) -> Duration {
    world.delivery(id).await.not_before.since(world.clock.now())
}

/// Moves the clock until the worker makes the next attempt.
async fn next_attempt(world: &World, id: &str) {
    world.later(wait(world, id).await + Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_webhook_arrives_signed_with_each_secret_in_both_header_sets() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Body(202, b"thanks".to_vec())]);
    let id = send(&world, "billing", "one").await;
    assert_eq!(receiver.received().len(), 0, "the worker has not run yet");

    world.work().await;

    let received = receiver.received();
    assert_eq!((received.len(), received[0].path.as_str()), (1, "/billing"));
    assert_eq!(received[0].body, r#"{"amount":7}"#);
    assert_eq!(received[0].header("content-type"), Some("application/json"));
    for secret in [ENDPOINT_SECRET, WEBHOOK_SECRET] {
        assert_eq!(world.signed_id(&received[0], secret), id);
    }
    let delivery = world.client().delivery(&id).await;
    assert_eq!((delivery.state.as_str(), delivery.attempts), ("delivered", 1));
    assert_eq!((delivery.next_attempt_at, delivery.last_status), (None, Some(202)));
    assert_eq!(delivery.log[0].answer.as_deref(), Some("thanks"));
    world.finish().await;
}

#[tokio::test]
async fn the_same_key_is_one_delivery_and_another_endpoint_is_another() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let first = send(&world, "billing", "one").await;
    assert_eq!(send(&world, "billing", "one").await, first);
    assert_ne!(send(&world, "shipping", "one").await, first);
    world.work().await;
    assert_eq!(send(&world, "billing", "one").await, first);
    world.settle().await;
    assert_eq!(receiver.received().len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn a_webhook_to_an_unknown_endpoint_is_refused() {
    let world = World::start().await;
    let error = world.system.runtime.send_webhook(new("nowhere", "one", "")).await.unwrap_err();
    assert_eq!(error.to_string(), "placet.yaml has no endpoint nowhere in this project");
    world.finish().await;
}

#[tokio::test]
async fn a_payload_of_any_size_arrives_byte_for_byte() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    // The second is too large for the table.
    let payloads = [Bytes::new(), noise(640_000).into(), vec![b'a'; 1_000_000].into()];
    for (n, payload) in payloads.iter().enumerate() {
        let new = new("billing", &n.to_string(), payload.clone());
        world.system.runtime.send_webhook(new).await.unwrap();
        world.work().await;
    }
    let received: Vec<Bytes> = receiver.received().into_iter().map(|one| one.body).collect();
    assert!(received == payloads, "a payload has changed");
    world.finish().await;
}

#[tokio::test]
async fn a_failed_webhook_is_retried_by_schedule_under_the_same_id() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Status(500), Reply::Status(404)]);
    let id = send(&world, "billing", "one").await;
    world.work().await;
    for (attempts, seconds) in [(1, 5), (2, 300)] {
        // The worker makes no attempt before its time, also after a run of the timer.
        world.tick().await;
        world.work().await;
        assert_eq!(receiver.received().len(), attempts);
        assert_eq!(world.delivery(&id).await.state, State::Pending);
        let (wait, expected) = (wait(&world, &id).await, Duration::from_secs(seconds));
        assert!(wait * 5 >= expected * 4 && wait * 5 <= expected * 6, "{wait:?}");
        next_attempt(&world, &id).await;
    }
    let received = receiver.received();
    let ids: Vec<_> = received.iter().map(|one| one.header("webhook-id").unwrap()).collect();
    assert_eq!(ids, [&id, &id, &id]);
    assert_ne!(received[0].header("webhook-timestamp"), received[2].header("webhook-timestamp"));
    assert_eq!(world.delivery(&id).await.state, State::Delivered);
    world.finish().await;
}

#[tokio::test]
async fn a_delivery_has_failed_when_its_retries_are_exhausted_until_a_person_sends_it_again() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers(vec![Reply::Status(503); 9]);
    let begun = world.clock.now();
    let id = send(&world, "billing", "one").await;
    world.work().await;

    while world.delivery(&id).await.state == State::Pending {
        next_attempt(&world, &id).await;
    }

    assert_eq!(world.delivery(&id).await.state, State::Failed);
    assert_eq!(receiver.received().len(), 8);
    let hours = world.clock.now().since(begun).as_secs() / 3600;
    assert!((22..=34).contains(&hours), "{hours}");
    world.client().redeliver(&id).await.is(StatusCode::ACCEPTED);
    world.work().await;
    assert!(wait(&world, &id).await <= Duration::from_secs(6), "the schedule starts again");
    next_attempt(&world, &id).await;
    assert_eq!(world.delivery(&id).await.state, State::Delivered);
    world.finish().await;
}

#[tokio::test]
async fn a_person_can_send_a_failed_or_delivered_webhook_again() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Status(410)]);
    let id = send(&world, "billing", "one").await;
    world.work().await;
    assert_eq!(world.delivery(&id).await.state, State::Failed);
    world.client().enable_endpoint("billing").await.ok();

    for requests in [2, 3] {
        let redelivered = world.client().redeliver(&id).await.is(StatusCode::ACCEPTED);
        assert_eq!(redelivered.state, "pending");
        world.work().await;
        let received = receiver.received();
        assert_eq!(received.len(), requests);
        assert_eq!(world.signed_id(received.last().unwrap(), ENDPOINT_SECRET), id);
        assert_eq!(world.delivery(&id).await.state, State::Delivered);
    }
    world.finish().await;
}

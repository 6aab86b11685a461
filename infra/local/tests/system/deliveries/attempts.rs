//! Replies of endpoints to an attempt, and webhooks that are never sent.

use std::time::Duration;

use placet_core::delivery::State;
use placet_core::limits::LARGEST_ANSWER;

use super::{building, next_attempt, send, wait, world};
use crate::receiver::{Receiver, Reply};

#[tokio::test]
async fn an_attempt_at_a_silent_endpoint_times_out_and_is_retried() {
    let receiver = Receiver::start().await;
    let world = building(&receiver).endpoint("hasty", &receiver, "timeout: 200ms").start().await;
    receiver.answers([Reply::Silence]);
    let id = send(&world, "hasty", "one").await;

    world.work().await;

    let waiting = world.delivery(&id).await;
    assert_eq!((waiting.state, waiting.log[0].status), (State::Pending, None));
    assert!(waiting.log[0].duration_ms >= 200 && waiting.log[0].error.is_some());
    next_attempt(&world, &id).await;
    assert_eq!(world.delivery(&id).await.state, State::Delivered);
    assert_eq!(receiver.received().len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    for status in [301, 302, 303, 307, 308] {
        receiver.answers([Reply::Header(status, "location", "/another")]);
        let id = send(&world, "billing", &status.to_string()).await;
        world.work().await;
        let waiting = world.delivery(&id).await;
        assert_eq!((waiting.state, waiting.log[0].status), (State::Pending, Some(status)));
        next_attempt(&world, &id).await;
    }
    let received = receiver.received();
    assert_eq!(received.len(), 10);
    assert!(received.iter().all(|one| one.path == "/billing"));
    world.finish().await;
}

#[tokio::test]
async fn the_next_attempt_waits_as_long_as_the_endpoint_requests() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    for (status, asked, hours) in [(429, "7200", 2), (503, "999999999", 24)] {
        receiver.answers([Reply::Header(status, "retry-after", asked)]);
        let id = send(&world, "billing", asked).await;
        world.work().await;
        let before = receiver.received().len();
        assert_eq!(wait(&world, &id).await, Duration::from_secs(hours * 3600));

        world.later(Duration::from_secs(hours * 3600) - Duration::from_millis(1)).await;
        assert_eq!(receiver.received().len(), before);
        next_attempt(&world, &id).await;
        assert_eq!(world.delivery(&id).await.state, State::Delivered);
    }
    world.finish().await;
}

#[tokio::test]
async fn an_endpoint_on_this_machine_is_not_called_unless_it_is_allowed() {
    let receiver = Receiver::start().await;
    let url = format!("https://localhost:{}/hooks", receiver.port);
    let world = building(&receiver).endpoint_at("inside", &url, "").start().await;
    let id = send(&world, "inside", "one").await;

    world.work().await;

    let waiting = world.delivery(&id).await;
    let error = waiting.log[0].error.as_ref().unwrap();
    assert!(error.contains("outbound.allow_hosts"), "{error}");
    assert_eq!((waiting.state, receiver.connections()), (State::Pending, 0));
    world.abandon();
}

#[tokio::test]
async fn a_webhook_that_cannot_be_signed_with_every_secret_is_not_sent() {
    let receiver = Receiver::start().await;
    let secrets = "secrets: [env:ENDPOINT, env:NOT_SET]";
    let world = building(&receiver).endpoint("unsigned", &receiver, secrets).start().await;
    let id = send(&world, "unsigned", "one").await;

    world.work().await;

    let waiting = world.delivery(&id).await;
    assert!(waiting.log[0].error.as_ref().unwrap().contains("NOT_SET"));
    assert_eq!((waiting.state, receiver.connections()), (State::Pending, 0));
    world.abandon();
}

#[tokio::test]
async fn the_beginning_of_a_large_response_is_kept() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Body(200, vec![b'x'; 5_000_000])]);
    let id = send(&world, "billing", "one").await;

    world.work().await;

    let delivered = world.delivery(&id).await;
    assert_eq!(delivered.state, State::Delivered);
    assert_eq!(delivered.log[0].answer, "x".repeat(LARGEST_ANSWER));
    world.finish().await;
}

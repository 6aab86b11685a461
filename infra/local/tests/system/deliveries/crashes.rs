//! A crash of a worker or a restart of the machine loses no delivery.

use std::time::Duration;

use placet_core::delivery::State;
use placet_core::item::{Lane, Rests};
use placet_local::engines::http_client;
use placet_local::faults::Plan;

use super::{send, wait, world};
use crate::crash::at_every_call;
use crate::receiver::{Receiver, Reply};
use crate::world::PROJECT;

#[tokio::test]
async fn a_crash_at_any_call_loses_no_delivery() {
    at_every_call(async |plan| {
        let receiver = Receiver::start().await;
        let world = world(&receiver).await;
        receiver.answers([Reply::Status(500)]);
        let everything = async {
            let id = send(&world, "billing", "one").await;
            world.work().await;
            world.advance(wait(&world, &id).await + Duration::from_secs(1));
            world.work().await;
        };
        let crashed = world.crashes(plan, everything).await;
        world.nothing_is_forgotten().await;
        // The caller crashed, too. The message of the caller makes it send the same webhook again.
        let id = send(&world, "billing", "one").await;
        world.settle().await;
        let ended = world.delivery(&id).await;
        assert_eq!(ended.state, State::Delivered, "{plan:?}: {:?}", ended.log);
        let received = receiver.received();
        assert!(received.iter().all(|one| one.header("webhook-id") == Some(&id)), "{plan:?}");
        assert!(received.len() <= 4, "{plan:?}");
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn a_crash_after_410_leaves_the_endpoint_disabled_in_the_end() {
    at_every_call(async |plan| {
        let receiver = Receiver::start().await;
        let world = world(&receiver).await;
        receiver.answers(vec![Reply::Status(410); 9]);
        let id = send(&world, "billing", "one").await;
        let crashed = world.crashes(plan, world.work()).await;
        world.settle().await;
        assert_eq!(world.delivery(&id).await.state, State::Failed, "{plan:?}");
        let store = &world.system.runtime.engine.store;
        let endpoint = store.endpoint(PROJECT, "billing").await;
        assert!(endpoint.unwrap().disabled.is_some(), "{plan:?}");
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn a_restart_sends_the_deliveries_whose_messages_were_lost() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let id = send(&world, "billing", "one").await;
    let sqs = world.system.engines.sqs_client(http_client());
    sqs.purge_queue().queue_url(world.system.engines.queue_url(Lane::Calls)).send().await.unwrap();
    assert_eq!(world.work().await.delivered, 0);

    world.system.resume().await.unwrap();
    world.work().await;

    assert_eq!(world.delivery(&id).await.state, State::Delivered);
    world.finish().await;
}

/// The message of the retry was not sent, so the timer would enqueue the retry two minutes too late.
#[tokio::test]
async fn a_restart_resumes_a_retry_at_its_own_time() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Status(500)]);
    let id = send(&world, "billing", "one").await;
    world.survives(Plan::Outage("SQS"), world.work()).await;
    assert_eq!(world.delivery(&id).await.header.rests, Rests::Due);

    world.system.resume().await.unwrap();
    world.work().await;
    assert_eq!(world.delivery(&id).await.attempts, 1, "it is too early for the retry");
    world.advance(wait(&world, &id).await + Duration::from_secs(1));
    world.work().await;

    assert_eq!(world.delivery(&id).await.state, State::Delivered);
    world.finish().await;
}

/// The timer enqueues a due item only once in five minutes.
#[tokio::test]
async fn a_restart_sends_the_messages_that_the_timer_had_sent() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.faults.arm(Plan::Outage("SQS"));
    let id = send(&world, "billing", "one").await;
    world.faults.reset();
    world.advance(Duration::from_secs(121));
    assert_eq!(world.tick().await.enqueued, 1);
    world.lose_messages().await;

    world.system.resume().await.unwrap();
    world.work().await;

    assert_eq!(world.delivery(&id).await.state, State::Delivered);
    world.finish().await;
}

#[tokio::test]
async fn the_timer_enqueues_a_delivery_whose_message_was_not_sent() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.faults.arm(Plan::Outage("SQS"));
    let id = send(&world, "billing", "one").await;
    world.faults.reset();
    assert_eq!(world.work().await.delivered, 0);

    world.settle().await;

    assert_eq!(world.delivery(&id).await.state, State::Delivered);
    world.finish().await;
}

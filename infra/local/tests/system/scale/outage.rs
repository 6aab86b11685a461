//! The table is unavailable for half an hour. Afterwards Placet recovers without a person.

use std::time::Duration;

use http::StatusCode;
use placet_core::delivery;
use placet_core::operation;
use placet_core::receipt;
use placet_local::faults::Plan;
use placet_runtime::NewDelivery;
use serde_json::json;

use crate::client::call;
use crate::receiver::{Receiver, Reply};
use crate::world::{PROJECT, World};

const MINUTE: Duration = Duration::from_secs(60);
const EACH: usize = 20;

async fn world(receiver: &Receiver) -> World {
    World::building()
        .secret("HOOKS", "a-secret-of-thirty-two-bytes-long")
        .source(
            "hooks",
            "{preset: hmac, secret: env:HOOKS, targets: [log, {forward: {endpoint: app}}]}",
        )
        .source("github", "{preset: github, secret: env:HOOKS}")
        .endpoint("app", receiver, "")
        .start()
        .await
}

async fn webhook(world: &World, source: &str, id: &str) -> StatusCode {
    let body = json!({"id": id, "type": "order.paid"}).to_string();
    world.signed(source, id, "application/json", body.as_bytes()).send().await.status
}

async fn send(world: &World, key: &str) -> Result<(), placet_runtime::SendError> {
    let new = NewDelivery {
        project: PROJECT.to_owned(),
        endpoint: "app".to_owned(),
        key: key.to_owned(),
        event_type: "order.paid".to_owned(),
        content_type: "application/json".to_owned(),
        body: r#"{"amount":7}"#.into(),
    };
    world.system.runtime.send_webhook(new).await.map(|_| ())
}

/// Creates all kinds of work: webhooks, approvals before and after their decision, deliveries.
async fn begin(world: &World) {
    for n in 0..EACH {
        assert_eq!(webhook(world, "hooks", &format!("early-{n}")).await, StatusCode::OK);
        world.approved(&format!("early-{n}"), "charge").await;
        world.create(&format!("open-{n}"), "charge").await;
        assert!(send(world, &format!("early-{n}")).await.is_ok());
    }
}

/// Sends all kinds of requests in a minute of the outage. All are refused except the webhooks of a sender
/// that never retries.
async fn try_everything(world: &World, minute: usize) {
    let id = format!("late-{minute}");
    assert_eq!(webhook(world, "hooks", &id).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(webhook(world, "github", &id).await, StatusCode::OK);
    let created = world.client().request_approval(&call(&id, "charge")).await;
    assert!(created.status.is_server_error(), "{}", created.text);
    let decided = world.respond(&format!("open-{}", minute % EACH), true).await;
    assert!(decided.status.is_server_error(), "{}", decided.text);
    assert!(send(world, &id).await.is_err());
}

/// Repeats the refused requests, as senders and requesters do by themselves.
async fn repeat(world: &World, minutes: usize) {
    for minute in 0..minutes {
        let id = format!("late-{minute}");
        assert_eq!(webhook(world, "hooks", &id).await, StatusCode::OK);
        world.approved(&id, "charge").await;
        assert!(send(world, &id).await.is_ok());
    }
    for n in 0..EACH {
        assert_eq!(world.respond(&format!("open-{n}"), true).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn after_half_an_hour_without_the_table_everything_is_processed() {
    const MINUTES: usize = 30;
    let receiver = Receiver::start().await;
    // Some deliveries are between two attempts when the outage begins.
    receiver.answers(vec![Reply::Status(500); EACH]);
    let world = world(&receiver).await;
    for n in 0..EACH {
        assert!(send(&world, &format!("failed-{n}")).await.is_ok());
    }
    world.work().await;
    begin(&world).await;

    world.faults.arm(Plan::Outage("DynamoDB"));
    for minute in 0..MINUTES {
        world.advance(MINUTE);
        assert!(world.system.timer.handle().await.is_err());
        world.work().await;
        try_everything(&world, minute).await;
    }
    world.faults.reset();
    assert_eq!(world.dead_letters().await, 0);

    repeat(&world, MINUTES).await;
    // The timer checks the spool every fifth minute.
    for _ in 0..5 {
        world.later(MINUTE).await;
    }
    world.settle().await;
    assert_eq!(world.dead_letters().await, 0);
    let receipts = world.receipts().await;
    assert_eq!(receipts.len(), EACH + 2 * MINUTES);
    assert!(receipts.iter().all(|receipt| receipt.state == receipt::State::Processed));
    for (name, count) in [("early", EACH), ("open", EACH), ("late", MINUTES)] {
        for n in 0..count {
            let ended = world.ended(&format!("{name}-{n}")).await;
            assert_eq!(ended, (operation::State::Succeeded, 1), "{name}-{n}");
        }
    }
    let deliveries = world.all::<delivery::Delivery>().await;
    assert_eq!(deliveries.len(), 3 * EACH + 2 * MINUTES);
    assert!(deliveries.iter().all(|delivery| delivery.state == delivery::State::Delivered));
    world.finish().await;
}

//! The backlog of an outage is processed. Items that cannot be processed delay no other item.
//! `infra/local/tests/timer_backlog.rs` tests the timer alone with 100,000 items.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::item::Item;
use placet_core::receipt::{Receipt, State};
use placet_local::faults::Plan;
use placet_runtime::{NewDelivery, Row};
use serde_json::json;

use crate::receiver::Receiver;
use crate::world::{OTHER, PROJECT, START, World};

const MINUTE: Duration = Duration::from_secs(60);
/// After this time every item without a message is due, and the timer runs.
const WAIT: Duration = Duration::from_secs(3 * 60);

/// More than the timer reads in one run.
const HOSTILE: usize = 6_000;

const WEBHOOKS: usize = 200;
const DELIVERIES: usize = 100;

/// An entry without a usable item: a missing item, a damaged item, an unknown kind or an unknown lane. The
/// entry is due before all others.
fn hostile(n: usize) -> Row {
    let text = |text: String| AttributeValue::S(text);
    let (kind, lane) = match n % 6 {
        0 => ("receipt", 'w'),
        1 => ("dance", 'w'),
        _ => ("delivery", 'z'),
    };
    let due = START.millis() - 3_600_000 + i64::try_from(n).unwrap();
    let mut row: Row = [
        ("pk", text(format!("{kind}#{PROJECT}#hostile.{n}"))),
        ("sk", text("item".to_owned())),
        ("due_pk", text(format!("{PROJECT}#r{}", n % 8))),
        ("due_sk", text(format!("{due:015}{lane}{n:016x}"))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if n.is_multiple_of(4) {
        row.insert("item1".to_owned(), AttributeValue::B(b"damaged".to_vec().into()));
        row.insert("version".to_owned(), AttributeValue::N("1".to_owned()));
    }
    row
}

async fn send(world: &World, n: usize) {
    let new = NewDelivery {
        project: OTHER.to_owned(),
        endpoint: "app".to_owned(),
        key: n.to_string(),
        event_type: "order.paid".to_owned(),
        content_type: "application/json".to_owned(),
        body: r#"{"amount":7}"#.into(),
    };
    world.system.runtime.send_webhook(new).await.unwrap();
}

/// The number of processed receipts.
async fn receipts(world: &World) -> usize {
    let wanted = |receipt: &Item<Receipt>| receipt.state == State::Processed;
    let store = &world.system.runtime.engine.store;
    let page = store.newest(PROJECT, (None, None), wanted, WEBHOOKS, None).await;
    page.unwrap().items.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_is_processed_and_hostile_items_hold_up_no_other_project() {
    let receiver = Receiver::start().await;
    let world = World::building()
        .secret("HOOKS", "a-secret-of-thirty-two-bytes-long")
        .source("hooks", "{preset: hmac, secret: env:HOOKS, targets: [log]}")
        .endpoint("app", &receiver, "project: other")
        .start()
        .await;
    world.faults.arm(Plan::Outage("SQS"));
    for n in 0..WEBHOOKS {
        world.receive("hooks", &n.to_string(), &json!({"id": n.to_string()})).await;
    }
    for n in 0..DELIVERIES {
        send(&world, n).await;
    }
    world.faults.reset();
    world.nothing_is_forgotten().await;
    world.put_all((0..HOSTILE).map(hostile).collect()).await;

    world.advance(WAIT);
    world.tick().await;
    world.work().await;
    assert_eq!(receiver.received().len(), DELIVERIES, "deliveries wait for another project");

    let mut runs = 1;
    while receipts(&world).await < WEBHOOKS {
        assert!(runs < 5, "{} receipts after {runs} runs", receipts(&world).await);
        world.later(MINUTE).await;
        runs += 1;
    }
    assert_eq!(world.dead_letters().await, 0);
    world.abandon();
}

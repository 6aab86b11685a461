//! The timer.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::Timestamp;
use placet_core::item::{Lane, Pointer};
use placet_core::operation::OperationId;
use placet_local::engines::http_client;
use placet_local::faults::Plan;
use placet_runtime::{Queue, Row};
use placet_timer::{Limits, Timer};
use serde_json::json;

use crate::world::{OTHER, PROJECT, START, World};

const MINUTE: Duration = Duration::from_secs(60);

/// Rows that are only entries in `due`: `count` entries in each partition.
fn entries(due: Timestamp, lane: char, count: u64) -> Vec<Row> {
    let text = |text: String| AttributeValue::S(text);
    let entry = |shard: u64, n: u64| {
        let id = format!("msg_{:032x}", shard * 1000 + n);
        [
            ("pk", text(format!("delivery#{PROJECT}#{id}"))),
            ("sk", text("item".to_owned())),
            ("due_pk", text(format!("{PROJECT}#r{shard}"))),
            ("due_sk", text(format!("{:015}{lane}{:016x}", due.millis(), n))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    };
    (0..8).flat_map(|shard| (0..count).map(move |n| (shard, n))).map(|(s, n)| entry(s, n)).collect()
}

/// Creates a receipt whose pointer is not sent, so that it rests on a due time.
async fn due_on_work(world: &World) {
    let body = json!({"id": "e"});
    let (_, reached) =
        world.survives(Plan::Outage("SQS"), world.receive("hooks", "e", &body)).await;
    assert!(reached);
}

async fn world() -> World {
    World::building()
        .secret("HOOKS", "a-secret-of-thirty-two-bytes-long")
        .source("hooks", "{preset: hmac, secret: env:HOOKS, targets: [log]}")
        .start()
        .await
}

/// A slow endpoint fills the lane `calls`. The timer still enqueues due items on the other lane.
#[tokio::test]
async fn a_deep_lane_does_not_delay_the_other_lane() {
    let world = world().await;
    due_on_work(&world).await;
    world.put_all(entries(START, 'c', 3)).await;
    for n in 0..20 {
        let pointer = Pointer::new("delivery", PROJECT, format!("msg_{n:032x}"));
        world.send_raw(Lane::Calls, &pointer.to_body()).await;
    }
    let timer = Timer::new(world.system.runtime.clone());
    let timer = timer.with(Limits { depth: 10, share: 0, ..Limits::default() });
    for _ in 0..15 {
        world.advance(MINUTE);
        timer.handle().await.unwrap();
    }
    assert_eq!(world.system.engines.messages(Lane::Calls).len(), 20, "the lane is deep");
    assert_ne!(
        world.system.engines.messages(Lane::Work).len(),
        0,
        "the receipt waits for the lane `calls`"
    );
    world.abandon();
}

/// Another project has filled the lane. The timer still enqueues a few pointers of each project.
#[tokio::test]
async fn a_deep_lane_still_takes_a_few_pointers_of_each_project() {
    let world = world().await;
    world.put_all(entries(START, 'c', 13)).await;
    for n in 0..20 {
        let pointer = Pointer::new("delivery", OTHER, format!("msg_{:032x}", 900_000 + n));
        world.send_raw(Lane::Calls, &pointer.to_body()).await;
    }
    let timer = Timer::new(world.system.runtime.clone());
    let timer = timer.with(Limits { depth: 10, share: 20, ..Limits::default() });
    world.advance(MINUTE);
    assert_eq!(timer.handle().await.unwrap().enqueued, 20);
    assert_eq!(world.system.engines.messages(Lane::Calls).len(), 40);
    world.abandon();
}

/// One queue fails. The timer still enqueues due items on the other queue, and its run fails.
#[tokio::test]
async fn a_queue_that_fails_does_not_delay_the_other_queue() {
    let world = world().await;
    due_on_work(&world).await;
    world.put_all(entries(START, 'c', 3)).await;
    let mut runtime = world.system.runtime.clone();
    let (work, nowhere) = (world.system.engines.queue_url(Lane::Work), "http://127.0.0.1:1/none");
    let urls = [(Lane::Work, work.to_owned()), (Lane::Calls, nowhere.to_owned())];
    runtime.engine.queue = Queue::new(world.system.engines.sqs_client(http_client()), urls, None);
    world.advance(5 * MINUTE);
    let error = Timer::new(runtime).handle().await.unwrap_err();
    assert!(error.to_string().contains("SQS"), "{error}");
    assert_eq!(world.system.engines.messages(Lane::Work).len(), 1);
    world.abandon();
}

/// The timer enqueues the skipped items when the lane has room again.
#[tokio::test]
async fn items_skipped_on_a_deep_lane_are_enqueued_later() {
    let world = world().await;
    world.put_all(entries(START, 'c', 13)).await;
    for n in 0..20 {
        let pointer = Pointer::new("delivery", PROJECT, format!("msg_{:032x}", 900_000 + n));
        world.send_raw(Lane::Calls, &pointer.to_body()).await;
    }
    let timer = Timer::new(world.system.runtime.clone());
    let deep = timer.clone().with(Limits { depth: 10, share: 0, ..Limits::default() });
    for _ in 0..12 {
        world.advance(MINUTE);
        deep.handle().await.unwrap();
    }
    assert_eq!(world.system.engines.messages(Lane::Calls).len(), 20);
    world.lose_messages().await;
    for _ in 0..12 {
        world.advance(MINUTE);
        timer.handle().await.unwrap();
    }
    let mut messages = world.system.engines.messages(Lane::Calls);
    messages.sort();
    messages.dedup();
    assert_eq!(messages.len(), 8 * 13);
    world.abandon();
}

/// A later release had one more lane and was rolled back to this release.
#[tokio::test]
async fn entries_of_an_unknown_lane_delay_no_other_entries() {
    let world = world().await;
    due_on_work(&world).await;
    world.put_all(entries(START, 'z', 12)).await;
    for _ in 0..15 {
        world.advance(MINUTE);
        world.tick().await;
    }
    assert_ne!(world.system.engines.messages(Lane::Work).len(), 0, "the receipt is never enqueued");
    world.abandon();
}

/// Every partition of many projects is busy. The progress of the timer must fit into one row.
#[tokio::test]
async fn the_progress_of_many_projects_fits_into_a_row() {
    let names: Vec<String> = (0..90).map(|n| format!("a-project-of-some-team-{n:03}")).collect();
    let names = names.join(", ");
    let yaml = format!("project: default\nprojects: [{names}]\n");
    let config = placet_runtime::Config::parse(&yaml).unwrap();
    let world = World::start().await;
    let mut runtime = world.system.runtime.clone();
    runtime.config = std::sync::Arc::new(config);
    let mut rows = Vec::new();
    for project in runtime.config.projects() {
        for desk in ["r", "d", "s"] {
            for mut row in entries(START, 'c', 1) {
                let id = row["pk"].as_s().unwrap().rsplit('#').next().unwrap().to_owned();
                let shard = row["due_pk"].as_s().unwrap().chars().last().unwrap();
                let text = |text: String| AttributeValue::S(text);
                row.insert("pk".into(), text(format!("delivery#{project}#{desk}{id}")));
                row.insert("due_pk".into(), text(format!("{project}#{desk}{shard}")));
                rows.push(row);
            }
        }
    }
    world.put_all(rows).await;
    let timer = Timer::new(runtime);
    for _ in 0..3 {
        world.advance(MINUTE);
        timer.handle().await.unwrap();
    }
    // Without its progress, the timer would enqueue all of them every minute.
    assert_eq!(world.system.engines.messages(Lane::Calls).len(), 91 * 24);
    world.abandon();
}

/// A release that knows the kind was rolled back. The timer sends a pointer to the item every five minutes.
#[tokio::test]
async fn an_item_of_an_unknown_kind_that_is_due_does_not_fill_the_dead_letter_queue() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let pk = placet_runtime::key::operation_pk(&OperationId::call(PROJECT, "call-1"));
    let mut row = world.row(&pk, "item").await.unwrap();
    row.insert("pk".to_owned(), AttributeValue::S(format!("dance#{PROJECT}#x")));
    world.put_row(row).await;
    world.advance(60 * MINUTE);
    for _ in 0..180 {
        world.later(MINUTE).await;
    }
    assert_eq!(world.dead_letters().await, 0);
    world.abandon();
}

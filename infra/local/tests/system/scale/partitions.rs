//! No partition key gets more than its share of the writes.

use std::sync::Arc;

use futures_util::future::join_all;
use placet_local::engines::BASE_TABLE;
use serde_json::json;
use tokio::task::JoinSet;

use crate::client::call;
use crate::world::World;

/// The number of concurrent writes.
const AT_ONCE: usize = 50;

async fn receive(world: &World, webhooks: usize) {
    for some in (0..webhooks).collect::<Vec<_>>().chunks(AT_ONCE) {
        join_all(some.iter().map(async |n| {
            let id = format!("event-{n}");
            world.receive("hooks", &id, &json!({"id": id, "type": "order.paid"})).await;
        }))
        .await;
    }
}

async fn approve(world: &World, approvals: usize) {
    for some in (0..approvals).collect::<Vec<_>>().chunks(AT_ONCE) {
        join_all(some.iter().map(async |n| {
            let id = format!("call-{n}");
            world.client().request_approval(&call(&id, "charge")).await;
            world.respond(&id, true).await;
        }))
        .await;
    }
}

/// Runs eight drains at the same time, then processes the rest.
async fn work(world: &World) {
    let mut drains = JoinSet::new();
    for source in world.system.event_sources.iter().cycle().take(8) {
        let source = Arc::clone(source);
        drains.spawn(async move { source.drain().await.unwrap() });
    }
    drains.join_all().await;
    world.work().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writes_of_a_busy_project_are_spread_over_all_shards() {
    let hooks = "{preset: hmac, secret: env:HOOKS, targets: [log]}";
    let world = World::building().source("hooks", hooks);
    let world = world.secret("HOOKS", "a-secret-of-thirty-two-bytes-long").start().await;
    world.system.engines.count_units();
    receive(&world, 4_000).await;
    approve(&world, 1_000).await;
    work(&world).await;

    let units = world.system.engines.units();
    for index in ["due", "list"] {
        let partitions = &units[index];
        let whole: u64 = partitions.values().sum();
        let (key, most) = partitions.iter().max_by_key(|(_, units)| **units).unwrap();
        let share = *most as f64 / whole as f64;
        assert!(share <= 1.5 / 8.0, "{index}: {key} gets {share:.3} of {whole}");
    }
    let (hottest, _) = units[BASE_TABLE].iter().max_by_key(|(_, units)| **units).unwrap();
    assert!(hottest.starts_with("operation#"), "{hottest}");
    world.finish().await;
}

//! An API key may send a limited number of writes a second.

use std::time::Duration;

use http::StatusCode;
use placet_runtime::Role;
use serde_json::json;

use crate::client::call;
use crate::request::Reply;
use crate::world::{KEY, PROJECT, World};

async fn create(world: &World, key: &str, call_id: &str) -> Reply {
    world.post("/v1/operations").key(key).json(&call(call_id, "charge").native()).send().await
}

/// Creates operations until the key may write no more. Returns their number and the refusal.
async fn burst(world: &World, key: &str, name: &str) -> (usize, Reply) {
    for n in 0..1000 {
        let reply = create(world, key, &format!("{name}-{n}")).await;
        if reply.status != StatusCode::CREATED {
            return (n, reply);
        }
    }
    panic!("the key may write a thousand times at once")
}

#[tokio::test]
async fn a_key_that_writes_too_often_gets_a_429_before_anything_is_read_or_written() {
    let world = World::start().await;
    let (created, refused) = burst(&world, KEY, "first").await;
    assert_eq!(created, 200);
    assert_eq!(
        (refused.status, refused.retry_after.as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "1")
    );
    assert_eq!(refused.json()["code"], "too_many_requests");

    world.faults.reset();
    let humanlayer = world.create("c", "charge").await;
    assert_eq!((humanlayer.status, humanlayer.retry_after.as_str()), (refused.status, "1"));
    assert_eq!(humanlayer.json(), json!({"detail": refused.json()["detail"]}));
    assert_eq!(world.respond("first-0", true).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(world.faults.calls().len(), 0, "{:?}", world.faults.calls());

    // Reads are not counted, and neither are the writes of another key of the project.
    let read = world.get("/v1/operations/function_call/first-0").key(KEY).send().await;
    assert_eq!(read.status, StatusCode::OK);
    let other = world.key(Role::Agent, PROJECT).await;
    assert_eq!(create(&world, &other, "other").await.status, StatusCode::CREATED);

    world.advance(Duration::from_secs(1));
    assert_eq!(burst(&world, KEY, "second").await.0, 100);
    assert_eq!(world.open_operations().await.len(), 200 + 1 + 100);
    world.finish().await;
}

#[tokio::test]
async fn a_process_can_be_told_another_rate() {
    let world = World::building().secret("PLACET_WRITES_PER_SECOND", "3").start().await;
    let (created, refused) = burst(&world, KEY, "first").await;
    assert_eq!((created, refused.status), (6, StatusCode::TOO_MANY_REQUESTS));
    world.advance(Duration::from_secs(1));
    assert_eq!(burst(&world, KEY, "second").await.0, 3);
    world.finish().await;
}

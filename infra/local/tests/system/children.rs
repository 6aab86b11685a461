//! Children that cannot be created.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::operation::{OperationId, State};
use placet_runtime::{key, packed};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::toy::kind::Alarm;
use crate::toy::{self, create, find};
use crate::world::{PROJECT, START, World};

const MINUTE: Duration = Duration::from_secs(60);

/// Adds a child of an unknown kind to an approved operation. No release can create the child.
async fn with_strange_child(world: &World) {
    let pk = key::operation_pk(&OperationId::call(PROJECT, "call-1"));
    let mut row = world.row(&pk, "item").await.unwrap();
    let (json, bytes) = packed::unpack(row["item1"].as_b().unwrap().as_ref()).unwrap();
    let mut item: Value = serde_json::from_slice(&json).unwrap();
    item[0]["children"] = json!([{"kind": "dance", "id": "x", "lane": "work", "body": {}}]);
    let packed = packed::pack(item.to_string().as_bytes(), &bytes).unwrap();
    row.insert("item1".to_owned(), AttributeValue::B(packed.into()));
    world.put_row(row).await;
}

#[tokio::test]
async fn a_child_of_an_unknown_kind_does_not_delay_its_parent() {
    let world = World::start().await;
    world.approved("call-1", "charge_once").await;
    with_strange_child(&world).await;
    world.work().await;
    assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
    // The worker retries the child at growing intervals and keeps it until a release knows its kind.
    let mut delivered = 0;
    for _ in 0..5 * 20 {
        world.advance(3 * MINUTE);
        world.tick().await;
        delivered += world.work().await.delivered;
        world.nothing_is_forgotten().await;
    }
    assert!((10..60).contains(&delivered), "{delivered}");
    assert_eq!(world.dead_letters().await, 0);
    assert_eq!(world.operation("call-1").await.header.children.len(), 1);
    world.abandon();
}

/// The child exists. Its parent does not need to read it.
#[tokio::test]
async fn an_existing_child_that_cannot_be_read_does_not_delay_its_parent() {
    let world = toy::world().await;
    let id = Uuid::new_v4().simple().to_string();
    create(&world, &id, Alarm { followers: 1, ..Alarm::set(START) }).await.unwrap();
    let mut row = world.row(&format!("alarm#{PROJECT}#{id}"), "item").await.unwrap();
    row.insert("pk".to_owned(), AttributeValue::S(format!("alarm#{PROJECT}#{id}+")));
    row.insert("item1".to_owned(), AttributeValue::B(vec![1, 2, 3].into()));
    world.put_row(row).await;
    world.work().await;
    assert!(find(&world, &id).await.unwrap().header.children.is_empty());
    world.abandon();
}

//! An item that a newer version of Placet wrote: this version does not act on it, and says that it cannot read it.

use http::StatusCode;
use placet_core::operation::Operation;
use serde_json::{Value, json};

use crate::world::{OTHER, PROJECT, World};

async fn health(world: &World) -> Value {
    world.get("/healthz").send().await.json()
}

#[tokio::test]
async fn an_item_of_a_newer_version_is_named() {
    let world = World::start().await;
    world.create("old", "charge").await;
    world.create("new", "charge").await;
    assert_eq!(health(&world).await, json!({"status": "ok"}));
    world.tamper("new", |body| body["state"] = json!("escalated_to_a_group")).await;

    let client = world.client();
    let read = client.get::<Value>("/v1/operations/function_call/new").await;
    read.refused(StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    let list = client.get::<Value>("/v1/operations").await.ok();
    let ids: Vec<&Value> =
        list["items"].as_array().unwrap().iter().map(|one| &one["call_id"]).collect();
    assert_eq!(ids, ["old"]);

    let store = &world.system.runtime.engine.store;
    assert_eq!(store.unreadable::<Operation>(PROJECT).await.unwrap(), ["function_call/new"]);
    assert_eq!(store.unreadable::<Operation>(OTHER).await.unwrap(), <[String; 0]>::default());
    assert_eq!(health(&world).await, json!({"status": "ok", "unreadable_items": 1}));
    let status = world.get("/humanlayer/v1/status").send().await.json();
    assert_eq!(status, json!({"status": "ok"}));
    world.abandon();
}

//! Several projects in one deployment: they never meet, and each is driven.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use placet_core::delivery::{Delivery, NewDelivery};
use placet_core::{Job, State};
use placet_local::faults::Plan;
use placet_runtime::{Payload, Role, SendError, StoredDelivery};
use serde_json::json;

use crate::receiver::{Receiver, Reply};
use crate::world::{KEY, OTHER, TENANT, WEBHOOK_SECRET, World};

/// A world with an endpoint of each project.
async fn world(receiver: &Receiver) -> World {
    let port = receiver.port;
    let config = format!(
        "
endpoints:
  ours: {{url: 'http://127.0.0.1:{port}/ours', secrets: [env:KEY]}}
  theirs: {{url: 'http://127.0.0.1:{port}/theirs', secrets: [env:KEY], project: other}}
outbound: {{allow_hosts: [127.0.0.1]}}
"
    );
    World::with(&config, &[("KEY", WEBHOOK_SECRET)]).await
}

fn new(tenant: &str, endpoint: &str) -> NewDelivery {
    NewDelivery {
        tenant: tenant.to_owned(),
        endpoint: endpoint.to_owned(),
        key: "one".to_owned(),
        event_type: "order.paid".to_owned(),
        content_type: "application/json".to_owned(),
    }
}

#[tokio::test]
async fn an_operation_of_another_project_is_not_there() {
    let world = World::start().await;
    let other = world.key(Role::Both, OTHER).await;
    world.create("call-1", "f").await;
    let path = "/humanlayer/v1/function_calls/call-1";
    assert_eq!(world.get(path).key(&other).send().await.status, StatusCode::NOT_FOUND);
    let refused = world.respond_with(&other, "call-1", true).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);

    // The same id is another call there.
    assert_eq!(world.create_with(&other, "call-1", "g").await.status, StatusCode::OK);
    assert_eq!(world.respond_with(&other, "call-1", false).await.status, StatusCode::OK);
    let ours = world.get(path).key(KEY).send().await.json();
    assert_eq!((&ours["spec"]["fn"], ours["status"].get("approved")), (&json!("f"), None));
    assert_eq!(world.state("call-1").await, State::Pending);
    world.finish().await;
}

#[tokio::test]
async fn the_timer_drives_every_project() {
    let world = World::start().await;
    let other = world.key(Role::Both, OTHER).await;
    world.create("ours", "charge").await;
    world.create_with(&other, "theirs", "charge").await;
    world.create_with(&other, "lost", "charge").await;
    // The third call of a decision (read, write, send) is the message: the key is remembered.
    world.faults.arm(Plan::Fail(2));
    world.respond_with(&other, "lost", true).await;
    assert!(world.faults.was_reached());
    world.faults.reset();
    assert_eq!(world.work().await.delivered, 0);

    world.advance(Duration::from_secs(3601));
    let tick = world.tick().await;
    assert_eq!((tick.expired, tick.driven), (2, 3));
    world.work().await;
    assert_eq!(world.effects("lost").await, 1);
    let read = world.get("/humanlayer/v1/function_calls/theirs").key(&other).send().await.json();
    assert_eq!(read["status"]["approved"], false);
    world.finish().await;
}

#[tokio::test]
async fn a_restart_resumes_every_project() {
    let world = World::start().await;
    let other = world.key(Role::Both, OTHER).await;
    world.create_with(&other, "theirs", "charge").await;
    world.faults.arm(Plan::Fail(2));
    world.respond_with(&other, "theirs", true).await;
    assert!(world.faults.was_reached());
    world.faults.reset();
    assert_eq!(world.work().await.delivered, 0);
    world.system.resume().await.unwrap();
    world.work().await;
    assert_eq!(world.effects("theirs").await, 1);
    world.finish().await;
}

#[tokio::test]
async fn an_endpoint_is_seen_and_sent_to_by_its_project_only() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let other = world.key(Role::Both, OTHER).await;
    for (key, own, foreign) in [(KEY, "ours", "theirs"), (other.as_str(), "theirs", "ours")] {
        let listed = world.get("/v1/endpoints").key(key).send().await.json();
        let names: Vec<_> =
            listed["items"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!(names, [own]);
        for (name, expected) in [(own, StatusCode::OK), (foreign, StatusCode::NOT_FOUND)] {
            let path = format!("/v1/endpoints/{name}/enable");
            assert_eq!(world.post(&path).key(key).send().await.status, expected, "{path}");
        }
    }
    let payload = Bytes::from_static(b"{}");
    receiver.answers([Reply::Status(204)]);
    let runtime = &world.system.runtime;
    runtime.send_webhook(new(OTHER, "theirs"), payload.clone()).await.unwrap();
    let refused = runtime.send_webhook(new(TENANT, "theirs"), payload).await.unwrap_err();
    assert!(matches!(refused, SendError::UnknownEndpoint(_)), "{refused}");
    world.work().await;
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(receiver.received()[0].path, "/theirs");
    world.finish().await;
}

#[tokio::test]
async fn a_delivery_to_an_endpoint_that_has_become_another_projects_is_not_sent() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let runtime = &world.system.runtime;
    let body = runtime.blobs.keep(Bytes::from_static(b"{}")).await.unwrap();
    let delivery = Delivery::new(new(TENANT, "theirs"), "write", world.clock.now());
    let id = delivery.id.clone();
    runtime
        .store
        .create_delivery(&StoredDelivery { delivery, payload: Payload::Kept(body), listed: true })
        .await
        .unwrap();
    runtime.enqueue(Job::Deliver, TENANT, &id, Duration::ZERO).await;
    world.work().await;
    assert_eq!(receiver.received().len(), 0);
    let read = world.get(&format!("/v1/deliveries/{id}")).key(KEY).send().await.json();
    let error = read["last_error"].as_str().unwrap();
    assert_eq!((&read["state"], error.contains("no endpoint theirs")), (&json!("pending"), true));
    let path = format!("/v1/deliveries/{id}/redeliver");
    let again = world.post(&path).key(KEY).send().await;
    assert_eq!(again.json()["code"], "no_such_endpoint");
    world.abandon();
}

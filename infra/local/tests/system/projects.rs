//! Several projects in one deployment: no project sees another (law 9), and the timer serves each project.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use placet_core::Payload;
use placet_core::delivery::Delivery;
use placet_core::item::Item;
use placet_core::operation::State;
use placet_local::faults::Plan;
use placet_runtime::{NewDelivery, Role, SendError};

use crate::client::{DeliveryReply, EndpointReply, List, call};
use crate::receiver::Receiver;
use crate::world::{KEY, OTHER, PROJECT, World};

/// A world with an endpoint of each project.
async fn with_endpoints(receiver: &Receiver) -> World {
    let building = World::building().endpoint("ours", receiver, "");
    building.endpoint("theirs", receiver, "project: other").start().await
}

#[tokio::test]
async fn another_project_finds_no_operation_and_responds_to_none() {
    let world = World::start().await;
    let other = world.key(Role::Admin, OTHER).await;
    world.create("call-1", "f").await;
    let read = world.get("/humanlayer/v1/function_calls/call-1").key(&other).send().await;
    assert_eq!(read.status, StatusCode::NOT_FOUND);
    let refused = world.client_with(&other).respond("call-1", true).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert_eq!(world.state("call-1").await, State::Pending);
    world.finish().await;
}

#[tokio::test]
async fn the_same_id_in_two_projects_is_two_operations() {
    let world = World::start().await;
    let key = world.key(Role::Admin, OTHER).await;
    let other = world.client_with(&key);
    world.create("call-1", "f").await;
    other.request_approval(&call("call-1", "g")).await;
    other.respond("call-1", false).await;
    assert_eq!(other.operation("function_call/call-1").await.state, "denied");
    let ours = world.client().operation("function_call/call-1").await;
    assert_eq!((ours.state.as_str(), &ours.other["fn"]), ("pending", &"f".into()));
    world.finish().await;
}

/// The pointer of the decision is not sent, so the operation rests on a due time.
#[tokio::test]
async fn the_timer_enqueues_the_due_items_of_every_project() {
    let world = World::start().await;
    let key = world.key(Role::Admin, OTHER).await;
    let other = world.client_with(&key);
    world.create("ours", "charge").await;
    other.request_approval(&call("theirs", "charge")).await;
    other.request_approval(&call("lost", "charge")).await;
    let (_, reached) = world.survives(Plan::Fail(1), other.respond("lost", true)).await;
    assert!(reached);
    assert_eq!(world.work().await.delivered, 0);

    world.advance(Duration::from_secs(3601));
    assert_eq!(world.tick().await.enqueued, 3);
    world.work().await;
    assert_eq!(world.state("ours").await, State::Expired);
    assert_eq!(other.operation("function_call/theirs").await.state, "expired");
    assert_eq!(other.operation("function_call/lost").await.state, "succeeded");
    assert_eq!(world.effects("lost").await, 1);
    world.finish().await;
}

#[tokio::test]
async fn a_restart_resumes_every_project() {
    let world = World::start().await;
    let key = world.key(Role::Admin, OTHER).await;
    let other = world.client_with(&key);
    world.approved("ours", "charge").await;
    other.request_approval(&call("theirs", "charge")).await;
    other.respond("theirs", true).await;
    world.lose_messages().await;
    assert_eq!(world.work().await.delivered, 0);

    world.system.resume().await.unwrap();
    world.work().await;
    assert_eq!(world.effects("ours").await, 1);
    assert_eq!(world.effects("theirs").await, 1);
    world.finish().await;
}

#[tokio::test]
async fn a_project_sees_and_enables_its_own_endpoints_only() {
    let receiver = Receiver::start().await;
    let world = with_endpoints(&receiver).await;
    let other = world.key(Role::Admin, OTHER).await;
    for (key, own, foreign) in [(KEY, "ours", "theirs"), (other.as_str(), "theirs", "ours")] {
        let client = world.client_with(key);
        let listed = client.get::<List<EndpointReply>>("/v1/endpoints").await.ok().items;
        assert_eq!(listed.iter().map(|endpoint| &endpoint.name).collect::<Vec<_>>(), [own]);
        let enable = async |name: &str| {
            client.command::<EndpointReply>(&format!("/v1/endpoints/{name}/enable")).await
        };
        assert_eq!(enable(own).await.ok().state, "enabled");
        enable(foreign).await.refused(StatusCode::NOT_FOUND, "not_found");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_project_sends_to_its_own_endpoints_only() {
    let receiver = Receiver::start().await;
    let world = with_endpoints(&receiver).await;
    let new = |project: &str| NewDelivery {
        project: project.to_owned(),
        endpoint: "theirs".to_owned(),
        key: "one".to_owned(),
        event_type: "order.paid".to_owned(),
        content_type: "application/json".to_owned(),
        body: Bytes::from_static(b"{}"),
    };
    world.system.runtime.send_webhook(new(OTHER)).await.unwrap();
    let refused = world.system.runtime.send_webhook(new(PROJECT)).await.unwrap_err();
    assert!(matches!(refused, SendError::UnknownEndpoint(_)), "{refused}");
    world.work().await;
    let paths: Vec<String> = receiver.received().into_iter().map(|one| one.path).collect();
    assert_eq!(paths, ["/theirs"]);
    world.finish().await;
}

#[tokio::test]
async fn a_delivery_to_an_endpoint_that_moved_to_another_project_is_not_sent() {
    let receiver = Receiver::start().await;
    let world = with_endpoints(&receiver).await;
    let id = Delivery::id("theirs", "one");
    let payload = Payload::Plain(b"{}".to_vec());
    let delivery =
        Delivery::of("theirs", "order.paid", "application/json", payload, world.clock.now());
    let created =
        world.system.runtime.engine.create(|write| Item::new(PROJECT, &id, delivery, write));
    created.await.unwrap();
    world.work().await;

    assert_eq!(receiver.received().len(), 0);
    let delivery = world.client().delivery(&id).await;
    let error = delivery.log[0].error.as_deref().unwrap();
    assert!(error.contains("no endpoint theirs"), "{error}");
    assert_eq!(delivery.state, "pending");
    let again = format!("/v1/deliveries/{id}/redeliver");
    let refused = world.client().command::<DeliveryReply>(&again).await;
    refused.refused(StatusCode::CONFLICT, "no_such_endpoint");
    world.abandon();
}

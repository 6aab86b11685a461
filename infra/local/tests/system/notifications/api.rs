//! Notifications in replies of our own API, and test events.

use http::StatusCode;
use serde_json::{Value, json};

use crate::client::{OperationReply, WebhookReply};
use crate::receiver::{Receiver, Reply};
use crate::world::{ENDPOINT_SECRET, World};

/// A world with endpoints that are notified of one event, of two events and of no event.
async fn world(receiver: &Receiver) -> World {
    let two = "events: [v1beta2.function_call.completed, v1beta3.human_contact.completed]";
    World::building()
        .endpoint("one", receiver, "events: [human_contact.completed]")
        .endpoint("two", receiver, two)
        .endpoint("none", receiver, "")
        .start()
        .await
}

async fn webhooks(world: &World) -> Vec<WebhookReply> {
    world.client().operation("function_call/c").await.webhooks
}

#[tokio::test]
async fn an_operation_shows_its_notifications_and_their_states() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.create("c", "f").await;
    let id = webhooks(&world).await[0].delivery_id.clone();
    let expected = |state: Option<&str>| {
        let (endpoint, event_type) =
            ("two".to_owned(), "v1beta2.function_call.completed".to_owned());
        let (delivery_id, state) = (id.clone(), state.map(str::to_owned));
        [WebhookReply { endpoint, event_type, number: 1, delivery_id, state }]
    };
    assert_eq!(webhooks(&world).await, expected(None));
    receiver.answers([Reply::Status(500)]);

    world.respond("c", true).await;
    assert_eq!(webhooks(&world).await, expected(None));
    world.work().await;
    assert_eq!(webhooks(&world).await, expected(Some("pending")));
    world.settle().await;
    assert_eq!(webhooks(&world).await, expected(Some("delivered")));

    assert_eq!(receiver.received()[0].header("webhook-id"), Some(id.as_str()));
    let delivery = world.client().delivery(&id).await;
    assert_eq!(delivery.other["operation"], "function_call/c");
    assert_eq!(delivery.other["body"].as_str().unwrap().as_bytes(), receiver.received()[0].body);
    world.finish().await;
}

#[tokio::test]
async fn a_test_event_comes_signed_in_each_format_and_is_marked_as_a_test() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let client = world.client();

    let both = client.test_endpoint("two", "").await.is(StatusCode::ACCEPTED);
    let one = client.test_endpoint("one", "").await.is(StatusCode::ACCEPTED);
    world.work().await;

    assert_eq!((both.items.len(), one.items.len()), (2, 1));
    assert_eq!(one.items[0].event_type, "human_contact.completed");
    let received = receiver.received();
    assert_eq!(received.len(), 3);
    for request in &received {
        world.signed_id(request, ENDPOINT_SECRET);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let event = if request.path == "/one" { &body } else { &body["event"] };
        assert_eq!((&body["is_test"], &event["call_id"]), (&json!(true), &json!("call-test")));
        assert!(event["status"]["responded_at"].is_string(), "{body}");
    }
    // A test event names no existing operation and creates none.
    let none = client.get::<OperationReply>("/v1/operations/function_call/call-test").await;
    none.refused(StatusCode::NOT_FOUND, "not_found");
    world.finish().await;
}

#[tokio::test]
async fn each_test_event_is_a_separate_delivery() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let query = "?event=v1beta2.function_call.completed";
        let sent = world.client().test_endpoint("two", query).await.is(StatusCode::ACCEPTED);
        ids.extend(sent.items.into_iter().map(|delivery| delivery.id));
    }
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
    world.work().await;
    assert_eq!(receiver.received().len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn a_test_event_needs_an_endpoint_with_this_event() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    for (name, query, status, code) in [
        ("nowhere", "", StatusCode::NOT_FOUND, "not_found"),
        ("none", "", StatusCode::CONFLICT, "not_subscribed"),
        ("one", "?event=function_call.completed", StatusCode::CONFLICT, "not_subscribed"),
        ("one", "?event=order.paid", StatusCode::BAD_REQUEST, "invalid_query"),
    ] {
        world.client().test_endpoint(name, query).await.refused(status, code);
    }
    world.finish().await;
}

#[tokio::test]
async fn a_test_event_needs_an_endpoint_that_is_enabled() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let client = world.client();
    receiver.answers([Reply::Status(410)]);
    client.test_endpoint("one", "").await.is(StatusCode::ACCEPTED);
    world.work().await;

    let refused = client.test_endpoint("one", "").await;
    refused.refused(StatusCode::CONFLICT, "endpoint_disabled");
    client.enable_endpoint("one").await.ok();
    client.test_endpoint("one", "").await.is(StatusCode::ACCEPTED);

    world.work().await;
    assert_eq!(receiver.received().len(), 2);
    world.finish().await;
}

//! Forwarded events: the endpoint gets the original bytes, signed by us, once and under one id.

use http::StatusCode;
use placet_core::receipt::State;
use serde_json::json;

use crate::receiver::{Receiver, Reply};
use crate::world::{ENDPOINT_SECRET, World};

const SHOP: &str = "{preset: standard, secret: env:PLACET_SECRET_HUMANLAYER, \
    targets: [{forward: {endpoint: billing}, types: ['invoice.*']}, log]}";

async fn world(receiver: &Receiver) -> World {
    World::building().source("shop", SHOP).endpoint("billing", receiver, "").start().await
}

#[tokio::test]
async fn an_event_is_forwarded_unchanged_and_once() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let body = "{ \"type\": \"invoice.paid\",  \"amount\": 1.10, \"note\": \"\u{2665}\" }";
    for _ in 0..2 {
        let signed = world.signed("shop", "msg_1", "application/json", body.as_bytes());
        assert_eq!(signed.send().await.status, StatusCode::OK);
    }
    assert_eq!(receiver.received().len(), 0, "the worker has not run yet");

    world.settle().await;

    let received = receiver.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].body, body.as_bytes());
    assert_eq!(received[0].header("content-type"), Some("application/json"));
    assert_eq!(received[0].header("placet-event-type"), Some("invoice.paid"));
    let id = world.signed_id(&received[0], ENDPOINT_SECRET);
    let receipt = world.the_receipt().await;
    assert_eq!(receipt.note, format!("forwarded as {id}; logged"));
    world.finish().await;
}

#[tokio::test]
async fn an_event_of_another_type_is_not_forwarded() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;

    world.receive("shop", "msg_1", &json!({"type": "order.paid"})).await;
    world.settle().await;

    let receipt = world.the_receipt().await;
    assert_eq!((receipt.state, receipt.note.as_str()), (State::Processed, "logged"));
    assert_eq!(receiver.received().len(), 0);
    world.finish().await;
}

/// A person sends an event again by redelivering its delivery.
#[tokio::test]
async fn a_replayed_receipt_is_not_forwarded_again() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.receive("shop", "msg_1", &json!({"type": "invoice.paid"})).await;
    world.settle().await;
    let receipt = world.the_receipt().await;

    world.client().replay(&receipt.header.id).await.is(StatusCode::ACCEPTED);
    world.settle().await;

    assert_eq!(world.the_receipt().await.note, receipt.note);
    assert_eq!(receiver.received().len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn an_endpoint_that_is_down_gets_the_event_later_under_the_same_id() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Status(503), Reply::Status(503), Reply::Status(204)]);

    world.receive("shop", "msg_1", &json!({"type": "invoice.paid"})).await;
    world.settle().await;

    let received = receiver.received();
    assert_eq!(received.len(), 3);
    assert!(
        received.iter().all(|one| one.header("webhook-id") == received[0].header("webhook-id"))
    );
    world.finish().await;
}

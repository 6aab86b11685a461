//! Who is told of a decision, as our own API shows it, and test events.

use http::StatusCode;
use placet_core::webhook::{parse_secret, sign};
use serde_json::{Value, json};

use crate::receiver::{Receiver, Reply};
use crate::world::{KEY, WEBHOOK_SECRET, World};

async fn world(receiver: &Receiver) -> World {
    let port = receiver.port;
    let config = format!(
        "
endpoints:
  bare: {{url: 'http://127.0.0.1:{port}/bare', secrets: [env:KEY], events: [human_contact.completed]}}
  both: {{url: 'http://127.0.0.1:{port}/both', secrets: [env:KEY], events: [v1beta2.function_call.completed, v1beta3.human_contact.completed]}}
  deaf: {{url: 'http://127.0.0.1:{port}/deaf', secrets: [env:KEY]}}
outbound: {{allow_hosts: [127.0.0.1]}}
"
    );
    World::with(&config, &[("KEY", WEBHOOK_SECRET)]).await
}

async fn test(world: &World, path: &str) -> (StatusCode, Value) {
    let answer = world.post(&format!("/v1/endpoints/{path}")).key(KEY).send().await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn an_operation_names_its_webhooks_and_how_far_they_have_come() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    world.create("c", "f").await;
    let look = async || {
        let read = world.get("/v1/operations/function_call/c").key(KEY).send().await.json();
        read["webhooks"].clone()
    };
    let waiting = look().await;
    let id = waiting[0]["delivery_id"].as_str().unwrap().to_owned();
    let expected = |state: Value| {
        json!([{"endpoint": "both", "event_type": "v1beta2.function_call.completed",
                "delivery_id": id, "state": state}])
    };
    assert_eq!(waiting, expected(Value::Null));
    receiver.answers([Reply::Status(500)]);
    world.respond("c", true).await;
    assert_eq!(look().await, expected(Value::Null));
    world.work().await;
    assert_eq!(look().await, expected(json!("pending")));
    world.settle().await;
    assert_eq!(look().await, expected(json!("delivered")));
    assert_eq!(receiver.received()[0].header("webhook-id"), Some(id.as_str()));
    let read = world.get(&format!("/v1/deliveries/{id}")).key(KEY).send().await.json();
    assert_eq!(read["decision_of"], "function_call/c");
    world.finish().await;
}

#[tokio::test]
async fn a_test_event_comes_signed_in_each_form_and_says_that_it_is_one() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let (status, sent) = test(&world, "both/test").await;
    assert_eq!((status, sent["items"].as_array().unwrap().len()), (StatusCode::ACCEPTED, 2));
    let (_, more) = test(&world, "bare/test").await;
    let (_, one) = test(&world, "both/test?event=v1beta2.function_call.completed").await;
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    assert_ne!(one["items"][0]["id"], sent["items"][0]["id"], "each test is a delivery of its own");
    world.work().await;

    let (secret, now) = (parse_secret(WEBHOOK_SECRET).unwrap(), world.clock.now());
    let received = receiver.received();
    assert_eq!(received.len(), 4);
    for request in &received {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let id = request.header("webhook-id").unwrap();
        let signature = request.header("webhook-signature").unwrap();
        assert_eq!(signature, sign(&secret, id, now, &request.body));
        let event = if request.path == "/bare" { &body } else { &body["event"] };
        assert_eq!((&body["is_test"], &event["call_id"]), (&json!(true), &json!("call-test")));
        assert!(event["status"]["responded_at"].is_string(), "{body}");
    }
    let event_type = &more["items"][0]["event_type"];
    assert_eq!(event_type, "human_contact.completed");
    // It is about nothing there is, and nothing comes of it here either.
    let none = world.get("/v1/operations/function_call/call-test").key(KEY).send().await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    world.finish().await;
}

#[tokio::test]
async fn a_test_event_needs_an_endpoint_that_wants_it() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    for (path, status, code) in [
        ("none/test", StatusCode::NOT_FOUND, "not_found"),
        ("deaf/test", StatusCode::CONFLICT, "not_subscribed"),
        ("bare/test?event=function_call.completed", StatusCode::CONFLICT, "not_subscribed"),
        ("bare/test?event=order.paid", StatusCode::BAD_REQUEST, "invalid_query"),
    ] {
        let (answered, problem) = test(&world, path).await;
        assert_eq!((answered, &problem["code"]), (status, &json!(code)), "{path}");
    }
    receiver.answers([Reply::Status(410)]);
    test(&world, "bare/test").await;
    world.work().await;
    let (status, problem) = test(&world, "bare/test").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("endpoint_disabled")));
    test(&world, "bare/enable").await;
    assert_eq!(test(&world, "bare/test").await.0, StatusCode::ACCEPTED);
    world.finish().await;
}

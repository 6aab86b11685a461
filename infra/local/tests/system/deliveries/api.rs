//! Deliveries and endpoints for an operator: list, read, send again, enable.

use std::time::Duration;

use http::StatusCode;
use placet_core::delivery::State;
use placet_runtime::Role;
use serde_json::Value;

use super::{send, world};
use crate::client::{DeliveryReply, List};
use crate::receiver::{Receiver, Reply};
use crate::world::{KEY, OTHER, World};

/// A world with the endpoint `billing`, which is gone, and the id of the refused delivery.
async fn gone(receiver: &Receiver) -> (World, String) {
    let world = world(receiver).await;
    receiver.answers([Reply::Status(410)]);
    let id = send(&world, "billing", "one").await;
    world.work().await;
    assert_eq!(world.delivery(&id).await.state, State::Failed);
    (world, id)
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_listed_as_disabled() {
    let receiver = Receiver::start().await;
    let (world, _) = gone(&receiver).await;

    let endpoints: Value = world.client().get("/v1/endpoints").await.ok();

    let url = |name: &str| format!("http://127.0.0.1:{}/{name}", receiver.port);
    let [billing, shipping] = endpoints["items"].as_array().unwrap().as_slice() else {
        panic!("{endpoints}")
    };
    assert_eq!(billing["url"], url("billing"));
    assert_eq!((&billing["name"], &billing["state"]), (&"billing".into(), &"disabled".into()));
    assert_eq!(billing["reason"], "it answered 410 Gone");
    assert_eq!(billing["disabled_at"], world.clock.now().to_string());
    assert_eq!((&shipping["name"], &shipping["state"]), (&"shipping".into(), &"enabled".into()));
    assert_eq!(shipping.get("reason"), None);
    world.finish().await;
}

#[tokio::test]
async fn an_endpoint_that_is_gone_gets_nothing_until_it_is_enabled() {
    let receiver = Receiver::start().await;
    let (world, _) = gone(&receiver).await;
    let client = world.client();
    let late = send(&world, "billing", "two").await;
    world.work().await;
    let failed = world.delivery(&late).await;
    assert_eq!(failed.state, State::Failed);
    assert!(failed.log[0].error.as_ref().unwrap().contains("disabled"));
    assert_eq!(receiver.received().len(), 1);
    client.redeliver(&late).await.refused(StatusCode::CONFLICT, "endpoint_disabled");

    for _ in 0..2 {
        assert_eq!(client.enable_endpoint("billing").await.ok().state, "enabled");
    }
    client.redeliver(&late).await.is(StatusCode::ACCEPTED);
    world.work().await;

    assert_eq!(world.delivery(&late).await.state, State::Delivered);
    assert_eq!(receiver.received().len(), 2);
    world.finish().await;
}

/// Five deliveries, oldest first. The second was refused for good. The endpoint of the last is disabled.
async fn five(receiver: &Receiver) -> (World, Vec<String>) {
    let world = world(receiver).await;
    receiver.answers([Reply::Status(200), Reply::Status(410)]);
    let mut sent = Vec::new();
    for (n, endpoint) in
        ["billing", "shipping", "billing", "billing", "shipping"].iter().enumerate()
    {
        sent.push(send(&world, endpoint, &n.to_string()).await);
        world.work().await;
        world.advance(Duration::from_millis(1));
    }
    (world, sent)
}

#[tokio::test]
async fn deliveries_are_listed_newest_first_page_by_page() {
    let receiver = Receiver::start().await;
    let (world, mut sent) = five(&receiver).await;
    sent.reverse();

    let pages: Vec<Vec<DeliveryReply>> = world.client().pages("/v1/deliveries?limit=2").await;

    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    let found: Vec<_> = pages.concat().into_iter().map(|delivery| delivery.id).collect();
    assert_eq!(found, sent);
    world.finish().await;
}

#[tokio::test]
async fn deliveries_are_listed_by_endpoint_and_state() {
    let receiver = Receiver::start().await;
    let (world, sent) = five(&receiver).await;
    for (query, expected) in [
        ("endpoint=billing", vec![&sent[3], &sent[2], &sent[0]]),
        ("state=failed", vec![&sent[4], &sent[1]]),
        ("endpoint=billing&state=failed", vec![]),
        ("state=pending", vec![]),
        ("state=delivered&limit=3", vec![&sent[3], &sent[2], &sent[0]]),
    ] {
        let page = world.client().deliveries(query).await;
        let found: Vec<_> = page.items.iter().map(|delivery| &delivery.id).collect();
        assert_eq!(found, expected, "{query}");
        assert_eq!(page.next, None, "{query}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_wrong_parameter_is_refused() {
    let world = World::start().await;
    for wrong in ["state=lost", "limit=0", "limit=101", "limit=x", "cursor=1.x", "colour=red"] {
        let path = format!("/v1/deliveries?{wrong}");
        let reply = world.client().get::<List<DeliveryReply>>(&path).await;
        reply.refused(StatusCode::BAD_REQUEST, "invalid_query");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_delivery_is_shown_with_all_its_members() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Body(202, b"thanks".to_vec())]);
    let id = send(&world, "billing", "one").await;
    world.work().await;

    let mut shown: Value = world.client().get(&format!("/v1/deliveries/{id}")).await.ok();

    assert!(shown["log"][0]["duration_ms"].take().is_u64());
    insta::assert_json_snapshot!(shown, @r#"
    {
      "id": "msg_e90fea9df4ed4f06220489a407a19a9e",
      "endpoint": "billing",
      "person": null,
      "address": null,
      "event_type": "order.paid",
      "operation": null,
      "state": "delivered",
      "attempts": 1,
      "created_at": "2026-11-18T11:06:40.000Z",
      "changed_at": "2026-11-18T11:06:40.000Z",
      "next_attempt_at": null,
      "last_status": 202,
      "last_error": null,
      "content_type": "application/json",
      "size": 12,
      "body": "{\"amount\":7}",
      "log": [
        {
          "attempt": 1,
          "at": "2026-11-18T11:06:40.000Z",
          "status": 202,
          "error": null,
          "duration_ms": null,
          "answer": "thanks"
        }
      ]
    }
    "#);
    world.finish().await;
}

#[tokio::test]
async fn only_its_project_sees_and_sends_a_delivery() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let id = send(&world, "billing", "one").await;
    world.work().await;
    let key = world.key(Role::Admin, OTHER).await;
    let other = world.client_with(&key);
    let before = world.contents().await;

    assert!(other.deliveries("").await.items.is_empty());
    assert!(other.endpoints().await.items.is_empty());
    let read = other.get::<DeliveryReply>(&format!("/v1/deliveries/{id}")).await;
    read.refused(StatusCode::NOT_FOUND, "not_found");
    other.redeliver(&id).await.refused(StatusCode::NOT_FOUND, "not_found");
    other.enable_endpoint("billing").await.refused(StatusCode::NOT_FOUND, "not_found");

    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn deliveries_and_endpoints_need_a_key_and_the_right_method() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let id = send(&world, "billing", "one").await;
    world.work().await;
    let before = world.contents().await;

    for path in ["/v1/deliveries", "/v1/endpoints", &format!("/v1/deliveries/{id}")] {
        assert_eq!(world.get(path).send().await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let redeliver = format!("/v1/deliveries/{id}/redeliver");
    for path in [&redeliver, "/v1/endpoints/billing/enable", "/v1/endpoints/billing/test"] {
        assert_eq!(world.post(path).send().await.status, StatusCode::UNAUTHORIZED, "{path}");
        let read = world.get(path).key(KEY).send().await;
        assert_eq!(read.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }

    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn an_unknown_delivery_or_endpoint_is_not_found() {
    let world = World::start().await;
    let client = world.client();
    for id in ["x", "msg_00000000000000000000000000000000"] {
        let read = client.get::<DeliveryReply>(&format!("/v1/deliveries/{id}")).await;
        read.refused(StatusCode::NOT_FOUND, "not_found");
        client.redeliver(id).await.refused(StatusCode::NOT_FOUND, "not_found");
    }
    client.enable_endpoint("nowhere").await.refused(StatusCode::NOT_FOUND, "not_found");
    world.finish().await;
}

//! What an operator sees of deliveries and endpoints, and can do about them.

use std::time::Duration;

use http::StatusCode;
use placet_core::delivery::State;
use placet_runtime::Role;
use serde_json::{Value, json};

use super::{delivery, post, read, send, world};
use crate::receiver::{Receiver, Reply};
use crate::world::{KEY, OTHER};

#[tokio::test]
async fn an_endpoint_that_is_gone_gets_nothing_until_it_is_enabled() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Status(410)]);
    let gone = send(&world, "billing", "one").await;
    world.work().await;
    let late = send(&world, "billing", "two").await;
    world.work().await;
    assert_eq!(receiver.received().len(), 1);
    for id in [&gone, &late] {
        assert_eq!(delivery(&world, id).await.state, State::Failed);
    }
    assert!(delivery(&world, &late).await.log[0].error.as_ref().unwrap().contains("disabled"));
    let endpoints = read(&world, "/v1/endpoints").await;
    let states: Vec<_> = endpoints["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["name"], &one["state"]))
        .collect();
    assert!(states.contains(&(&json!("billing"), &json!("disabled"))), "{states:?}");
    assert!(states.contains(&(&json!("shipping"), &json!("enabled"))), "{states:?}");
    assert!(endpoints["items"][0]["reason"].as_str().unwrap().contains("410"));

    let redeliver = format!("/v1/deliveries/{late}/redeliver");
    let (status, problem) = post(&world, &redeliver).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("endpoint_disabled")));
    for _ in 0..2 {
        let (status, enabled) = post(&world, "/v1/endpoints/billing/enable").await;
        assert_eq!((status, &enabled["state"]), (StatusCode::OK, &json!("enabled")));
    }
    assert_eq!(post(&world, &redeliver).await.0, StatusCode::ACCEPTED);
    world.work().await;
    assert_eq!(delivery(&world, &late).await.state, State::Delivered);
    assert_eq!(post(&world, "/v1/endpoints/nowhere/enable").await.0, StatusCode::NOT_FOUND);
    world.finish().await;
}

#[tokio::test]
async fn deliveries_are_listed_newest_first_page_by_page() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Status(200), Reply::Status(410)]);
    let mut sent = Vec::new();
    for (n, endpoint) in
        ["billing", "shipping", "billing", "billing", "shipping"].iter().enumerate()
    {
        sent.push(send(&world, endpoint, &n.to_string()).await);
        world.work().await;
        world.advance(Duration::from_millis(1));
    }
    sent.reverse();
    let mut found = Vec::new();
    let mut path = "/v1/deliveries?limit=2".to_owned();
    loop {
        let page = read(&world, &path).await;
        let ids = page["items"].as_array().unwrap().iter().map(|one| one["id"].clone());
        found.extend(ids);
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/deliveries?limit=2&cursor={next}");
    }
    assert_eq!(found, sent);
    for (query, count) in [
        ("endpoint=billing", 3),
        ("state=failed", 2),
        ("endpoint=billing&state=failed", 0),
        ("state=pending", 0),
        ("state=delivered&limit=3", 3),
    ] {
        let page = read(&world, &format!("/v1/deliveries?{query}")).await;
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{query}");
        assert_eq!(page["next"], Value::Null, "{query}");
    }
    for wrong in ["state=lost", "limit=0", "limit=101", "limit=x", "cursor=1.x", "colour=red"] {
        let answer = world.get(&format!("/v1/deliveries?{wrong}")).key(KEY).send().await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    world.finish().await;
}

#[tokio::test]
async fn only_the_tenant_sees_and_sends_its_deliveries() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let id = send(&world, "billing", "one").await;
    world.work().await;
    let other = world.key(Role::Both, OTHER).await;
    let before = world.contents().await;
    let reads = ["/v1/deliveries".to_owned(), "/v1/endpoints".to_owned()];
    for path in &reads {
        assert_eq!(world.get(path).send().await.status, StatusCode::UNAUTHORIZED);
        let list = world.get(path).key(&other).send().await.json();
        assert_eq!(list, json!({"items": [], "next": null}), "{path}");
    }
    let one = format!("/v1/deliveries/{id}");
    assert_eq!(world.get(&one).key(&other).send().await.status, StatusCode::NOT_FOUND);
    for path in [format!("{one}/redeliver"), "/v1/endpoints/billing/enable".to_owned()] {
        assert_eq!(world.post(&path).send().await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(world.post(&path).key(&other).send().await.status, StatusCode::NOT_FOUND);
        let read = world.get(&path).key(KEY).send().await;
        assert_eq!(read.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    for unknown in ["/v1/deliveries/x", "/v1/deliveries/msg_00000000000000000000000000000000"] {
        assert_eq!(world.get(unknown).key(KEY).send().await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

//! Replies of an upstream approver to a poll that are not a decision.

use std::time::Duration;

use http::{Method, StatusCode};
use placet_core::operation::State;
use placet_runtime::Role;
use serde_json::{Value, json};

use super::{AGENT, FIRST, LATE, polling};
use crate::client::call;
use crate::receiver::{Receiver, Reply, closed_port};
use crate::world::{OTHER, World};

fn item(call_id: &str, amount: u64, status: Value) -> Reply {
    let spec = json!({"fn": "charge", "kwargs": {"amount": amount}});
    let item = json!({"run_id": "run", "call_id": call_id, "spec": spec, "status": status});
    Reply::Body(200, item.to_string().into_bytes())
}

/// Creates a call. The worker polls for its decision at once.
async fn created(world: &World, call_id: &str) {
    world.create(call_id, "charge").await;
    assert_eq!(world.work().await.failed, 0, "{call_id}");
}

/// The time until the next poll.
async fn pause(world: &World, call_id: &str) -> Option<Duration> {
    let upstream = world.operation(call_id).await.body.upstream;
    Some(upstream?.next_poll?.since(world.clock.now()))
}

/// Moves the clock until the worker makes the next poll.
async fn next_poll(world: &World, call_id: &str) {
    world.advance(pause(world, call_id).await.unwrap() + LATE);
    world.work().await;
}

#[tokio::test]
async fn the_worker_polls_as_an_sdk_does() {
    let server = Receiver::start().await;
    let world = polling(server.port).start().await;
    let call_id = "caf\u{e9} 1+2&3";
    let draft = call(call_id, "charge")
        .run("run 1")
        .with("kwargs", json!({"amount": 7, "to": "\u{2665}"}))
        .with("state", json!({"n": 1}))
        .with("reject_options", json!([{"name": "later", "prompt_fill": "not now"}]))
        .with("channel", json!({"email": {"address": "a@b.example"}}));
    server.answers([Reply::Status(404), item(call_id, 7, Value::Null)]);
    world.client().request_approval(&draft).await;
    assert_eq!(server.received().len(), 0, "the worker has not run yet");

    assert_eq!(world.work().await.failed, 0);

    let received = server.received();
    let requests: Vec<_> = received.iter().map(|one| (&one.method, one.path.as_str())).collect();
    let base = "/humanlayer/v1/function_calls";
    let path = format!("{base}/caf%C3%A9%201+2&3");
    assert_eq!(requests, [(&Method::GET, path.as_str()), (&Method::POST, base)]);
    for one in &received {
        assert_eq!(one.header("authorization"), Some(format!("Bearer {AGENT}").as_str()));
    }
    assert_eq!(received[1].header("content-type"), Some("application/json"));
    let mut created: Value = serde_json::from_slice(&received[1].body).unwrap();
    created["status"] = Value::Null;
    assert_eq!(created, draft.humanlayer());
    world.finish().await;
}

/// Replies without a decision on the polled call.
fn useless(location: &'static str) -> Vec<Vec<Reply>> {
    let yes = || json!({"approved": true, "comment": ""});
    let text = |text: &str| Reply::Body(200, text.as_bytes().to_vec());
    let long = "x".repeat(17 * 1024);
    vec![
        vec![Reply::Status(401)],
        vec![Reply::Status(403)],
        vec![Reply::Status(404), Reply::Status(404)],
        vec![Reply::Status(404), Reply::Status(409)],
        vec![Reply::Status(404), Reply::Status(422)],
        vec![Reply::Header(302, "location", location)],
        vec![Reply::Header(307, "location", location)],
        vec![Reply::Status(404), Reply::Header(308, "location", location)],
        vec![Reply::Status(204)],
        vec![Reply::Body(200, vec![b' '; 3 * 1024 * 1024])],
        vec![text("hello")],
        vec![text("[]")],
        vec![text("{}")],
        vec![text(r#"{"status": {"approved": true}}"#)],
        vec![item("call-1", 7, json!({"approved": "yes"}))],
        vec![item("call-1", 7, json!({"approved": true, "comment": long}))],
        vec![item("call-1", 8, yes())],
        vec![item("decoy", 7, yes())],
    ]
}

#[tokio::test]
async fn the_call_waits_for_a_decision_here_after_any_useless_reply() {
    let other = Receiver::start().await;
    let location = format!("http://127.0.0.1:{}/", other.port).leak();
    for replies in useless(location) {
        let server = Receiver::start().await;
        let world = polling(server.port).start().await;
        let waits = Reply::Body(200, b"{\"status\": null}".to_vec());
        server.answers([waits].into_iter().chain(replies.clone()));
        created(&world, "decoy").await;
        created(&world, "call-1").await;
        assert_eq!(server.received().len(), 1 + replies.len(), "{replies:?}");
        for call_id in ["decoy", "call-1"] {
            assert_eq!(world.ended(call_id).await, (State::Pending, 0), "{replies:?}");
        }

        let approved = world.decide_in_inbox("call-1", "approve").await;
        world.settle().await;

        assert_eq!(approved.status, StatusCode::SEE_OTHER, "{replies:?}");
        assert_eq!(world.ended("call-1").await, (State::Succeeded, 1), "{replies:?}");
        assert!(world.contents().await.iter().all(|row| !row.contains(AGENT)));
        world.finish().await;
    }
    assert_eq!(other.received().len(), 0, "a redirect was followed");
}

#[tokio::test]
async fn the_call_expires_after_any_useless_reply() {
    let server = Receiver::start().await;
    let world = polling(server.port).start().await;
    server.answers(vec![Reply::Status(401); 100]);
    created(&world, "call-1").await;

    world.later(Duration::from_secs(3601)).await;

    assert_eq!(world.ended("call-1").await, (State::Expired, 0));
    world.finish().await;
}

/// A poll times out after five seconds, in real time.
#[tokio::test]
async fn a_server_that_does_not_answer_is_polled_again() {
    let server = Receiver::start().await;
    let world = polling(server.port).start().await;
    let statuses = [503, 500, 429, 408, 502].map(Reply::Status);
    server.answers(statuses.into_iter().chain([Reply::Silence]));
    created(&world, "call-1").await;
    for _ in 0..5 {
        next_poll(&world, "call-1").await;
    }
    assert_eq!((server.received().len(), world.dead_letters().await), (6, 0));

    server.answers([item("call-1", 7, json!({"approved": true}))]);
    next_poll(&world, "call-1").await;

    assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
    world.finish().await;
}

#[tokio::test]
async fn a_port_on_which_nothing_listens_delays_nothing() {
    let (_socket, port) = closed_port();
    let world = polling(port).start().await;
    created(&world, "call-1").await;
    assert_eq!(world.state("call-1").await, State::Pending);
    let denied = world.decide_in_inbox("call-1", "deny").await;
    assert_eq!(denied.status, StatusCode::SEE_OTHER);
    world.finish().await;
}

/// The last poll ends early enough before the deadline that its decision still counts.
#[tokio::test]
async fn the_pauses_between_two_polls_grow() {
    let server = Receiver::start().await;
    let world = polling(server.port).start().await;
    let waits = || item("call-1", 7, json!({"requested_at": "2026-11-21T00:00:00"}));
    server.answers(std::iter::repeat_with(waits).take(100));
    created(&world, "call-1").await;
    let mut pauses = Vec::new();
    while let Some(pause) = pause(&world, "call-1").await {
        pauses.push(pause.as_secs());
        let before = server.received().len();
        next_poll(&world, "call-1").await;
        assert_eq!(server.received().len(), before + 1);
    }
    assert_eq!(pauses, [30, 60, 120, 240, 480, 900, 900, 773]);
    let polled_at = world.clock.now();
    let deadline = world.operation("call-1").await.deadline;
    assert_eq!(deadline.since(polled_at), Duration::from_secs(90) - LATE);
    world.later(Duration::from_secs(3601)).await;
    assert_eq!(world.state("call-1").await, State::Expired);
    world.finish().await;
}

#[tokio::test]
async fn a_server_that_is_no_longer_configured_is_not_polled() {
    let server = Receiver::start().await;
    let world = polling(server.port).start().await;
    world.create("call-1", "charge").await;
    let other = "http://127.0.0.1:1/humanlayer/v1";
    world.tamper("call-1", |body| body["upstream"]["base_url"] = other.into()).await;

    assert_eq!(world.work().await.failed, 0);
    world.advance(FIRST + LATE);
    assert_eq!(world.work().await.failed, 0);

    assert_eq!(server.connections(), 0);
    let denied = world.decide_in_inbox("call-1", "deny").await;
    assert_eq!(denied.status, StatusCode::SEE_OTHER);
    world.finish().await;
}

#[tokio::test]
async fn only_the_main_project_has_an_upstream_approver() {
    let server = Receiver::start().await;
    let world = polling(server.port).start().await;
    let key = world.key(Role::Admin, OTHER).await;
    let created = world.client_with(&key).request_approval(&call("call-2", "charge")).await;
    assert_eq!(created.status, StatusCode::OK);

    world.work().await;

    assert_eq!(server.connections(), 0);
    world.finish().await;
}

#[tokio::test]
async fn without_a_usable_key_no_server_is_polled() {
    for key in [None, Some("a\nb")] {
        let server = Receiver::start().await;
        let building = polling(server.port);
        let world = match key {
            None => building.without("THEIR_KEY").start().await,
            Some(key) => building.secret("THEIR_KEY", key).start().await,
        };
        created(&world, "call-1").await;
        assert_eq!(server.connections(), 0);
        let denied = world.decide_in_inbox("call-1", "deny").await;
        assert_eq!(denied.status, StatusCode::SEE_OTHER);
        world.finish().await;
    }
}

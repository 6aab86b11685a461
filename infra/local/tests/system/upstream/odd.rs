//! What a server may answer besides an answer.

use std::time::Duration;

use http::{Method, StatusCode};
use placet_core::State;
use serde_json::{Value, json};

use super::{AGENT, FIRST, SECRET, asking, press};
use crate::receiver::{Receiver, Reply};
use crate::world::{KEY, OTHER, World};

async fn world(port: u16) -> World {
    World::with(&asking(port), &[SECRET, ("THEIR_KEY", AGENT)]).await
}

fn item(call_id: &str, amount: u64, status: Value) -> Reply {
    let spec = json!({"fn": "charge", "kwargs": {"amount": amount}});
    let item = json!({"run_id": "run", "call_id": call_id, "spec": spec, "status": status});
    Reply::Body(200, item.to_string().into_bytes())
}

/// Lets time pass until the timer looks, and the answer be asked for.
async fn look(world: &World, time: Duration) {
    world.advance(time);
    world.tick().await;
    world.work().await;
}

#[tokio::test]
async fn it_is_asked_as_an_sdk_asks() {
    let server = Receiver::start().await;
    let world = world(server.port).await;
    let spec = json!({"fn": "charge", "kwargs": {"amount": 7, "to": "\u{2665}"}, "state": {"n": 1},
        "reject_options": [{"name": "later", "prompt_fill": "not now"}],
        "channel": {"email": {"address": "a@b.example"}}});
    let body = json!({"run_id": "run 1", "call_id": "caf\u{e9} 1+2&3", "spec": spec});
    server.answers([Reply::Status(404), item("caf\u{e9} 1+2&3", 7, Value::Null)]);
    world.post("/humanlayer/v1/function_calls").key(KEY).json(&body).send().await;
    assert_eq!(server.received().len(), 0, "all work is behind the queue");
    assert_eq!(world.work().await.failed, 0);
    let received = server.received();
    let asked: Vec<_> = received.iter().map(|one| (&one.method, one.path.as_str())).collect();
    let base = "/humanlayer/v1/function_calls";
    let path = format!("{base}/caf%C3%A9%201+2&3");
    assert_eq!(asked, [(&Method::GET, path.as_str()), (&Method::POST, base)]);
    for one in &received {
        assert_eq!(one.header("authorization"), Some(format!("Bearer {AGENT}").as_str()));
    }
    assert_eq!(received[1].header("content-type"), Some("application/json"));
    assert_eq!(serde_json::from_slice::<Value>(&received[1].body).unwrap(), body);
    world.finish().await;
}

#[tokio::test]
async fn whatever_it_answers_the_call_waits_here_until_its_deadline() {
    let elsewhere = Receiver::start().await;
    let location = format!("http://127.0.0.1:{}/", elsewhere.port).leak();
    let yes = || json!({"approved": true, "comment": ""});
    let text = |text: &str| Reply::Body(200, text.as_bytes().to_vec());
    for replies in [
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
        vec![item("call-1", 7, json!({"approved": true, "comment": "x".repeat(17 * 1024)}))],
        vec![item("call-1", 8, yes())],
        vec![item("decoy", 7, yes())],
    ] {
        let server = Receiver::start().await;
        let world = world(server.port).await;
        let waits = || Reply::Body(200, b"{\"status\": null}".to_vec());
        server.answers([waits(), waits()].into_iter().chain(replies.clone()));
        for call_id in ["decoy", "expires", "call-1"] {
            world.create(call_id, "charge").await;
            let asked = server.received().len();
            assert_eq!(world.work().await.failed, 0, "{replies:?}");
            assert!(server.received().len() > asked, "{replies:?}");
        }
        for call_id in ["decoy", "expires", "call-1"] {
            assert_eq!(world.ended(call_id).await, (State::Pending, 0), "{replies:?}");
        }
        assert_eq!(press(&world, "call-1", "approve").await, StatusCode::SEE_OTHER);
        world.settle().await;
        assert_eq!(world.ended("call-1").await, (State::Succeeded, 1), "{replies:?}");
        server.answers(std::iter::repeat_n(Reply::Status(401), 4));
        look(&world, Duration::from_secs(3601)).await;
        assert_eq!(world.state("expires").await, State::Expired, "{replies:?}");
        assert!(world.contents().await.iter().all(|item| !item.contains(AGENT)));
        world.finish().await;
    }
    assert_eq!(elsewhere.received().len(), 0, "a redirect was followed");
}

#[tokio::test]
async fn who_is_not_to_be_reached_is_asked_again_by_the_timer() {
    let server = Receiver::start().await;
    let world = world(server.port).await;
    server
        .answers([503, 500, 429, 408, 502].map(Reply::Status).into_iter().chain([Reply::Silence]));
    world.create("call-1", "charge").await;
    assert_eq!(world.work().await.failed, 0);
    // One that hangs is given up soon.
    for round in 0..5 {
        look(&world, FIRST * 2_u32.pow(round)).await;
    }
    assert_eq!((server.received().len(), world.dead_letters().await), (6, 0));
    server.answers([item("call-1", 7, json!({"approved": true}))]);
    look(&world, Duration::from_secs(15 * 60)).await;
    assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));

    // A port that is taken, and nobody listens at.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = self::world(socket.local_addr().unwrap().port()).await;
    nobody.create("call-1", "charge").await;
    assert_eq!(nobody.work().await.failed, 0);
    assert_eq!(nobody.state("call-1").await, State::Pending);
    assert_eq!(press(&nobody, "call-1", "deny").await, StatusCode::SEE_OTHER);
    nobody.finish().await;
    world.finish().await;
}

#[tokio::test]
async fn the_pauses_between_two_questions_grow() {
    let server = Receiver::start().await;
    let world = world(server.port).await;
    let waits = || item("call-1", 7, json!({"requested_at": "2026-11-21T00:00:00"}));
    server.answers(std::iter::repeat_with(waits).take(100));
    world.create("call-1", "charge").await;
    world.work().await;
    let mut asked_at = vec![0];
    while world.state("call-1").await == State::Pending {
        let due = world.operation("call-1").await.due.unwrap();
        let before = server.received().len();
        look(&world, due.since(world.clock.now())).await;
        if server.received().len() > before {
            asked_at.push(world.clock.now().since(crate::world::START).as_secs());
        }
    }
    assert_eq!(asked_at, [0, 30, 90, 210, 450, 930, 1830, 2730, 3510]);
    assert_eq!(world.state("call-1").await, State::Expired);
    world.finish().await;
}

#[tokio::test]
async fn only_the_server_that_is_configured_is_asked_and_only_by_the_main_project() {
    let server = Receiver::start().await;
    let world = world(server.port).await;
    world.create("call-1", "charge").await;
    let other = "http://127.0.0.1:1/humanlayer/v1";
    world.tamper("call-1", |stored| stored["upstream"]["base_url"] = other.into()).await;
    assert_eq!(world.work().await.failed, 0);
    look(&world, FIRST).await;
    let key = world.key(placet_runtime::Role::Both, OTHER).await;
    assert_eq!(world.create_with(&key, "call-2", "charge").await.status, StatusCode::OK);
    world.work().await;
    assert_eq!(server.connections(), 0);
    assert_eq!(press(&world, "call-1", "deny").await, StatusCode::SEE_OTHER);
    world.finish().await;
}

#[tokio::test]
async fn without_a_key_nobody_is_asked() {
    for key in [&[][..], &[("THEIR_KEY", "a\nb")]] {
        let server = Receiver::start().await;
        let world = World::with(&asking(server.port), key).await;
        world.create("call-1", "charge").await;
        assert_eq!(world.work().await.failed, 0);
        assert_eq!(server.connections(), 0);
        assert_eq!(press(&world, "call-1", "deny").await, StatusCode::SEE_OTHER);
        world.finish().await;
    }
}

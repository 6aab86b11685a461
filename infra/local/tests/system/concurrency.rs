//! Many at once: one creation, one decision, one effect.

use futures_util::future::join_all;
use http::StatusCode;
use placet_core::State;
use serde_json::json;

use crate::world::{KEY, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_identical_creations_are_one_operation() {
    let world = World::start().await;
    let answers = join_all((0..100).map(|_| world.create("call-1", "charge"))).await;
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.json()["status"], answers[0].json()["status"]);
    }
    let listed = world.system.runtime.store.operations_of("default", "charge").await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(world.operation("call-1").await.version, 1);
    world.finish().await;
}

#[tokio::test]
async fn the_same_id_with_other_content_is_refused_and_overwrites_nothing() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let before = world.contents().await;
    for spec in [
        json!({"fn": "charge", "kwargs": {"amount": 8}}),
        json!({"fn": "charge_once", "kwargs": {"amount": 7}}),
        json!({"fn": "charge", "kwargs": {"amount": 7}, "state": {"n": 1}}),
    ] {
        let body = json!({"run_id": "run", "call_id": "call-1", "spec": spec});
        let refused = world.post("/humanlayer/v1/function_calls").key(KEY).json(&body).send().await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{body}");
        assert!(refused.json()["detail"].is_string());
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_repeated_creation_shows_how_it_stands_now() {
    let world = World::start().await;
    world.create("call-1", "f").await;
    world.respond("call-1", false).await;
    let again = world.create("call-1", "f").await;
    assert_eq!(
        (again.status, &again.json()["status"]["approved"]),
        (StatusCode::OK, &json!(false))
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_decisions_one_wins() {
    for function in ["charge", "charge_once"] {
        let world = World::start().await;
        world.create("call-1", function).await;
        let answers = join_all((0..64).map(|n| world.respond("call-1", n % 2 == 0))).await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
        assert_eq!(won.len(), 1);
        for lost in answers.iter().filter(|answer| answer.status != StatusCode::OK) {
            assert_eq!(lost.status, StatusCode::CONFLICT);
            let detail = lost.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.starts_with("call already has a response"), "{detail}");
        }
        let approved = won[0].json()["status"]["approved"] == true;
        world.settle().await;
        let expected = if approved { (State::Succeeded, 1) } else { (State::Denied, 0) };
        assert_eq!(world.ended("call-1").await, expected);
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_with_the_same_message_run_it_once() {
    for function in ["charge", "charge_once"] {
        let world = World::start().await;
        world.approved("call-1", function).await;
        let message =
            placet_core::Message::new(placet_core::Job::Execute, "default", "call-1").to_body();
        for _ in 0..19 {
            world.send_raw(&message).await;
        }
        join_all((0..4).map(|_| world.work())).await;
        world.settle().await;
        assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
        world.finish().await;
    }
}

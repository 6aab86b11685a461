//! Many requests at the same time make one creation, one decision and one effect.

use futures_util::future::join_all;
use http::StatusCode;
use placet_core::item::{Lane, Pointer};
use placet_core::operation::{Operation, State};
use serde_json::json;

use crate::client::call;
use crate::world::{PROJECT, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_equal_creations_make_one_operation() {
    let world = World::start().await;
    let replies = join_all((0..100).map(|_| world.create("call-1", "charge"))).await;
    for reply in &replies {
        assert_eq!((reply.status, &reply.text), (StatusCode::OK, &replies[0].text));
    }
    let operations = world.all::<Operation>().await;
    assert_eq!(operations.len(), 1);
    assert_eq!(operations[0].header.version, 1);
    world.finish().await;
}

#[tokio::test]
async fn other_content_under_the_same_id_is_refused_and_changes_nothing() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let before = world.contents().await;
    for other in [
        call("call-1", "charge").with("kwargs", json!({"amount": 8})),
        call("call-1", "charge_once"),
        call("call-1", "charge").with("state", json!({"n": 1})),
    ] {
        let refused = world.client().request_approval(&other).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{other:?}");
        assert!(refused.json()["detail"].is_string());
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_repeated_creation_shows_the_state_of_the_operation() {
    let world = World::start().await;
    world.create("call-1", "f").await;
    world.respond("call-1", false).await;
    let again = world.create("call-1", "f").await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.json()["status"]["approved"], false);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_sixty_four_decisions_wins() {
    for function in ["charge", "charge_once"] {
        let world = World::start().await;
        world.create("call-1", function).await;
        let replies = join_all((0..64).map(|n| world.respond("call-1", n % 2 == 0))).await;
        let (won, lost): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|reply| reply.status == StatusCode::OK);
        assert_eq!(won.len(), 1);
        for lost in lost {
            assert_eq!(lost.status, StatusCode::CONFLICT);
            let detail = lost.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.starts_with("call already has a response"), "{detail}");
        }
        world.settle().await;
        let approved = won[0].json()["status"]["approved"] == true;
        let expected = if approved { (State::Succeeded, 1) } else { (State::Denied, 0) };
        assert_eq!(world.ended("call-1").await, expected);
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_with_pointers_to_the_same_operation_run_it_once() {
    for function in ["charge", "charge_once"] {
        let world = World::start().await;
        world.approved("call-1", function).await;
        let pointer = Pointer::new("operation", PROJECT, "function_call/call-1").to_body();
        for lane in Lane::ALL {
            for _ in 0..10 {
                world.send_raw(lane, &pointer).await;
            }
        }
        join_all((0..4).map(|_| world.work())).await;
        world.settle().await;
        assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
        world.finish().await;
    }
}

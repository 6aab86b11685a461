//! The reply of a call is lost, and the SDK sends the call again. At every call of an operation's life, the
//! engine recognises the repeated write as our own.

use std::time::Duration;

use http::StatusCode;
use placet_core::operation::State;

use crate::client::{Decision, call, question};
use crate::crash::with_lost_replies;
use crate::world::World;

#[tokio::test]
async fn an_operation_is_created_decided_and_run_once() {
    for function in ["charge", "charge_once"] {
        with_lost_replies(async |plan| {
            let world = World::start().await;
            let everything = async {
                world.approved("call-1", function).await;
                world.work().await;
            };
            let ((), calls) = world.traced(plan, everything).await;
            assert_eq!(world.ended("call-1").await, (State::Succeeded, 1), "{plan:?}");
            let operation = world.operation("call-1").await;
            assert_eq!((operation.header.version, operation.attempts), (4, 1), "{plan:?}");
            world.finish().await;
            calls
        })
        .await;
    }
}

#[tokio::test]
async fn a_new_operation_is_reported_as_new_and_its_answer_as_accepted() {
    with_lost_replies(async |plan| {
        let world = World::start().await;
        let client = world.client();
        let everything = async {
            let created = client.create(&question("q", "Oak?")).await.is(StatusCode::CREATED);
            let answer = Decision::answer("yes").seen(&created.digest);
            client.decide("human_contact/q", &answer).await.ok()
        };
        let (answered, calls) = world.traced(plan, everything).await;
        assert_eq!((answered.state.as_str(), answered.history.len()), ("answered", 2), "{plan:?}");
        world.finish().await;
        calls
    })
    .await;
}

#[tokio::test]
async fn a_cancellation_is_confirmed_and_recorded_once() {
    with_lost_replies(async |plan| {
        let world = World::start().await;
        let client = world.client();
        client.created(&call("call-1", "charge")).await;
        let (cancelled, calls) =
            world.traced(plan, client.cancel("function_call/call-1", "sold")).await;
        assert_eq!(cancelled.ok().history.len(), 2, "{plan:?}");
        world.finish().await;
        calls
    })
    .await;
}

#[tokio::test]
async fn a_deadline_is_recorded_once() {
    with_lost_replies(async |plan| {
        let world = World::start().await;
        world.create("call-1", "charge").await;
        let ((), calls) = world.traced(plan, world.later(Duration::from_secs(3601))).await;
        let operation = world.operation("call-1").await;
        assert_eq!((operation.state, operation.header.version), (State::Expired, 2), "{plan:?}");
        world.finish().await;
        calls
    })
    .await;
}

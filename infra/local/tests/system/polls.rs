//! Polls of an upstream approver. A pending operation with an upstream approver rests on a message.

use std::time::Duration;

use placet_core::item::{Lane, Pointer};
use placet_core::operation::State;
use serde_json::json;

use crate::client::call;
use crate::receiver::{Receiver, Reply};
use crate::world::{PROJECT, World};

const CALL: &str = "function_call/call-1";

/// A world with this server as its upstream approver.
async fn with_upstream(server: &Receiver) -> World {
    let base_url = format!("http://127.0.0.1:{}/humanlayer/v1", server.port);
    let approver = format!("{{humanlayer: {{base_url: '{base_url}', api_key: env:THEIRS}}}}");
    World::building().defaults(&format!("approver: {approver}")).secret("THEIRS", "k").start().await
}

/// The answer of an upstream approver.
fn answer(status: serde_json::Value) -> Reply {
    let spec = json!({"fn": "charge", "kwargs": {"amount": 7}});
    let item = json!({"run_id": "run", "call_id": "call-1", "spec": spec, "status": status});
    Reply::Body(200, item.to_string().into_bytes())
}

/// A world with an operation that was polled once and was then approved at the upstream approver.
async fn approved_there(server: &Receiver) -> World {
    server.answers([
        answer(json!(null)),
        answer(json!({"approved": true, "comment": "", "reject_option_name": null})),
    ]);
    let world = with_upstream(server).await;
    world.client().request_approval(&call("call-1", "charge")).await;
    world.work().await;
    assert_eq!(server.received().len(), 1);
    world
}

/// The clock of the worker is behind the clock of the writer, so the message comes before its time.
#[tokio::test]
async fn a_pointer_that_comes_before_the_poll_is_not_lost() {
    let server = Receiver::start().await;
    let world = approved_there(&server).await;
    world.lose_messages().await;
    world.send_raw(Lane::Calls, &Pointer::new("operation", PROJECT, CALL).to_body()).await;

    world.work().await;

    world.nothing_is_forgotten().await;
    world.advance(Duration::from_secs(60));
    world.work().await;
    assert_eq!(world.state("call-1").await, State::Succeeded, "the operation was not polled again");
    world.finish().await;
}

/// After a restart of `placet dev` the messages of its queues are lost.
#[tokio::test]
async fn a_restart_does_not_end_the_polls() {
    let server = Receiver::start().await;
    let world = approved_there(&server).await;
    world.lose_messages().await;
    world.system.resume().await.unwrap();

    world.work().await;

    world.nothing_is_forgotten().await;
    world.advance(Duration::from_secs(60));
    world.work().await;
    assert_eq!(world.state("call-1").await, State::Succeeded, "the operation was not polled again");
    world.finish().await;
}

/// The drop guard reports an operation whose poll is lost, although its deadline is in the index.
#[tokio::test]
async fn the_drop_guard_sees_a_poll_that_is_lost() {
    let server = Receiver::start().await;
    let world = approved_there(&server).await;
    world.nothing_is_forgotten().await;
    world.lose_messages().await;
    assert_eq!(world.system.forgotten().await.unwrap().len(), 1);
    world.abandon();
}

/// The stored operation was changed, so no command applies. The worker must still pause between two polls.
#[tokio::test]
async fn an_operation_that_was_changed_is_not_polled_without_a_pause() {
    let server = Receiver::start().await;
    let world = with_upstream(&server).await;
    world.client().request_approval(&call("call-1", "charge")).await;
    world.tamper("call-1", |body| body["content"]["call"]["kwargs"] = json!({"amount": 8})).await;
    for _ in 0..60 {
        world.later(Duration::from_secs(60)).await;
    }
    assert!(server.received().len() < 40, "{}", server.received().len());
    world.abandon();
}

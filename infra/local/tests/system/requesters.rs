//! Who runs an approved operation: Placet or its requester.

use http::StatusCode;
use placet_core::operation::State;

use crate::client::call;
use crate::world::World;

const RUNS: &str = "executor: {function: charge}, idempotent: true";

/// Requests the same call through both APIs and approves it. Returns the states and the numbers of effects.
async fn both(members: &str) -> [(State, usize); 2] {
    let operation = format!("{{{RUNS}, {members}}}");
    let world = World::building().operation("both", &operation).start().await;
    world.create("theirs", "both").await;
    world.respond("theirs", true).await;
    world.client().create(&call("ours", "both")).await.is(StatusCode::CREATED);
    world.respond("ours", true).await;
    world.settle().await;
    let ended = [world.ended("theirs").await, world.ended("ours").await];
    world.finish().await;
    ended
}

#[tokio::test]
async fn placet_does_not_run_a_call_that_its_client_runs() {
    let [theirs, ours] = both("run_for: [placet]").await;
    assert_eq!(theirs, (State::Approved, 0));
    assert_eq!(ours, (State::Succeeded, 1));
}

#[tokio::test]
async fn the_configuration_can_make_placet_run_the_calls_of_both_apis() {
    let [theirs, ours] = both("run_for: [placet, humanlayer]").await;
    assert_eq!((theirs, ours), ((State::Succeeded, 1), (State::Succeeded, 1)));
    let [theirs, ours] = both("run_for: [humanlayer]").await;
    assert_eq!((theirs, ours), ((State::Succeeded, 1), (State::Approved, 0)));
}

/// The configuration does not turn on the demo.
#[tokio::test]
async fn the_demo_is_off_by_default() {
    let world = World::building().without("PLACET_DEMO").start().await;
    for path in ["/purchases", "/purchase-materials"] {
        for accept in ["text/html", "application/json"] {
            let reply = world.get(path).header("accept", accept).send().await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path} {accept}");
        }
    }
    let inbox = world.get("/inbox").header("accept", "text/html").send().await;
    assert!(!inbox.text.contains("Buy") && !inbox.text.contains("Purchases"));
    world.finish().await;
}

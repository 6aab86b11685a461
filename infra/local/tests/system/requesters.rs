//! Who runs what was approved: Placet, or the client that requested it.

use http::StatusCode;
use placet_core::operation::State;

use crate::client::call;
use crate::world::World;

const RUNS: &str = "executor: {function: charge}, idempotent: true";

/// Requests the same through both interfaces and approves it.
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
async fn what_a_client_runs_by_itself_is_not_run_here_too() {
    let [theirs, ours] = both("run_for: [placet]").await;
    assert_eq!(theirs, (State::Approved, 0));
    assert_eq!(ours, (State::Succeeded, 1));
}

#[tokio::test]
async fn a_configuration_may_have_it_run_here_for_each() {
    let [theirs, ours] = both("run_for: [placet, humanlayer]").await;
    assert_eq!((theirs, ours), ((State::Succeeded, 1), (State::Succeeded, 1)));
    let [theirs, ours] = both("run_for: [humanlayer]").await;
    assert_eq!((theirs, ours), ((State::Succeeded, 1), (State::Approved, 0)));
}

/// Where nobody has turned it on.
#[tokio::test]
async fn the_demo_is_not_there() {
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

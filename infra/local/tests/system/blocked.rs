//! An approved operation is precious: what cannot run waits, and a failed operation can be run again.

use std::time::Duration;

use http::StatusCode;
use placet_core::operation::State;

use crate::client::call;
use crate::world::World;

const RECHECK: Duration = Duration::from_secs(301);

/// The executors that cannot run: a function that is not compiled in, a secret that is not set, and a secret of
/// the wrong form.
const EXECUTORS: [&str; 3] = [
    "{function: ship_parcel}",
    "{http: {url: 'https://pay.example/run', secret: env:NOT_SET}}",
    "{http: {url: 'https://pay.example/run', secret: env:WRONG}}",
];

#[tokio::test]
async fn an_approved_operation_that_cannot_run_waits_and_is_in_the_inbox() {
    for executor in EXECUTORS {
        let world = World::building()
            .operation("ship", &format!("{{executor: {executor}}}"))
            .secret("WRONG", "open-sesame")
            .start()
            .await;
        world.approved("c", "ship").await;
        world.work().await;
        assert_eq!(world.ended("c").await, (State::Blocked, 0), "{executor}");
        world.later(RECHECK).await;
        world.later(RECHECK).await;
        let operation = world.operation("c").await;
        assert_eq!((operation.state, operation.attempts), (State::Blocked, 0), "{executor}");
        assert_eq!(operation.history.of("blocked").count(), 1, "the history tells it once");
        world.nothing_is_forgotten().await;

        let inbox = world.page("/inbox?list=problems").await.text;
        assert!(inbox.contains("Approved, but blocked") && inbox.contains("ship"), "{inbox}");
        let page = world.page("/inbox/c").await.text;
        assert!(page.contains("Run it now") && page.contains("Do not run it"), "{page}");
        let ended = world.submit("/inbox/c", "attempt=0&comment=&settlement=did_not_happen").await;
        assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.text);
        assert_eq!(world.state("c").await, State::Failed);
        world.finish().await;
    }
}

#[tokio::test]
async fn the_page_of_a_pending_operation_says_that_it_cannot_run() {
    let world = World::building()
        .operation("ship", &format!("{{executor: {}}}", EXECUTORS[0]))
        .operation("pay", &format!("{{executor: {}}}", EXECUTORS[1]))
        .start()
        .await;
    for (id, function, reason) in [
        ("a", "ship", "function ship_parcel is not compiled into the worker"),
        ("b", "pay", "NOT_SET is not set"),
    ] {
        world.client().created(&call(id, function)).await;
        let page = world.page(&format!("/inbox/{id}")).await.text;
        let warning = format!("Placet cannot run this now: <bdi>{reason}");
        assert!(page.contains(&warning) && page.contains("it waits as blocked"), "{page}");
        assert!(!page.contains("runs at once"), "{page}");
    }
    world.client().created(&call("c", "purchase_materials")).await;
    let page = world.page("/inbox/c").await.text;
    assert!(!page.contains("cannot run this now"), "{page}");
    world.abandon();
}

/// What the approver does not see is not run: a missing argument has no default after the approval.
#[tokio::test]
async fn a_purchase_without_its_arguments_is_refused() {
    let world = World::start().await;
    for (id, kwargs) in
        [("none", serde_json::json!({})), ("one", serde_json::json!({"material": "oak"}))]
    {
        let request = call(id, "purchase_materials").with("kwargs", kwargs);
        world.client().created(&request).await;
        world.decide_in_inbox(id, "approve").await;
        world.work().await;
        let operation = world.operation(id).await;
        let outcome = format!("{:?}", operation.body.outcome);
        assert!(outcome.contains("invalid_arguments"), "{outcome}");
    }
    world.abandon();
}

#[tokio::test]
async fn a_person_runs_a_failed_operation_again_on_its_page() {
    let world = World::start().await;
    let request = call("c", "purchase_materials").with("kwargs", serde_json::json!({"bad": 1}));
    world.client().created(&request).await;
    assert_eq!(world.respond("c", true).await.status, StatusCode::OK);
    world.settle().await;
    let failed = world.operation("c").await;
    assert_eq!((failed.state, failed.attempts), (State::Failed, 1));

    let again = world.submit("/inbox/c", "attempt=1&comment=again&settlement=run_again").await;
    assert_eq!(again.status, StatusCode::SEE_OTHER, "{}", again.text);
    world.settle().await;
    let after = world.operation("c").await;
    assert_eq!((after.attempts, after.digest), (2, failed.digest));
    assert_eq!(after.history.of("settled").count(), 1);
    world.finish().await;
}

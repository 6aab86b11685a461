//! A crash before and after every call with which a handler, the worker or the timer changes something, then
//! recovery. Afterwards the effect happened once, or the outcome is recorded as unknown.

use std::time::Duration;

use http::StatusCode;
use placet_core::operation::State;
use placet_local::faults::{CallRecord, Plan};
use serde_json::json;

use crate::world::World;

/// Runs `scenario` with a crash at one call after the other, until it finishes without a crash.
pub async fn at_every_call<F>(scenario: F)
where
    F: AsyncFn(Plan) -> bool,
{
    with_faults(&[Plan::CrashBefore, Plan::CrashAfter], scenario).await;
}

/// Runs `scenario` with each of these faults at one call after the other, until it returns that the fault was
/// not reached.
pub async fn with_faults<F>(faults: &[fn(usize) -> Plan], scenario: F)
where
    F: AsyncFn(Plan) -> bool,
{
    for fault in faults {
        let mut call = 0;
        while scenario(fault(call)).await {
            call += 1;
        }
        assert!(call > 0, "the scenario makes no calls");
    }
}

/// Runs `scenario` once for each call that changes something; the reply of that call is lost and the call is
/// repeated. `scenario` returns its calls. If a repeated write is recognised as our own, the calls are the
/// same as without a fault.
pub async fn with_lost_replies<F>(scenario: F)
where
    F: AsyncFn(Plan) -> Vec<CallRecord>,
{
    let names =
        |calls: &[CallRecord]| calls.iter().map(|call| call.operation.clone()).collect::<Vec<_>>();
    let undisturbed = scenario(Plan::Repeat(usize::MAX)).await;
    let changes = undisturbed.iter().filter(|call| call.changes());
    let mut writes = 0;
    for (n, call) in changes.enumerate() {
        let calls = scenario(Plan::Repeat(n)).await;
        if call.operation == "PutItem" {
            writes += 1;
            assert_eq!(names(&calls), names(&undisturbed), "change {n}");
        }
    }
    assert!(writes > 0, "the scenario writes nothing");
}

#[tokio::test]
async fn a_worker_that_crashes_runs_an_idempotent_operation_once() {
    at_every_call(async |plan| {
        let world = World::start().await;
        world.approved("call-1", "charge").await;
        let crashed = world.crashes(plan, world.work()).await;
        world.settle().await;
        let ended = world.ended("call-1").await;
        assert_eq!(ended, (State::Succeeded, 1), "{plan:?}");
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_crashes_runs_a_non_idempotent_operation_at_most_once() {
    at_every_call(async |plan| {
        let world = World::start().await;
        world.approved("call-1", "charge_once").await;
        let crashed = world.crashes(plan, world.work()).await;
        world.settle().await;
        let ended = world.ended("call-1").await;
        let honest = [(State::Succeeded, 1), (State::Unknown, 0), (State::Unknown, 1)];
        assert!(honest.contains(&ended), "{plan:?}: {ended:?}");
        if !crashed {
            assert_eq!(ended, (State::Succeeded, 1));
        }
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_never_counts_as_failed() {
    for function in ["charge", "charge_once"] {
        let world = World::start().await;
        world.approved("call-1", function).await;
        // The worker reads, leases and calls the function: the effect is its third call.
        world.faults.arm(Plan::Fail(2));
        world.work().await;
        world.faults.reset();
        world.settle().await;
        let (state, effects) = world.ended("call-1").await;
        match function {
            "charge" => assert_eq!((state, effects), (State::Succeeded, 1)),
            _ => assert_eq!((state, effects), (State::Unknown, 0)),
        }
        world.finish().await;
    }
}

#[tokio::test]
async fn a_decision_that_crashes_is_complete_or_absent() {
    at_every_call(async |plan| {
        let world = World::start().await;
        world.create("call-1", "charge_once").await;
        let crashed = world.crashes(plan, world.respond("call-1", true)).await;
        let again = world.respond("call-1", true).await.status;
        assert!(matches!(again, StatusCode::OK | StatusCode::CONFLICT), "{plan:?}: {again}");
        world.settle().await;
        let ended = world.ended("call-1").await;
        assert_eq!(ended, (State::Succeeded, 1), "{plan:?}");
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn a_creation_that_crashes_can_be_repeated() {
    at_every_call(async |plan| {
        let world = World::start().await;
        let crashed = world.crashes(plan, world.create("call-1", "charge")).await;
        assert_eq!(world.create("call-1", "charge").await.status, StatusCode::OK, "{plan:?}");
        assert_eq!(world.operation("call-1").await.header.version, 1);
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_crashes_decides_once_when_it_is_sent_again() {
    let spec = json!({"fn": "charge_once", "kwargs": {"amount": 7}});
    let body =
        json!({"run_id": "run", "call_id": "call-1", "spec": spec, "status": {"approved": true}});
    at_every_call(async |plan| {
        let world = World::start().await;
        world.create("call-1", "charge_once").await;
        let delivered = async {
            world.deliver("msg_1", &body).await;
            world.work().await;
        };
        let crashed = world.crashes(plan, delivered).await;
        assert_eq!(world.deliver("msg_1", &body).await.status, StatusCode::OK);
        world.settle().await;
        let (state, effects) = world.ended("call-1").await;
        assert!(
            effects <= 1 && matches!(state, State::Succeeded | State::Unknown),
            "{plan:?}: {state:?}"
        );
        let decision = world.operation("call-1").await.body.decision.unwrap();
        assert_eq!(decision.by.to_string(), "webhook humanlayer msg_1");
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn a_timer_that_crashes_leaves_due_items_due() {
    at_every_call(async |plan| {
        let world = World::start().await;
        world.create("expires", "charge").await;
        world.approved("runs", "charge").await;
        world.advance(Duration::from_secs(2 * 3600));
        let crashed = world.crashes(plan, world.tick()).await;
        world.advance(Duration::from_secs(180));
        world.tick().await;
        world.settle().await;
        assert_eq!(world.state("expires").await, State::Expired, "{plan:?}");
        let ran = world.ended("runs").await;
        assert_eq!(ran, (State::Succeeded, 1), "{plan:?}");
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn a_form_post_that_crashes_is_complete_or_absent() {
    at_every_call(async |plan| {
        let world = World::start().await;
        let created = world
            .crashes(plan, world.post("/purchase-materials").header("idempotency-key", "p").send())
            .await;
        world.post("/purchase-materials").header("idempotency-key", "p").send().await;
        let digest = world.get("/inbox/p").page().send().await.hidden("digest");
        let form = format!("digest={digest}&comment=&verdict=approve");
        let decided = world.crashes(plan, world.post("/inbox/p").page().form(&form).send()).await;
        let again = world.post("/inbox/p").page().form(&form).send().await.status;
        assert!(matches!(again, StatusCode::SEE_OTHER | StatusCode::CONFLICT), "{plan:?}: {again}");
        world.settle().await;
        assert_eq!(world.state("p").await, State::Succeeded, "{plan:?}");
        world.finish().await;
        created || decided
    })
    .await;
}

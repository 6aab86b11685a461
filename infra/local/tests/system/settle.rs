//! A person settles one or many unknown outcomes through our own API.

use std::time::Duration;

use http::StatusCode;
use placet_core::operation::{Actor, State};
use placet_local::faults::Plan;
use placet_runtime::{Role, key_digest, key_id};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Client, List, OperationReply, OperationSummary, Problem, Typed};
use crate::crash::at_every_call;
use crate::world::{KEY, OTHER, PROJECT, World};

/// The result for one of many operations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settled {
    kind: String,
    call_id: String,
    state: Option<String>,
    error: Option<Problem>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    items: Vec<Settled>,
}

impl Report {
    /// The call id of each operation with its state, or with the reason why it is not settled.
    fn outcomes(&self) -> Vec<(&str, &str)> {
        let outcomes = self.items.iter().map(|item| {
            assert_eq!(item.kind, "function_call");
            let outcome = match (&item.state, &item.error) {
                (Some(state), None) => state,
                (None, Some(problem)) => &problem.code,
                _ => panic!("{item:?}"),
            };
            (item.call_id.as_str(), outcome.as_str())
        });
        outcomes.collect()
    }
}

impl Client<'_> {
    async fn settle(&self, call_id: &str, settlement: &Value) -> Typed<OperationReply> {
        self.post(&format!("/v1/operations/function_call/{call_id}/settle"), settlement).await
    }

    async fn settle_many(&self, settlement: &str, operations: &[Value]) -> Typed<Report> {
        let body = json!({"settlement": settlement, "comment": "seen", "operations": operations});
        self.post("/v1/operations/settle", &body).await
    }
}

impl World {
    /// Creates a call with an unknown outcome. The call did not run.
    async fn unknown(&self, call_id: &str) {
        self.approved(call_id, "charge_once").await;
        // The worker reads, leases and calls the function: the effect is its third call.
        self.faults.arm(Plan::Fail(2));
        self.work().await;
        self.faults.reset();
        assert_eq!(self.ended(call_id).await, (State::Unknown, 0));
    }

    /// The reference to a call in its current version, for a request that settles many.
    async fn seen(&self, call_id: &str) -> Value {
        let operation = self.operation(call_id).await;
        json!({"kind": "function_call", "call_id": call_id, "digest": operation.digest,
            "attempt": operation.attempts})
    }

    /// A settlement of a call in its current version.
    async fn found(&self, call_id: &str, settlement: &str) -> Value {
        let operation = self.operation(call_id).await;
        json!({"settlement": settlement, "comment": "seen", "digest": operation.digest,
            "attempt": operation.attempts})
    }
}

/// The reference to an operation that does not exist.
fn gone(call_id: &str) -> Value {
    json!({"kind": "function_call", "call_id": call_id, "digest": "0".repeat(64), "attempt": 1})
}

#[tokio::test]
async fn the_finding_of_a_person_becomes_the_outcome() {
    let world = World::start().await;
    world.unknown("c").await;
    world.unknown("d").await;
    let client = world.client();

    let happened = client.settle("c", &world.found("c", "happened").await).await.ok();
    assert_eq!(
        (happened.state.as_str(), happened.outcome),
        ("succeeded", Some(json!({"result": null})))
    );
    let entry = happened.history.last().unwrap();
    assert_eq!(
        (entry.event.as_str(), entry.by.clone()),
        ("settled", Some(Actor::api(key_id(key_digest(KEY)), "local")))
    );
    assert_eq!(entry.detail, Some(json!({"found": "happened", "comment": "seen"})));

    let failed = client.settle("d", &world.found("d", "did_not_happen").await).await.ok();
    assert_eq!(failed.state, "failed");
    assert_eq!(
        failed.outcome,
        Some(json!({"failure": {"code": "settled",
            "message": "a person found that the call did not run: seen"}}))
    );
    world.work().await;
    assert_eq!((world.effects("c").await, world.effects("d").await), (0, 0));
    world.finish().await;
}

#[tokio::test]
async fn a_settlement_needs_no_comment() {
    let world = World::start().await;
    world.unknown("c").await;
    let mut settlement = world.found("c", "happened").await;
    settlement.as_object_mut().unwrap().remove("comment");
    world.client().settle("c", &settlement).await.ok();
    world.finish().await;
}

#[tokio::test]
async fn a_repeated_settlement_to_run_again_runs_the_call_once() {
    let world = World::start().await;
    world.unknown("c").await;
    let client = world.client();
    let again = world.found("c", "run_again").await;
    let (one, other) = tokio::join!(client.settle("c", &again), client.settle("c", &again));
    let (won, lost) = if one.reply.status == StatusCode::OK { (one, other) } else { (other, one) };
    assert_eq!(won.ok().state, "queued");
    lost.refused(StatusCode::CONFLICT, "not_unknown");
    world.work().await;
    assert_eq!(world.ended("c").await, (State::Succeeded, 1));

    client.settle("c", &again).await.refused(StatusCode::CONFLICT, "not_unknown");
    world.work().await;
    assert_eq!(world.ended("c").await, (State::Succeeded, 1));
    world.finish().await;
}

#[tokio::test]
async fn a_settlement_of_an_earlier_version_is_refused() {
    let world = World::start().await;
    world.approved("c", "panics").await;
    world.work().await;
    let client = world.client();
    let earlier = world.found("c", "run_again").await;
    client.settle("c", &earlier).await.ok();
    world.work().await;
    assert_eq!(world.state("c").await, State::Unknown);
    let before = world.contents().await;

    client.settle("c", &earlier).await.refused(StatusCode::CONFLICT, "stale_attempt");
    let mut other = world.found("c", "happened").await;
    other["digest"] = json!("0".repeat(64));
    client.settle("c", &other).await.refused(StatusCode::CONFLICT, "digest_mismatch");
    for (member, value) in
        [("digest", Value::Null), ("attempt", Value::Null), ("settlement", json!("perhaps"))]
    {
        let mut wrong = world.found("c", "happened").await;
        wrong[member] = value;
        let refused = client.settle("c", &wrong).await;
        let problem = refused.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body");
        assert_eq!(problem.pointer(), format!("/{member}"));
    }

    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn only_an_unknown_outcome_can_be_settled() {
    let world = World::start().await;
    let client = world.client();
    world.create("waits", "charge").await;
    world.approved("done", "charge").await;
    world.work().await;
    let before = world.contents().await;
    for call_id in ["waits", "done"] {
        for settlement in ["happened", "did_not_happen", "run_again"] {
            let refused = client.settle(call_id, &world.found(call_id, settlement).await).await;
            refused.refused(StatusCode::CONFLICT, "not_unknown");
        }
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn only_a_role_that_may_decide_settles_and_only_in_its_project() {
    let world = World::start().await;
    world.unknown("c").await;
    let (found, seen) = (world.found("c", "happened").await, world.seen("c").await);
    let before = world.operation("c").await;

    let foreign = world.key(Role::Admin, OTHER).await;
    let foreign = world.client_with(&foreign);
    foreign.settle("c", &found).await.refused(StatusCode::NOT_FOUND, "not_found");
    let report = foreign.settle_many("happened", std::slice::from_ref(&seen)).await.ok();
    assert_eq!(report.outcomes(), [("c", "not_found")]);
    let agent = world.key(Role::Agent, PROJECT).await;
    let agent = world.client_with(&agent);
    agent.settle("c", &found).await.refused(StatusCode::FORBIDDEN, "forbidden");
    agent.settle_many("happened", &[seen]).await.refused(StatusCode::FORBIDDEN, "forbidden");
    assert_eq!(world.operation("c").await, before);

    let responder = world.key(Role::Responder, PROJECT).await;
    let settled = world.client_with(&responder).settle("c", &found).await.ok();
    let by = Actor::api(key_id(key_digest(&responder)), "responder");
    assert_eq!(settled.history.last().unwrap().by, Some(by));
    world.finish().await;
}

#[tokio::test]
async fn each_of_many_is_settled_on_its_own() {
    let world = World::start().await;
    for call_id in ["a", "digest", "stale", "unreadable", "z"] {
        world.unknown(call_id).await;
    }
    world.create("waits", "charge").await;
    let mut operations = vec![gone("gone")];
    for call_id in ["z", "unreadable", "digest", "waits", "stale", "a"] {
        operations.push(world.seen(call_id).await);
    }
    operations[3]["digest"] = json!("0".repeat(64));
    operations[5]["attempt"] = json!(2);
    world.tamper("unreadable", |body| body["state"] = json!("dancing")).await;

    let report = world.client().settle_many("run_again", &operations).await.ok();
    assert_eq!(
        report.outcomes(),
        [
            ("gone", "not_found"),
            ("z", "queued"),
            ("unreadable", "unavailable"),
            ("digest", "digest_mismatch"),
            ("waits", "not_unknown"),
            ("stale", "stale_attempt"),
            ("a", "queued"),
        ]
    );
    world.work().await;
    for call_id in ["a", "z"] {
        assert_eq!(world.ended(call_id).await, (State::Succeeded, 1), "{call_id}");
    }
    for call_id in ["digest", "stale"] {
        assert_eq!(world.ended(call_id).await, (State::Unknown, 0), "{call_id}");
    }
    world.abandon();
}

#[tokio::test]
async fn the_list_of_unknown_outcomes_has_the_members_for_settling_many() {
    let world = World::start().await;
    let client = world.client();
    for call_id in ["a", "b", "c"] {
        world.advance(Duration::from_secs(1));
        world.unknown(call_id).await;
    }
    let listed: List<OperationSummary> = client.get("/v1/operations?state=unknown").await.ok();
    let operations = listed.items.iter().map(|listed| {
        json!({"kind": listed.other["kind"], "call_id": listed.call_id,
            "digest": listed.other["digest"], "attempt": listed.other["attempts"]})
    });
    let report = client.settle_many("happened", &operations.collect::<Vec<_>>()).await.ok();
    let settled = [("c", "succeeded"), ("b", "succeeded"), ("a", "succeeded")];
    assert_eq!(report.outcomes(), settled);
    world.finish().await;
}

/// The most operations of one request. Of twenty references, one is to an existing operation.
async fn a_hundred(world: &World) -> Vec<Value> {
    let mut operations = Vec::new();
    for n in 0..100 {
        let call_id = format!("c{n}");
        operations.push(if n % 20 == 0 {
            world.unknown(&call_id).await;
            world.seen(&call_id).await
        } else {
            gone(&call_id)
        });
    }
    operations
}

#[tokio::test]
async fn the_report_of_a_hundred_is_in_the_order_of_the_request() {
    let world = World::start().await;
    let operations = a_hundred(&world).await;
    let report = world.client().settle_many("happened", &operations).await.ok();
    assert_eq!(report.items.len(), 100);
    for (n, outcome) in report.outcomes().into_iter().enumerate() {
        let expected = if n % 20 == 0 { "succeeded" } else { "not_found" };
        assert_eq!(outcome, (format!("c{n}").as_str(), expected));
    }
    world.finish().await;
}

#[tokio::test]
async fn a_wrong_request_settles_none() {
    let world = World::start().await;
    let operations = a_hundred(&world).await;
    let more = [&operations[..], &[gone("more")]].concat();
    let twice = [&operations[..2], &operations[..1]].concat();
    let before = world.contents().await;
    for (wrong, pointer) in
        [(&[][..], "/operations"), (&more[..], "/operations"), (&twice[..], "/operations/2")]
    {
        let refused = world.client().settle_many("happened", wrong).await;
        let problem = refused.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body");
        assert_eq!(problem.pointer(), pointer);
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn an_outage_is_reported_for_each_and_the_request_can_be_repeated() {
    let world = World::start().await;
    let client = world.client();
    world.unknown("a").await;
    world.unknown("b").await;
    let operations = [world.seen("a").await, world.seen("b").await];
    let (report, reached) =
        world.survives(Plan::Outage("DynamoDB"), client.settle_many("happened", &operations)).await;
    assert!(reached);
    assert_eq!(report.ok().outcomes(), [("a", "unavailable"), ("b", "unavailable")]);
    let report = client.settle_many("happened", &operations).await.ok();
    assert_eq!(report.outcomes(), [("a", "succeeded"), ("b", "succeeded")]);
    world.finish().await;
}

#[tokio::test]
async fn after_a_crash_the_request_can_be_repeated_and_each_runs_again_once() {
    at_every_call(async |plan| {
        let world = World::start().await;
        let client = world.client();
        world.unknown("a").await;
        world.unknown("b").await;
        let operations = [world.seen("a").await, world.seen("b").await];
        let crashed = world.crashes(plan, client.settle_many("run_again", &operations)).await;
        let report = client.settle_many("run_again", &operations).await.ok();
        for (call_id, outcome) in report.outcomes() {
            assert!(matches!(outcome, "queued" | "not_unknown"), "{plan:?} {call_id}: {outcome}");
        }
        world.settle().await;
        for call_id in ["a", "b"] {
            assert_eq!(world.ended(call_id).await, (State::Succeeded, 1), "{plan:?} {call_id}");
        }
        world.finish().await;
        crashed
    })
    .await;
}

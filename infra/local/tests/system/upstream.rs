//! Two systems: one requests approval, and a person decides at the other.

mod answers;
mod questions;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use placet_core::item::{Lane, Pointer};
use placet_core::operation::State;
use placet_core::receipt;
use placet_local::faults::Plan;
use placet_runtime::Role;
use tokio::net::TcpListener;

use crate::client::call;
use crate::crash::{at_every_call, with_lost_replies};
use crate::world::{Building, PROJECT, World};

/// The key that [`World::key`] makes for an agent.
const AGENT: &str = "agent-key-of-default";
/// The pauses before the second and the third poll of the upstream approver.
const FIRST: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(60);
/// The additional delay of a message, because clocks differ.
const LATE: Duration = Duration::from_secs(1);

/// A system with an upstream approver at this port.
fn polling(port: u16) -> Building {
    let api = format!(
        "base_url: 'http://127.0.0.1:{port}/humanlayer/v1/', api_key: env:THEIR_KEY, webhook: humanlayer"
    );
    World::building()
        .defaults(&format!("approver: {{humanlayer: {{{api}}}}}"))
        .secret("THEIR_KEY", AGENT)
}

struct Pair {
    /// The system that requests approval.
    requester: World,
    /// The system in which the person decides.
    approver: World,
    /// The text of `by` in a decision that came by a poll.
    polled: String,
}

impl Pair {
    /// The approver sends no webhooks.
    async fn start() -> Self {
        Self::notifying("[]").await
    }

    /// The approver sends webhooks of these events to the requester.
    async fn notifying(events: &str) -> Self {
        let (here, there) = (listener().await, listener().await);
        let (port, polled) = (here.local_addr().unwrap().port(), there.local_addr().unwrap());
        let requester = polling(polled.port()).start().await;
        let url = format!("http://127.0.0.1:{port}/webhook/inbound");
        let members = format!("secrets: [env:PLACET_SECRET_HUMANLAYER], events: {events}");
        let approver = World::building().endpoint_at("requester", &url, &members).start().await;
        assert_eq!(approver.key(Role::Agent, PROJECT).await, AGENT);
        for (world, listener) in [(&requester, here), (&approver, there)] {
            let door = Arc::clone(&world.system.front_door);
            tokio::spawn(door.serve(listener, std::future::pending()));
        }
        Self { requester, approver, polled: format!("upstream {polled}") }
    }

    /// Creates a call and checks that it exists at the approver, too.
    async fn created(&self, call_id: &str) {
        assert_eq!(self.requester.create(call_id, "charge").await.status, StatusCode::OK);
        self.requester.work().await;
        let here = self.requester.operation(call_id).await;
        let there = self.approver.operation(call_id).await;
        assert_eq!((there.state, &there.content), (State::Pending, &here.content));
        assert_eq!((&there.run_id, &there.channel), (&here.run_id, &here.channel));
        assert_eq!((&there.options, &there.other), (&here.options, &here.other));
    }

    /// Decides at the approver.
    async fn decide(&self, call_id: &str, verdict: &str) {
        let reply = self.approver.decide_in_inbox(call_id, verdict).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
    }

    /// Moves both clocks and runs both workers. Neither polls nor webhooks need the timer.
    async fn later(&self, time: Duration) {
        for world in [&self.approver, &self.requester] {
            world.advance(time);
        }
        for _ in 0..2 {
            self.approver.work().await;
            self.requester.work().await;
        }
    }

    async fn decided_by(&self, call_id: &str) -> String {
        self.requester.operation(call_id).await.body.decision.unwrap().by.to_string()
    }

    async fn finish(self) {
        for world in [&self.approver, &self.requester] {
            world.settle().await;
        }
        self.approver.finish().await;
        self.requester.finish().await;
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn a_webhook_of_any_format_brings_the_decision() {
    for format in ["v1beta2.", "v1beta3.", ""] {
        let events = format!("[{format}function_call.completed, {format}human_contact.completed]");
        let pair = Pair::notifying(&events).await;
        for (call_id, verdict) in [("yes", "approve"), ("no", "deny")] {
            pair.created(call_id).await;
            pair.decide(call_id, verdict).await;
            assert_eq!(pair.requester.state(call_id).await, State::Pending);
        }

        pair.later(Duration::ZERO).await;

        assert_eq!(pair.requester.ended("yes").await, (State::Succeeded, 1), "{format}");
        assert_eq!(pair.requester.ended("no").await, (State::Denied, 0), "{format}");
        let decision = pair.requester.operation("no").await.body.decision.unwrap();
        assert_eq!(decision.comment, "because");
        let by = decision.by.to_string();
        assert!(by.starts_with("webhook humanlayer "), "{by}");
        pair.finish().await;
    }
}

#[tokio::test]
async fn a_poll_brings_the_decision_if_no_webhook_comes() {
    let pair = Pair::start().await;
    pair.created("call-1").await;
    pair.decide("call-1", "approve").await;

    pair.later(FIRST - LATE).await;
    assert_eq!(pair.requester.state("call-1").await, State::Pending);
    pair.later(LATE + LATE).await;

    assert_eq!(pair.requester.ended("call-1").await, (State::Succeeded, 1));
    assert_eq!(pair.decided_by("call-1").await, pair.polled);
    pair.finish().await;
}

#[tokio::test]
async fn a_webhook_after_the_poll_changes_nothing_and_is_no_error() {
    let pair = Pair::notifying("[v1beta2.function_call.completed]").await;
    pair.created("call-1").await;
    pair.decide("call-1", "approve").await;
    pair.requester.advance(FIRST + LATE);
    pair.requester.work().await;
    assert_eq!(pair.decided_by("call-1").await, pair.polled);
    let before = pair.requester.operation("call-1").await;

    pair.later(Duration::ZERO).await;

    assert_eq!(pair.requester.the_receipt().await.state, receipt::State::Processed);
    assert_eq!(pair.requester.operation("call-1").await, before);
    assert_eq!(pair.requester.ended("call-1").await, (State::Succeeded, 1));
    pair.finish().await;
}

#[tokio::test]
async fn a_poll_after_the_webhook_changes_nothing_and_is_no_error() {
    let pair = Pair::notifying("[v1beta2.function_call.completed]").await;
    pair.created("call-1").await;
    pair.decide("call-1", "approve").await;
    pair.later(Duration::ZERO).await;
    let before = pair.requester.operation("call-1").await;
    assert!(before.body.decision.as_ref().unwrap().by.to_string().starts_with("webhook"));

    let late = Pointer::new("operation", PROJECT, "function_call/call-1").to_body();
    pair.requester.send_raw(Lane::Calls, &late).await;
    pair.later(FIRST + SECOND).await;

    assert_eq!(pair.requester.the_receipt().await.state, receipt::State::Processed);
    assert_eq!(pair.requester.operation("call-1").await, before);
    assert_eq!(pair.requester.ended("call-1").await, (State::Succeeded, 1));
    pair.finish().await;
}

#[tokio::test]
async fn an_approver_that_is_down_is_polled_later() {
    let pair = Pair::start().await;
    pair.approver.faults.arm(Plan::Outage("DynamoDB"));
    assert_eq!(pair.requester.create("call-1", "charge").await.status, StatusCode::OK);
    let report = pair.requester.work().await;
    assert_eq!((report.failed, pair.requester.dead_letters().await), (0, 0), "{report:?}");
    pair.approver.faults.reset();

    pair.later(FIRST + LATE).await;
    assert_eq!(pair.approver.state("call-1").await, State::Pending);
    pair.decide("call-1", "approve").await;
    pair.later(SECOND + LATE).await;

    assert_eq!(pair.requester.ended("call-1").await, (State::Succeeded, 1));
    pair.finish().await;
}

#[tokio::test]
async fn a_worker_that_crashes_at_any_call_creates_once_there() {
    at_every_call(async |plan| {
        let pair = Pair::start().await;
        pair.requester.create("call-1", "charge").await;

        let crashed = pair.requester.crashes(plan, pair.requester.work()).await;

        pair.requester.nothing_is_forgotten().await;
        pair.later(Duration::from_secs(15 * 60)).await;
        assert_eq!(pair.approver.operation("call-1").await.header.version, 1, "{plan:?}");
        pair.decide("call-1", "approve").await;
        pair.later(Duration::from_secs(15 * 60)).await;
        assert_eq!(pair.requester.ended("call-1").await, (State::Succeeded, 1), "{plan:?}");
        pair.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_crashes_at_any_call_decides_once_here() {
    at_every_call(async |plan| {
        let pair = Pair::start().await;
        pair.created("call-1").await;
        pair.decide("call-1", "approve").await;
        pair.requester.advance(FIRST + LATE);

        let crashed = pair.requester.crashes(plan, pair.requester.work()).await;

        pair.requester.nothing_is_forgotten().await;
        pair.later(Duration::from_secs(15 * 60)).await;
        pair.requester.settle().await;
        assert_eq!(pair.requester.ended("call-1").await, (State::Succeeded, 1), "{plan:?}");
        assert_eq!(pair.decided_by("call-1").await, pair.polled, "{plan:?}");
        pair.finish().await;
        crashed
    })
    .await;
}

/// A reply of our own table or queue is lost, and the SDK repeats the call.
#[tokio::test]
async fn a_poll_whose_write_was_repeated_decides_once() {
    with_lost_replies(async |plan| {
        let pair = Pair::start().await;
        pair.created("call-1").await;
        pair.decide("call-1", "approve").await;
        pair.requester.advance(FIRST + LATE);

        let (report, calls) = pair.requester.traced(plan, pair.requester.work()).await;

        assert_eq!(report.failed, 0, "{plan:?}");
        assert_eq!(pair.requester.ended("call-1").await, (State::Succeeded, 1), "{plan:?}");
        // The versions: created, polled, decided, started, finished.
        assert_eq!(pair.requester.operation("call-1").await.header.version, 5, "{plan:?}");
        pair.finish().await;
        calls
    })
    .await;
}

#[tokio::test]
async fn a_decision_on_other_arguments_decides_nothing() {
    let pair = Pair::notifying("[function_call.completed]").await;
    let other = call("call-1", "charge").with("kwargs", serde_json::json!({"amount": 7000}));
    pair.approver.client_with(AGENT).request_approval(&other).await;
    pair.requester.create("call-1", "charge").await;
    pair.requester.work().await;

    pair.decide("call-1", "approve").await;
    pair.later(FIRST + LATE).await;

    assert_eq!(pair.requester.ended("call-1").await, (State::Pending, 0));
    assert_eq!(pair.requester.the_receipt().await.state, receipt::State::Failed);
    let denied = pair.requester.decide_in_inbox("call-1", "deny").await;
    assert_eq!(denied.status, StatusCode::SEE_OTHER);
    assert_eq!(pair.requester.ended("call-1").await, (State::Denied, 0));
    pair.finish().await;
}

#[tokio::test]
async fn a_decision_here_wins_if_it_is_the_first() {
    let pair = Pair::notifying("[function_call.completed]").await;
    pair.created("call-1").await;
    let denied = pair.requester.decide_in_inbox("call-1", "deny").await;
    assert_eq!(denied.status, StatusCode::SEE_OTHER);

    pair.decide("call-1", "approve").await;
    pair.later(FIRST + LATE).await;

    assert_eq!(pair.requester.ended("call-1").await, (State::Denied, 0));
    assert_eq!(pair.decided_by("call-1").await, "inbox");
    let note = pair.requester.the_receipt().await.body.note;
    assert!(note.contains("already has a response: it is denied"), "{note}");
    pair.finish().await;
}

#[tokio::test]
async fn a_decision_there_wins_if_it_is_the_first() {
    let pair = Pair::notifying("[function_call.completed]").await;
    pair.created("call-1").await;
    let page = pair.requester.get("/inbox/call-1").page().send().await;
    let form = format!("digest={}&comment=&verdict=deny", page.hidden("digest"));

    pair.decide("call-1", "approve").await;
    pair.later(Duration::ZERO).await;
    let late = pair.requester.post("/inbox/call-1").page().form(&form).send().await;

    assert_eq!(late.status, StatusCode::CONFLICT);
    assert_eq!(pair.requester.ended("call-1").await, (State::Succeeded, 1));
    pair.finish().await;
}

//! Two systems: one asks, at the other is the person who answers.

mod odd;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use placet_core::{Content, Kind, Operation, OperationId, State};
use placet_local::faults::Plan;
use placet_runtime::{ReceiptState, Role};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::crash::at_every_call;
use crate::world::{KEY, TENANT, WEBHOOK_SECRET, World};

/// What [`World::key`] makes for an agent.
const AGENT: &str = "agent-key-of-default";
const SECRET: (&str, &str) = ("PLACET_SECRET_HUMANLAYER", WEBHOOK_SECRET);
/// After so long the answer is asked for the first time, and for the second.
const FIRST: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(60);

/// What makes a system ask at this port.
fn asking(port: u16) -> String {
    format!(
        "
defaults:
  approver: {{humanlayer: {{base_url: 'http://127.0.0.1:{port}/humanlayer/v1/', api_key: env:THEIR_KEY}}}}
outbound: {{allow_hosts: [127.0.0.1]}}
"
    )
}

struct Pair {
    asks: World,
    answers: World,
    /// Who decided, if the answer was asked for.
    polled: String,
}

impl Pair {
    /// Where the person is, no webhook is sent.
    async fn start() -> Self {
        Self::telling("[]").await
    }

    /// Where the person is, these events are sent to the system that asks.
    async fn telling(events: &str) -> Self {
        let (here, there) = (listener().await, listener().await);
        let (port, polled) = (here.local_addr().unwrap().port(), there.local_addr().unwrap());
        let asking = asking(polled.port());
        let asks = World::with(&asking, &[SECRET, ("THEIR_KEY", AGENT)]).await;
        let telling = format!(
            "
endpoints:
  asker: {{url: 'http://127.0.0.1:{port}/webhook/inbound', secrets: [env:TO_ASKER], events: {events}}}
outbound: {{allow_hosts: [127.0.0.1]}}
"
        );
        let answers = World::with(&telling, &[("TO_ASKER", WEBHOOK_SECRET)]).await;
        assert_eq!(answers.key(Role::Agent, TENANT).await, AGENT);
        for (world, listener) in [(&asks, here), (&answers, there)] {
            let door = Arc::clone(&world.system.front_door);
            tokio::spawn(door.serve(listener, std::future::pending()));
        }
        Self { asks, answers, polled: format!("upstream {polled}") }
    }

    /// A call that was asked there.
    async fn asked(&self, call_id: &str) {
        assert_eq!(self.asks.create(call_id, "charge").await.status, StatusCode::OK);
        self.asks.work().await;
        let (here, there) =
            (self.asks.operation(call_id).await, self.answers.operation(call_id).await);
        assert_eq!((there.state, &there.content), (State::Pending, &here.content));
        assert_eq!((&there.run_id, there.extras), (&here.run_id, here.extras));
    }

    /// Lets time pass in both.
    async fn later(&self, time: Duration) {
        self.asks.advance(time);
        self.answers.advance(time);
        for _ in 0..2 {
            for world in [&self.answers, &self.asks] {
                world.tick().await;
                world.work().await;
            }
        }
    }

    async fn settle(&self) {
        self.answers.settle().await;
        self.asks.settle().await;
    }

    async fn finish(self) {
        self.answers.finish().await;
        self.asks.finish().await;
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A person opens the page and decides.
async fn press(world: &World, call_id: &str, verdict: &str) -> StatusCode {
    let path = format!("/inbox/{call_id}");
    let digest = world.get(&path).page().send().await.hidden("digest");
    let form = format!("digest={digest}&comment=because&verdict={verdict}");
    world.post(&path).page().form(&form).send().await.status
}

async fn decided_by(world: &World, call_id: &str) -> String {
    world.operation(call_id).await.decision.unwrap().by
}

#[tokio::test]
async fn a_webhook_of_any_format_brings_the_answer() {
    for format in ["v1beta2.", "v1beta3.", ""] {
        let events = format!("[{format}function_call.completed, {format}human_contact.completed]");
        let pair = Pair::telling(&events).await;
        for (call_id, verdict) in [("yes", "approve"), ("no", "deny")] {
            pair.asked(call_id).await;
            assert_eq!(press(&pair.answers, call_id, verdict).await, StatusCode::SEE_OTHER);
        }
        assert_eq!(pair.asks.state("yes").await, State::Pending);
        pair.later(Duration::ZERO).await;
        assert_eq!(pair.asks.ended("yes").await, (State::Succeeded, 1), "{format}");
        assert_eq!(pair.asks.ended("no").await, (State::Denied, 0), "{format}");
        let decision = pair.asks.operation("no").await.decision.unwrap();
        assert_eq!(decision.comment, "because");
        assert!(decision.by.starts_with("webhook humanlayer "), "{}", decision.by);
        pair.finish().await;
    }
}

#[tokio::test]
async fn without_a_webhook_the_answer_is_asked_for() {
    let pair = Pair::start().await;
    pair.asked("call-1").await;
    press(&pair.answers, "call-1", "approve").await;
    pair.later(FIRST - Duration::from_secs(1)).await;
    assert_eq!(pair.asks.state("call-1").await, State::Pending);
    pair.later(Duration::from_secs(1)).await;
    assert_eq!(pair.asks.ended("call-1").await, (State::Succeeded, 1));
    assert_eq!(decided_by(&pair.asks, "call-1").await, pair.polled);
    pair.finish().await;
}

#[tokio::test]
async fn an_answer_that_comes_both_ways_counts_once_and_is_no_error() {
    let pair = Pair::telling("[v1beta2.function_call.completed]").await;
    for call_id in ["asked-for", "told"] {
        pair.asked(call_id).await;
    }
    press(&pair.answers, "asked-for", "approve").await;
    pair.asks.advance(FIRST);
    pair.asks.tick().await;
    pair.asks.work().await;
    assert_eq!(decided_by(&pair.asks, "asked-for").await, pair.polled);
    press(&pair.answers, "told", "approve").await;
    pair.later(Duration::ZERO).await;
    assert_ne!(decided_by(&pair.asks, "told").await, pair.polled);
    let late = r#"{"v":1,"job":"consult","tenant":"default","id":"function_call/told"}"#;
    pair.asks.send_raw(late).await;
    pair.later(SECOND).await;
    for call_id in ["asked-for", "told"] {
        assert_eq!(pair.asks.ended(call_id).await, (State::Succeeded, 1), "{call_id}");
    }
    let receipts = pair.asks.receipts().await;
    assert!(receipts.iter().all(|one| one.state == ReceiptState::Done), "{receipts:?}");
    assert_eq!(receipts.len(), 2);
    pair.finish().await;
}

#[tokio::test]
async fn whoever_is_down_is_asked_later() {
    let pair = Pair::start().await;
    pair.answers.faults.arm(Plan::Outage("DynamoDB"));
    assert_eq!(pair.asks.create("call-1", "charge").await.status, StatusCode::OK);
    let worked = pair.asks.work().await;
    assert_eq!((worked.failed, pair.asks.dead_letters().await), (0, 0), "{worked:?}");
    pair.answers.faults.reset();
    pair.later(FIRST).await;
    assert_eq!(pair.answers.state("call-1").await, State::Pending);
    press(&pair.answers, "call-1", "approve").await;
    pair.later(SECOND).await;
    assert_eq!(pair.asks.ended("call-1").await, (State::Succeeded, 1));
    pair.finish().await;
}

#[tokio::test]
async fn a_worker_that_crashes_asks_and_decides_once() {
    at_every_call(async |plan| {
        let pair = Pair::start().await;
        pair.asks.create("call-1", "charge").await;
        let asking = pair.asks.crashes(plan, pair.asks.work()).await;
        pair.later(FIRST).await;
        assert_eq!(press(&pair.answers, "call-1", "approve").await, StatusCode::SEE_OTHER);
        pair.asks.advance(SECOND);
        pair.asks.tick().await;
        let deciding = pair.asks.crashes(plan, pair.asks.work()).await;
        pair.later(Duration::from_secs(15 * 60)).await;
        pair.settle().await;
        assert_eq!(pair.asks.ended("call-1").await, (State::Succeeded, 1), "{plan:?}");
        assert_eq!(decided_by(&pair.asks, "call-1").await, pair.polled);
        pair.finish().await;
        asking || deciding
    })
    .await;
}

#[tokio::test]
async fn an_answer_to_something_else_decides_nothing() {
    let pair = Pair::telling("[function_call.completed]").await;
    let other = json!({"run_id": "r", "call_id": "call-1", "spec": {"fn": "charge", "kwargs": {"amount": 7000}}});
    pair.answers.post("/humanlayer/v1/function_calls").key(AGENT).json(&other).send().await;
    pair.asks.create("call-1", "charge").await;
    pair.asks.work().await;
    press(&pair.answers, "call-1", "approve").await;
    pair.later(FIRST).await;
    assert_eq!(pair.asks.ended("call-1").await, (State::Pending, 0));
    let receipts = pair.asks.receipts().await;
    assert!(receipts.iter().all(|one| one.state == ReceiptState::Failed), "{receipts:?}");
    assert_eq!(press(&pair.asks, "call-1", "deny").await, StatusCode::SEE_OTHER);
    assert_eq!(pair.asks.ended("call-1").await, (State::Denied, 0));
    pair.settle().await;
    pair.finish().await;
}

/// Asks a question in one system, and hands back how it stands in the other.
async fn question(pair: &Pair, call_id: &str, spec: Value) -> Operation {
    let body = json!({"run_id": "run", "call_id": call_id, "spec": spec});
    let asked = pair.asks.post("/humanlayer/v1/contact_requests").key(KEY).json(&body).send().await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text);
    pair.asks.work().await;
    let id = OperationId::new(TENANT, Kind::HumanContact, call_id);
    pair.answers.system.runtime.store.operation(&id, true).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_question_is_answered_in_words_or_by_an_option() {
    for events in ["[v1beta2.human_contact.completed]", "[]"] {
        let pair = Pair::telling(events).await;
        let options =
            json!([{"name": "oak", "title": "Oak", "interactive": false}, {"name": "pine"}]);
        let spec = json!({"msg": "Which wood?", "subject": "Wood", "response_options": options,
            "state": {"n": 1}, "channel": {"slack": {"channel_or_user_id": "C1", "bot_token": "xoxb"}}});
        let there = question(&pair, "w\u{f6}rds 1", spec).await;
        let message = "Which wood?".to_owned();
        assert_eq!(there.content, Content::Question { message, subject: Some("Wood".to_owned()) });
        assert_eq!(there.extras["state"], json!({"n": 1}));
        assert_eq!(there.extras["channel"], json!({"slack": {"channel_or_user_id": "C1"}}));
        question(&pair, "option", json!({"msg": "And?", "response_options": options})).await;
        for (path, answer) in [
            ("w%C3%B6rds%201", json!({"response": "whatever is cheap"})),
            ("option", json!({"response_option_name": "oak"})),
        ] {
            let path = format!("/humanlayer/v1/agent/human_contacts/{path}/respond");
            let said = pair.answers.post(&path).key(KEY).json(&answer).send().await;
            assert_eq!(said.status, StatusCode::OK, "{}", said.text);
        }
        pair.later(FIRST).await;
        for (path, response, option) in
            [("w%C3%B6rds%201", "whatever is cheap", Value::Null), ("option", "Oak", json!("oak"))]
        {
            let path = format!("/humanlayer/v1/contact_requests/{path}");
            let status = pair.asks.get(&path).key(KEY).send().await.json()["status"].clone();
            assert_eq!(status["response"], response, "{events} {status}");
            assert_eq!(status["response_option_name"], option, "{events} {status}");
        }
        pair.finish().await;
    }
}

#[tokio::test]
async fn the_first_answer_wins_wherever_it_was_given() {
    let pair = Pair::telling("[function_call.completed]").await;
    for call_id in ["here-first", "there-first"] {
        pair.asked(call_id).await;
    }
    assert_eq!(press(&pair.asks, "here-first", "deny").await, StatusCode::SEE_OTHER);
    assert_eq!(press(&pair.answers, "here-first", "approve").await, StatusCode::SEE_OTHER);
    pair.later(FIRST).await;
    assert_eq!(pair.asks.ended("here-first").await, (State::Denied, 0));
    assert_eq!(decided_by(&pair.asks, "here-first").await, "inbox");
    let note = &pair.asks.receipts().await[0].note;
    assert!(note.contains("already has a response: it is denied"), "{note}");

    assert_eq!(press(&pair.answers, "there-first", "approve").await, StatusCode::SEE_OTHER);
    let page = pair.asks.get("/inbox/there-first").page().send().await;
    let form = format!("digest={}&comment=&verdict=deny", page.hidden("digest"));
    pair.later(Duration::ZERO).await;
    let late = pair.asks.post("/inbox/there-first").page().form(&form).send().await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert_eq!(pair.asks.ended("there-first").await, (State::Succeeded, 1));
    pair.finish().await;
}

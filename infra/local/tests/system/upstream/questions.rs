//! Questions that a person answers at the upstream approver.

use http::StatusCode;
use placet_core::item::Item;
use placet_core::operation::{Content, Operation, OperationId, OperationKind};
use serde_json::{Value, json};

use super::{FIRST, LATE, Pair};
use crate::client::{Draft, question};
use crate::world::PROJECT;

/// The events of the approver's webhooks. Without events the requester polls for the answer.
const CHANNELS: [&str; 2] = ["[v1beta2.human_contact.completed]", "[]"];

/// Creates a question at the requester and returns the item at the approver.
async fn ask(pair: &Pair, call_id: &str, draft: &Draft) -> Item<Operation> {
    let created = pair.requester.client().request_approval(draft).await;
    assert_eq!(created.status, StatusCode::OK, "{}", created.text);
    pair.requester.work().await;
    let id = OperationId::new(PROJECT, OperationKind::HumanContact, call_id);
    let store = &pair.approver.system.runtime.engine.store;
    store.item(PROJECT, &id.path(), true).await.unwrap().unwrap()
}

/// Answers at the approver and returns the status that the requester's agent reads.
async fn answered(pair: &Pair, path: &str, answer: Value) -> Value {
    let replied = pair.approver.client().answer(path, &answer).await;
    assert_eq!(replied.status, StatusCode::OK, "{}", replied.text);
    pair.later(FIRST + LATE).await;
    pair.requester.client().contact_request(path).await["status"].take()
}

fn options() -> Value {
    json!([{"name": "oak", "title": "Oak", "interactive": false}, {"name": "pine"}])
}

#[tokio::test]
async fn a_question_is_answered_with_a_text() {
    for events in CHANNELS {
        let pair = Pair::notifying(events).await;
        let draft = question("w\u{f6}rds 1", "Which wood?")
            .with("subject", "Wood")
            .with("response_options", options())
            .with("state", json!({"n": 1}))
            .with("channel", json!({"slack": {"channel_or_user_id": "C1", "bot_token": "xoxb"}}));

        let there = ask(&pair, "w\u{f6}rds 1", &draft).await;
        let words = json!({"response": "whatever is cheap"});
        let status = answered(&pair, "w%C3%B6rds%201", words).await;

        let (message, subject) = ("Which wood?".to_owned(), Some("Wood".to_owned()));
        assert_eq!(there.content, Content::Question { message, subject });
        assert_eq!(json!(there.requester_state), json!({"n": 1}));
        assert_eq!(json!(there.channel), json!({"slack": {"channel_or_user_id": "C1"}}));
        assert_eq!(status["response"], "whatever is cheap", "{events} {status}");
        assert_eq!(status["response_option_name"], Value::Null, "{events} {status}");
        pair.finish().await;
    }
}

#[tokio::test]
async fn a_question_is_answered_with_an_option() {
    for events in CHANNELS {
        let pair = Pair::notifying(events).await;
        let draft = question("option", "And?").with("response_options", options());

        ask(&pair, "option", &draft).await;
        let status = answered(&pair, "option", json!({"response_option_name": "oak"})).await;

        assert_eq!(status["response"], "Oak", "{events} {status}");
        assert_eq!(status["response_option_name"], "oak", "{events} {status}");
        pair.finish().await;
    }
}

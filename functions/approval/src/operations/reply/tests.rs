use std::time::Duration;

use lambda_http::http::Method;
use placet_core::item::{Item, Write};
use placet_core::operation::{
    Actor, Command, NewOperation, OperationId, Plan, Report, ResponseOption, Specification,
};
use placet_runtime::{Access, Role};
use serde_json::json;

use super::*;
use crate::testing::{NOW, approval, call, request};

fn option(name: &str) -> ResponseOption {
    ResponseOption {
        name: name.to_owned(),
        title: Some("Later".to_owned()),
        description: None,
        prompt_fill: None,
        interactive: false,
        other: Map::new(),
    }
}

fn created(content: Content, plan: Option<Plan>) -> Item<Operation> {
    let specification = Specification {
        options: vec![option("later")],
        requester_state: Some(Map::from_iter([("ticket".to_owned(), json!(41))])),
        ..Specification::of(content)
    };
    let new = NewOperation {
        plan,
        ..NewOperation::plain(
            OperationId::new("default", specification.content.kind(), "c"),
            "r",
            specification,
            Duration::from_secs(3600),
            Actor::api("key-of-ci", "ci"),
        )
    };
    Operation::create(new, &Write::new("1", NOW))
}

fn function_call() -> Item<Operation> {
    let plan = Plan {
        executor: "function charge".to_owned(),
        idempotent: false,
        max_attempts: 1,
        retry_for: Duration::from_secs(24 * 3600),
        timeout: Duration::from_secs(5),
    };
    let content = Content::Call { function: "charge".to_owned(), kwargs: json!({"amount": 7}) };
    created(content, Some(plan))
}

fn question(text: &str) -> Item<Operation> {
    created(Content::Question { message: text.to_owned(), subject: None }, None)
}

fn after(operation: &Item<Operation>, command: &Command) -> Item<Operation> {
    operation.apply(command, &Write::new("2", NOW)).unwrap()
}

fn decided(operation: &Item<Operation>, verdict: Verdict, option: Option<&str>) -> Item<Operation> {
    let decide = Command::Decide {
        verdict,
        comment: "go".to_owned(),
        option: option.map(str::to_owned),
        by: Actor::LOCAL,
        seen: None,
        notify: Vec::new(),
    };
    after(operation, &decide)
}

/// The reply of our API for an operation.
fn shown(operation: &Item<Operation>) -> Value {
    let app = approval(Role::Admin, Access::Closed);
    let request = request(&Method::GET, "/", &[]);
    let reply = OperationReply::new(&call(&app, &request), operation, Vec::new());
    serde_json::to_value(reply).unwrap()
}

/// An operation that was approved and has run.
fn succeeded() -> Item<Operation> {
    let approved = decided(&function_call(), Verdict::Approve, None);
    let running = after(
        &approved,
        &Command::Start { plan: function_call().plan.clone(), notify: Vec::new() },
    );
    let report = Report::Succeeded(json!({"charged": 7}));
    after(&running, &Command::Finish { attempt: 1, report, notify: Vec::new() })
}

#[test]
fn a_function_call_shows_its_decision_and_its_outcome() {
    let mut shown = shown(&succeeded());
    shown["history"].take();
    insta::assert_json_snapshot!(shown, @r#"
    {
      "kind": "function_call",
      "fn": "charge",
      "kwargs": {
        "amount": 7
      },
      "reject_options": [
        {
          "name": "later",
          "title": "Later",
          "description": null,
          "prompt_fill": null,
          "interactive": false
        }
      ],
      "call_id": "c",
      "run_id": "r",
      "state": "succeeded",
      "digest": "0511fc2172e47deed9696bd2d789c9bce0f5bcd85140bbb2556fae59985eda70",
      "created_at": "2026-11-20T09:00:00.000Z",
      "deadline": "2026-11-20T10:00:00.000Z",
      "attempts": 1,
      "channel": null,
      "requester_state": {
        "ticket": 41
      },
      "executor": "function charge",
      "approvers": {
        "people": [],
        "upstream": null,
        "webhook": null,
        "except_key": null
      },
      "decision": {
        "verdict": "approve",
        "comment": "go",
        "option": null,
        "by": {
          "channel": "inbox"
        },
        "at": "2026-11-20T09:00:00.000Z"
      },
      "outcome": {
        "result": {
          "charged": 7
        }
      },
      "history": null,
      "inbox": "/inbox/c",
      "webhooks": []
    }
    "#);
}

#[test]
fn the_history_is_shown_with_its_hashes() {
    let operation = succeeded();
    let history = shown(&operation)["history"].take();
    let events = history.as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap());
    assert_eq!(events.collect::<Vec<_>>(), ["created", "approved", "started", "succeeded"]);
    let first = &operation.history.entries()[0];
    let expected = json!({"at": NOW.to_string(), "event": "created",
        "by": {"channel": "api", "key": "key-of-ci", "name": "ci"},
        "detail": first.detail, "hash": first.hash});
    assert_eq!(history[0], expected);
}

#[test]
fn a_question_shows_its_answer() {
    let mut shown = shown(&decided(&question("Oak or pine?"), Verdict::Answer, Some("later")));
    assert_eq!(shown["history"].take().as_array().unwrap().len(), 2);
    insta::assert_json_snapshot!(shown, @r#"
    {
      "kind": "human_contact",
      "msg": "Oak or pine?",
      "subject": null,
      "response_options": [
        {
          "name": "later",
          "title": "Later",
          "description": null,
          "prompt_fill": null,
          "interactive": false
        }
      ],
      "call_id": "c",
      "run_id": "r",
      "state": "answered",
      "digest": "220c387e4423dbc11a4a3c1465c9596a61764315ce47123ce7137836064de663",
      "created_at": "2026-11-20T09:00:00.000Z",
      "deadline": "2026-11-20T10:00:00.000Z",
      "attempts": 0,
      "channel": null,
      "requester_state": {
        "ticket": 41
      },
      "executor": null,
      "approvers": {
        "people": [],
        "upstream": null,
        "webhook": null,
        "except_key": null
      },
      "decision": {
        "verdict": "answer",
        "answer": "go",
        "option": "later",
        "by": {
          "channel": "inbox"
        },
        "at": "2026-11-20T09:00:00.000Z"
      },
      "outcome": null,
      "history": null,
      "inbox": "/inbox/questions/c",
      "webhooks": []
    }
    "#);
}

#[test]
fn an_operation_past_its_deadline_is_shown_as_expired_before_the_expiry_is_stored() {
    let late = NOW.plus(Duration::from_secs(3601));
    let pending = question("Oak or pine?");
    let listed = |now| serde_json::to_value(ListedOperation::new(&pending, now)).unwrap();
    assert_eq!(
        (&listed(NOW)["state"], &listed(late)["state"]),
        (&json!("pending"), &json!("expired"))
    );
}

#[test]
fn a_list_shows_the_beginning_of_a_question() {
    let decided = decided(&question(&"ä".repeat(300)), Verdict::Answer, None);
    let mut listed = serde_json::to_value(ListedOperation::new(&decided, NOW)).unwrap();
    assert_eq!(listed["msg"].take().as_str().unwrap().chars().count(), 201);
    insta::assert_json_snapshot!(listed, @r#"
    {
      "kind": "human_contact",
      "msg": null,
      "subject": null,
      "call_id": "c",
      "run_id": "r",
      "state": "answered",
      "digest": "9db29cf790c3cd79c92baa09d6340e44e6d2427940757187c6aa6d199d598e7e",
      "created_at": "2026-11-20T09:00:00.000Z",
      "deadline": "2026-11-20T10:00:00.000Z",
      "attempts": 0,
      "verdict": "answer",
      "decided_at": "2026-11-20T09:00:00.000Z"
    }
    "#);
}

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::humanlayer::sample::{
    DECIDED, after, all_decided, answered, approved, call, call_spec, created, decided, denied,
    expired, planned, question,
};
use crate::humanlayer::{Completed, completed};
use crate::operation::{Command, Plan, Report, Verdict};

const DECISION: Occurrence = Occurrence { event: Event::Completed, number: 1, at: DECIDED };

fn of_decision(format: Format, operation: &Item<Operation>) -> Subscription {
    Subscription { format, kind: operation.kind(), event: Event::Completed }
}

/// The bytes of the event of the decision.
fn bytes(format: Format, operation: &Item<Operation>) -> Vec<u8> {
    of_decision(format, operation).bytes(operation, &DECISION, &Addresses::default())
}

fn sent(format: Format, operation: &Item<Operation>) -> Value {
    serde_json::from_slice(&bytes(format, operation)).unwrap()
}

#[test]
fn v1_is_the_bare_object() {
    insta::assert_json_snapshot!(sent(Format::V1, &approved()), @r#"
    {
      "run_id": "buyer-9",
      "call_id": "call-7Qx",
      "spec": {
        "state": {
          "ticket": 41
        },
        "fn": "order_timber",
        "kwargs": {
          "planks": 12
        }
      },
      "status": {
        "requested_at": "2026-11-21T09:00:00.000Z",
        "responded_at": "2026-11-21T09:04:10.500Z",
        "approved": true,
        "comment": "",
        "reject_option_name": null,
        "user_info": {
          "source": "inbox"
        }
      }
    }
    "#);
    insta::assert_json_snapshot!(sent(Format::V1, &answered()), @r#"
    {
      "run_id": "buyer-9",
      "call_id": "human_call-1a2b3c4d",
      "spec": {
        "state": {
          "ticket": 41
        },
        "msg": "Oak or pine?"
      },
      "status": {
        "requested_at": "2026-11-21T09:00:00.000Z",
        "responded_at": "2026-11-21T09:04:10.500Z",
        "response": "oak",
        "response_option_name": "oak",
        "user_info": {
          "source": "inbox"
        }
      }
    }
    "#);
}

#[test]
fn v1beta2_is_an_envelope() {
    insta::assert_json_snapshot!(sent(Format::V1Beta2, &denied()), @r#"
    {
      "is_test": false,
      "type": "function_call.completed",
      "event": {
        "run_id": "buyer-9",
        "call_id": "call-7Qx",
        "spec": {
          "state": {
            "ticket": 41
          },
          "fn": "order_timber",
          "kwargs": {
            "planks": 12
          }
        },
        "status": {
          "requested_at": "2026-11-21T09:00:00.000Z",
          "responded_at": "2026-11-21T09:04:10.500Z",
          "approved": false,
          "comment": "too many",
          "reject_option_name": "fewer",
          "user_info": {
            "source": "inbox"
          }
        }
      }
    }
    "#);
    let envelope = sent(Format::V1Beta2, &answered());
    assert_eq!(envelope["type"], "human_contact.completed");
    assert_eq!(envelope["event"], sent(Format::V1, &answered()));
}

#[test]
fn v1beta3_also_has_the_contact_channel_id() {
    for operation in [denied(), answered()] {
        let mut expected = sent(Format::V1Beta2, &operation);
        expected["event"]["contact_channel_id"] = Value::Null;
        assert_eq!(sent(Format::V1Beta3, &operation), expected);
    }
    for (channel, id) in [
        (json!({"channel_id": 17}), json!(17)),
        (json!({"email": {"address": "ana@example.com"}}), Value::Null),
    ] {
        let pending =
            created(OperationKind::HumanContact, "c", &json!({"msg": "Oak?", "channel": channel}));
        let operation = decided(&pending, Verdict::Answer, "yes", None);
        let event = &sent(Format::V1Beta3, &operation)["event"];
        assert_eq!(event.get("contact_channel_id"), Some(&id), "{channel}");
        assert_eq!(event["spec"]["channel"], channel);
    }
}

/// Receivers of v1beta3 rely on these members. The other formats have them, too.
#[test]
fn every_event_has_the_times_and_the_decision() {
    let all = all_decided();
    for (operation, format) in all.iter().flat_map(|one| Format::ALL.map(|format| (one, format))) {
        let payload = sent(format, operation);
        let item = if format == Format::V1 { &payload } else { &payload["event"] };
        let status = &item["status"];
        for moment in ["requested_at", "responded_at"] {
            assert!(Timestamp::parse(status[moment].as_str().unwrap()).is_some(), "{status}");
        }
        let said = match operation.kind() {
            OperationKind::FunctionCall => {
                status["approved"].is_boolean() && status["comment"].is_string()
            }
            OperationKind::HumanContact => {
                status["response"].as_str().is_some_and(|text| !text.is_empty())
            }
        };
        assert!(said, "{status}");
    }
}

#[test]
fn a_test_event_is_marked_where_receivers_look() {
    for operation in [approved(), answered()] {
        for format in Format::ALL {
            let subscription = of_decision(format, &operation);
            let mut expected = sent(format, &operation);
            expected["is_test"] = true.into();
            let none = Addresses::default();
            assert_eq!(subscription.payload(&operation, &DECISION, &none, true), expected);
            let read = completed(expected.to_string().as_bytes());
            assert!(matches!(read, Ok(Completed::Ignored(_))), "{read:?}");
        }
    }
}

/// Retries send the same bytes for more than a day.
#[test]
fn the_bytes_are_always_the_same() {
    for operation in all_decided() {
        for format in Format::ALL {
            let sent = bytes(format, &operation);
            assert_eq!(sent, bytes(format, &operation.clone()));
            let text = serde_json::to_string(&operation.body).unwrap();
            let body: Operation = serde_json::from_str(&text).unwrap();
            let stored = Item { header: operation.header.clone(), body };
            assert_eq!(sent, bytes(format, &stored));
        }
    }
}

/// Law 5: the deadline counts, not the time at which the expiry is written.
#[test]
fn an_operation_past_its_deadline_is_sent_as_expired() {
    for pending in [call(), question()] {
        for format in Format::ALL {
            assert_eq!(sent(format, &pending), sent(format, &expired(&pending)));
        }
    }
}

#[test]
fn the_outcome_of_the_execution_is_not_part_of_the_decision() {
    let plan = Plan {
        executor: "function order_timber".to_owned(),
        idempotent: true,
        max_attempts: 3,
        retry_for: Duration::from_secs(24 * 3600),
        timeout: Duration::from_secs(30),
    };
    let kind = OperationKind::FunctionCall;
    let pending = planned(kind, "call-7Qx", &call_spec(), Some(plan.clone()));
    let queued = decided(&pending, Verdict::Approve, "", None);
    let start = Command::Start { plan: Some(plan), notify: Vec::new() };
    let running = after(&queued, &start, DECIDED);
    let report = Report::Succeeded(json!({"order": 7}));
    let finish = Command::Finish { attempt: 1, report, notify: Vec::new() };
    let done = after(&running, &finish, DECIDED);
    for format in Format::ALL {
        assert_eq!(bytes(format, &queued), bytes(format, &running));
        assert_eq!(bytes(format, &queued), bytes(format, &done));
    }
}

#[test]
fn a_name_is_a_format_a_kind_and_an_event() {
    let names: Vec<String> = Subscription::all().map(|one| one.to_string()).collect();
    let events = [
        "requested",
        "reminded",
        "escalated",
        "completed",
        "expired",
        "failed",
        "blocked",
        "unknown",
    ];
    let mut expected =
        vec!["function_call.completed".to_owned(), "human_contact.completed".to_owned()];
    for format in ["v1beta2", "v1beta3"] {
        for kind in ["function_call", "human_contact"] {
            expected.extend(events.map(|event| format!("{format}.{kind}.{event}")));
        }
    }
    assert_eq!(names, expected);
    for name in expected {
        let read = Subscription::parse(&name).unwrap();
        assert_eq!(read.to_string(), name);
        assert_eq!(serde_json::from_value::<Subscription>(json!(name)).unwrap(), read);
    }
    let read = Subscription::parse("v1beta3.human_contact.reminded").unwrap();
    let (format, kind) = (Format::V1Beta3, OperationKind::HumanContact);
    assert_eq!(read, Subscription { format, kind, event: Event::Reminded });
}

#[test]
fn a_wrong_name_is_refused_with_the_right_ones() {
    let error =
        |name: &str| serde_json::from_value::<Subscription>(json!(name)).unwrap_err().to_string();
    for wrong in ["", "v1.function_call.completed", "v1beta2.", "conversation.created"] {
        let error = error(wrong);
        assert!(error.starts_with(&format!("{wrong:?} is not an event")), "{error}");
        assert!(error.contains("human_contact.completed") && error.contains("reminded"), "{error}");
    }
    assert_eq!(
        error("function_call.requested"),
        "\"function_call.requested\" is not sent as a bare object: write v1beta2.function_call.requested"
    );
}

/// A Placet whose upstream approver is another Placet takes over the decision from its webhook.
#[test]
fn a_sent_event_reads_as_the_decision() {
    for operation in all_decided() {
        // An operation that ended without a decision has no decision to take over.
        let Some(decision) = &operation.decision else {
            let event = bytes(Format::V1Beta2, &operation);
            assert!(matches!(completed(&event), Ok(Completed::Ignored(_))));
            continue;
        };
        let expected = completed(&bytes(Format::V1, &operation)).unwrap();
        let Completed::Answered(answer) = &expected else { panic!("{expected:?}") };
        assert_eq!(answer.call_id, operation.call_id());
        assert_eq!(answer.content, operation.content);
        assert_eq!(answer.answer.verdict, decision.verdict);
        assert_eq!(answer.answer.comment, decision.comment);
        assert_eq!(answer.answer.option, decision.option);
        for format in [Format::V1Beta2, Format::V1Beta3] {
            let read = completed(&bytes(format, &operation)).unwrap();
            assert_eq!(read, expected, "{format:?}");
        }
    }
}

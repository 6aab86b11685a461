use std::time::Duration;

use super::*;
use crate::humanlayer::sample::{
    CREATED, DEADLINE, DECIDED, all_decided, answered, approved, call, cancelled, created, decided,
    denied, expired, question,
};

const LATER: Timestamp = Timestamp::from_millis(DEADLINE.millis() + 3_600_000);

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A client interprets `approved: false` as a denial, and any `response` as an answer.
#[test]
fn a_pending_operation_has_neither_approved_nor_response() {
    for operation in [call(), question()] {
        for now in [CREATED, DECIDED, DEADLINE] {
            let item = item(&operation, now);
            assert_eq!(names(&item), ["run_id", "call_id", "spec", "status"]);
            assert_eq!(item["status"], json!({"requested_at": "2026-11-21T09:00:00.000Z"}));
        }
    }
}

#[test]
fn the_reply_repeats_the_request() {
    let options = json!([{"name": "fewer", "title": "Fewer", "interactive": true}, {"name": "no"}]);
    let spec = json!({
        "fn": "order_timber", "kwargs": {"planks": 12}, "state": {"ticket": 41, "none": null},
        "reject_options": options, "channel": {"channel_id": 17}, "x-own": [null],
    });
    let item = item(&created(OperationKind::FunctionCall, "call-7Qx", &spec), CREATED);
    assert_eq!((&item["run_id"], &item["call_id"]), (&json!("buyer-9"), &json!("call-7Qx")));
    assert_eq!(item["spec"], spec);

    let spec = json!({"msg": "Oak?", "subject": "Wood", "response_options": [{"name": "yes"}]});
    assert_eq!(
        super::item(&created(OperationKind::HumanContact, "c", &spec), CREATED)["spec"],
        spec
    );
    let spec = json!({"msg": "Oak?", "subject": null});
    let item = super::item(&created(OperationKind::HumanContact, "c", &spec), CREATED);
    assert_eq!(item["spec"], json!({"msg": "Oak?"}));
}

#[test]
fn a_decided_call_has_decision_time_and_actor() {
    insta::assert_json_snapshot!(item(&approved(), LATER)["status"], @r#"
    {
      "requested_at": "2026-11-21T09:00:00.000Z",
      "responded_at": "2026-11-21T09:04:10.500Z",
      "approved": true,
      "comment": "",
      "reject_option_name": null,
      "user_info": {
        "source": "inbox"
      }
    }
    "#);
    let status = &item(&denied(), DECIDED)["status"];
    assert_eq!(status["approved"], false);
    assert_eq!(
        (&status["comment"], &status["reject_option_name"]),
        (&json!("too many"), &json!("fewer"))
    );
}

#[test]
fn an_answered_question_has_the_response() {
    insta::assert_json_snapshot!(item(&answered(), LATER)["status"], @r#"
    {
      "requested_at": "2026-11-21T09:00:00.000Z",
      "responded_at": "2026-11-21T09:04:10.500Z",
      "response": "oak",
      "response_option_name": "oak",
      "user_info": {
        "source": "inbox"
      }
    }
    "#);
    let plain = decided(&question(), Verdict::Answer, "pine", None);
    assert_eq!(item(&plain, LATER)["status"]["response_option_name"], Value::Null);
}

/// Without a comment, a client reports an error instead of the denial.
#[test]
fn a_denial_has_a_comment_even_if_the_person_wrote_none() {
    let silent = decided(&call(), Verdict::Deny, "", None);
    assert_eq!(item(&silent, DECIDED)["status"]["comment"], json!(""));
}

/// The status of an operation that ended without a decision, for a client that polls.
fn unanswered(pending: &Item<Operation>, state: &str, words: &str, at: &str) -> Value {
    let mut status = json!({
        "requested_at": "2026-11-21T09:00:00.000Z", "responded_at": at, "unanswered": state,
    });
    match pending.kind() {
        OperationKind::FunctionCall => {
            status["approved"] = false.into();
            status["comment"] = words.into();
            status["reject_option_name"] = Value::Null;
        }
        OperationKind::HumanContact => {
            status["response"] = words.into();
            status["response_option_name"] = Value::Null;
        }
    }
    status
}

#[test]
fn an_expired_operation_reads_as_denied_or_answered() {
    let at = "2026-11-21T10:00:00.000Z";
    let words = format!("expired: nobody answered before {at}");
    for pending in [call(), question()] {
        let expected = unanswered(&pending, "expired", &words, at);
        let just_after = DEADLINE.plus(Duration::from_millis(1));
        assert_eq!(item(&pending, just_after)["status"], expected, "the expiry is not written yet");
        assert_eq!(item(&expired(&pending), LATER)["status"], expected);
    }
}

#[test]
fn a_cancelled_operation_reads_as_denied_or_answered() {
    let reasons = [("rain", "cancelled: rain"), ("", "cancelled: the requester withdrew it")];
    for (reason, words) in reasons {
        for pending in [call(), question()] {
            let expected = unanswered(&pending, "cancelled", words, "2026-11-21T09:04:10.500Z");
            assert_eq!(item(&cancelled(&pending, reason), LATER)["status"], expected);
        }
    }
}

/// The Python client refuses null arguments in a reply.
#[test]
fn arguments_are_never_null() {
    for (spec, expected) in [
        (json!({"fn": "f"}), json!({})),
        (json!({"fn": "f", "kwargs": null}), json!({})),
        (json!({"fn": "f", "kwargs": {"a": null}}), json!({"a": null})),
        (json!({"fn": "f", "kwargs": "plain"}), json!("plain")),
        (json!({"fn": "f", "kwargs": [1]}), json!([1])),
    ] {
        let pending = created(OperationKind::FunctionCall, "c", &spec);
        for operation in [pending.clone(), decided(&pending, Verdict::Approve, "", None)] {
            assert_eq!(item(&operation, CREATED)["spec"]["kwargs"], expected);
        }
    }
}

#[test]
fn the_reply_has_no_secret_and_no_empty_list_of_responders() {
    let slack =
        json!({"channel_or_user_id": "C1", "bot_token": "xoxb-1", "allowed_responder_ids": []});
    for (kind, spec) in [
        (OperationKind::FunctionCall, json!({"fn": "f", "channel": {"slack": slack}})),
        (OperationKind::HumanContact, json!({"msg": "m", "channel": {"slack": slack}})),
    ] {
        let item = item(&created(kind, "c", &spec), CREATED);
        assert_eq!(item["spec"]["channel"], json!({"slack": {"channel_or_user_id": "C1"}}));
        assert!(!item.to_string().contains("xoxb"));
    }
}

/// A client that polls does not wait for ever. It reads no approval that no person gave.
#[test]
fn an_ended_operation_reads_as_decided() {
    for operation in all_decided() {
        let status = &item(&operation, LATER)["status"];
        let (call, contact) = (status.get("approved"), status.get("response"));
        match operation.kind() {
            OperationKind::FunctionCall => {
                assert_eq!(call, Some(&json!(operation.state == State::Approved)));
                assert!(contact.is_none() && status["comment"].is_string());
            }
            OperationKind::HumanContact => {
                assert!(call.is_none() && contact.is_some_and(|said| said != ""), "{status}");
            }
        }
        assert!(status.get("responded_at").is_some());
    }
}

use std::time::Duration;

use super::*;
use crate::humanlayer::sample::{
    ASKED, DEADLINE, DECIDED, all_decided, answered, approved, asked, call, cancelled, decided,
    denied, expired, question,
};

const LATER: Timestamp = Timestamp::from_millis(DEADLINE.millis() + 3_600_000);

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A client takes `approved: false` for a denial, and any `response` for an answer.
#[test]
fn what_is_pending_has_neither_approved_nor_response() {
    for operation in [call(), question()] {
        for now in [ASKED, DECIDED, DEADLINE] {
            let item = item(&operation, now);
            assert_eq!(names(&item), ["call_id", "run_id", "spec", "status"]);
            assert_eq!(item["status"], json!({"requested_at": "2026-11-21T09:00:00.000Z"}));
        }
    }
}

#[test]
fn what_was_asked_comes_back_as_it_was() {
    let options = json!([{"name": "fewer", "title": "Fewer", "interactive": true}, {"name": "no"}]);
    let spec = json!({
        "fn": "order_timber", "kwargs": {"planks": 12}, "state": {"ticket": 41, "none": null},
        "reject_options": options, "channel": {"channel_id": 17}, "x-own": [null],
    });
    let item = item(&asked(Kind::FunctionCall, "call-7Qx", &spec), ASKED);
    assert_eq!((&item["run_id"], &item["call_id"]), (&json!("buyer-9"), &json!("call-7Qx")));
    assert_eq!(item["spec"], spec);

    let spec = json!({"msg": "Oak?", "subject": "Wood", "response_options": [{"name": "yes"}]});
    assert_eq!(super::item(&asked(Kind::HumanContact, "c", &spec), ASKED)["spec"], spec);
    let spec = json!({"msg": "Oak?", "subject": null});
    let item = super::item(&asked(Kind::HumanContact, "c", &spec), ASKED);
    assert_eq!(item["spec"], json!({"msg": "Oak?"}));
}

#[test]
fn a_decided_call_says_how_when_and_by_whom() {
    let expected = json!({
        "requested_at": "2026-11-21T09:00:00.000Z", "responded_at": "2026-11-21T09:04:10.500Z",
        "approved": true, "comment": "", "reject_option_name": null,
        "user_info": {"source": "inbox"},
    });
    assert_eq!(item(&approved(), LATER)["status"], expected);
    let status = &item(&denied(), DECIDED)["status"];
    assert_eq!(status["approved"], json!(false));
    assert_eq!(
        (&status["comment"], &status["reject_option_name"]),
        (&json!("too many"), &json!("fewer"))
    );
}

#[test]
fn an_answered_question_says_what() {
    let expected = json!({
        "requested_at": "2026-11-21T09:00:00.000Z", "responded_at": "2026-11-21T09:04:10.500Z",
        "response": "oak", "response_option_name": "oak", "user_info": {"source": "inbox"},
    });
    assert_eq!(item(&answered(), LATER)["status"], expected);
    let plain = decided(&question(), Verdict::Answer, "pine", None);
    assert_eq!(item(&plain, LATER)["status"]["response_option_name"], Value::Null);
}

/// Without one, a client reports an error instead of the denial.
#[test]
fn a_denial_has_a_comment_even_if_nothing_was_said() {
    let silent = decided(&call(), Verdict::Deny, "", None);
    assert_eq!(item(&silent, DECIDED)["status"]["comment"], json!(""));
}

#[test]
fn what_expired_reads_as_denied_or_answered() {
    let words = json!("expired: nobody answered before 2026-11-21T10:00:00.000Z");
    let (asked, ended) = ("2026-11-21T09:00:00.000Z", "2026-11-21T10:00:00.000Z");
    let denied = json!({
        "requested_at": asked, "responded_at": ended,
        "approved": false, "comment": words, "reject_option_name": null, "unanswered": "expired",
    });
    let answered = json!({
        "requested_at": asked, "responded_at": ended,
        "response": words, "response_option_name": null, "unanswered": "expired",
    });
    for (pending, expected) in [(call(), denied), (question(), answered)] {
        let just_after = DEADLINE.plus(Duration::from_millis(1));
        assert_eq!(item(&pending, just_after)["status"], expected, "the timer has not been here");
        assert_eq!(item(&expired(&pending), LATER)["status"], expected);
    }
}

#[test]
fn what_was_cancelled_reads_as_denied_or_answered() {
    let reasons =
        [("rain", "cancelled: rain"), ("", "cancelled: the asker does not want it any more")];
    for (reason, words) in reasons {
        let (asked, ended) = ("2026-11-21T09:00:00.000Z", "2026-11-21T09:04:10.500Z");
        let denied = json!({
            "requested_at": asked, "responded_at": ended,
            "approved": false, "comment": words, "reject_option_name": null, "unanswered": "cancelled",
        });
        assert_eq!(item(&cancelled(&call(), reason), LATER)["status"], denied);
        let answered = json!({
            "requested_at": asked, "responded_at": ended,
            "response": words, "response_option_name": null, "unanswered": "cancelled",
        });
        assert_eq!(item(&cancelled(&question(), reason), LATER)["status"], answered);
    }
}

/// Python refuses null arguments in a reply.
#[test]
fn arguments_are_never_null() {
    for (spec, expected) in [
        (json!({"fn": "f"}), json!({})),
        (json!({"fn": "f", "kwargs": null}), json!({})),
        (json!({"fn": "f", "kwargs": {"a": null}}), json!({"a": null})),
        (json!({"fn": "f", "kwargs": "plain"}), json!("plain")),
        (json!({"fn": "f", "kwargs": [1]}), json!([1])),
    ] {
        let pending = asked(Kind::FunctionCall, "c", &spec);
        for operation in [pending.clone(), decided(&pending, Verdict::Approve, "", None)] {
            assert_eq!(item(&operation, ASKED)["spec"]["kwargs"], expected);
        }
    }
}

#[test]
fn no_secret_and_no_empty_list_of_responders_comes_back() {
    let slack =
        json!({"channel_or_user_id": "C1", "bot_token": "xoxb-1", "allowed_responder_ids": []});
    for (kind, spec) in [
        (Kind::FunctionCall, json!({"fn": "f", "channel": {"slack": slack}})),
        (Kind::HumanContact, json!({"msg": "m", "channel": {"slack": slack}})),
    ] {
        let item = item(&asked(kind, "c", &spec), ASKED);
        assert_eq!(item["spec"]["channel"], json!({"slack": {"channel_or_user_id": "C1"}}));
        assert!(!item.to_string().contains("xoxb"));
    }
}

/// Nobody who polls waits for ever, and nobody reads an approval that no person gave.
#[test]
fn whatever_is_over_reads_as_decided() {
    for operation in all_decided() {
        let status = &item(&operation, LATER)["status"];
        let (call, contact) = (status.get("approved"), status.get("response"));
        match operation.kind() {
            Kind::FunctionCall => {
                assert_eq!(call, Some(&json!(operation.state == State::Approved)));
                assert!(contact.is_none() && status["comment"].is_string());
            }
            Kind::HumanContact => {
                assert!(call.is_none() && contact.is_some_and(|said| said != ""), "{status}");
            }
        }
        assert!(status.get("responded_at").is_some());
    }
}

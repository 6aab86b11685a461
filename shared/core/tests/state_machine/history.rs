//! The entries of the history: event, actor and details.

use placet_core::operation::{Entry, Operation, Plan, Settlement, State};
use serde_json::{Value, json};

use crate::case::Case;
use crate::commands::{
    abandon, approve, deny, expire, finish, lease_expired, not_done, rejected, remind, succeeded,
    unclear,
};
use crate::requests::{DAY, plan};

/// The event and the actor of every entry.
fn events(operation: &Operation) -> Vec<String> {
    let entries = operation.history.entries().iter();
    entries.map(|entry| format!("{} by {}", entry.event, entry.by)).collect()
}

fn last(case: &Case) -> &Entry {
    case.item.history.entries().last().unwrap()
}

fn last_detail(case: &Case) -> &Value {
    &last(case).detail
}

#[test]
fn the_history_of_a_success() {
    let mut case = Case::pending(Some(plan(true)));
    let (digest, deadline) = (json!(case.item.digest), json!(case.item.deadline));
    assert_eq!(last_detail(&case), &json!({"digest": digest, "deadline": deadline}));
    case.becomes(&approve(), State::Queued);
    let decision = json!({"comment": "fine by me", "option": "later", "digest": digest});
    assert_eq!(last_detail(&case), &decision);
    case.start_next();
    assert_eq!(last_detail(&case), &json!({"attempt": 1, "until": case.leased_until()}));
    case.becomes(&finish(1, not_done()), State::Queued);
    let again = json!({"attempt": 1, "code": "busy", "message": "it was busy", "not_before": case.not_before()});
    assert_eq!(last_detail(&case), &again);
    case.start_next().becomes(&finish(2, unclear()), State::Queued);
    assert_eq!(last_detail(&case)["attempt"], json!(2));
    assert_eq!(last_detail(&case)["code"], json!("timeout"));
    case.start_next().becomes(&finish(3, succeeded()), State::Succeeded);
    assert_eq!(last_detail(&case), &json!({"attempt": 3}));
    let expected = [
        "created by api agent",
        "approved by inbox",
        "started by worker",
        "retrying by worker",
        "started by worker",
        "retrying by worker",
        "started by worker",
        "succeeded by worker",
    ];
    assert_eq!(events(&case.item), expected);
}

#[test]
fn the_history_of_unknown_outcomes() {
    let mut case = Case::running(plan(false));
    case.lease_expires(State::Unknown);
    assert_eq!(last_detail(&case)["code"], json!("lease_expired"));
    for (settlement, found, state) in [
        (Settlement::RunAgain, "run_again", State::Queued),
        (Settlement::DidNotHappen, "did_not_happen", State::Failed),
        (Settlement::Happened, "happened", State::Succeeded),
    ] {
        let mut case = Case::unknown();
        assert_eq!(last_detail(&case)["code"], json!("timeout"));
        case.becomes(&case.settle(settlement), state);
        assert_eq!(last_detail(&case), &json!({"found": found, "comment": "I looked"}));
    }
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued);
    case.start_next().becomes(&finish(2, unclear()), State::Unknown);
    case.becomes(&case.settle(Settlement::DidNotHappen), State::Failed);
    let expected = [
        "unknown by timer",
        "settled by inbox",
        "started by worker",
        "unknown by worker",
        "settled by inbox",
    ];
    assert_eq!(events(&case.item)[3..], expected);
}

#[test]
fn histories_without_a_success() {
    let mut case = Case::pending(None);
    case.becomes(&deny(), State::Denied);
    assert_eq!(events(&case.item)[1..], ["denied by inbox"]);

    let mut case = Case::pending(None);
    case.works(State::Expired);
    assert_eq!(events(&case.item)[1..], ["expired by timer"]);
    assert_eq!(last_detail(&case), &json!({"deadline": case.item.deadline}));

    let mut case = Case::running(plan(false));
    case.becomes(&finish(1, rejected()), State::Failed);
    assert_eq!(events(&case.item)[3..], ["failed by worker"]);
    assert_eq!(last_detail(&case), &json!({"code": "rejected", "message": "it was rejected"}));

    let mut case = Case::queued(plan(false));
    case.becomes(&abandon(), State::Failed);
    assert_eq!(events(&case.item)[2..], ["failed by worker"]);
    let gone = json!({"code": "abandoned", "message": "the layer with the executor is gone"});
    assert_eq!(last_detail(&case), &gone);
}

/// The message contains the reason of the last attempt.
#[test]
fn exhausted_retries_name_the_last_reason_and_the_attempts() {
    let mut case = Case::running(Plan { max_attempts: 2, ..plan(true) });
    case.becomes(&finish(1, not_done()), State::Queued).start_next();
    case.wait(2 * DAY).becomes(&finish(2, not_done()), State::Failed);
    let message = last_detail(&case)["message"].as_str().unwrap();
    assert_eq!(message, "retries exhausted after 2 attempts: it was busy");
}

/// The timer, not the worker, records an expired lease.
#[test]
fn deadlines_and_expired_leases_are_recorded_by_the_timer() {
    let exhausted = Case::running(Plan { max_attempts: 1, ..plan(true) });
    let expired = lease_expired(1);
    let cases = [
        (Case::pending(None), expire(), State::Expired),
        (Case::running(plan(false)), expired.clone(), State::Unknown),
        (Case::running(plan(true)), expired.clone(), State::Queued),
        (exhausted, expired, State::Unknown),
    ];
    for (mut case, command, state) in cases {
        case.wait(2 * DAY).becomes(&command, state);
        assert_eq!(last(&case).by.to_string(), "timer", "{state:?}");
    }
}

#[test]
fn a_reminder_and_a_poll_leave_no_entry() {
    let mut case = Case::unknown();
    let before = case.item.history.clone();
    case.wait(DAY).becomes(&remind(), State::Unknown);
    assert_eq!(case.item.history, before);
}

//! What the history tells afterwards: what happened, by whom, and the particulars.

use placet_core::{Command, Operation, Plan, Settlement, State};
use serde_json::{Value, json};

use crate::case::{Case, DAY, approve, deny, finish, not_done, plan, rejected, succeeded, unclear};

/// Event and author of every entry.
fn told(operation: &Operation) -> Vec<(&str, &str)> {
    let entries = operation.history.entries().iter();
    entries.map(|entry| (entry.event.as_str(), entry.by.as_str())).collect()
}

fn last_detail(case: &Case) -> &Value {
    &case.operation.history.entries().last().unwrap().detail
}

#[test]
fn a_story_with_a_good_end() {
    let mut case = Case::asked(Some(plan(true)));
    let digest = json!(case.operation.digest);
    assert_eq!(last_detail(&case)["digest"], digest);
    case.becomes(&approve(), State::Queued);
    let said = json!({"comment": "fine by me", "option": "later", "digest": digest});
    assert_eq!(last_detail(&case), &said);
    case.start_next();
    assert_eq!(last_detail(&case)["attempt"], json!(1));
    assert_eq!(last_detail(&case)["until"], json!(case.due()));
    case.becomes(&finish(1, not_done()), State::Queued);
    let again = json!({"attempt": 1, "code": "busy", "message": "it was busy", "not_before": case.not_before()});
    assert_eq!(last_detail(&case), &again);
    case.start_next();
    assert_eq!(last_detail(&case)["attempt"], json!(2));
    case.becomes(&finish(2, unclear()), State::Queued);
    assert_eq!(last_detail(&case)["attempt"], json!(2));
    assert_eq!(last_detail(&case)["code"], json!("timeout"));
    case.start_next().becomes(&finish(3, succeeded()), State::Succeeded);
    assert_eq!(last_detail(&case)["attempt"], json!(3));
    let expected = [
        ("created", "api"),
        ("approved", "inbox"),
        ("started", "worker"),
        ("retrying", "worker"),
        ("started", "worker"),
        ("retrying", "worker"),
        ("started", "worker"),
        ("succeeded", "worker"),
    ];
    assert_eq!(told(&case.operation), expected);
}

#[test]
fn a_story_with_doubts() {
    let mut case = Case::running(plan(false));
    case.lapse(State::Unknown);
    assert_eq!(last_detail(&case)["code"], json!("lease_lapsed"));
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
        ("unknown", "timer"),
        ("settled", "inbox"),
        ("started", "worker"),
        ("unknown", "worker"),
        ("settled", "inbox"),
    ];
    assert_eq!(told(&case.operation)[3..], expected);
}

#[test]
fn a_story_that_ended_early() {
    let mut case = Case::asked(None);
    case.becomes(&deny(), State::Denied);
    assert_eq!(told(&case.operation)[1..], [("denied", "inbox")]);

    let mut case = Case::asked(None);
    case.lapse(State::Expired);
    assert_eq!(told(&case.operation)[1..], [("expired", "timer")]);
    assert_eq!(last_detail(&case)["deadline"], json!(case.operation.deadline));

    let mut case = Case::running(plan(false));
    case.becomes(&finish(1, rejected()), State::Failed);
    assert_eq!(told(&case.operation)[3..], [("failed", "worker")]);
    assert_eq!(last_detail(&case), &json!({"code": "rejected", "message": "it was rejected"}));
}

/// The reason of the last attempt is in what is said about all of them.
#[test]
fn giving_up_says_why() {
    let mut case = Case::running(Plan { max_attempts: 2, ..plan(true) });
    case.becomes(&finish(1, not_done()), State::Queued).start_next();
    case.becomes(&finish(2, not_done()), State::Failed);
    let message = last_detail(&case)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("it was busy") && message.contains('2'), "{message}");
}

/// `by` is who acted: what a redrive writes was not written by a worker, who is not heard of.
#[test]
fn what_the_timer_found_is_told_by_the_timer() {
    let exhausted = || Case::running(Plan { max_attempts: 1, ..plan(true) });
    let cases = [
        (Case::asked(None), State::Expired),
        (Case::running(plan(false)), State::Unknown),
        (Case::running(plan(true)), State::Queued),
        (exhausted(), State::Unknown),
    ];
    for (mut case, state) in cases {
        case.wait(2 * DAY).becomes(&Command::Redrive, state);
        assert_eq!(case.operation.history.entries().last().unwrap().by, "timer", "{state:?}");
    }
}

//! Unknown outcomes: a person settles them, or a late report does.

use placet_core::Digest;
use placet_core::item::{Next, Rests};
use placet_core::operation::{Outcome, Plan, Refusal, Settlement, State};
use serde_json::Value;

use crate::case::{Case, just_before};
use crate::commands::{
    done, finish, not_done, rejected, remind, settle, start_with, succeeded, unclear,
};
use crate::requests::{DAY, MILLISECOND, SECOND, plan};

#[test]
fn a_person_is_reminded_of_an_unknown_outcome_every_day() {
    for mut case in [Case::unknown(), Case::unknown_idempotent()] {
        for _ in 0..3 {
            let remind_at = case.now.plus(DAY);
            assert!(matches!(case.next(), Next::Person { .. }));
            assert_eq!((case.item.header.due, case.schedule.pointer), (Some(remind_at), None));
            assert_eq!(case.item.header.rests, Rests::Due);
            case.refuses(&case.start(), Refusal::NotQueued { state: State::Unknown });
            case.wait_until(just_before(remind_at)).refuses(&remind(), Refusal::NothingDue);
            case.wait(MILLISECOND);
            assert_eq!(done(&case.item, case.now), Some(remind()));
            case.becomes(&remind(), State::Unknown);
        }
    }
}

#[test]
fn a_person_settles_that_the_call_ran() {
    for mut case in [Case::unknown(), Case::unknown_idempotent()] {
        case.becomes(&case.settle(Settlement::Happened), State::Succeeded);
        assert_eq!(case.item.outcome, Some(Outcome::Result(Value::Null)));
    }
}

#[test]
fn a_person_settles_that_the_call_did_not_run() {
    for mut case in [Case::unknown(), Case::unknown_idempotent()] {
        case.becomes(&case.settle(Settlement::DidNotHappen), State::Failed);
        assert_eq!(case.failure_code(), "settled");
    }
}

#[test]
fn a_person_runs_the_call_again_with_the_whole_time_for_retries() {
    for mut case in [Case::unknown(), Case::unknown_idempotent()] {
        let key = case.item.idempotency_key();
        case.becomes(&case.settle(Settlement::RunAgain), State::Queued);
        assert_eq!(case.item.not_before, None, "a worker may start at once");
        case.wait(3 * DAY).start_next().becomes(&finish(2, not_done()), State::Queued);
        case.start_next().wait(DAY).becomes(&finish(3, not_done()), State::Failed);
        assert_eq!(case.item.attempts, 3);
        assert_eq!(case.item.idempotency_key(), key);
    }
}

#[test]
fn a_call_that_runs_again_can_become_unknown_again() {
    let mut case = Case::unknown();
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued);
    case.start_next().lease_expires(State::Unknown);
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued);
    case.start_next().becomes(&finish(3, succeeded()), State::Succeeded);
}

#[test]
fn only_an_unknown_outcome_is_settled_and_only_once() {
    for settlement in Settlement::ALL {
        let mut case = Case::running(plan(false));
        case.refuses(&case.settle(settlement), Refusal::NotUnknown { state: State::Running });
        case.lease_expires(State::Unknown);
        let state = case.apply(&case.settle(settlement)).unwrap();
        // A person can run a failed operation again.
        let runs = |second| (state, second) == (State::Failed, Settlement::RunAgain);
        for second in Settlement::ALL.into_iter().filter(|second| !runs(*second)) {
            case.refuses(&case.settle(second), Refusal::NotUnknown { state });
        }
    }
}

#[test]
fn a_settlement_counts_only_for_the_shown_content() {
    for settlement in Settlement::ALL {
        let mut case = Case::unknown();
        let other = Digest::of_bytes(b"something else");
        case.refuses(&settle(settlement, other, case.item.attempts), Refusal::DigestMismatch);
        case.apply(&case.settle(settlement)).unwrap();
    }
}

#[test]
fn the_settlement_of_one_attempt_does_not_settle_the_next() {
    let mut case = Case::unknown();
    let found = case.settle(Settlement::RunAgain);
    case.becomes(&found, State::Queued).start_next();
    case.becomes(&finish(2, unclear()), State::Unknown);
    case.refuses(&found, Refusal::StaleAttempt);
}

#[test]
fn a_person_can_run_a_call_again_at_most_ten_times() {
    let mut case = Case::unknown();
    for attempt in 2..12 {
        let again = case.settle(Settlement::RunAgain);
        case.becomes(&again, State::Queued).start_next();
        case.becomes(&finish(attempt, unclear()), State::Unknown);
    }
    let again = case.settle(Settlement::RunAgain);
    case.refuses(&again, Refusal::RunEnough);
    let happened = case.settle(Settlement::Happened);
    case.becomes(&happened, State::Succeeded);
}

#[test]
fn a_late_report_settles_an_unknown_outcome() {
    for (report, state) in [
        (succeeded(), State::Succeeded),
        (rejected(), State::Failed),
        (not_done(), State::Queued),
        (unclear(), State::Unknown),
    ] {
        let mut reported = Case::unknown();
        reported.wait(3600 * SECOND).becomes(&finish(1, report.clone()), state);

        let mut expired = Case::running(plan(false));
        expired.lease_expires(State::Unknown);
        expired.wait(SECOND).becomes(&finish(1, report.clone()), state);
        for attempt in [0, 2] {
            expired.refuses(&finish(attempt, report.clone()), Refusal::StaleAttempt);
        }
    }
}

/// The outcome is open again, so no outcome may be shown.
#[test]
fn an_operation_that_a_late_report_queues_again_has_no_outcome() {
    let mut case = Case::running(plan(false));
    case.lease_expires(State::Unknown).becomes(&finish(1, not_done()), State::Queued);
    assert_eq!(case.item.outcome, None);
}

#[test]
fn a_late_report_counts_as_the_attempt_it_is_about() {
    let mut case = Case::running(Plan { max_attempts: 1, ..plan(false) });
    case.lease_expires(State::Unknown).becomes(&finish(1, not_done()), State::Queued);
    assert_eq!((case.item.attempts, case.item.attempt_limit), (1, 2));
    case.start_next().wait(DAY).becomes(&finish(2, not_done()), State::Failed);
    assert_eq!(case.failure_code(), "attempts_exhausted");
}

#[test]
fn a_report_comes_too_late_once_a_person_has_settled_it() {
    for settlement in Settlement::ALL {
        let mut case = Case::unknown();
        case.apply(&case.settle(settlement)).unwrap();
        case.refuses(&finish(1, succeeded()), Refusal::StaleAttempt);
    }
    let mut case = Case::unknown();
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued).start_next();
    case.refuses(&finish(1, succeeded()), Refusal::StaleAttempt);
}

/// An earlier attempt may have had an effect, too.
#[test]
fn a_late_report_on_one_attempt_does_not_settle_the_others() {
    for (report, state) in [
        (succeeded(), State::Succeeded),
        (rejected(), State::Unknown),
        // Idempotent, so it can be tried again.
        (not_done(), State::Queued),
        (unclear(), State::Unknown),
    ] {
        let mut case = Case::running(Plan { max_attempts: 2, ..plan(true) });
        case.lease_expires(State::Queued).start_next().lease_expires(State::Unknown);
        case.wait(SECOND).becomes(&finish(2, report), state);
    }
}

/// An unknown outcome is not retried until a person settles it. An unclear report settles nothing, even if
/// attempts are left.
#[test]
fn a_late_unclear_report_queues_nothing() {
    let mut case = Case::running(plan(true));
    case.lease_expires(State::Queued).until_its_turn();
    let other = Plan { executor: "function other".to_owned(), ..plan(true) };
    case.becomes(&start_with(Some(other)), State::Unknown);
    case.becomes(&finish(1, unclear()), State::Unknown);
    assert_eq!(case.schedule.pointer, None);
}

#[test]
fn after_a_settlement_the_outcome_is_clear() {
    let mut case = Case::unknown_idempotent();
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued);
    case.start_next().becomes(&finish(2, rejected()), State::Failed);
}

#[test]
fn an_unclear_attempt_that_a_report_clears_stays_clear() {
    let mut case = Case::running(plan(false));
    case.lease_expires(State::Unknown).becomes(&finish(1, not_done()), State::Queued);
    case.start_next().becomes(&finish(2, rejected()), State::Failed);
}

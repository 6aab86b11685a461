//! A worker starts, reports, is not heard of, comes late.

use std::time::Duration;

use placet_core::{Command, Effect, NewOperation, Outcome, Plan, Refusal, Report, State};
use serde_json::json;

use crate::case::{
    Case, MILLISECOND, SECOND, approve, call, failure, failure_code, finish, just_before, not_done,
    plan, rejected, succeeded, unclear,
};

#[test]
fn one_attempt_is_granted_to_one_worker() {
    let mut case = Case::running(plan(false));
    let until = case.due();
    case.refuses(&case.start(), Refusal::LeaseHeld { until });
    case.wait_until(until);
    case.refuses(&case.start(), Refusal::LeaseHeld { until });
    assert_eq!(case.operation.attempts, 1);
}

#[test]
fn the_lease_is_long_enough_whenever_the_worker_comes() {
    for late in [0, 1, 59, 60, 61, 89, 90, 91, 119, 120, 121, 3600] {
        let mut case = Case::queued(plan(false));
        case.wait(late * SECOND).start_next();
    }
}

/// Every moment that changes in the index is paid for.
#[test]
fn a_start_in_time_leaves_the_due_time_where_it_is() {
    for (late, moved) in [(0, false), (60, false), (61, true), (200, true)] {
        let mut case = Case::queued(plan(false));
        let due = case.due();
        case.wait(late * SECOND).start_next();
        assert_eq!(case.due() != due, moved, "{late}");
    }
}

#[test]
fn a_worker_that_was_never_called_is_called_again() {
    let mut case = Case::queued(plan(false));
    let due = case.due();
    case.refuses(&Command::Redrive, Refusal::NothingDue);
    case.wait(119 * SECOND).refuses(&Command::Redrive, Refusal::NothingDue);
    for _ in 0..3 {
        case.lapse(State::Queued);
        assert_eq!(case.effect, Some(Effect::Execute(Duration::ZERO)));
    }
    assert!(case.due() > due);
    assert_eq!(case.operation.attempts, 0);
    case.start_next();
}

#[test]
fn success_is_kept_with_its_result() {
    let mut case = Case::running(plan(false));
    case.becomes(&finish(1, succeeded()), State::Succeeded);
    assert_eq!(case.operation.outcome, Some(Outcome::Result(json!({"order": 7}))));
    case.refuses(&finish(1, succeeded()), Refusal::StaleAttempt);
}

#[test]
fn a_rejection_is_final() {
    for idempotent in [true, false] {
        let mut case = Case::running(plan(idempotent));
        case.becomes(&finish(1, rejected()), State::Failed);
        assert_eq!(case.operation.outcome, Some(Outcome::Failure(failure("rejected"))));
    }
}

#[test]
fn a_report_counts_until_the_timer_gives_the_worker_up() {
    let mut case = Case::running(plan(true));
    case.wait_until(case.due())
        .wait(10 * SECOND)
        .becomes(&finish(1, succeeded()), State::Succeeded);
}

#[test]
fn only_the_current_attempt_can_report() {
    for report in [succeeded(), rejected(), not_done(), unclear()] {
        let mut case = Case::running(plan(true));
        for attempt in [0, 2, u32::MAX] {
            case.refuses(&finish(attempt, report.clone()), Refusal::StaleAttempt);
        }
        case.lapse(State::Queued).refuses(&finish(1, report.clone()), Refusal::StaleAttempt);
        case.start_next().refuses(&finish(1, report), Refusal::StaleAttempt);
        case.becomes(&finish(2, succeeded()), State::Succeeded);
    }
}

#[test]
fn what_was_not_done_is_tried_again_later_up_to_the_limit() {
    for idempotent in [true, false] {
        let mut case = Case::running(plan(idempotent));
        for attempt in 1..=2 {
            case.becomes(&finish(attempt, not_done()), State::Queued);
            let not_before = case.not_before();
            assert!(not_before > case.now);
            case.wait_until(just_before(not_before));
            case.refuses(&case.start(), Refusal::TooEarly { not_before });
            case.wait(MILLISECOND);
            case.becomes(&case.start(), State::Running);
            assert_eq!(case.operation.attempts, attempt + 1);
        }
        case.becomes(&finish(3, not_done()), State::Failed);
        assert_eq!(failure_code(&case.operation), "attempts_exhausted");
    }
}

#[test]
fn each_wait_is_longer_than_the_one_before() {
    let mut case = Case::running(Plan { max_attempts: 6, ..plan(true) });
    let mut waited = Duration::ZERO;
    for attempt in 1..=5 {
        let report = if attempt % 2 == 0 { unclear() } else { not_done() };
        case.becomes(&finish(attempt, report), State::Queued);
        let wait = case.not_before().since(case.now);
        assert!(wait > waited, "{wait:?} after {waited:?}");
        waited = wait;
        case.start_next();
    }
}

#[test]
fn operations_that_failed_together_do_not_come_back_together() {
    let waits = |call_id: &str| {
        let mut case =
            Case::new(NewOperation { call_id: call_id.into(), ..call(Some(plan(true))) });
        case.becomes(&approve(), State::Queued).start_next();
        case.becomes(&finish(1, not_done()), State::Queued);
        case.not_before()
    };
    assert!(["a", "b", "c", "d"].iter().any(|call_id| waits(call_id) != waits("call-1")));
}

#[test]
fn a_longer_wait_the_target_asked_for_is_kept() {
    let mut case = Case::running(plan(false));
    let wish = 300 * SECOND;
    case.becomes(&finish(1, Report::NotDone(failure("busy"), Some(wish))), State::Queued);
    assert_eq!(case.not_before(), case.now.plus(wish));
}

#[test]
fn an_unclear_outcome_is_repeated_only_under_an_idempotency_key() {
    let mut case = Case::running(plan(true));
    let key = case.operation.idempotency_key();
    case.becomes(&finish(1, unclear()), State::Queued);
    assert!(case.not_before() > case.now);
    case.start_next();
    assert_eq!(case.operation.idempotency_key(), key);
    case.becomes(&finish(2, succeeded()), State::Succeeded);

    let mut case = Case::running(plan(false));
    case.becomes(&finish(1, unclear()), State::Unknown);
    assert_eq!((failure_code(&case.operation), &case.effect), ("timeout", &None));
}

#[test]
fn a_worker_that_died_leaves_an_unclear_outcome() {
    for idempotent in [true, false] {
        let mut case = Case::running(plan(idempotent));
        case.wait_until(just_before(case.due())).refuses(&Command::Redrive, Refusal::NothingDue);
    }
    let mut case = Case::running(plan(true));
    let key = case.operation.idempotency_key();
    case.lapse(State::Queued);
    assert!(case.not_before() > case.now);
    case.start_next().becomes(&finish(2, succeeded()), State::Succeeded);
    assert_eq!(case.operation.idempotency_key(), key);

    let mut case = Case::running(plan(false));
    case.lapse(State::Unknown);
    assert_eq!((failure_code(&case.operation), &case.effect), ("lease_lapsed", &None));
}

/// Failed promises that nothing happened, and here nobody can promise that.
#[test]
fn after_an_unclear_attempt_nothing_is_called_failed() {
    let doubts: [fn(&mut Case) -> &mut Case; 2] = [
        |case| case.lapse(State::Queued),
        |case| case.becomes(&finish(1, unclear()), State::Queued),
    ];
    for doubt in doubts {
        let mut case = Case::running(plan(true));
        doubt(&mut case);
        case.start_next().becomes(&finish(2, rejected()), State::Unknown);
        assert_eq!(failure_code(&case.operation), "rejected");

        let mut case = Case::running(plan(true));
        doubt(&mut case);
        case.start_next().becomes(&finish(2, not_done()), State::Queued);
        case.start_next().becomes(&finish(3, not_done()), State::Unknown);
        assert_eq!(failure_code(&case.operation), "attempts_exhausted");

        let mut case = Case::running(plan(true));
        doubt(&mut case);
        case.start_next().lapse(State::Queued).start_next().lapse(State::Unknown);
        assert_eq!(failure_code(&case.operation), "attempts_exhausted");
    }
}

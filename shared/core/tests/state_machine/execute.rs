//! Execution: a worker starts, reports, reports late, or does not report.

use std::time::Duration;

use placet_core::item::{Lane, Next, Rests};
use placet_core::operation::{Command, Outcome, Plan, Refusal, Report, State};
use serde_json::json;

use crate::case::{Case, just_before};
use crate::commands::{abandon, approve, failure, finish, not_done, rejected, succeeded, unclear};
use crate::requests::{MILLISECOND, SECOND, call, plan, with_call_id};

#[test]
fn one_attempt_is_granted_to_one_worker() {
    let mut case = Case::running(plan(false));
    let until = case.leased_until();
    case.refuses(&case.start(), Refusal::LeaseHeld { until });
    case.wait_until(until);
    case.refuses(&case.start(), Refusal::LeaseHeld { until });
    assert_eq!(case.item.attempts, 1);
}

#[test]
fn a_lease_lasts_for_the_timeout_and_ten_seconds_whenever_the_worker_starts() {
    for late in [0, 1, 60, 3600] {
        let mut case = Case::queued(plan(false));
        case.wait(late * SECOND).start_next();
        assert_eq!(case.leased_until(), case.now.plus(40 * SECOND));
    }
}

/// A due time would cost two more writes. The queue delivers the message again without one.
#[test]
fn a_lease_relies_on_the_message_of_its_worker() {
    let case = Case::running(plan(false));
    assert_eq!((case.schedule.due, case.schedule.pointer), (None, None));
    assert_eq!(case.item.header.rests, Rests::Message);
    assert!(matches!(case.next(), Next::Lease(until) if until == case.leased_until()));
}

#[test]
fn a_result_is_stored() {
    let mut case = Case::running(plan(false));
    case.becomes(&finish(1, succeeded()), State::Succeeded);
    assert_eq!(case.item.outcome, Some(Outcome::Result(json!({"order": 7}))));
    case.refuses(&finish(1, succeeded()), Refusal::StaleAttempt);
}

#[test]
fn a_rejection_is_final() {
    for idempotent in [true, false] {
        let mut case = Case::running(plan(idempotent));
        case.becomes(&finish(1, rejected()), State::Failed);
        assert_eq!(case.item.outcome, Some(Outcome::Failure(failure("rejected"))));
    }
}

#[test]
fn a_report_counts_until_the_expired_lease_is_written() {
    let mut case = Case::running(plan(true));
    case.wait_until(case.leased_until())
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
        case.lease_expires(State::Queued);
        case.refuses(&finish(1, report.clone()), Refusal::StaleAttempt);
        case.start_next().refuses(&finish(1, report), Refusal::StaleAttempt);
        case.becomes(&finish(2, succeeded()), State::Succeeded);
    }
}

#[test]
fn a_call_that_did_not_run_is_retried_up_to_the_limit() {
    for idempotent in [true, false] {
        let mut case = Case::running(plan(idempotent));
        for attempt in 1..=2 {
            case.becomes(&finish(attempt, not_done()), State::Queued);
            let not_before = case.not_before();
            assert!(not_before > case.now);
            assert_eq!(case.schedule.pointer, Some((Lane::Calls, not_before)));
            case.wait_until(just_before(not_before));
            case.refuses(&case.start(), Refusal::TooEarly { not_before });
            case.wait(MILLISECOND);
            case.becomes(&case.start(), State::Running);
            assert_eq!(case.item.attempts, attempt + 1);
        }
        case.becomes(&finish(3, not_done()), State::Failed);
        assert_eq!(case.failure_code(), "attempts_exhausted");
    }
}

#[test]
fn each_wait_is_longer_than_the_previous_wait() {
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
fn operations_that_failed_together_are_not_retried_together() {
    let waits = |call_id: &str| {
        let mut case = Case::new(with_call_id(call_id, call(Some(plan(true)))));
        case.becomes(&approve(), State::Queued).start_next();
        case.becomes(&finish(1, not_done()), State::Queued);
        case.not_before()
    };
    assert!(["a", "b", "c", "d"].iter().any(|call_id| waits(call_id) != waits("call-1")));
}

#[test]
fn a_longer_wait_that_the_target_asks_for_counts() {
    let mut case = Case::running(plan(false));
    let asked = 300 * SECOND;
    case.becomes(&finish(1, Report::NotDone(failure("busy"), Some(asked))), State::Queued);
    assert_eq!(case.not_before(), case.now.plus(asked));
}

#[test]
fn an_unclear_outcome_is_retried_only_under_an_idempotency_key() {
    let mut case = Case::running(plan(true));
    let key = case.item.idempotency_key();
    case.becomes(&finish(1, unclear()), State::Queued);
    assert!(case.not_before() > case.now);
    case.start_next();
    assert_eq!(case.item.idempotency_key(), key);
    case.becomes(&finish(2, succeeded()), State::Succeeded);

    let mut case = Case::running(plan(false));
    case.becomes(&finish(1, unclear()), State::Unknown);
    assert_eq!(case.failure_code(), "timeout");
    assert_eq!(case.schedule.pointer, None, "no worker is needed");
}

#[test]
fn an_expired_lease_leaves_an_unclear_outcome() {
    for idempotent in [true, false] {
        let mut case = Case::running(plan(idempotent));
        let expired = Command::LeaseExpired { attempt: 1 };
        case.wait_until(just_before(case.leased_until()));
        case.refuses(&expired, Refusal::NothingDue);
        case.wait(MILLISECOND);
        assert!(matches!(case.next(), Next::Transition(command) if command == expired));
        case.refuses(&Command::LeaseExpired { attempt: 2 }, Refusal::StaleAttempt);
    }
    let mut case = Case::running(plan(true));
    let key = case.item.idempotency_key();
    case.lease_expires(State::Queued);
    assert!(case.not_before() > case.now);
    case.start_next().becomes(&finish(2, succeeded()), State::Succeeded);
    assert_eq!(case.item.idempotency_key(), key);

    let mut case = Case::running(plan(false));
    case.lease_expires(State::Unknown);
    assert_eq!(case.failure_code(), "lease_expired");
}

/// `failed` means that the call had no effect. After an unclear attempt nobody knows that.
#[test]
fn after_an_unclear_attempt_an_operation_never_becomes_failed() {
    let doubts: [fn(&mut Case) -> &mut Case; 2] = [
        |case| case.lease_expires(State::Queued),
        |case| case.becomes(&finish(1, unclear()), State::Queued),
    ];
    for doubt in doubts {
        let mut case = Case::running(plan(true));
        doubt(&mut case);
        case.start_next().becomes(&finish(2, rejected()), State::Unknown);
        assert_eq!(case.failure_code(), "rejected");

        let mut case = Case::running(plan(true));
        doubt(&mut case);
        case.start_next().becomes(&finish(2, not_done()), State::Queued);
        case.start_next().becomes(&finish(3, not_done()), State::Unknown);
        assert_eq!(case.failure_code(), "attempts_exhausted");

        let mut case = Case::running(plan(true));
        doubt(&mut case).start_next().lease_expires(State::Queued);
        case.start_next().lease_expires(State::Unknown);
        assert_eq!(case.failure_code(), "attempts_exhausted");

        let mut case = Case::running(plan(true));
        doubt(&mut case).becomes(&abandon(), State::Unknown);
        assert_eq!(case.failure_code(), "abandoned");
    }
}

#[test]
fn an_abandoned_operation_fails_unless_a_worker_runs_it() {
    let mut queued = Case::queued(plan(true));
    queued.becomes(&abandon(), State::Failed);
    assert_eq!((queued.failure_code(), queued.item.attempts), ("abandoned", 0));
    for idempotent in [true, false] {
        let mut running = Case::running(plan(idempotent));
        running.becomes(&abandon(), State::Unknown);
        running.becomes(&finish(1, succeeded()), State::Succeeded);
    }
}

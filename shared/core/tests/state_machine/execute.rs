//! Execution: a worker starts, reports, reports late, or does not report.

use std::time::Duration;

use placet_core::item::{Lane, Next, Rests};
use placet_core::operation::{Outcome, Plan, Refusal, Report, Settlement, State};
use serde_json::json;

use crate::case::{Case, just_before};
use crate::commands::{
    abandon, approve, block, done, failure, finish, lease_expired, not_done, rejected, settle,
    start_with, succeeded, unclear,
};
use crate::requests::{DAY, MILLISECOND, SECOND, call, plan, with_call_id};

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
fn a_call_that_did_not_run_is_retried_for_a_day() {
    for idempotent in [true, false] {
        let mut case = Case::running(plan(idempotent));
        let until = case.now.plus(plan(idempotent).retry_for);
        let mut attempt = 0;
        while case.now < until {
            attempt += 1;
            case.becomes(&finish(attempt, not_done()), State::Queued);
            let not_before = case.not_before();
            assert!(not_before > case.now);
            // A message waits for at most 15 minutes; a longer wait has a due time.
            match case.schedule.pointer {
                Some(pointer) => assert_eq!(pointer, (Lane::Calls, not_before)),
                None => assert_eq!(case.schedule.due, Some(not_before)),
            }
            case.wait_until(just_before(not_before));
            case.refuses(&case.start(), Refusal::TooEarly { not_before });
            case.wait(MILLISECOND);
            case.becomes(&case.start(), State::Running);
            assert_eq!(case.item.attempts, attempt + 1);
        }
        assert_eq!(case.now, until, "the last attempt is made when the time ends");
        assert!((25..50).contains(&attempt), "{attempt} attempts fit into a row");
        case.becomes(&finish(attempt + 1, not_done()), State::Failed);
        assert_eq!(case.failure_code(), "attempts_exhausted");
    }
}

/// The case of the endpoint that was down for 39 s: it cost the five attempts of an idempotent operation.
#[test]
fn an_attempt_that_did_not_run_does_not_count_against_the_limit() {
    let mut case = Case::running(Plan { max_attempts: 2, ..plan(true) });
    for attempt in 1..=6 {
        case.becomes(&finish(attempt, not_done()), State::Queued).start_next();
    }
    case.becomes(&finish(7, unclear()), State::Queued).start_next();
    case.becomes(&finish(8, unclear()), State::Unknown);
}

#[test]
fn a_missing_configuration_blocks_an_approved_operation_until_it_is_there() {
    let mut case = Case::queued(plan(false));
    case.becomes(&block(), State::Blocked);
    let (failure, not_before) = (case.failure_code().to_owned(), case.not_before());
    assert_eq!((failure.as_str(), not_before), ("no_secret", case.now.plus(15 * SECOND)));
    assert!(matches!(case.next(), Next::Person { until, .. } if until == not_before));
    case.refuses(&case.start(), Refusal::TooEarly { not_before });
    let entries = case.item.history.entries().len();
    case.wait_until(not_before).becomes(&block(), State::Blocked);
    assert_eq!(case.item.history.entries().len(), entries, "the history tells it once");
    // Each wait is as long as it is blocked already, up to five minutes.
    for seconds in [30, 60, 120, 240, 300, 300] {
        case.wait_until(case.not_before()).becomes(&block(), State::Blocked);
        assert_eq!(case.not_before(), case.now.plus(seconds * SECOND));
    }
    case.wait_until(case.not_before().plus(30 * DAY));
    assert!(matches!(case.next(), Next::Work(_)));
    case.becomes(&case.start(), State::Running);
    assert_eq!(case.item.outcome, None);
    case.becomes(&finish(1, succeeded()), State::Succeeded);
}

#[test]
fn an_executor_that_was_removed_blocks_and_another_one_fails() {
    let mut case = Case::queued(plan(false));
    case.becomes(&start_with(None), State::Blocked);
    assert_eq!(case.failure_code(), "not_configured");
    let other = Plan { executor: "function other".to_owned(), ..plan(false) };
    let mut case = Case::queued(plan(false));
    case.becomes(&start_with(Some(other)), State::Failed);
    assert_eq!(case.failure_code(), "plan_changed");
}

/// Nothing happened, so a person can run it again: same digest, new attempt, recorded.
#[test]
fn a_person_runs_a_failed_or_blocked_operation_again() {
    let mut case = Case::running(plan(false));
    case.becomes(&finish(1, rejected()), State::Failed);
    let (digest, state) = (case.item.digest, State::Failed);
    for settlement in [Settlement::Happened, Settlement::DidNotHappen] {
        case.refuses(&case.settle(settlement), Refusal::NotUnknown { state });
    }
    case.refuses(&settle(Settlement::RunAgain, digest, 0), Refusal::StaleAttempt);
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued).start_next();
    assert_eq!((case.item.attempts, case.item.digest), (2, digest));
    assert_eq!(case.item.history.of("settled").count(), 1);
    case.becomes(&finish(2, succeeded()), State::Succeeded);

    let mut case = Case::queued(plan(false));
    case.becomes(&block(), State::Blocked);
    let state = State::Blocked;
    case.refuses(&case.settle(Settlement::Happened), Refusal::NotUnknown { state });
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued);
    case.becomes(&block(), State::Blocked);
    case.becomes(&case.settle(Settlement::DidNotHappen), State::Failed);
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
        let expired = lease_expired(1);
        case.wait_until(just_before(case.leased_until()));
        case.refuses(&expired, Refusal::NothingDue);
        case.wait(MILLISECOND);
        assert_eq!(done(&case.item, case.now), Some(expired));
        case.refuses(&lease_expired(2), Refusal::StaleAttempt);
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
        case.start_next().becomes(&finish(2, not_done()), State::Queued).start_next();
        case.wait(2 * DAY).becomes(&finish(3, not_done()), State::Unknown);
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

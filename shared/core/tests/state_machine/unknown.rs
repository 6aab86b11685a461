//! Nobody knows whether it ran: a person finds out, or a late report does.

use placet_core::{Command, Digest, Effect, Outcome, Plan, Refusal, Settlement, State};
use serde_json::Value;

use crate::case::{
    Case, DAY, SECOND, failure_code, finish, not_done, plan, rejected, settle, succeeded, unclear,
    write,
};

const SETTLEMENTS: [Settlement; 3] =
    [Settlement::Happened, Settlement::DidNotHappen, Settlement::RunAgain];

#[test]
fn it_waits_for_a_person_who_is_reminded_every_day() {
    for mut case in [Case::unknown(), Case::unknown_idempotent()] {
        for _ in 0..3 {
            assert_eq!(case.due(), case.now.plus(DAY));
            case.refuses(&case.start(), Refusal::NotQueued { state: State::Unknown });
            case.lapse(State::Unknown);
            assert_eq!(case.effect, None);
        }
    }
}

#[test]
fn a_person_found_that_it_happened() {
    for mut case in [Case::unknown(), Case::unknown_idempotent()] {
        case.becomes(&case.settle(Settlement::Happened), State::Succeeded);
        assert_eq!(case.operation.outcome, Some(Outcome::Result(Value::Null)));
    }
}

#[test]
fn a_person_found_that_it_did_not_happen() {
    for mut case in [Case::unknown(), Case::unknown_idempotent()] {
        case.becomes(&case.settle(Settlement::DidNotHappen), State::Failed);
        assert_eq!(failure_code(&case.operation), "settled");
    }
}

#[test]
fn a_person_lets_it_run_again_with_all_its_attempts() {
    for mut case in [Case::unknown(), Case::unknown_idempotent()] {
        let key = case.operation.idempotency_key();
        case.becomes(&case.settle(Settlement::RunAgain), State::Queued);
        assert_eq!(case.effect, Some(Effect::Execute(std::time::Duration::ZERO)));
        let allowed = case.operation.plan.as_ref().unwrap().max_attempts;
        for attempt in 2..=allowed {
            case.start_next().becomes(&finish(attempt, not_done()), State::Queued);
        }
        case.start_next().becomes(&finish(1 + allowed, not_done()), State::Failed);
        assert_eq!(case.operation.attempts, 1 + allowed);
        assert_eq!(case.operation.idempotency_key(), key);
    }
}

#[test]
fn what_a_person_let_run_again_can_become_unknown_again() {
    let mut case = Case::unknown();
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued);
    case.start_next().lapse(State::Unknown);
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued);
    case.start_next().becomes(&finish(3, succeeded()), State::Succeeded);
}

#[test]
fn only_an_unknown_outcome_is_settled_and_only_once() {
    for settlement in SETTLEMENTS {
        let mut case = Case::running(plan(false));
        case.refuses(&case.settle(settlement), Refusal::NotUnknown { state: State::Running });
        case.lapse(State::Unknown);
        let state = case.apply(&case.settle(settlement)).unwrap();
        for second in SETTLEMENTS {
            case.refuses(&case.settle(second), Refusal::NotUnknown { state });
        }
    }
}

#[test]
fn a_settlement_counts_only_for_what_was_shown() {
    for settlement in SETTLEMENTS {
        let mut case = Case::unknown();
        let other = Digest::of_bytes(b"something else");
        case.refuses(&settle(settlement, other, case.operation.attempts), Refusal::DigestMismatch);
        case.apply(&case.settle(settlement)).unwrap();
    }
}

#[test]
fn a_late_report_settles_it() {
    for (report, state) in [
        (succeeded(), State::Succeeded),
        (rejected(), State::Failed),
        (not_done(), State::Queued),
        (unclear(), State::Unknown),
    ] {
        let mut reported = Case::unknown();
        reported.wait(3 * DAY).becomes(&finish(1, report.clone()), state);

        let mut lapsed = Case::running(plan(false));
        lapsed.lapse(State::Unknown).wait(SECOND).becomes(&finish(1, report.clone()), state);
        for attempt in [0, 2] {
            lapsed.refuses(&finish(attempt, report.clone()), Refusal::StaleAttempt);
        }
    }
}

/// Its outcome is open again, so none may be shown.
#[test]
fn what_a_late_report_queues_again_has_no_outcome() {
    let mut case = Case::running(plan(false));
    case.lapse(State::Unknown);
    let late = case.operation.apply(&finish(1, not_done()), write("write-9", case.now)).unwrap();
    assert_eq!((late.operation.state, late.operation.outcome), (State::Queued, None));
}

#[test]
fn a_late_report_counts_as_the_attempt_it_is_about() {
    let mut case = Case::running(Plan { max_attempts: 1, ..plan(false) });
    case.lapse(State::Unknown).becomes(&finish(1, not_done()), State::Failed);
    assert_eq!(failure_code(&case.operation), "attempts_exhausted");
}

#[test]
fn a_late_report_comes_too_late_once_a_person_has_settled() {
    for settlement in SETTLEMENTS {
        let mut case = Case::unknown();
        case.apply(&case.settle(settlement)).unwrap();
        case.refuses(&finish(1, succeeded()), Refusal::StaleAttempt);
    }
    let mut case = Case::unknown();
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued).start_next();
    case.refuses(&finish(1, succeeded()), Refusal::StaleAttempt);
}

/// The last attempt is not the only one that may have had an effect.
#[test]
fn a_late_report_of_one_attempt_does_not_speak_for_the_others() {
    for (report, state) in [
        (succeeded(), State::Succeeded),
        (rejected(), State::Unknown),
        (not_done(), State::Unknown),
        (unclear(), State::Unknown),
    ] {
        let mut case = Case::running(Plan { max_attempts: 2, ..plan(true) });
        case.lapse(State::Queued).start_next().lapse(State::Unknown);
        case.wait(SECOND).becomes(&finish(2, report), state);
    }
}

/// "Never tried again until a person has settled it": an unclear report settles nothing, however
/// many attempts are left.
#[test]
fn a_late_report_that_knows_nothing_queues_nothing() {
    let mut case = Case::running(plan(true));
    case.lapse(State::Queued).until_its_turn();
    case.becomes(&Command::Start { plan: None }, State::Unknown);
    let late = case.operation.apply(&finish(1, unclear()), write("write-9", case.now)).unwrap();
    assert_eq!((late.operation.state, late.effect), (State::Unknown, None));
}

#[test]
fn a_person_clears_the_doubt() {
    let mut case = Case::unknown_idempotent();
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued);
    case.start_next().becomes(&finish(2, rejected()), State::Failed);
}

#[test]
fn a_doubt_that_a_report_cleared_does_not_come_back() {
    let mut case = Case::running(plan(false));
    case.lapse(State::Unknown).becomes(&finish(1, not_done()), State::Queued);
    case.start_next().becomes(&finish(2, rejected()), State::Failed);
}

#[test]
fn what_is_said_of_one_attempt_does_not_settle_the_next() {
    let mut case = Case::unknown();
    let said = case.settle(Settlement::RunAgain);
    case.becomes(&said, State::Queued).start_next();
    case.becomes(&finish(2, unclear()), State::Unknown);
    case.refuses(&said, Refusal::StaleAttempt);
}

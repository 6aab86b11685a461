//! A person decides, once, on what was shown, in time.

use placet_core::{Command, Decision, Digest, Effect, Kind, Refusal, State, Verdict};
use serde_json::json;

use crate::case::{
    Case, MILLISECOND, TIME_TO_DECIDE, answer, approve, cancel, decide, deny, escalate, kwargs,
    plan, write,
};

#[test]
fn a_yes_calls_a_worker_at_once() {
    let mut case = Case::asked(Some(plan(false)));
    case.becomes(&approve(), State::Queued);
    assert_eq!(case.effect, Some(Effect::Execute(std::time::Duration::ZERO)));
    assert_eq!(case.operation.not_before, None, "a worker whose clock is behind may start");
}

#[test]
fn a_yes_is_the_end_of_what_the_asker_runs() {
    let mut case = Case::asked(None);
    case.becomes(&approve(), State::Approved);
    assert_eq!((case.effect, case.operation.outcome), (None, None));
}

#[test]
fn a_no_is_the_end_of_everything() {
    for plan in [None, Some(plan(false)), Some(plan(true))] {
        let mut case = Case::asked(plan);
        case.becomes(&deny(), State::Denied);
        assert_eq!(case.effect, None);
        case.refuses(&case.start(), Refusal::NotQueued { state: State::Denied });
    }
}

#[test]
fn all_that_a_person_said_is_kept() {
    for (verdict, plan) in [
        (Verdict::Approve, Some(plan(true))),
        (Verdict::Approve, None),
        (Verdict::Deny, Some(plan(true))),
    ] {
        let mut case = Case::asked(plan);
        case.wait(MILLISECOND).apply(&decide(verdict, None)).unwrap();
        let expected = Decision {
            verdict,
            comment: "fine by me".into(),
            option: Some("later".into()),
            by: "inbox".into(),
            at: case.now,
            digest: case.operation.digest,
        };
        assert_eq!(case.operation.decision, Some(expected));
    }
}

#[test]
fn the_deadline_itself_is_in_time_and_a_millisecond_later_is_not() {
    for command in [approve(), deny(), cancel(), escalate()] {
        let mut case = Case::asked(Some(plan(false)));
        let deadline = case.now.plus(TIME_TO_DECIDE);
        case.wait_until(deadline).apply(&command).unwrap();

        let mut case = Case::asked(Some(plan(false)));
        case.wait_until(deadline.plus(MILLISECOND))
            .refuses(&command, Refusal::Expired { deadline })
            .becomes(&Command::Redrive, State::Expired)
            .refuses(&command, Refusal::Expired { deadline });
    }
}

#[test]
fn the_timer_expires_nothing_before_the_deadline_is_over() {
    let mut case = Case::asked(Some(plan(false)));
    let deadline = case.operation.deadline;
    case.refuses(&Command::Redrive, Refusal::NothingDue);
    case.wait_until(deadline).refuses(&Command::Redrive, Refusal::NothingDue);
    case.wait(MILLISECOND).becomes(&Command::Redrive, State::Expired);
    assert_eq!((&case.operation.decision, &case.effect), (&None, &None));
    case.refuses(&Command::Redrive, Refusal::NothingDue);
}

#[test]
fn the_first_decision_stands() {
    let first_ones =
        [(approve(), State::Queued), (deny(), State::Denied), (cancel(), State::Cancelled)];
    for (first, state) in first_ones {
        for second in [approve(), deny(), answer(), cancel(), escalate()] {
            let mut case = Case::asked(Some(plan(true)));
            case.becomes(&first, state).refuses(&second, Refusal::AlreadyDecided { state });
            case.wait(2 * TIME_TO_DECIDE).refuses(&second, Refusal::AlreadyDecided { state });
        }
    }
    let mut case = Case::asked(None);
    let state = State::Approved;
    case.becomes(&approve(), state).refuses(&deny(), Refusal::AlreadyDecided { state });
}

#[test]
fn a_decision_counts_only_for_what_was_shown() {
    let other = Digest::of_bytes(b"something else");
    for verdict in [Verdict::Approve, Verdict::Deny] {
        let mut case = Case::asked(Some(plan(false)));
        let shown = case.operation.digest;
        case.refuses(&decide(verdict, Some(other)), Refusal::DigestMismatch);
        case.apply(&decide(verdict, Some(shown))).unwrap();
    }
}

#[test]
fn a_call_is_not_answered_in_words() {
    let mut case = Case::asked(Some(plan(false)));
    case.refuses(&answer(), Refusal::WrongVerdict { kind: Kind::FunctionCall });
    case.becomes(&approve(), State::Queued);
}

#[test]
fn nothing_is_decided_on_content_that_was_changed_in_between() {
    let honest = Case::asked(Some(plan(false))).operation;
    let mut changed = honest.clone();
    kwargs(&mut changed)["quantity"] = json!(1000);
    let now = honest.created_at;
    for seen in [None, Some(honest.digest), Some(changed.content_digest())] {
        for verdict in [Verdict::Approve, Verdict::Deny] {
            let answer = changed.apply(&decide(verdict, seen), write("write-2", now));
            assert_eq!(answer.unwrap_err(), Refusal::DigestMismatch, "{seen:?}");
        }
    }
    for command in [cancel(), escalate()] {
        let answer = changed.apply(&command, write("write-2", now));
        assert_eq!(answer.unwrap_err(), Refusal::DigestMismatch);
    }
}

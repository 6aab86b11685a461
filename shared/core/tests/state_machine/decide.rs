//! Decisions: once, on the shown content, and before the deadline.

use placet_core::Digest;
use placet_core::item::{Lane, Next};
use placet_core::operation::{Actor, Decision, OperationKind, Refusal, State, Verdict, Work};
use serde_json::json;

use crate::case::{CREATED, Case, kwargs};
use crate::commands::{answer, approve, cancel, decide, deny, escalate, expire};
use crate::requests::{MILLISECOND, TIME_TO_DECIDE, plan};

#[test]
fn an_approval_queues_the_call_at_once() {
    let mut case = Case::pending(Some(plan(false)));
    case.becomes(&approve(), State::Queued);
    let (lane, at) = case.schedule.pointer.unwrap();
    assert_eq!(lane, Lane::Calls, "an executor may be slow");
    assert!(at <= case.now);
    assert_eq!(case.item.not_before, None, "a worker whose clock is behind may start");
}

#[test]
fn an_approval_ends_a_call_that_the_requester_runs() {
    let mut case = Case::pending(None);
    case.becomes(&approve(), State::Approved);
    assert_eq!((case.schedule.pointer, &case.item.outcome), (None, &None));
}

#[test]
fn a_denial_ends_every_call() {
    for plan in [None, Some(plan(false)), Some(plan(true))] {
        let mut case = Case::pending(plan);
        case.becomes(&deny(), State::Denied);
        assert_eq!(case.schedule.pointer, None);
        case.refuses(&case.start(), Refusal::NotQueued { state: State::Denied });
    }
}

#[test]
fn comment_and_option_of_a_decision_are_stored() {
    for (verdict, plan) in [
        (Verdict::Approve, Some(plan(true))),
        (Verdict::Approve, None),
        (Verdict::Deny, Some(plan(true))),
    ] {
        let mut case = Case::pending(plan);
        case.wait(MILLISECOND).apply(&decide(verdict, None)).unwrap();
        let expected = Decision {
            verdict,
            comment: "fine by me".to_owned(),
            option: Some("later".to_owned()),
            by: Actor::LOCAL,
            at: case.now,
            digest: case.item.digest,
        };
        assert_eq!(case.item.decision, Some(expected));
    }
}

#[test]
fn a_decision_counts_at_the_deadline_but_not_a_millisecond_later() {
    for command in [approve(), deny(), cancel(), escalate()] {
        let mut case = Case::pending(Some(plan(false)));
        let deadline = case.now.plus(TIME_TO_DECIDE);
        case.wait_until(deadline).apply(&command).unwrap();

        let mut case = Case::pending(Some(plan(false)));
        case.wait_until(deadline.plus(MILLISECOND))
            .refuses(&command, Refusal::Expired { deadline })
            .becomes(&expire(), State::Expired)
            .refuses(&command, Refusal::Expired { deadline });
    }
}

#[test]
fn an_operation_does_not_expire_before_its_deadline() {
    let mut case = Case::pending(Some(plan(false)));
    let deadline = case.item.deadline;
    assert_eq!(case.item.header.due, Some(deadline.plus(MILLISECOND)));
    case.refuses(&expire(), Refusal::NothingDue);
    case.wait_until(deadline).refuses(&expire(), Refusal::NothingDue);
    assert!(matches!(case.next(), Next::Person { .. }));
    case.wait(MILLISECOND);
    assert!(matches!(case.next(), Next::Work(job) if job.work == Work::Expire));
    assert_eq!(case.item.lane_at(case.now), Lane::Work, "an expiry needs only Placet's own table");
    case.becomes(&expire(), State::Expired);
    assert_eq!(case.item.decision, None);
    case.refuses(&expire(), Refusal::NothingDue);
}

/// Law 5: a deadline counts even if the timer has not run yet.
#[test]
fn a_pending_operation_past_its_deadline_counts_as_expired() {
    let case = Case::pending(None);
    let deadline = case.item.deadline;
    assert_eq!(case.item.state_at(deadline), State::Pending);
    assert_eq!(case.item.state_at(deadline.plus(MILLISECOND)), State::Expired);
    let mut decided = Case::pending(None);
    decided.becomes(&deny(), State::Denied);
    assert_eq!(decided.item.state_at(deadline.plus(MILLISECOND)), State::Denied);
}

#[test]
fn the_first_decision_stands() {
    let first_ones =
        [(approve(), State::Queued), (deny(), State::Denied), (cancel(), State::Cancelled)];
    for (first, state) in first_ones {
        for second in [approve(), deny(), answer(), cancel(), escalate()] {
            let mut case = Case::pending(Some(plan(true)));
            case.becomes(&first, state).refuses(&second, Refusal::AlreadyDecided { state });
            case.wait(2 * TIME_TO_DECIDE).refuses(&second, Refusal::AlreadyDecided { state });
        }
    }
    let mut case = Case::pending(None);
    let state = State::Approved;
    case.becomes(&approve(), state).refuses(&deny(), Refusal::AlreadyDecided { state });
}

#[test]
fn a_decision_counts_only_for_the_shown_content() {
    let other = Digest::of_bytes(b"something else");
    for verdict in [Verdict::Approve, Verdict::Deny] {
        let mut case = Case::pending(Some(plan(false)));
        let shown = case.item.digest;
        case.refuses(&decide(verdict, Some(other)), Refusal::DigestMismatch);
        case.apply(&decide(verdict, Some(shown))).unwrap();
    }
}

#[test]
fn a_call_cannot_be_answered() {
    let mut case = Case::pending(Some(plan(false)));
    case.refuses(&answer(), Refusal::WrongVerdict { kind: OperationKind::FunctionCall });
    case.becomes(&approve(), State::Queued);
}

#[test]
fn changed_content_cannot_be_decided() {
    let mut case = Case::pending(Some(plan(false)));
    let honest = case.item.digest;
    kwargs(&mut case.item.body)["quantity"] = json!(1000);
    let changed = case.item.content_digest();
    for seen in [None, Some(honest), Some(changed)] {
        for verdict in [Verdict::Approve, Verdict::Deny] {
            case.refuses(&decide(verdict, seen), Refusal::DigestMismatch);
        }
    }
    for command in [cancel(), escalate()] {
        case.refuses(&command, Refusal::DigestMismatch);
    }
    assert_eq!(case.now, CREATED);
}

//! Reminders and the escalation of an operation that waits for a decision.

use placet_core::item::Lane;
use placet_core::operation::{FollowUp, NewOperation, Refusal, State};

use crate::case::{CREATED, Case, just_before};
use crate::commands::{approve, done, escalate_in_time, remind};
use crate::requests::{
    MILLISECOND, SECOND, TIME_TO_DECIDE, call, question, with_follow_up, with_upstream,
};

const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);

fn last(case: &Case) -> (&str, String) {
    let entry = case.item.history.entries().last().unwrap();
    (entry.event.as_str(), entry.by.to_string())
}

#[test]
fn reminders_and_an_escalation_are_due_in_turn() {
    for new in [call(None), question()] {
        let mut case = Case::new(with_follow_up(new));
        let mut done = Vec::new();
        for minutes in [10, 20, 30] {
            let at = CREATED.plus(minutes * MINUTE);
            assert_eq!(case.wanted_at(), at);
            assert!(case.schedule.due.is_some(), "the deadline or the next step is due");
            case.works(State::Pending);
            assert_eq!(case.now, at);
            let (event, by) = last(&case);
            done.push(event.to_owned());
            assert_eq!(by, "timer");
        }
        assert_eq!(done, ["reminded", "escalated", "reminded"]);
        assert_eq!(case.item.escalated_to(), Some("leads"));
        assert_eq!(case.item.reminded, 2);
        let after_deadline = case.item.deadline.plus(MILLISECOND);
        assert_eq!(case.wanted_at(), after_deadline);
        case.works(State::Expired);
    }
}

/// A near step has a message; a far step has a due time. The deadline stays due in both cases.
#[test]
fn a_step_needs_one_entry_in_the_index() {
    let mut case = Case::new(with_follow_up(call(None)));
    let end = case.item.deadline.plus(MILLISECOND);
    assert_eq!(case.schedule.pointer, Some((Lane::Work, CREATED.plus(10 * MINUTE))));
    assert_eq!(case.schedule.due, Some(end));
    let remind = vec![40 * MINUTE];
    let follow_up = FollowUp { remind, escalate: None };
    case = Case::new(NewOperation { follow_up, ..call(None) });
    assert_eq!(case.schedule.pointer, None);
    assert_eq!(case.schedule.due, Some(CREATED.plus(40 * MINUTE)));
}

#[test]
fn nothing_happens_before_its_time() {
    let mut case = Case::new(with_follow_up(call(None)));
    case.wait_until(just_before(CREATED.plus(10 * MINUTE)));
    case.refuses(&remind(), Refusal::NothingDue).refuses(&escalate_in_time(), Refusal::NothingDue);
    case.wait(MILLISECOND).becomes(&remind(), State::Pending);
    case.refuses(&remind(), Refusal::NothingDue);
}

#[test]
fn nothing_happens_after_the_decision_or_the_deadline() {
    let mut decided = Case::new(with_follow_up(call(None)));
    decided.becomes(&approve(), State::Approved);
    let mut late = Case::new(with_follow_up(call(None)));
    for case in [&mut decided, &mut late] {
        case.wait(TIME_TO_DECIDE + MILLISECOND);
        case.refuses(&remind(), Refusal::NothingDue);
        case.refuses(&escalate_in_time(), Refusal::NothingDue);
    }
    assert!(decided.item.is_terminal(decided.now));
    late.works(State::Expired);
}

#[test]
fn reminders_that_were_missed_are_one_reminder() {
    let mut case = Case::new(with_follow_up(call(None)));
    case.wait(35 * MINUTE);
    for step in [escalate_in_time(), remind()] {
        assert_eq!(done(&case.item, case.now), Some(step.clone()));
        case.becomes(&step, State::Pending);
    }
    assert_eq!((last(&case).0, case.item.reminded), ("reminded", 1));
    assert_eq!(case.wanted_at(), case.item.deadline.plus(MILLISECOND));
}

#[test]
fn a_step_that_is_not_before_the_deadline_is_left_out() {
    let remind = vec![TIME_TO_DECIDE, 30 * SECOND, 30 * SECOND, TIME_TO_DECIDE - MILLISECOND];
    let escalate = Some((TIME_TO_DECIDE, "leads".to_owned()));
    let follow_up = FollowUp { remind, escalate };
    let case = Case::new(NewOperation { follow_up, ..call(None) });
    let first = CREATED.plus(30 * SECOND);
    assert_eq!(case.item.reminders, [first, just_before(case.item.deadline)]);
    assert_eq!(case.item.escalation, None);
}

/// An upstream approver that is paused keeps its poll due.
#[test]
fn a_poll_does_not_hold_up_a_reminder() {
    let mut case = Case::new(with_upstream(with_follow_up(call(None))));
    assert_eq!(case.schedule.pointer, Some((Lane::Calls, CREATED)));
    case.wait(10 * MINUTE);
    assert_eq!(done(&case.item, case.now), Some(remind()));
    case.becomes(&remind(), State::Pending);
    assert_eq!(case.wanted_at(), CREATED, "the poll is still due");
}

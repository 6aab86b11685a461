//! Polls of an upstream approver until the deadline.

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::item::{Lane, Next};
use placet_core::operation::{Command, Refusal, State, Work};

use crate::case::{Case, just_before};
use crate::commands::{answer, approve, cancel, escalate, notifying};
use crate::requests::{
    MILLISECOND, SECOND, TIME_TO_DECIDE, call, plan, question, with_time_to_decide, with_upstream,
};

/// The moments at which a worker polls.
fn polls(case: &mut Case) -> Vec<Timestamp> {
    let mut moments = Vec::new();
    while let Some(next) = case.next_poll() {
        let before = case.polls();
        case.wait_until(next).becomes(&Command::Polled, State::Pending);
        assert_eq!(case.polls(), before + 1);
        assert!(before < 100, "the pauses between polls grow");
        moments.push(next);
    }
    moments
}

#[test]
fn an_upstream_approver_is_polled_with_growing_pauses_until_the_deadline() {
    for new in [call(Some(plan(true))), question()] {
        let long = with_time_to_decide(Duration::from_secs(2 * 3600), new);
        let mut case = Case::new(with_upstream(long));
        let (created, end) = (case.now, case.item.deadline.plus(MILLISECOND));
        let moments = polls(&mut case);
        assert_eq!(moments[0], created);
        let pauses: Vec<u64> =
            moments.windows(2).map(|pair| pair[1].since(pair[0]).as_secs()).collect();
        assert_eq!(pauses, [30, 60, 120, 240, 480, 900, 900, 900, 900, 900, 900, 780]);
        assert_eq!(end.since(*moments.last().unwrap()), 90 * SECOND + MILLISECOND);
        assert_eq!((case.item.header.due, case.wanted_at()), (Some(end), end));
        case.works(State::Expired);
        assert_eq!(case.now, end);
    }
}

#[test]
fn a_poll_relies_on_a_message_and_the_deadline_on_the_timer() {
    let mut case = Case::new(with_upstream(question()));
    let end = case.item.deadline.plus(MILLISECOND);
    assert_eq!(case.schedule.pointer, Some((Lane::Calls, case.now)));
    assert_eq!(case.item.header.due, Some(end));
    case.becomes(&Command::Polled, State::Pending);
    assert_eq!(case.schedule.pointer, Some((Lane::Calls, case.now.plus(30 * SECOND))));
    assert_eq!(case.item.header.due, Some(end), "an unchanged index entry costs nothing");
}

#[test]
fn a_short_deadline_leaves_time_for_one_poll() {
    let short = with_time_to_decide(20 * SECOND, call(None));
    let mut case = Case::new(with_upstream(short));
    let created = case.now;
    assert_eq!(polls(&mut case), [created]);
    assert_eq!(case.schedule.pointer, None);
    case.works(State::Expired);
    assert_eq!(case.now, created.plus(20 * SECOND + MILLISECOND));
}

/// A late poll is still made, and the next pause begins at that poll.
#[test]
fn a_late_poll_is_still_made() {
    let mut case = Case::new(with_upstream(call(None)));
    let deadline = case.item.deadline;
    case.becomes(&Command::Polled, State::Pending);
    case.refuses(&Command::Polled, Refusal::NothingDue);
    case.wait_until(just_before(case.next_poll().unwrap()));
    case.refuses(&Command::Polled, Refusal::NothingDue);
    case.wait(60 * SECOND).becomes(&Command::Polled, State::Pending);
    assert_eq!(case.next_poll(), Some(case.now.plus(60 * SECOND)));
    case.wait_until(deadline);
    assert!(case.next().job().is_some_and(|job| job.work == Work::Poll));
    case.becomes(&Command::Polled, State::Pending);
    assert_eq!(case.next_poll(), None);
    case.wait(MILLISECOND).refuses(&Command::Polled, Refusal::Expired { deadline });
    case.works(State::Expired);
}

#[test]
fn a_decision_ends_the_polling() {
    let cases = [
        (call(Some(plan(true))), approve(), State::Queued),
        (call(None), cancel(), State::Cancelled),
        (question(), answer(), State::Answered),
    ];
    for (new, command, state) in cases {
        let mut case = Case::new(with_upstream(new));
        case.becomes(&Command::Polled, State::Pending).wait(SECOND).becomes(&command, state);
        case.wait(TIME_TO_DECIDE).refuses(&Command::Polled, Refusal::AlreadyDecided { state });
        let next = case.next();
        assert!(next.job().is_none_or(|job| job.work == Work::Run), "{next:?}");
        assert_eq!(case.polls(), 1);
    }
}

#[test]
fn an_escalation_does_not_delay_a_poll() {
    let mut case = Case::new(with_upstream(call(None)));
    case.becomes(&Command::Polled, State::Pending);
    let next = case.next_poll();
    case.wait(10 * SECOND).becomes(&escalate(), State::Pending);
    assert_eq!(case.next_poll(), next);
}

#[test]
fn without_an_upstream_approver_an_operation_only_expires() {
    let mut case = Case::new(question());
    case.refuses(&Command::Polled, Refusal::NothingDue);
    assert!(matches!(case.next(), Next::Person { meanwhile: None, .. }));
    assert_eq!(case.schedule.pointer, None);
    assert_eq!(case.wanted_at(), case.item.deadline.plus(MILLISECOND));
    case.works(State::Expired);
    assert_eq!(case.item.upstream, None);
}

#[test]
fn an_expiry_notifies_the_endpoints() {
    let mut case = Case::new(with_upstream(question()));
    polls(&mut case);
    case.wait_until(case.wanted_at());
    case.becomes(&notifying(crate::commands::expire(), &["app"]), State::Expired);
    assert_eq!(case.item.header.children.len(), 2, "the completion and the expiry");
}

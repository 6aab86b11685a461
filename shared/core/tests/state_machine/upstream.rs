//! Another server was asked in our place: it is asked for the answer until the deadline.

use std::time::Duration;

use placet_core::{Command, Effect, NewOperation, Refusal, State, Timestamp};

use crate::case::{
    Case, MILLISECOND, SECOND, TIME_TO_DECIDE, answer, approve, call, cancel, escalate, plan,
    question, upstream,
};

/// The moments at which the timer looks, until it expires.
fn looks(case: &mut Case) -> Vec<Timestamp> {
    let mut moments = vec![case.due()];
    loop {
        let consulted = case.operation.upstream.as_ref().unwrap().consulted;
        case.wait_until(case.due());
        let Ok(State::Pending) = case.apply(&Command::Redrive) else { return moments };
        assert_eq!(case.effect, Some(Effect::Consult));
        assert_eq!(case.operation.upstream.as_ref().unwrap().consulted, consulted + 1);
        moments.push(case.due());
    }
}

#[test]
fn it_is_asked_more_and_more_rarely_until_the_deadline() {
    for new in [call(Some(plan(true))), question()] {
        let long = Duration::from_secs(2 * 3600);
        let mut case = Case::new(upstream(NewOperation { time_to_decide: long, ..new }));
        let (asked, end) = (case.now, case.operation.deadline.plus(MILLISECOND));
        assert_eq!(case.operation.upstream.as_ref().unwrap().consulted, 0);
        let moments = looks(&mut case);
        let mut pauses: Vec<u64> = Vec::new();
        let mut last = asked;
        for moment in &moments {
            pauses.push(moment.since(last).as_secs());
            last = *moment;
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 900, 900, 900, 900, 900, 900, 780, 90]);
        assert_eq!(moments.last(), Some(&end));
        assert_eq!((case.operation.state, case.now, case.effect), (State::Expired, end, None));
    }
}

#[test]
fn a_short_deadline_comes_before_the_first_question() {
    let short = NewOperation { time_to_decide: 20 * SECOND, ..call(None) };
    let mut case = Case::new(upstream(short));
    let end = case.now.plus(20 * SECOND + MILLISECOND);
    assert_eq!(looks(&mut case), [end]);
    assert_eq!(case.operation.state, State::Expired);
}

/// The timer runs once a minute: what it finds late is asked, not expired, and the pause counts from
/// there.
#[test]
fn a_late_timer_asks_all_the_same() {
    let mut case = Case::new(upstream(call(None)));
    let deadline = case.operation.deadline;
    case.refuses(&Command::Redrive, Refusal::NothingDue);
    case.wait(29 * SECOND).refuses(&Command::Redrive, Refusal::NothingDue);
    case.wait(60 * SECOND).becomes(&Command::Redrive, State::Pending);
    assert_eq!(case.due(), case.now.plus(60 * SECOND));
    case.wait_until(deadline).becomes(&Command::Redrive, State::Pending);
    assert_eq!((case.effect, case.due()), (Some(Effect::Consult), deadline.plus(MILLISECOND)));
    case.wait(MILLISECOND).becomes(&Command::Redrive, State::Expired);
}

#[test]
fn an_answer_ends_the_asking() {
    let cases = [
        (call(Some(plan(true))), approve(), State::Queued),
        (call(None), cancel(), State::Cancelled),
        (question(), answer(), State::Answered),
    ];
    for (new, command, state) in cases {
        let mut case = Case::new(upstream(new));
        case.lapse(State::Pending).becomes(&command, state);
        case.wait(TIME_TO_DECIDE);
        if let Ok(state) = case.apply(&Command::Redrive) {
            assert_eq!(
                (state, case.effect),
                (State::Queued, Some(Effect::Execute(Duration::ZERO)))
            );
        }
        assert_eq!(case.operation.upstream.as_ref().unwrap().consulted, 1);
    }
}

#[test]
fn asking_for_attention_does_not_put_it_off() {
    let mut case = Case::new(upstream(call(None)));
    let due = case.due();
    case.wait(10 * SECOND).becomes(&escalate(), State::Pending);
    assert_eq!(case.due(), due);
}

#[test]
fn without_another_server_the_timer_only_expires() {
    let mut case = Case::new(question());
    assert_eq!(case.due(), case.operation.deadline.plus(MILLISECOND));
    case.lapse(State::Expired);
    assert_eq!(case.operation.upstream, None);
}

#[test]
fn an_expiry_tells_who_wants_to_know() {
    let mut case = Case::new(upstream(question())).announced();
    while case.operation.state == State::Pending {
        case.wait_until(case.due()).apply(&Command::Redrive).unwrap();
    }
    assert_eq!((case.operation.state, case.effect), (State::Expired, Some(Effect::Tell)));
    assert!(case.operation.untold);
}

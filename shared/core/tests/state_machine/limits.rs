//! Numbers at the ends of their types: no panic (law 11), and no wrap-around either.

use std::time::Duration;

use placet_core::{Command, Operation, Plan, Settlement, State, Timestamp};

use crate::case::{Case, approve, call, finish, not_done, plan, unclear, upstream, write};

#[test]
fn the_longest_times_do_not_overflow() {
    let endless = Plan { timeout: Duration::MAX, redrive: Duration::MAX, ..plan(false) };
    let mut operation = Case::queued(endless).operation;
    let started = operation.apply(
        &Command::Start { plan: operation.plan.clone() },
        write("w", operation.created_at.plus(Duration::from_secs(3600))),
    );
    operation = started.unwrap().operation;
    assert_eq!(operation.state, State::Running);
    assert!(operation.due.is_some());
}

#[test]
fn a_person_can_let_run_again_what_may_be_tried_without_limit() {
    let mut case = Case::running(Plan { max_attempts: u32::MAX, ..plan(false) });
    case.becomes(&finish(1, unclear()), State::Unknown);
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued);
    case.start_next().becomes(&finish(2, not_done()), State::Queued);
}

#[test]
fn another_server_can_be_asked_without_limit() {
    let mut case = Case::new(upstream(call(None)));
    case.operation.upstream.as_mut().unwrap().consulted = u32::MAX;
    case.wait_until(case.due());
    let asked = case.operation.apply(&Command::Redrive, write("w", case.now)).unwrap().operation;
    assert_eq!(asked.upstream.unwrap().consulted, u32::MAX);
    assert_eq!(asked.due, Some(case.now.plus(Duration::from_secs(900))));
}

#[test]
fn a_clock_at_the_end_of_time_stops_there() {
    let end = Timestamp::from_millis(i64::MAX);
    let pending = Case::asked(Some(plan(false))).operation;
    let endless = Operation { deadline: end, due: Some(end), ..pending };
    let approved = endless.apply(&approve(), write("w", end)).unwrap().operation;
    assert_eq!((approved.state, approved.due), (State::Queued, Some(end)));
    let looked_at = endless.apply(&Command::Redrive, write("w", end)).unwrap();
    assert_eq!((looked_at.operation.state, looked_at.effect), (State::Pending, None));
    assert_eq!(looked_at.operation.due, Some(end), "it is still in time");
}

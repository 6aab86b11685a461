//! Numbers at the ends of their types: no panic (law 11), and no wrap-around either.

use std::time::Duration;

use placet_core::{Command, Operation, Plan, Settlement, State, Timestamp};

use crate::case::{Case, approve, finish, not_done, plan, unclear};

#[test]
fn the_longest_times_do_not_overflow() {
    let endless = Plan { timeout: Duration::MAX, redrive: Duration::MAX, ..plan(false) };
    let mut operation = Case::queued(endless).operation;
    let started = operation.apply(
        &Command::Start { plan: operation.plan.clone() },
        "w",
        operation.created_at.plus(Duration::from_secs(3600)),
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
fn a_clock_at_the_end_of_time_stops_there() {
    let end = Timestamp::from_millis(i64::MAX);
    let pending = Case::asked(Some(plan(false))).operation;
    let endless = Operation { deadline: end, due: Some(end), ..pending };
    let approved = endless.apply(&approve(), "w", end).unwrap().operation;
    assert_eq!((approved.state, approved.due), (State::Queued, Some(end)));
}

//! Numbers at the limits of their types: no panic (law 10) and no wrap-around.

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::item::Write;
use placet_core::operation::{Command, Failure, Plan, Settlement, State};

use crate::case::Case;
use crate::commands::{approve, expire, finish, not_done, unclear};
use crate::requests::{call, plan, with_upstream};

const END: Timestamp = Timestamp::from_millis(i64::MAX);

#[test]
fn the_longest_timeout_does_not_overflow() {
    let mut case = Case::queued(Plan { timeout: Duration::MAX, ..plan(false) });
    case.start_next();
    assert_eq!(case.leased_until(), END);
}

#[test]
fn an_operation_without_a_limit_of_attempts_can_be_run_again() {
    let mut case = Case::running(Plan { max_attempts: u32::MAX, ..plan(false) });
    case.becomes(&finish(1, unclear()), State::Unknown);
    case.becomes(&case.settle(Settlement::RunAgain), State::Queued);
    case.start_next().becomes(&finish(2, not_done()), State::Queued);
}

#[test]
fn an_upstream_approver_can_be_polled_without_limit() {
    let case = Case::new(with_upstream(call(None)));
    let mut item = case.item;
    item.body.upstream.as_mut().unwrap().polls = u32::MAX;
    let polled = item.apply(&Command::Polled, &Write::new("w", case.now)).unwrap();
    let upstream = polled.upstream.as_ref().unwrap();
    assert_eq!(upstream.polls, u32::MAX);
    assert_eq!(upstream.next_poll, Some(case.now.plus(Duration::from_secs(900))));
}

#[test]
fn a_clock_at_the_end_of_time_stops_there() {
    let mut item = Case::pending(Some(plan(false))).item;
    item.body.deadline = END;
    let write = Write::new("w", END);
    let scheduled = item.schedule(None, END, None);
    assert_eq!(scheduled.due, Some(END));
    assert!(item.apply(&expire(), &write).is_err(), "the deadline has not passed");
    let approved = item.apply(&approve(), &write).unwrap();
    let started = approved.apply(&crate::commands::start(&approved), &write).unwrap();
    assert_eq!((started.state, started.leased_until), (State::Running, Some(END)));
    let unknown = started.apply(&finish(1, unclear()), &write).unwrap();
    assert_eq!((unknown.state, unknown.remind_at), (State::Unknown, Some(END)));
}

#[test]
fn a_message_of_a_failure_is_cut_between_characters() {
    let kept = Failure::new("code", &"é".repeat(5000)).message;
    assert_eq!(kept, "é".repeat(1000));
}

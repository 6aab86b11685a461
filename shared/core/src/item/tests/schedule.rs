//! The schedule of each state, with and without a message that a worker holds.

use std::fmt::Write as _;
use std::time::Duration;

use super::toy::{NOW, Needs, Toy, at, toy};
use crate::Timestamp;
use crate::item::{Hold, Item, LONGEST_DELAY, Lane, Rests, Schedule, rescheduled_after};

const fn held(lane: Lane) -> Option<Hold> {
    Some(Hold { lane, receives: 1 })
}

/// The text form of a schedule, for example `due 1h, calls now (message)`. The parentheses contain
/// [`Schedule::rests`].
fn text(schedule: Schedule) -> String {
    let moment = |moment: Timestamp| match (moment.millis() - NOW.millis()) / 1000 {
        0 => "now".to_owned(),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    };
    let due = schedule.due.map(|due| format!("due {}", moment(due)));
    let pointer = schedule.pointer.map(|(lane, at)| format!("{} {}", lane.as_str(), moment(at)));
    let both: Vec<String> = due.into_iter().chain(pointer).collect();
    format!("{} ({:?})", both.join(", "), schedule.rests).trim_start().to_lowercase()
}

/// The schedules of first versions. Each version is written without a message, with a message of the lane
/// `work`, and with a message of the lane `calls`.
fn table(children: &[Lane]) -> String {
    let hour = at(3600);
    let person = |work| Needs::Person { until: hour, work };
    let rows = [
        ("nothing", Needs::Nothing),
        ("wait", Needs::Wait(hour)),
        ("person", person(None)),
        ("person, calls now", person(Some((Lane::Calls, NOW)))),
        ("person, calls soon", person(Some((Lane::Calls, at(900))))),
        ("person, calls late", person(Some((Lane::Calls, at(960))))),
        ("person, too late", person(Some((Lane::Calls, at(3660))))),
        ("lease", Needs::Lease(hour)),
        ("transition", Needs::Transition),
        ("work now", Needs::Work(Lane::Work, NOW)),
        ("calls overdue", Needs::Work(Lane::Calls, at(-60))),
        ("calls soon", Needs::Work(Lane::Calls, at(900))),
        ("calls late", Needs::Work(Lane::Calls, at(960))),
    ];
    let mut table = String::new();
    let mut row = |cells: [&str; 4]| {
        let [name, free, work, calls] = cells;
        let line = format!("{name:18} | {free:28} | {work:28} | {calls}");
        writeln!(table, "{}", line.trim_end()).unwrap();
    };
    row(["", "holds no message", "holds one of work", "holds one of calls"]);
    for (name, needs) in rows {
        let item = toy::<false>(needs, children);
        let by = |hold: Option<Hold>| text(item.schedule(None, NOW, hold.as_ref()));
        row([name, &by(None), &by(held(Lane::Work)), &by(held(Lane::Calls))]);
    }
    table
}

/// The holder of a message continues by itself with work that its lane allows. A lease that it takes relies
/// on its message.
#[test]
fn schedules_of_states_without_children() {
    insta::assert_snapshot!(table(&[]), @r"
                       | holds no message             | holds one of work            | holds one of calls
    nothing            | (nothing)                    | (nothing)                    | (nothing)
    wait               | due 60m (due)                | due 60m (due)                | due 60m (due)
    person             | due 60m (due)                | due 60m (due)                | due 60m (due)
    person, calls now  | due 60m, calls now (message) | due 60m, calls now (message) | due 60m (message)
    person, calls soon | due 60m, calls 15m (message) | due 60m, calls 15m (message) | due 60m, calls 15m (message)
    person, calls late | due 16m (due)                | due 16m (due)                | due 16m (due)
    person, too late   | due 60m (due)                | due 60m (due)                | due 60m (due)
    lease              | due 60m (due)                | (message)                    | (message)
    transition         | work now (message)           | (message)                    | (message)
    work now           | work now (message)           | (message)                    | (message)
    calls overdue      | calls -1m (message)          | calls -1m (message)          | (message)
    calls soon         | calls 15m (message)          | calls 15m (message)          | calls 15m (message)
    calls late         | due 16m (due)                | due 16m (due)                | due 16m (due)
    ");
}

#[test]
fn schedules_of_states_with_a_child_on_a_slow_lane() {
    insta::assert_snapshot!(table(&[Lane::Calls]), @r"
                       | holds no message             | holds one of work            | holds one of calls
    nothing            | calls now (message)          | calls now (message)          | (message)
    wait               | due 60m, calls now (message) | due 60m, calls now (message) | due 60m (message)
    person             | due 60m, calls now (message) | due 60m, calls now (message) | due 60m (message)
    person, calls now  | due 60m, calls now (message) | due 60m, calls now (message) | due 60m (message)
    person, calls soon | due 60m, calls now (message) | due 60m, calls now (message) | due 60m (message)
    person, calls late | due 16m, calls now (message) | due 16m, calls now (message) | due 16m (message)
    person, too late   | due 60m, calls now (message) | due 60m, calls now (message) | due 60m (message)
    lease              | due 60m, calls now (message) | calls now (message)          | (message)
    transition         | calls now (message)          | calls now (message)          | (message)
    work now           | calls now (message)          | calls now (message)          | (message)
    calls overdue      | calls now (message)          | calls now (message)          | (message)
    calls soon         | calls now (message)          | calls now (message)          | (message)
    calls late         | due 16m, calls now (message) | due 16m, calls now (message) | due 16m (message)
    ");
}

#[test]
fn schedules_of_states_with_a_child_on_a_fast_lane() {
    insta::assert_snapshot!(table(&[Lane::Work]), @r"
                       | holds no message             | holds one of work            | holds one of calls
    nothing            | work now (message)           | (message)                    | (message)
    wait               | due 60m, work now (message)  | due 60m (message)            | due 60m (message)
    person             | due 60m, work now (message)  | due 60m (message)            | due 60m (message)
    person, calls now  | due 60m, calls now (message) | due 60m, calls now (message) | due 60m (message)
    person, calls soon | due 60m, work now (message)  | due 60m (message)            | due 60m (message)
    person, calls late | due 16m, work now (message)  | due 16m (message)            | due 16m (message)
    person, too late   | due 60m, work now (message)  | due 60m (message)            | due 60m (message)
    lease              | due 60m, work now (message)  | (message)                    | (message)
    transition         | work now (message)           | (message)                    | (message)
    work now           | work now (message)           | (message)                    | (message)
    calls overdue      | calls now (message)          | calls now (message)          | (message)
    calls soon         | work now (message)           | (message)                    | (message)
    calls late         | due 16m, work now (message)  | due 16m (message)            | due 16m (message)
    ");
}

fn lease(due: Option<Timestamp>, until: Timestamp) -> Item<Toy> {
    let mut item = toy::<false>(Needs::Lease(until), &[]);
    item.header.due = due;
    item
}

#[test]
fn a_write_under_a_lease_keeps_its_due_time() {
    let until = at(60);
    for due in [None, Some(until), Some(at(9))] {
        for hold in [None, held(Lane::Work), held(Lane::Calls)] {
            let before = lease(due, until);
            let after = lease(None, until).schedule(Some(&before), NOW, hold.as_ref());
            let rests = if due.is_some() { Rests::Due } else { Rests::Message };
            assert_eq!(after, Schedule { due, pointer: None, rests }, "{due:?} {hold:?}");
        }
    }
}

#[test]
fn a_new_lease_does_not_keep_the_old_due_time() {
    let before = lease(None, at(60));
    let after = lease(None, at(90)).schedule(Some(&before), NOW, None);
    assert_eq!((after.due, after.rests), (Some(at(90)), Rests::Due));
    let after = lease(None, at(90)).schedule(Some(&before), NOW, held(Lane::Calls).as_ref());
    assert_eq!((after.due, after.rests), (None, Rests::Message));
}

#[test]
fn a_lease_after_any_other_state_has_its_own_due_time() {
    for needs in [Needs::Nothing, Needs::Wait(at(60)), Needs::Work(Lane::Calls, NOW)] {
        let before = toy::<false>(needs, &[]);
        let after = lease(None, at(60)).schedule(Some(&before), NOW, None);
        assert_eq!(after.due, Some(at(60)), "{needs:?}");
    }
}

#[test]
fn children_under_a_lease_get_a_pointer_and_keep_the_due_time() {
    let before = lease(None, at(60));
    let after = toy::<false>(Needs::Lease(at(60)), &[Lane::Calls]);
    let schedule = after.schedule(Some(&before), NOW, None);
    assert_eq!(text(schedule), "calls now (message)");
    let before = lease(Some(at(60)), at(60));
    let schedule = after.schedule(Some(&before), NOW, None);
    assert_eq!(text(schedule), "due 1m, calls now (message)");
}

#[test]
fn transitions_of_a_slow_kind_use_its_home_lane() {
    let item = toy::<true>(Needs::Transition, &[]);
    assert_eq!(text(item.schedule(None, NOW, None)), "calls now (message)");
    let held_on_work = item.schedule(None, NOW, held(Lane::Work).as_ref());
    assert_eq!(text(held_on_work), "calls now (message)", "a fast worker does not do it");
}

#[test]
fn a_message_is_delayed_by_at_most_15_minutes() {
    assert_eq!(LONGEST_DELAY, Duration::from_secs(900), "the limit of SQS");
}

#[test]
fn a_rescheduled_item_waits_two_minutes_doubled_up_to_an_hour() {
    let minutes =
        [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(|times| rescheduled_after(times).as_secs() / 60);
    assert_eq!(minutes, [2, 4, 8, 16, 32, 60, 60, 60]);
}

//! Every command in every state.

use placet_core::item::Rests;
use placet_core::operation::{Command, Settlement, State};

use crate::case::Case;
use crate::commands::{
    abandon, answer, approve, block, cancel, deny, escalate, expire, finish, lease_expired,
    rejected, remind, succeeded,
};
use crate::requests::{DAY, call, plan, question, with_upstream};

fn in_state(state: State) -> Case {
    let mut case = match state {
        State::Pending | State::Denied | State::Expired | State::Cancelled => {
            Case::new(with_upstream(call(Some(plan(false)))))
        }
        State::Approved => Case::pending(None),
        State::Answered => Case::new(question()),
        State::Queued | State::Blocked => Case::queued(plan(false)),
        State::Running | State::Succeeded | State::Failed => Case::running(plan(false)),
        State::Unknown => Case::unknown(),
    };
    let command = match state {
        State::Approved => approve(),
        State::Denied => deny(),
        State::Answered => answer(),
        State::Cancelled => cancel(),
        State::Expired => expire(),
        State::Succeeded => finish(1, succeeded()),
        State::Failed => finish(1, rejected()),
        State::Blocked => block(),
        State::Pending | State::Queued | State::Running | State::Unknown => return case,
    };
    if state == State::Expired {
        case.wait(DAY);
    }
    case.becomes(&command, state);
    case
}

/// The result of a command: the next state, or the code of the refusal.
fn result(mut case: Case, command: impl Fn(&Case) -> Command) -> &'static str {
    match case.apply(&command(&case)) {
        Ok(state) => state.as_str(),
        Err(refusal) => refusal.code(),
    }
}

/// The operation a day later, after every moment that the state waits for.
fn a_day_later(state: State) -> Case {
    let mut case = in_state(state);
    case.wait(DAY);
    case
}

/// The name of a row of a table, and its cells.
type Row = (State, [&'static str; 6]);

fn check(table: [Row; 12], cells: impl Fn(State) -> [&'static str; 6]) {
    assert_eq!(table.map(|(state, _)| state), State::ALL);
    for (state, expected) in table {
        assert_eq!(cells(state), expected, "{state:?}");
    }
}

#[test]
fn every_command_of_people_and_requesters_in_every_state() {
    let (decided, not_unknown) = ("already_decided", "not_unknown");
    let over = [decided, decided, decided, decided, "already_decided", not_unknown];
    let expired = ["expired", "expired", "expired", "expired", "expired", not_unknown];
    let table = [
        // approve, deny, answer, cancel, escalate, settle
        (
            State::Pending,
            ["queued", "denied", "wrong_verdict", "cancelled", "pending", not_unknown],
        ),
        (State::Approved, over),
        (State::Denied, over),
        (State::Answered, over),
        (State::Cancelled, over),
        (State::Expired, expired),
        (State::Queued, over),
        (State::Blocked, over),
        (State::Running, over),
        (State::Succeeded, over),
        (State::Failed, over),
        (State::Unknown, [decided, decided, decided, decided, decided, "succeeded"]),
    ];
    check(table, |state| {
        [
            result(in_state(state), |_| approve()),
            result(in_state(state), |_| deny()),
            result(in_state(state), |_| answer()),
            result(in_state(state), |_| cancel()),
            result(in_state(state), |_| escalate()),
            result(in_state(state), |case| case.settle(Settlement::Happened)),
        ]
    });
}

#[test]
fn every_command_of_workers_in_every_state() {
    let (decided, stale, idle, not_queued) =
        ("already_decided", "stale_attempt", "nothing_due", "not_queued");
    let over = [not_queued, stale, idle, not_queued, decided, idle];
    let table = [
        // start, finish attempt 1, expired lease, abandon, polled, remind
        (State::Pending, [not_queued, stale, idle, not_queued, "pending", idle]),
        (State::Approved, over),
        (State::Denied, over),
        (State::Answered, over),
        (State::Cancelled, over),
        (State::Expired, [not_queued, stale, idle, not_queued, "expired", idle]),
        (State::Queued, ["running", stale, idle, "failed", decided, idle]),
        (State::Blocked, ["too_early", stale, idle, "failed", decided, idle]),
        (State::Running, ["lease_held", "succeeded", "unknown", "unknown", decided, idle]),
        (State::Succeeded, over),
        (State::Failed, over),
        (State::Unknown, [not_queued, "succeeded", idle, not_queued, decided, "unknown"]),
    ];
    check(table, |state| {
        [
            result(in_state(state), Case::start),
            result(in_state(state), |_| finish(1, succeeded())),
            result(a_day_later(state), |_| lease_expired(1)),
            result(in_state(state), |_| abandon()),
            result(in_state(state), |_| Command::Polled),
            result(a_day_later(state), |_| remind()),
        ]
    });
}

#[test]
fn only_a_pending_operation_expires() {
    for state in State::ALL {
        let expected = if state == State::Pending { "expired" } else { "nothing_due" };
        assert_eq!(result(a_day_later(state), |_| expire()), expected, "{state:?}");
        assert_eq!(result(in_state(state), |_| expire()), "nothing_due", "{state:?} in time");
    }
}

/// Law 3 also holds for the first version.
#[test]
fn an_operation_is_created_with_a_due_time() {
    let calls = [None, Some(plan(true)), Some(plan(false))].map(call);
    for new in calls.into_iter().chain([question(), with_upstream(call(None))]) {
        let upstream = new.upstream.is_some();
        let Case { item, schedule, now } = Case::new(new);
        assert_eq!(item.state, State::Pending);
        assert!(item.header.due.unwrap() > item.deadline);
        assert_eq!(schedule.pointer.is_some(), upstream);
        assert_eq!(item.header.rests, if upstream { Rests::Message } else { Rests::Due });
        assert_eq!((item.header.version, item.header.wrote("write-1", 1)), (1, Some(true)));
        assert_eq!((item.header.created_at, item.header.changed_at), (now, now));
        assert_eq!(item.digest, item.content_digest());
        assert!(item.verify_history().is_ok());
        assert_eq!(crate::laws::stored(&item), item);
    }
}

#[test]
fn each_state_relies_on_the_timer_or_a_message_or_nothing() {
    for state in State::ALL {
        let case = in_state(state);
        let expected = match state {
            // A message announces the first poll.
            State::Pending | State::Queued | State::Running => Rests::Message,
            State::Blocked | State::Unknown => Rests::Due,
            _ => Rests::Nothing,
        };
        assert_eq!(case.item.header.rests, expected, "{state:?}");
        assert_eq!(state.is_terminal(), expected == Rests::Nothing, "{state:?}");
        assert_eq!(case.item.is_terminal(case.now), state.is_terminal(), "{state:?}");
    }
}

#[test]
fn a_state_is_stored_under_its_name() {
    for state in State::ALL {
        assert_eq!(State::parse(state.as_str()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    assert_eq!(State::parse("finalised"), None);
    for settlement in Settlement::ALL {
        assert_eq!(Settlement::parse(settlement.as_str()), Some(settlement));
    }
    assert_eq!(Settlement::parse("perhaps"), None);
}

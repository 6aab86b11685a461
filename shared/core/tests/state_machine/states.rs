//! Every state against every command.

use placet_core::{Command, Settlement, State};

use crate::case::{Case, approve, deny, finish, plan, rejected, succeeded};

fn in_state(state: State) -> Case {
    let mut case = match state {
        State::Pending | State::Denied | State::Expired => Case::asked(Some(plan(false))),
        State::Approved => Case::asked(None),
        State::Queued => Case::queued(plan(false)),
        State::Running | State::Succeeded | State::Failed => Case::running(plan(false)),
        State::Unknown => Case::unknown(),
    };
    let command = match state {
        State::Approved => approve(),
        State::Denied => deny(),
        State::Expired => Command::Redrive,
        State::Succeeded => finish(1, succeeded()),
        State::Failed => finish(1, rejected()),
        State::Pending | State::Queued | State::Running | State::Unknown => return case,
    };
    if state == State::Expired {
        case.wait_until(case.due());
    }
    case.becomes(&command, state);
    case
}

/// What `command` comes to: the next state, or the code of the refusal.
fn answer(state: State, command: impl Fn(&Case) -> Command) -> &'static str {
    let mut case = in_state(state);
    match case.apply(&command(&case)) {
        Ok(state) => state.as_str(),
        Err(refusal) => refusal.code(),
    }
}

fn at_due(state: State) -> &'static str {
    let mut case = in_state(state);
    case.now = case.operation.due.unwrap_or(case.now.plus(crate::case::DAY));
    match case.apply(&Command::Redrive) {
        Ok(state) => state.as_str(),
        Err(refusal) => refusal.code(),
    }
}

#[test]
fn every_command_in_every_state() {
    use State::{Approved, Denied, Expired, Failed, Pending, Queued, Running, Succeeded, Unknown};
    let decided = "already_decided";
    let (stale, idle) = ("stale_attempt", "nothing_due");
    let (not_queued, not_unknown) = ("not_queued", "not_unknown");
    let table = [
        // state, decide, start, finish attempt 1, redrive at the due time, settle
        (Pending, ["queued", not_queued, stale, "expired", not_unknown]),
        (Approved, [decided, not_queued, stale, idle, not_unknown]),
        (Denied, [decided, not_queued, stale, idle, not_unknown]),
        (Expired, ["expired", not_queued, stale, idle, not_unknown]),
        (Queued, [decided, "running", stale, "queued", not_unknown]),
        (Running, [decided, "lease_held", "succeeded", "unknown", not_unknown]),
        (Succeeded, [decided, not_queued, stale, idle, not_unknown]),
        (Failed, [decided, not_queued, stale, idle, not_unknown]),
        (Unknown, [decided, not_queued, "succeeded", "unknown", "succeeded"]),
    ];
    for (state, expected) in table {
        let answers = [
            answer(state, |_| approve()),
            answer(state, Case::start),
            answer(state, |_| finish(1, succeeded())),
            at_due(state),
            answer(state, |case| case.settle(Settlement::Happened)),
        ];
        assert_eq!(answers, expected, "{state:?}");
    }
}

/// Law 3, from the first moment on.
#[test]
fn an_operation_is_born_waiting_for_its_deadline() {
    for plan in [None, Some(plan(true)), Some(plan(false))] {
        let case = Case::asked(plan);
        assert_eq!(case.operation.state, State::Pending);
        assert!(case.due() > case.operation.deadline);
        assert_eq!(case.operation.version, 1);
        assert_eq!(case.operation.last_write, "write-1");
        assert_eq!(case.operation.digest, case.operation.content_digest());
        assert!(case.operation.verify_history().is_ok());
    }
}

#[test]
fn terminal_and_due_exclude_each_other_in_every_state() {
    use State::{Approved, Denied, Expired, Failed, Pending, Queued, Running, Succeeded, Unknown};
    for state in [Approved, Denied, Expired, Succeeded, Failed] {
        assert!(state.is_terminal() && in_state(state).operation.due.is_none(), "{state:?}");
    }
    for state in [Pending, Queued, Running, Unknown] {
        assert!(!state.is_terminal() && in_state(state).operation.due.is_some(), "{state:?}");
    }
}

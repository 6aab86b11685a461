//! Every state against every command.

use placet_core::{Command, Settlement, State};

use crate::case::{
    Case, answer, approve, call, cancel, deny, escalate, finish, plan, question, rejected,
    succeeded, upstream,
};

fn in_state(state: State) -> Case {
    let mut case = match state {
        State::Pending | State::Denied | State::Expired | State::Cancelled => {
            Case::asked(Some(plan(false)))
        }
        State::Approved => Case::asked(None),
        State::Answered => Case::new(question()),
        State::Queued => Case::queued(plan(false)),
        State::Running | State::Succeeded | State::Failed => Case::running(plan(false)),
        State::Unknown => Case::unknown(),
    };
    let command = match state {
        State::Approved => approve(),
        State::Denied => deny(),
        State::Answered => answer(),
        State::Cancelled => cancel(),
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

/// What a command comes to: the next state, or the code of the refusal.
fn comes_to(case: &mut Case, command: &Command) -> &'static str {
    match case.apply(command) {
        Ok(state) => state.as_str(),
        Err(refusal) => refusal.code(),
    }
}

fn result(state: State, command: impl Fn(&Case) -> Command) -> &'static str {
    let mut case = in_state(state);
    let command = command(&case);
    comes_to(&mut case, &command)
}

fn at_due(state: State) -> &'static str {
    let mut case = in_state(state);
    case.now = case.operation.due.unwrap_or(case.now.plus(crate::case::DAY));
    comes_to(&mut case, &Command::Redrive)
}

#[test]
fn every_command_in_every_state() {
    use State::{
        Answered, Approved, Cancelled, Denied, Expired, Failed, Pending, Queued, Running,
        Succeeded, Unknown,
    };
    let (decided, untold) = ("already_decided", "nothing_to_tell");
    let (stale, idle) = ("stale_attempt", "nothing_due");
    let (not_queued, not_unknown) = ("not_queued", "not_unknown");
    let over = [decided, decided, decided, untold, not_queued, stale, idle, not_unknown];
    let table = [
        // state, approve, cancel, escalate, told, start, finish attempt 1, redrive when due, settle
        (
            Pending,
            ["queued", "cancelled", "pending", untold, not_queued, stale, "expired", not_unknown],
        ),
        (Approved, over),
        (Denied, over),
        (Answered, over),
        (Cancelled, over),
        (Expired, ["expired", "expired", "expired", untold, not_queued, stale, idle, not_unknown]),
        (Queued, [decided, decided, decided, untold, "running", stale, "queued", not_unknown]),
        (
            Running,
            [decided, decided, decided, untold, "lease_held", "succeeded", "unknown", not_unknown],
        ),
        (Succeeded, over),
        (Failed, over),
        (
            Unknown,
            [decided, decided, decided, untold, not_queued, "succeeded", "unknown", "succeeded"],
        ),
    ];
    assert_eq!(table.map(|(state, _)| state), State::ALL);
    for (state, expected) in table {
        let answers = [
            result(state, |_| approve()),
            result(state, |_| cancel()),
            result(state, |_| escalate()),
            result(state, |_| Command::Told),
            result(state, Case::start),
            result(state, |_| finish(1, succeeded())),
            at_due(state),
            result(state, |case| case.settle(Settlement::Happened)),
        ];
        assert_eq!(answers, expected, "{state:?}");
    }
}

/// Law 3, from the first moment on.
#[test]
fn an_operation_is_born_waiting_for_its_deadline() {
    let calls = [None, Some(plan(true)), Some(plan(false))].map(call);
    for new in calls.into_iter().chain([question(), upstream(call(None)), upstream(question())]) {
        let operation = Case::new(new.clone()).operation;
        assert_eq!(operation.state, State::Pending);
        let due = operation.due.unwrap();
        assert_eq!(due > operation.deadline, new.upstream.is_none());
        assert_eq!((operation.version, operation.untold), (1, false));
        assert_eq!(operation.last_write, "write-1");
        assert_eq!(operation.digest, operation.content_digest());
        assert!(operation.verify_history().is_ok());
        assert_eq!(crate::laws::stored(&operation), operation);
    }
}

#[test]
fn terminal_and_due_exclude_each_other_in_every_state() {
    for state in State::ALL {
        let open =
            matches!(state, State::Pending | State::Queued | State::Running | State::Unknown);
        assert_eq!(state.is_terminal(), !open, "{state:?}");
        assert_eq!(in_state(state).operation.due.is_some(), open, "{state:?}");
    }
}

#[test]
fn the_name_of_a_state_is_how_it_is_stored() {
    for state in State::ALL {
        assert_eq!(State::parse(state.as_str()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    assert_eq!(State::parse("finalised"), None);
}

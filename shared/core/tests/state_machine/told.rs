//! Endpoints are told of every decision, whoever crashes in between.

use std::time::Duration;

use placet_core::{Command, Effect, Plan, Refusal, State};

use crate::case::{
    ANNOUNCE, Case, DAY, MILLISECOND, SECOND, answer, approve, call, cancel, deny, plan, question,
};

/// Everything that ends with its decision, and the end.
fn ends() -> Vec<(Case, Command, State)> {
    vec![
        (Case::asked(None), approve(), State::Approved),
        (Case::asked(Some(plan(true))), deny(), State::Denied),
        (Case::new(question()), answer(), State::Answered),
        (Case::asked(Some(plan(true))), cancel(), State::Cancelled),
        (Case::new(question()), cancel(), State::Cancelled),
        (expired(Case::asked(Some(plan(true)))), Command::Redrive, State::Expired),
        (expired(Case::new(question())), Command::Redrive, State::Expired),
    ]
}

fn expired(mut case: Case) -> Case {
    case.wait_until(case.due());
    case
}

#[test]
fn where_nobody_wants_to_be_told_nobody_is() {
    for (mut case, command, state) in ends() {
        case.becomes(&command, state);
        assert_eq!((case.operation.untold, case.operation.due), (false, None), "{state:?}");
        assert_eq!(case.effect, None);
        case.refuses(&Command::Told, Refusal::NothingToTell { state });
    }
}

#[test]
fn what_ends_with_its_decision_is_told_at_once() {
    for (case, command, state) in ends() {
        let mut case = case.announced();
        case.becomes(&command, state);
        assert_eq!(case.effect, Some(Effect::Tell), "{state:?}");
        assert!(case.operation.untold);
        assert_eq!(case.due(), case.now.plus(ANNOUNCE));

        case.wait(SECOND).becomes(&Command::Told, state);
        assert_eq!((case.effect, case.operation.due), (None, None));
        assert!(!case.operation.untold);
        case.refuses(&Command::Told, Refusal::NothingToTell { state });
        case.wait(DAY).refuses(&Command::Redrive, Refusal::NothingDue);
    }
}

#[test]
fn the_timer_follows_a_worker_that_crashed_before_it_told() {
    for (case, command, state) in ends() {
        let mut case = case.announced();
        case.becomes(&command, state);
        for _ in 0..3 {
            case.wait_until(case.due());
            case.now = crate::case::just_before(case.now);
            case.refuses(&Command::Redrive, Refusal::NothingDue);
            case.wait(MILLISECOND).becomes(&Command::Redrive, state);
            assert_eq!(case.effect, Some(Effect::Tell));
            assert_eq!(case.due(), case.now.plus(ANNOUNCE));
        }
        case.becomes(&Command::Told, state);
    }
}

/// The last endpoint was taken out of the configuration: the worker that is called finds nobody.
#[test]
fn whom_nobody_wants_any_more_is_looked_at_once_a_day() {
    let mut case = Case::asked(None).announced();
    case.becomes(&deny(), State::Denied);
    case.announce = None;
    case.lapse(State::Denied);
    assert_eq!((case.effect, case.due()), (Some(Effect::Tell), case.now.plus(DAY)));
    case.becomes(&Command::Told, State::Denied);
}

#[test]
fn who_starts_has_told() {
    let mut case = Case::asked(Some(plan(true))).announced();
    case.becomes(&approve(), State::Queued);
    assert_eq!(case.effect, Some(Effect::Execute(Duration::ZERO)));
    assert!(case.operation.untold);
    case.refuses(&Command::Told, Refusal::NothingToTell { state: State::Queued });
    case.lapse(State::Queued);
    assert!(case.operation.untold, "the call was lost, nobody was told");
    case.start_next();
    assert!(!case.operation.untold);
    case.refuses(&Command::Told, Refusal::NothingToTell { state: State::Running });
    case.lapse(State::Queued);
    assert!(!case.operation.untold, "what came of it is another matter");
}

/// It is not started, but who wanted to start it has told.
#[test]
fn a_start_that_fails_has_told_too() {
    let mut case = Case::asked(Some(plan(true))).announced();
    case.becomes(&approve(), State::Queued);
    let other = Plan { executor: "function sell_materials".into(), ..plan(true) };
    case.becomes(&Command::Start { plan: Some(other) }, State::Failed);
    assert_eq!((case.operation.untold, case.operation.due, case.effect), (false, None, None));
}

#[test]
fn who_waits_for_a_decision_is_not_told_of_anything() {
    let mut case = Case::new(call(None)).announced();
    assert!(!case.operation.untold);
    case.refuses(&Command::Told, Refusal::NothingToTell { state: State::Pending });
}

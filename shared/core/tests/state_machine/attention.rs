//! The asker wants more attention, or does not want it at all any more.

use placet_core::{Command, Operation, Refusal, State};
use serde_json::json;

use crate::case::{
    Case, SECOND, answer, approve, call, cancel, escalate, plan, question, upstream,
};

#[test]
fn an_escalation_changes_nothing_but_the_history() {
    for new in [call(Some(plan(true))), question(), upstream(call(None))] {
        let mut case = Case::new(new).announced();
        let before = case.operation.clone();
        case.wait(SECOND).becomes(&escalate(), State::Pending);
        assert_eq!(case.effect, None);
        let after = &case.operation;
        let entry = after.history.entries().last().unwrap();
        assert_eq!((entry.event.as_str(), entry.by.as_str()), ("escalated", "api"));
        let told = json!({"message": "still waiting", "recipients": ["boss@example.org"]});
        assert_eq!((&entry.detail, after.history.entries().len()), (&told, 2));
        let (history, last_write) = (before.history.clone(), before.last_write.clone());
        let same =
            Operation { history, last_write, version: before.version, ..case.operation.clone() };
        assert_eq!(same, before);
    }
}

#[test]
fn attention_is_asked_for_ten_times_at_most() {
    let mut case = Case::new(question());
    for _ in 0..10 {
        case.wait(SECOND).becomes(&escalate(), State::Pending);
    }
    case.refuses(&escalate(), Refusal::EscalatedEnough { most: 10 });
    case.becomes(&answer(), State::Answered);
    case.refuses(&escalate(), Refusal::AlreadyDecided { state: State::Answered });
}

#[test]
fn what_is_cancelled_is_not_decided_any_more() {
    for (new, verdict) in [(call(Some(plan(true))), approve()), (question(), answer())] {
        let mut case = Case::new(new);
        case.wait(SECOND).becomes(&cancel(), State::Cancelled);
        let operation = &case.operation;
        assert_eq!((&operation.decision, &operation.outcome, case.effect), (&None, &None, None));
        let entry = operation.history.entries().last().unwrap();
        assert_eq!((entry.event.as_str(), entry.by.as_str()), ("cancelled", "api"));
        assert_eq!(entry.detail, json!({"reason": "bought elsewhere"}));
        for late in [verdict, cancel(), escalate()] {
            case.refuses(&late, Refusal::AlreadyDecided { state: State::Cancelled });
        }
        case.refuses(&Command::Redrive, Refusal::NothingDue);
    }
}

#[test]
fn what_runs_can_not_be_cancelled() {
    for (mut case, state) in [
        (Case::queued(plan(true)), State::Queued),
        (Case::running(plan(true)), State::Running),
        (Case::unknown(), State::Unknown),
    ] {
        case.refuses(&cancel(), Refusal::AlreadyDecided { state });
        case.refuses(&escalate(), Refusal::AlreadyDecided { state });
    }
}

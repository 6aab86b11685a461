//! Questions: one answer with a text, before the deadline. Nothing runs afterwards.

use placet_core::Digest;
use placet_core::operation::{Actor, Decision, OperationKind, Refusal, State, Verdict};
use serde_json::json;

use crate::case::Case;
use crate::commands::{
    answer, answer_with, approve, cancel, decide, deny, expire, finish, succeeded,
};
use crate::requests::{MILLISECOND, asked, call, plan, question, with_content};

#[test]
fn an_answer_ends_a_question_and_is_stored_completely() {
    let mut case = Case::new(question());
    case.wait(MILLISECOND).becomes(&answer_with("oak, please"), State::Answered);
    let decision = Decision {
        verdict: Verdict::Answer,
        comment: "oak, please".to_owned(),
        option: Some("oak".to_owned()),
        by: Actor::api("key-of-ana", "ana"),
        at: case.now,
        digest: case.item.digest,
    };
    assert_eq!(case.item.decision, Some(decision));
    let entry = case.item.history.entries().last().unwrap();
    assert_eq!((entry.event.as_str(), entry.by.to_string()), ("answered", "api ana".into()));
    let digest = case.item.digest;
    let detail = json!({"comment": "oak, please", "option": "oak", "digest": digest});
    assert_eq!(entry.detail, detail);
    assert_eq!((&case.item.outcome, case.schedule.pointer), (&None, None));
    let state = State::Answered;
    case.refuses(&case.start(), Refusal::NotQueued { state });
    case.refuses(&finish(1, succeeded()), Refusal::StaleAttempt);
}

#[test]
fn a_question_is_neither_approved_nor_denied() {
    for plan in [None, Some(plan(true))] {
        let mut case = Case::new(with_content(asked("Which wood?", None), call(plan)));
        for wrong in [approve(), deny(), decide(Verdict::Approve, Some(case.item.digest))] {
            case.refuses(&wrong, Refusal::WrongVerdict { kind: OperationKind::HumanContact });
        }
        case.becomes(&answer(), State::Answered);
    }
}

/// A client polls until the answer is not empty, so an empty answer would make it poll for ever.
#[test]
fn an_answer_is_not_empty() {
    let mut case = Case::new(question());
    for empty in ["", " ", "\n\t"] {
        case.refuses(&answer_with(empty), Refusal::EmptyAnswer);
    }
    case.becomes(&answer_with("-"), State::Answered);
}

#[test]
fn the_first_answer_stands() {
    let mut case = Case::new(question());
    case.becomes(&answer_with("oak"), State::Answered);
    for second in [answer_with("pine"), answer_with("oak"), answer_with(""), approve(), cancel()] {
        case.refuses(&second, Refusal::AlreadyDecided { state: State::Answered });
    }
}

#[test]
fn an_answer_counts_until_the_deadline_and_for_the_shown_content() {
    let mut case = Case::new(question());
    let (deadline, shown) = (case.item.deadline, case.item.digest);
    let other = Digest::of_bytes(b"something else");
    case.refuses(&decide(Verdict::Answer, Some(other)), Refusal::DigestMismatch);
    case.wait_until(deadline).becomes(&decide(Verdict::Answer, Some(shown)), State::Answered);

    let mut case = Case::new(question());
    case.wait_until(deadline.plus(MILLISECOND));
    case.refuses(&answer(), Refusal::Expired { deadline }).becomes(&expire(), State::Expired);
    case.refuses(&answer(), Refusal::Expired { deadline });
}

//! A question is answered in words, once, in time; nothing runs after it.

use placet_core::{Command, Decision, Digest, Kind, Refusal, State, Verdict};
use serde_json::json;

use crate::case::{
    Case, MILLISECOND, answer, approve, call, cancel, decide, deny, finish, plan, question,
    succeeded,
};

fn said(words: &str) -> Command {
    Command::Decide {
        verdict: Verdict::Answer,
        comment: words.into(),
        option: Some("oak".into()),
        by: "api".into(),
        seen: None,
    }
}

#[test]
fn an_answer_is_the_end_of_it_and_all_that_was_said_is_kept() {
    let mut case = Case::new(question());
    case.wait(MILLISECOND).becomes(&said("oak, please"), State::Answered);
    let decision = Decision {
        verdict: Verdict::Answer,
        comment: "oak, please".into(),
        option: Some("oak".into()),
        by: "api".into(),
        at: case.now,
        digest: case.operation.digest,
    };
    assert_eq!(case.operation.decision, Some(decision));
    let entry = case.operation.history.entries().last().unwrap();
    assert_eq!((entry.event.as_str(), entry.by.as_str()), ("answered", "api"));
    let digest = case.operation.digest;
    let said = json!({"comment": "oak, please", "option": "oak", "digest": digest});
    assert_eq!(entry.detail, said);
    assert_eq!((&case.operation.outcome, case.effect), (&None, None));
    let state = State::Answered;
    case.refuses(&case.start(), Refusal::NotQueued { state });
    case.refuses(&finish(1, succeeded()), Refusal::StaleAttempt);
}

#[test]
fn a_question_is_neither_approved_nor_denied() {
    for plan in [None, Some(plan(true))] {
        let content = question().content;
        let mut case = Case::new(placet_core::NewOperation { content, ..call(plan) });
        for wrong in [approve(), deny(), decide(Verdict::Approve, Some(case.operation.digest))] {
            case.refuses(&wrong, Refusal::WrongVerdict { kind: Kind::HumanContact });
        }
        case.becomes(&answer(), State::Answered);
    }
}

/// A client that polls for a non-empty answer would poll for ever.
#[test]
fn nothing_is_no_answer() {
    let mut case = Case::new(question());
    for nothing in ["", " ", "\n\t"] {
        case.refuses(&said(nothing), Refusal::EmptyAnswer);
    }
    case.becomes(&said("-"), State::Answered);
}

#[test]
fn the_first_answer_stands() {
    let mut case = Case::new(question());
    case.becomes(&said("oak"), State::Answered);
    for second in [said("pine"), said("oak"), said(""), approve(), cancel()] {
        case.refuses(&second, Refusal::AlreadyDecided { state: State::Answered });
    }
}

#[test]
fn an_answer_counts_until_the_deadline_and_for_what_was_shown() {
    let mut case = Case::new(question());
    let (deadline, shown) = (case.operation.deadline, case.operation.digest);
    let other = Digest::of_bytes(b"something else");
    case.refuses(&decide(Verdict::Answer, Some(other)), Refusal::DigestMismatch);
    case.wait_until(deadline).becomes(&decide(Verdict::Answer, Some(shown)), State::Answered);

    let mut case = Case::new(question());
    case.wait_until(deadline.plus(MILLISECOND));
    case.refuses(&answer(), Refusal::Expired { deadline })
        .becomes(&Command::Redrive, State::Expired);
    case.refuses(&answer(), Refusal::Expired { deadline });
}

//! What makes an operation this one: its content, its key, and what counts as asking again.

use placet_core::{Content, Digest, Kind, NewOperation, Operation, Plan};
use serde_json::json;

use crate::case::{Case, approve, call, kwargs, plan, question, set_function};

fn asked() -> Operation {
    Case::asked(Some(plan(true))).operation
}

/// Law 1, spelled out: stored approvals are bound to this text.
#[test]
fn the_digest_is_that_of_the_canonical_content() {
    let policy =
        Digest::of_bytes(br#"{"executor":"function purchase_materials","idempotent":true}"#);
    let content = |policy: &str| {
        let text = format!(
            r#"{{"fn":"purchase_materials","kind":"function_call","kwargs":{{"material":"wood","quantity":10,"to":{{"city":"Bonn"}}}},"policy":{policy},"tenant":"default"}}"#
        );
        Digest::of_bytes(text.as_bytes())
    };
    assert_eq!(asked().digest, content(&format!("\"{policy}\"")));
    assert_eq!(Case::asked(None).operation.digest, content("null"));
}

#[test]
fn the_digest_of_a_question_is_that_of_its_text_and_subject() {
    let content = |subject: &str| {
        let text = format!(
            r#"{{"kind":"human_contact","msg":"Which wood?","policy":null,"subject":{subject},"tenant":"default"}}"#
        );
        Digest::of_bytes(text.as_bytes())
    };
    for (subject, text) in [(None, "null"), (Some(""), r#""""#), (Some("Wood"), r#""Wood""#)] {
        let content_of = |message: &str| Content::Question {
            message: message.into(),
            subject: subject.map(str::to_owned),
        };
        let asked = Case::new(NewOperation { content: content_of("Which wood?"), ..question() });
        assert_eq!(asked.operation.digest, content(text));
        assert_eq!(asked.operation.digest_with(&content_of("Which wood?")), content(text));
        assert_ne!(asked.operation.digest_with(&content_of("Which")), content(text));
    }
}

/// Ids, too, are their own in each kind: what is the same text is another thing to decide on.
#[test]
fn a_call_and_a_question_of_the_same_text_are_two() {
    let content = Content::Call { function: "Which wood?".into(), kwargs: json!(null) };
    let called = Case::new(NewOperation { content, ..call(None) }).operation;
    let content = Content::Question { message: "Which wood?".into(), subject: None };
    let asked = Case::new(NewOperation { content, ..call(None) }).operation;
    assert_eq!((called.kind(), asked.kind()), (Kind::FunctionCall, Kind::HumanContact));
    assert_eq!(called.call_id, asked.call_id);
    assert_ne!(called.id(), asked.id());
    assert_ne!(called.digest, asked.digest);
    assert_ne!(called.idempotency_key(), asked.idempotency_key());
    assert!(!called.asks_the_same(&asked));

    let swapped = Operation { history: called.history.clone(), ..asked.clone() };
    assert!(swapped.verify_history().is_err(), "its history belongs to the call");
    assert_eq!(asked.digest_with(&called.content), called.digest);
}

/// What a person is shown to decide on is what counts, not how the asker wants to be answered.
#[test]
fn the_digest_is_of_the_content_alone() {
    let mut extras = serde_json::Map::new();
    extras.insert("state".into(), json!({"ticket": 41}));
    let other = NewOperation { extras, run_id: "run-2".into(), ..question() };
    assert_eq!(Case::new(other).operation.digest, Case::new(question()).operation.digest);
    let upstream = crate::case::upstream(question());
    assert_eq!(Case::new(upstream).operation.digest, Case::new(question()).operation.digest);
    let other = NewOperation { tenant: "other".into(), ..question() };
    assert_ne!(Case::new(other).operation.digest, Case::new(question()).operation.digest);
}

#[test]
fn numbers_and_texts_of_any_kind_survive_the_store() {
    let odd = json!({"float": 0.1 + 0.2, "tiny": 5e-324, "large": 1.797_693_134_862_315_7e308,
        "big": u64::MAX, "small": i64::MIN, "text": "\u{0}\u{7f}\u{fffd}\u{1f332} é", "": [null, true]});
    for kwargs in [odd, json!("plain"), json!([]), json!({})] {
        let content = Content::Call { function: "f".into(), kwargs };
        let mut case = Case::new(NewOperation { content, ..call(Some(plan(true))) });
        let stored = crate::laws::stored(&case.operation);
        assert_eq!(stored, case.operation);
        assert_eq!(stored.content_digest(), case.operation.digest);
        case.operation = stored;
        case.becomes(&approve(), placet_core::State::Queued).start_next();
    }
}

#[test]
fn every_operation_of_every_tenant_has_its_own_idempotency_key() {
    let changes: [fn(&mut Operation); 4] = [
        |operation| operation.content = question().content,
        |operation| operation.tenant = "other".into(),
        |operation| operation.call_id = "call-2".into(),
        |operation| operation.digest = Digest::of_bytes(b"other"),
    ];
    let key = asked().idempotency_key();
    assert!(key.len() > 64, "{key}");
    for change in changes {
        let mut other = asked();
        change(&mut other);
        assert_ne!(other.idempotency_key(), key);
    }
}

#[test]
fn the_same_question_again_is_all_that_the_asker_said() {
    let same: [fn(&mut Operation); 4] = [
        |operation| operation.run_id = "run-2".into(),
        |operation| kwargs(operation)["quantity"] = json!(10.0),
        |operation| operation.plan = Some(Plan { max_attempts: 9, ..plan(true) }),
        |operation| operation.deadline = operation.created_at,
    ];
    let different: [fn(&mut Operation); 3] = [
        |operation| set_function(operation, "sell_materials"),
        |operation| kwargs(operation)["quantity"] = json!(11),
        |operation| drop(operation.extras.insert("state".into(), json!({}))),
    ];
    for (changes, expected) in [(&same[..], true), (&different[..], false)] {
        for change in changes {
            let mut again = asked();
            change(&mut again);
            assert_eq!(asked().asks_the_same(&again), expected);
        }
    }
}

//! The identity of an operation: its digest, its idempotency key, and repeated creations.

use placet_core::Digest;
use placet_core::item::Item;
use placet_core::operation::{
    Actor, ContactChannel, Content, NewOperation, Operation, OperationKind, Plan, ResponseOption,
    State,
};
use serde_json::{Map, json};

use crate::case::{Case, kwargs, set_function};
use crate::commands::approve;
use crate::laws::stored;
use crate::requests::{
    asked, call, of_project, plan, question, with_call_id, with_content, with_upstream,
};

fn item() -> Item<Operation> {
    Case::pending(Some(plan(true))).item
}

fn option(name: &str) -> ResponseOption {
    ResponseOption {
        name: name.to_owned(),
        title: None,
        description: None,
        prompt_fill: None,
        interactive: false,
        other: Map::new(),
    }
}

fn digest_of(new: NewOperation) -> Digest {
    Case::new(new).item.digest
}

/// Law 1: stored approvals and signed links depend on this exact text.
#[test]
fn the_digest_of_a_call_is_the_digest_of_its_canonical_json() {
    let content = |options: &str, plan: &str| {
        let text = format!(
            r#"{{"fn":"purchase_materials","kind":"function_call","kwargs":{{"material":"wood","quantity":10,"to":{{"city":"Bonn"}}}},"options":{options},"plan":{plan},"project":"default"}}"#
        );
        Digest::of_bytes(text.as_bytes())
    };
    let plan = r#"{"executor":"function purchase_materials","idempotent":true}"#;
    assert_eq!(item().digest, content("[]", plan));
    assert_eq!(digest_of(call(None)), content("[]", "null"));
    let mut with_options = call(None);
    with_options.specification.options = vec![option("later")];
    assert_eq!(digest_of(with_options), content(r#"[{"name":"later"}]"#, "null"));
}

#[test]
fn the_digest_of_a_question_covers_its_text_and_subject() {
    let content = |subject: &str| {
        let text = format!(
            r#"{{"kind":"human_contact","msg":"Which wood?","options":[],"plan":null,"project":"default","subject":{subject}}}"#
        );
        Digest::of_bytes(text.as_bytes())
    };
    for (subject, text) in [(None, "null"), (Some(""), r#""""#), (Some("Wood"), r#""Wood""#)] {
        let item = Case::new(with_content(asked("Which wood?", subject), question())).item;
        assert_eq!(item.digest, content(text));
        assert_eq!(item.digest_with(&asked("Which wood?", subject)), content(text));
        assert_ne!(item.digest_with(&asked("Which", subject)), content(text));
    }
}

/// Each kind has its own ids: the same call id names a different operation in each kind.
#[test]
fn a_call_and_a_question_with_the_same_id_are_different_operations() {
    let content = Content::Call { function: "Which wood?".to_owned(), kwargs: json!(null) };
    let called = Case::new(with_content(content, call(None))).item;
    let asked = Case::new(with_content(asked("Which wood?", None), call(None))).item;
    assert_eq!(called.kind(), OperationKind::FunctionCall);
    assert_eq!(asked.kind(), OperationKind::HumanContact);
    assert_eq!(called.call_id(), asked.call_id());
    assert_ne!(called.id(), asked.id());
    assert_ne!(called.header.id, asked.header.id);
    assert_ne!(called.digest, asked.digest);
    assert_ne!(called.idempotency_key(), asked.idempotency_key());
    assert!(!called.specifies_the_same(&asked));
    assert_eq!(asked.digest_with(&called.content), called.digest);

    let mut swapped = asked;
    swapped.body.history = called.body.history;
    assert!(swapped.verify_history().is_err(), "the history belongs to the call");
}

/// An approver approves the shown content. The digest does not cover how the requester wants the reply.
#[test]
fn the_digest_covers_only_the_content_that_is_decided() {
    let digest = digest_of(question());
    let same: [fn(&mut NewOperation); 6] = [
        |new| new.run_id = "run-2".to_owned(),
        |new| *new = with_upstream(new.clone()),
        |new| *new = with_call_id("call-2", new.clone()),
        |new| new.by = Actor::Demo,
        |new| new.specification.requester_state = Some(Map::new()),
        |new| new.specification.channel = Some(ContactChannel::default()),
    ];
    let different: [fn(&mut NewOperation); 4] = [
        |new| *new = of_project("other", new.clone()),
        |new| *new = with_content(asked("Which wood", Some("Wood")), new.clone()),
        |new| new.specification.options = vec![option("oak")],
        |new| new.plan = Some(plan(true)),
    ];
    for (changes, expected) in [(&same[..], true), (&different[..], false)] {
        for (number, change) in changes.iter().enumerate() {
            let mut new = question();
            change(&mut new);
            assert_eq!(digest_of(new) == digest, expected, "change {number}");
        }
    }
}

#[test]
fn any_numbers_and_texts_survive_the_store() {
    let odd = json!({"float": 0.1 + 0.2, "tiny": 5e-324, "large": 1.797_693_134_862_315_7e308,
        "big": u64::MAX, "small": i64::MIN, "text": "\u{0}\u{7f}\u{fffd}\u{1f332} é", "": [null, true]});
    for kwargs in [odd, json!("plain"), json!([]), json!({})] {
        let content = Content::Call { function: "f".to_owned(), kwargs };
        let mut case = Case::new(with_content(content, call(Some(plan(true)))));
        case.item = stored(&case.item);
        assert_eq!(case.item.content_digest(), case.item.digest);
        case.becomes(&approve(), State::Queued).start_next();
    }
}

#[test]
fn every_operation_of_every_project_has_its_own_idempotency_key() {
    let changes: [fn(&mut Item<Operation>); 4] = [
        |item| item.body.content = asked("Which wood?", None),
        |item| item.header.project = "other".to_owned(),
        |item| item.header.id = "function_call/call-2".to_owned(),
        |item| item.body.digest = Digest::of_bytes(b"other"),
    ];
    let key = item().idempotency_key();
    assert!(key.len() > 64, "{key}");
    for change in changes {
        let mut other = item();
        change(&mut other);
        assert_ne!(other.idempotency_key(), key);
    }
}

#[test]
fn a_creation_with_the_same_specification_is_a_repetition() {
    let same: [fn(&mut Operation); 4] = [
        |operation| operation.run_id = "run-2".to_owned(),
        |operation| kwargs(operation)["quantity"] = json!(10.0),
        |operation| operation.plan = Some(Plan { max_attempts: 9, ..plan(true) }),
        |operation| operation.deadline = crate::case::CREATED,
    ];
    let different: [fn(&mut Operation); 6] = [
        |operation| set_function(operation, "sell_materials"),
        |operation| kwargs(operation)["quantity"] = json!(11),
        |operation| operation.requester_state = Some(Map::new()),
        |operation| operation.options = vec![option("later")],
        |operation| operation.channel = Some(ContactChannel::default()),
        |operation| drop(operation.other.insert("x-own".to_owned(), json!(1))),
    ];
    for (changes, expected) in [(&same[..], true), (&different[..], false)] {
        for (number, change) in changes.iter().enumerate() {
            let mut again = item();
            change(&mut again.body);
            assert_eq!(item().specifies_the_same(&again), expected, "change {number}");
        }
    }
}

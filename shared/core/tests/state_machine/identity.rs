//! What makes an operation this one: its content, its key, and what counts as asking again.

use placet_core::{Digest, Operation, Plan};
use serde_json::json;

use crate::case::{Case, plan};

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
fn every_operation_of_every_tenant_has_its_own_idempotency_key() {
    let changes: [fn(&mut Operation); 3] = [
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
        |operation| operation.kwargs["quantity"] = json!(10.0),
        |operation| operation.plan = Some(Plan { max_attempts: 9, ..plan(true) }),
        |operation| operation.deadline = operation.created_at,
    ];
    let different: [fn(&mut Operation); 3] = [
        |operation| operation.function = "sell_materials".into(),
        |operation| operation.kwargs["quantity"] = json!(11),
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

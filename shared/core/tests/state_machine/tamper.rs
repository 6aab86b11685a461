//! Law 1: what was changed behind the store's back, or is configured in another way, never runs.

use placet_core::{Command, Digest, History, Operation, Plan, State, Verdict};
use serde_json::{Value, json};

use crate::case::{Case, SECOND, plan};

type Mutation = (&'static str, fn(&mut Operation));

fn stored_plan(operation: &mut Operation) -> &mut Plan {
    operation.plan.as_mut().unwrap()
}

fn set_decided_digest(operation: &mut Operation, digest: Digest) {
    operation.decision.as_mut().unwrap().digest = digest;
}

/// Rewrites the stored history as somebody with access to the table would: the chain is not redone.
fn rewrite(operation: &mut Operation, change: impl Fn(&mut Vec<Value>)) {
    let mut entries: Vec<Value> = match serde_json::to_value(&operation.history).unwrap() {
        Value::Array(entries) => entries,
        other => panic!("a history is a list: {other}"),
    };
    change(&mut entries);
    operation.history = serde_json::from_value::<History>(Value::Array(entries)).unwrap();
}

const APPROVED: usize = 1;

const MUTATIONS: [Mutation; 28] = [
    ("tenant", |o| o.tenant = "other".into()),
    ("function", |o| o.function = "sell_materials".into()),
    ("a changed argument", |o| o.kwargs["quantity"] = json!(11)),
    ("a changed argument's type", |o| o.kwargs["quantity"] = json!("10")),
    ("a changed nested argument", |o| o.kwargs["to"]["city"] = json!("Berlin")),
    ("an argument more", |o| o.kwargs["express"] = json!(null)),
    ("an argument less", |o| drop(o.kwargs.as_object_mut().unwrap().remove("to"))),
    ("no arguments", |o| o.kwargs = json!({})),
    ("executor", |o| stored_plan(o).executor = "POST https://example.org".into()),
    ("idempotent", |o| stored_plan(o).idempotent ^= true),
    ("no plan", |o| o.plan = None),
    ("digest", |o| o.digest = Digest::of_bytes(b"other")),
    ("decision.digest", |o| set_decided_digest(o, Digest::of_bytes(b"other"))),
    ("no decision", |o| o.decision = None),
    ("arguments and digest", |o| {
        o.kwargs["quantity"] = json!(11);
        o.digest = o.content_digest();
    }),
    ("arguments, digest and decision", |o| {
        o.kwargs["quantity"] = json!(11);
        o.digest = o.content_digest();
        set_decided_digest(o, o.digest);
    }),
    ("arguments and decision", |o| {
        o.kwargs["quantity"] = json!(11);
        set_decided_digest(o, o.content_digest());
    }),
    ("arguments, digest, decision and entry", |o| {
        o.kwargs["quantity"] = json!(11);
        o.digest = o.content_digest();
        set_decided_digest(o, o.digest);
        let digest = json!(o.digest);
        rewrite(o, |entries| entries[APPROVED]["detail"]["digest"] = digest.clone());
    }),
    ("no history", |o| o.history = History::default()),
    ("history without its beginning", |o| rewrite(o, |entries| drop(entries.remove(0)))),
    ("history without the approval", |o| rewrite(o, |entries| drop(entries.remove(APPROVED)))),
    ("history in another order", |o| rewrite(o, |entries| entries.swap(0, 1))),
    ("an entry twice", |o| rewrite(o, |entries| entries.push(entries[APPROVED].clone()))),
    ("entry.at", |o| rewrite(o, |entries| entries[APPROVED]["at"] = json!(1))),
    ("entry.event", |o| rewrite(o, |entries| entries[APPROVED]["event"] = json!("denied"))),
    ("entry.by", |o| rewrite(o, |entries| entries[APPROVED]["by"] = json!("boss"))),
    ("entry.detail", |o| rewrite(o, |entries| entries[0]["detail"]["deadline"] = json!(1))),
    ("entry.write", |o| rewrite(o, |entries| entries[APPROVED]["write"] = json!("w"))),
];

/// Starts a changed operation with the plan of before and with the stored one.
fn start_changed(honest: &Case, (name, change): Mutation, expected: State) {
    let mut changed = honest.operation.clone();
    change(&mut changed);
    assert_ne!(changed, honest.operation, "{name} changes nothing");
    for plan in [honest.operation.plan.clone(), changed.plan.clone()] {
        let started = changed.apply(&Command::Start { plan }, "write-9", honest.now).unwrap();
        let Case { operation, effect, .. } =
            &Case { operation: started.operation, effect: started.effect, now: honest.now };
        let code = Case { operation: operation.clone(), ..*honest_like(honest) }.failure_code().to_owned();
        assert!(["digest_mismatch", "history_broken"].contains(&code.as_str()), "{name}: {code}");
        assert_eq!((operation.state, operation.lease.as_ref()), (expected, None), "{name}");
        assert_eq!((effect, operation.attempts), (&None, changed.attempts), "{name}");
        assert_eq!(operation.due.is_none(), expected.is_terminal(), "{name}");
    }
}

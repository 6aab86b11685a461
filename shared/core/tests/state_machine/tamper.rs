//! Law 1: an operation that was changed in the table or is configured differently never runs.

use placet_core::Digest;
use placet_core::item::Item;
use placet_core::operation::{
    History, Operation, Plan, Refusal, ResponseOption, Settlement, State, Verdict,
};
use serde_json::{Map, Value, json};

use crate::case::{Case, failure_code, kwargs, set_function};
use crate::commands::{deny, finish, not_done, settle, start_with};
use crate::requests::{SECOND, asked, call, plan, with_call_id};

type Mutation = (&'static str, fn(&mut Item<Operation>));

fn stored_plan(item: &mut Item<Operation>) -> &mut Plan {
    item.body.plan.as_mut().unwrap()
}

fn set_decided_digest(item: &mut Item<Operation>, digest: Digest) {
    item.body.decision.as_mut().unwrap().digest = digest;
}

fn change_quantity(item: &mut Item<Operation>) {
    kwargs(&mut item.body)["quantity"] = json!(11);
}

/// Changes the stored history without a new hash chain, as somebody with access to the table could.
fn rewrite(item: &mut Item<Operation>, change: impl Fn(&mut Vec<Value>)) {
    let mut entries: Vec<Value> = match serde_json::to_value(&item.history).unwrap() {
        Value::Array(entries) => entries,
        other => panic!("a history is a list: {other}"),
    };
    change(&mut entries);
    item.body.history = serde_json::from_value(Value::Array(entries)).unwrap();
}

const APPROVED: usize = 1;

const MUTATIONS: [Mutation; 32] = [
    ("project", |i| i.header.project = "other".to_owned()),
    ("call id", |i| i.header.id = "function_call/call-2".to_owned()),
    ("function", |i| set_function(&mut i.body, "sell_materials")),
    ("a question instead of a call", |i| i.body.content = asked("purchase_materials", None)),
    ("a changed argument", change_quantity),
    ("a changed argument's type", |i| kwargs(&mut i.body)["quantity"] = json!("10")),
    ("a changed nested argument", |i| kwargs(&mut i.body)["to"]["city"] = json!("Berlin")),
    ("an argument more", |i| kwargs(&mut i.body)["express"] = json!(null)),
    ("an argument less", |i| drop(kwargs(&mut i.body).as_object_mut().unwrap().remove("to"))),
    ("no arguments", |i| *kwargs(&mut i.body) = json!({})),
    ("an option more", |i| {
        let option = ResponseOption {
            name: "later".to_owned(),
            title: None,
            description: None,
            prompt_fill: None,
            interactive: false,
            other: Map::new(),
        };
        i.body.options.push(option);
    }),
    ("executor", |i| stored_plan(i).executor = "POST https://example.org".to_owned()),
    ("idempotent", |i| stored_plan(i).idempotent ^= true),
    ("no plan", |i| i.body.plan = None),
    ("digest", |i| i.body.digest = Digest::of_bytes(b"other")),
    ("decision.verdict", |i| i.body.decision.as_mut().unwrap().verdict = Verdict::Answer),
    ("decision.digest", |i| set_decided_digest(i, Digest::of_bytes(b"other"))),
    ("no decision", |i| i.body.decision = None),
    ("arguments and digest", |i| {
        change_quantity(i);
        i.body.digest = i.content_digest();
    }),
    ("arguments, digest and decision", |i| {
        change_quantity(i);
        i.body.digest = i.content_digest();
        set_decided_digest(i, i.digest);
    }),
    ("arguments and decision", |i| {
        change_quantity(i);
        set_decided_digest(i, i.content_digest());
    }),
    ("arguments, digest, decision and entry", |i| {
        change_quantity(i);
        i.body.digest = i.content_digest();
        set_decided_digest(i, i.digest);
        let digest = json!(i.digest);
        rewrite(i, |entries| entries[APPROVED]["detail"]["digest"] = digest.clone());
    }),
    ("no history", |i| i.body.history = History::default()),
    ("history without its beginning", |i| rewrite(i, |entries| drop(entries.remove(0)))),
    ("history without the approval", |i| rewrite(i, |entries| drop(entries.remove(APPROVED)))),
    ("history in another order", |i| rewrite(i, |entries| entries.swap(0, 1))),
    ("an entry twice", |i| rewrite(i, |entries| entries.push(entries[APPROVED].clone()))),
    ("entry.at", |i| rewrite(i, |entries| entries[APPROVED]["at"] = json!(1))),
    ("entry.event", |i| rewrite(i, |entries| entries[APPROVED]["event"] = json!("denied"))),
    ("entry.by", |i| {
        rewrite(i, |entries| {
            entries[APPROVED]["by"] = json!({"channel": "api", "key": "k", "name": "boss"})
        })
    }),
    ("entry.detail", |i| rewrite(i, |entries| entries[0]["detail"]["deadline"] = json!(1))),
    ("entry.hash", |i| {
        rewrite(i, |entries| entries[APPROVED]["hash"] = entries[0]["hash"].clone())
    }),
];

/// Starts each changed operation with the approved plan and with the stored plan. None of them runs.
fn never_runs(honest: &Case, expected: State) {
    for (name, change) in MUTATIONS {
        let mut changed = honest.item.clone();
        change(&mut changed);
        assert_ne!(changed, honest.item, "{name} changes nothing");
        for plan in [honest.item.plan.clone(), changed.plan.clone()] {
            let case = Case { item: changed.clone(), ..*honest };
            let after = case.after(&start_with(plan)).unwrap();
            let code = failure_code(&after);
            assert!(["digest_mismatch", "history_broken"].contains(&code), "{name}: {code}");
            assert_eq!((after.state, after.leased_until), (expected, None), "{name}");
            assert_eq!(after.attempts, changed.attempts, "{name}");
            let schedule = after.schedule(Some(&changed), honest.now, None);
            assert_eq!(schedule.pointer, None, "{name}");
            assert_eq!(schedule.due.is_none(), expected.is_terminal(), "{name}");
        }
    }
}

#[test]
fn an_operation_that_was_changed_after_its_approval_never_runs() {
    for idempotent in [true, false] {
        never_runs(&Case::queued(plan(idempotent)), State::Failed);
    }
}

#[test]
fn an_operation_that_was_changed_between_two_attempts_does_not_run_again() {
    let mut case = Case::running(plan(false));
    case.becomes(&finish(1, not_done()), State::Queued).until_its_turn();
    never_runs(&case, State::Failed);
}

/// The attempt before the change may have had its effect, so the state must not be `failed`.
#[test]
fn a_changed_operation_is_unknown_after_an_unclear_attempt() {
    let mut case = Case::running(plan(true));
    case.lease_expires(State::Queued).until_its_turn();
    never_runs(&case, State::Unknown);
}

#[test]
fn a_failed_start_is_recorded() {
    let mut case = Case::queued(plan(false));
    change_quantity(&mut case.item);
    let after = case.after(&case.start()).unwrap();
    let last = after.history.entries().last().unwrap();
    assert_eq!((last.event.as_str(), last.by.to_string()), ("failed", "worker".into()));
    assert_eq!(last.detail["code"], json!("digest_mismatch"));
}

#[test]
fn an_operation_whose_stored_decision_is_a_denial_never_runs() {
    let mut case = Case::queued(plan(false));
    case.item.body.decision.as_mut().unwrap().verdict = Verdict::Deny;
    assert_eq!(case.after(&case.start()).unwrap().state, State::Failed);
}

#[test]
fn an_operation_that_was_queued_without_an_approval_never_runs() {
    for decision in [None, Some(deny())] {
        let mut case = Case::pending(Some(plan(false)));
        if let Some(deny) = decision {
            case.becomes(&deny, State::Denied);
        }
        case.item.body.state = State::Queued;
        assert_eq!(case.after(&case.start()).unwrap().state, State::Failed);
    }
}

#[test]
fn an_operation_does_not_run_with_a_different_plan() {
    let changes: [fn(Plan) -> Option<Plan>; 2] = [
        |plan| Some(Plan { executor: "function sell_materials".to_owned(), ..plan }),
        |plan| Some(Plan { idempotent: !plan.idempotent, ..plan }),
    ];
    for change in changes {
        for idempotent in [true, false] {
            let mut case = Case::queued(plan(idempotent));
            case.becomes(&start_with(change(plan(idempotent))), State::Failed);
            assert_eq!((case.failure_code(), case.item.attempts), ("plan_changed", 0));
        }
        let mut case = Case::running(plan(true));
        case.lease_expires(State::Queued).until_its_turn();
        case.becomes(&start_with(change(plan(true))), State::Unknown);
        assert_eq!(case.failure_code(), "plan_changed");
    }
}

/// An approval is bound to the executor and to idempotency, not to the timeout and the limit of attempts.
#[test]
fn an_operation_runs_with_another_timeout_and_limit() {
    let mut case = Case::queued(plan(false));
    let other = Plan { max_attempts: 9, timeout: 60 * SECOND, ..plan(false) };
    case.becomes(&start_with(Some(other)), State::Running);
}

#[test]
fn an_approval_cannot_be_carried_over_to_another_operation() {
    let approved = Case::queued(plan(true)).item;
    let mut other = Case::new(with_call_id("call-2", call(Some(plan(true)))));
    other.item.body.decision = approved.body.decision;
    other.item.body.history = approved.body.history;
    other.item.body.state = State::Queued;
    let started = other.after(&other.start()).unwrap();
    assert_eq!((started.state, failure_code(&started)), (State::Failed, "history_broken"));
}

#[test]
fn a_changed_operation_can_be_closed_but_not_run_again() {
    let mut case = Case::unknown();
    *kwargs(&mut case.item.body) = json!({"quantity": 11});
    let apply = |settlement| {
        let settled = case.after(&settle(settlement, case.item.digest, 1));
        settled.map(|item| item.state)
    };
    assert_eq!(apply(Settlement::RunAgain), Err(Refusal::DigestMismatch));
    assert_eq!(apply(Settlement::Happened), Ok(State::Succeeded));
    assert_eq!(apply(Settlement::DidNotHappen), Ok(State::Failed));
}

//! Law 1: what was changed behind the store's back, or is configured in another way, never runs.

use placet_core::{
    Command, Content, Digest, History, NewOperation, Operation, Outcome, Plan, Refusal, Settlement,
    State, Verdict,
};
use serde_json::{Value, json};

use crate::case::{
    Case, SECOND, call, deny, failure_code, finish, kwargs, not_done, plan, set_function, write,
};

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

const MUTATIONS: [Mutation; 30] = [
    ("tenant", |o| o.tenant = "other".into()),
    ("function", |o| set_function(o, "sell_materials")),
    ("a question instead of a call", |o| {
        let message = "purchase_materials".into();
        o.content = Content::Question { message, subject: None };
    }),
    ("a changed argument", |o| kwargs(o)["quantity"] = json!(11)),
    ("a changed argument's type", |o| kwargs(o)["quantity"] = json!("10")),
    ("a changed nested argument", |o| kwargs(o)["to"]["city"] = json!("Berlin")),
    ("an argument more", |o| kwargs(o)["express"] = json!(null)),
    ("an argument less", |o| drop(kwargs(o).as_object_mut().unwrap().remove("to"))),
    ("no arguments", |o| *kwargs(o) = json!({})),
    ("executor", |o| stored_plan(o).executor = "POST https://example.org".into()),
    ("idempotent", |o| stored_plan(o).idempotent ^= true),
    ("no plan", |o| o.plan = None),
    ("digest", |o| o.digest = Digest::of_bytes(b"other")),
    ("decision.verdict", |o| o.decision.as_mut().unwrap().verdict = Verdict::Answer),
    ("decision.digest", |o| set_decided_digest(o, Digest::of_bytes(b"other"))),
    ("no decision", |o| o.decision = None),
    ("arguments and digest", |o| {
        kwargs(o)["quantity"] = json!(11);
        o.digest = o.content_digest();
    }),
    ("arguments, digest and decision", |o| {
        kwargs(o)["quantity"] = json!(11);
        o.digest = o.content_digest();
        set_decided_digest(o, o.digest);
    }),
    ("arguments and decision", |o| {
        kwargs(o)["quantity"] = json!(11);
        set_decided_digest(o, o.content_digest());
    }),
    ("arguments, digest, decision and entry", |o| {
        kwargs(o)["quantity"] = json!(11);
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

/// Starts a changed operation with the plan it was approved with, and with the stored one.
fn never_runs(honest: &Case, expected: State) {
    for (name, change) in MUTATIONS {
        let mut changed = honest.operation.clone();
        change(&mut changed);
        assert_ne!(changed, honest.operation, "{name} changes nothing");
        for plan in [honest.operation.plan.clone(), changed.plan.clone()] {
            let started =
                changed.apply(&Command::Start { plan }, write("write-9", honest.now)).unwrap();
            let after = started.operation;
            let code = failure_code(&after);
            assert!(["digest_mismatch", "history_broken"].contains(&code), "{name}: {code}");
            assert_eq!((after.state, &after.lease), (expected, &None), "{name}");
            assert_eq!((started.effect, after.attempts), (None, changed.attempts), "{name}");
            assert_eq!(after.due.is_none(), expected.is_terminal(), "{name}");
            assert_eq!(after.version, changed.version + 1, "{name}");
        }
    }
}

#[test]
fn nothing_that_was_changed_after_the_approval_runs() {
    for idempotent in [true, false] {
        never_runs(&Case::queued(plan(idempotent)), State::Failed);
    }
}

#[test]
fn nor_at_a_later_attempt() {
    let mut case = Case::running(plan(false));
    case.becomes(&finish(1, not_done()), State::Queued).until_its_turn();
    never_runs(&case, State::Failed);
}

/// The attempt before the change may have had its effect: failed would say that it had none.
#[test]
fn after_an_unclear_attempt_it_is_unknown_what_ran_before_the_change() {
    let mut case = Case::running(plan(true));
    case.lapse(State::Queued).until_its_turn();
    never_runs(&case, State::Unknown);
}

#[test]
fn a_failed_start_is_on_record() {
    let mut case = Case::queued(plan(false));
    kwargs(&mut case.operation)["quantity"] = json!(11);
    let started = case.operation.apply(&case.start(), write("write-9", case.now)).unwrap();
    let last = started.operation.history.entries().last().unwrap();
    assert_eq!((last.event.as_str(), last.by.as_str()), ("failed", "worker"));
    assert_eq!(last.detail["code"], json!("digest_mismatch"));
}

/// What is stored says no, whatever else was changed.
#[test]
fn nothing_runs_whose_stored_decision_is_a_no() {
    let mut case = Case::queued(plan(false));
    case.operation.decision.as_mut().unwrap().verdict = Verdict::Deny;
    let started = case.operation.apply(&case.start(), write("write-9", case.now)).unwrap();
    assert_ne!(started.operation.state, State::Running);
}

#[test]
fn nothing_runs_that_was_queued_without_an_approval() {
    for decision in [None, Some(deny())] {
        let mut case = Case::asked(Some(plan(false)));
        if let Some(deny) = decision {
            case.becomes(&deny, State::Denied);
        }
        case.operation.state = State::Queued;
        let started = case.operation.apply(&case.start(), write("write-9", case.now)).unwrap();
        assert_eq!(started.operation.state, State::Failed);
    }
}

#[test]
fn nothing_runs_in_another_way_than_approved() {
    let changes: [fn(Plan) -> Option<Plan>; 3] = [
        |_| None,
        |plan| Some(Plan { executor: "function sell_materials".into(), ..plan }),
        |plan| Some(Plan { idempotent: !plan.idempotent, ..plan }),
    ];
    for change in changes {
        for idempotent in [true, false] {
            let mut case = Case::queued(plan(idempotent));
            case.becomes(&Command::Start { plan: change(plan(idempotent)) }, State::Failed);
            assert_eq!(failure_code(&case.operation), "policy_changed");
            assert_eq!(case.operation.attempts, 0);
        }
        let mut case = Case::running(plan(true));
        case.lapse(State::Queued).until_its_turn();
        case.becomes(&Command::Start { plan: change(plan(true)) }, State::Unknown);
        assert_eq!(failure_code(&case.operation), "policy_changed");
    }
}

/// The revision is what runs and whether it may be repeated, not how patient we are.
#[test]
fn other_times_and_limits_are_no_other_way() {
    let mut case = Case::queued(plan(false));
    let patient =
        Plan { max_attempts: 9, timeout: 60 * SECOND, redrive: 600 * SECOND, ..plan(false) };
    case.becomes(&Command::Start { plan: Some(patient) }, State::Running);
}

#[test]
fn an_approval_can_not_be_carried_over_to_another_operation() {
    let approved = Case::queued(plan(true)).operation;
    let mut other = Case::new(NewOperation { call_id: "call-2".into(), ..call(Some(plan(true))) });
    other.operation.decision = approved.decision;
    other.operation.history = approved.history;
    other.operation.state = State::Queued;
    let started = other.operation.apply(&other.start(), write("write", other.now)).unwrap();
    let Some(Outcome::Failure(failure)) = started.operation.outcome else { panic!("it runs") };
    assert_eq!((started.operation.state, failure.code.as_str()), (State::Failed, "history_broken"));
}

#[test]
fn what_was_changed_can_be_closed_but_not_run_again() {
    let mut case = Case::unknown();
    *kwargs(&mut case.operation) = json!({"quantity": 11});
    let settle = |settlement| Command::Settle {
        settlement,
        comment: String::new(),
        by: "inbox".to_owned(),
        seen: case.operation.digest,
        attempt: 1,
    };
    let apply = |settlement| case.operation.apply(&settle(settlement), write("write", case.now));
    assert_eq!(apply(Settlement::RunAgain), Err(Refusal::DigestMismatch));
    assert_eq!(apply(Settlement::Happened).unwrap().operation.state, State::Succeeded);
    assert_eq!(apply(Settlement::DidNotHappen).unwrap().operation.state, State::Failed);
}

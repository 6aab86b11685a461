//! The store against the reducer: random commands from several writers, duplicates and stale
//! versions included, give in the table exactly what the pure state machine gives in memory.

use std::time::Duration;

use placet_core::{
    Command, Content, Failure, Operation, OperationId, Report, Settlement, Verdict, Write,
};
use placet_runtime::{Asked, CommandError, Created};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::world::{TENANT, World};

/// What happens next in a random story.
#[derive(Clone, Debug)]
enum Step {
    Command(Command),
    /// The same command again, as after a lost reply.
    Again,
    Wait(Duration),
}

fn failure() -> Failure {
    Failure { code: "code".to_owned(), message: "message".to_owned() }
}

fn report() -> impl Strategy<Value = Report> {
    prop_oneof![
        Just(Report::Succeeded(json!({"done": 1.5e300}))),
        Just(Report::Rejected(failure())),
        Just(Report::NotDone(failure(), Some(Duration::from_secs(3)))),
        Just(Report::Unclear(failure())),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let decide = prop_oneof![Just(Verdict::Approve), Just(Verdict::Deny)].prop_map(|verdict| {
        Command::Decide {
            verdict,
            comment: "é\u{0}\"".to_owned(),
            option: None,
            by: "api".to_owned(),
            seen: None,
        }
    });
    let settlement = prop_oneof![
        Just(Settlement::Happened),
        Just(Settlement::DidNotHappen),
        Just(Settlement::RunAgain)
    ];
    let settle = settlement.prop_map(|settlement| Command::Settle {
        settlement,
        comment: String::new(),
        by: "inbox".to_owned(),
        seen: placet_core::Digest::of_bytes(b""),
        attempt: 0,
    });
    prop_oneof![
        2 => decide.prop_map(Step::Command),
        4 => Just(Step::Command(Command::Start { plan: None })),
        4 => (1..4_u32, report()).prop_map(|(attempt, report)| Step::Command(Command::Finish { attempt, report })),
        3 => Just(Step::Command(Command::Redrive)),
        1 => settle.prop_map(Step::Command),
        2 => Just(Step::Again),
        3 => (0..4000_u64).prop_map(|seconds| Step::Wait(Duration::from_secs(seconds))),
    ]
}

/// Fills in what a command can only know from the operation it meets.
fn aimed(command: &Command, operation: &Operation) -> Command {
    match command.clone() {
        Command::Start { .. } => Command::Start { plan: operation.plan.clone() },
        Command::Settle { settlement, comment, by, .. } => Command::Settle {
            settlement,
            comment,
            by,
            seen: operation.digest,
            attempt: operation.attempts,
        },
        other => other,
    }
}

/// What both sides must agree on: all but the ids of the writes, which the store draws itself.
fn comparable(operation: &Operation) -> impl PartialEq + std::fmt::Debug {
    let events: Vec<_> = operation
        .history
        .entries()
        .iter()
        .map(|entry| (entry.at, entry.event.clone(), entry.by.clone(), entry.detail.clone()))
        .collect();
    (
        (operation.state, operation.version, operation.due, operation.decision.clone(), events),
        (operation.attempts, operation.attempt_limit, operation.not_before, operation.unclear),
        (
            operation.lease.clone(),
            operation.outcome.clone(),
            operation.content.clone(),
            operation.digest,
        ),
    )
}

async fn story(function: &str, steps: &[Step]) {
    let world = World::start().await;
    let runtime = &world.system.runtime;
    let id = OperationId::call(TENANT, "call-1");
    let asked = Asked {
        id: id.clone(),
        run_id: "run".to_owned(),
        content: Content::Call {
            function: function.to_owned(),
            kwargs: json!({"a": 0.1, "b": [1e-7, 123_456_789_012_345_678_u64, "\u{10ffff}\u{0}"]}),
        },
        extras: serde_json::Map::new(),
        by: "api".to_owned(),
    };
    let Created::New(mut model) = runtime.create(asked).await.unwrap() else {
        panic!("it was there")
    };
    let mut last = Command::Redrive;
    for step in steps {
        match step {
            Step::Wait(duration) => {
                world.advance(*duration);
                continue;
            }
            Step::Command(command) => last = command.clone(),
            Step::Again => {}
        }
        let expected = {
            let write = Write { id: "model", at: world.clock.now(), announce: None };
            model.apply(&aimed(&last, &model), write)
        };
        let got = runtime.command(&id, |operation| aimed(&last, operation)).await;
        match (expected, got) {
            (Ok(transition), Ok(_)) => *model = transition.operation,
            (Err(expected), Err(CommandError::Refused(refusal))) => assert_eq!(expected, refusal),
            (expected, got) => panic!("the model says {expected:?}, the store {got:?}"),
        }
        let stored = world.operation("call-1").await;
        assert_eq!(comparable(&stored), comparable(&model));
        stored.verify_history().unwrap();
        assert_eq!(stored.due.is_none(), stored.state.is_terminal(), "law 3");
    }
    world.abandon();
}

#[test]
fn the_store_does_what_the_state_machine_says() {
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let functions = prop_oneof![Just("charge"), Just("charge_once"), Just("nothing_runs_this")];
    let stories = (functions, prop::collection::vec(step(), 1..25));
    TestRunner::new(config)
        .run(&stories, |(function, steps)| {
            tokio.block_on(story(function, &steps));
            Ok(())
        })
        .unwrap();
}

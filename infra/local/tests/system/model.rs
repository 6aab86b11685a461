//! Compares the store with the state machine. Random commands must give the same items in the table as the
//! pure functions give in memory. Some commands are repeated, and some come from a writer with an earlier
//! version.

use std::time::Duration;

use placet_core::Digest;
use placet_core::item::{Item, Rests, Write};
use placet_core::operation::{
    Actor, Command, Content, Escalation, Event, Failure, Notice, Notified, Operation, OperationId,
    Refusal, Report, Settlement, Specification, Verdict,
};
use placet_runtime::config::Interface;
use placet_runtime::{ChangeError, Created, Requested};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::world::{PROJECT, World};

/// The configuration of an operation that an upstream approver may decide.
const POLLS: &str = "{executor: {function: charge}, idempotent: true, deadline: 1h, \
    approver: {humanlayer: {base_url: 'http://127.0.0.1:9/humanlayer/v1', api_key: env:THEIRS}}}";

/// A step of a random story.
#[allow(clippy::large_enum_variant, reason = "a run has few of them")]
#[derive(Clone, Debug)]
enum Step {
    /// A command of a writer with the current version or the version before it.
    Command {
        command: Command,
        stale: bool,
    },
    /// The previous command again.
    Again,
    Wait(Duration),
}

fn failure() -> Failure {
    Failure { code: "code".to_owned(), message: "message".to_owned() }
}

fn notices() -> Vec<Notice> {
    let to = |name: &str| Notified::Endpoint { name: name.to_owned(), event_type: "e".to_owned() };
    let of = |name| Event::ALL.map(|event| Notice { to: to(name), event });
    ["one", "two"].into_iter().flat_map(of).collect()
}

fn report() -> impl Strategy<Value = Report> {
    prop_oneof![
        Just(Report::Succeeded(json!({"done": 1.5e300}))),
        Just(Report::Rejected(failure())),
        Just(Report::NotDone(failure(), Some(Duration::from_secs(3)))),
        Just(Report::Unclear(failure())),
    ]
}

fn decide(verdict: Verdict) -> Command {
    let comment = "é\u{0}\"".to_owned();
    let by = Actor::api("key-of-ci", "ci");
    Command::Decide { verdict, comment, option: None, by, seen: None, notify: notices() }
}

/// Commands of a person or a requester.
fn wish() -> impl Strategy<Value = Command> {
    let settlement = prop_oneof![
        Just(Settlement::Happened),
        Just(Settlement::DidNotHappen),
        Just(Settlement::RunAgain)
    ];
    let settle = settlement.prop_map(|settlement| Command::Settle {
        settlement,
        comment: String::new(),
        by: Actor::LOCAL,
        seen: Digest::of_bytes(b""),
        attempt: 0,
        notify: notices(),
    });
    let (message, recipients) = ("now".to_owned(), vec!["a@example.com".to_owned()]);
    let escalation = Escalation { message, recipients, redirects: false };
    let by = Actor::api("key-of-ci", "ci");
    let escalate = Command::Escalate { escalation, by, notify: notices() };
    let cancel = Command::Cancel {
        reason: String::new(),
        by: Actor::api("key-of-ci", "ci"),
        notify: notices(),
    };
    prop_oneof![
        2 => Just(decide(Verdict::Approve)),
        1 => Just(decide(Verdict::Deny)),
        6 => settle,
        2 => Just(escalate),
        1 => Just(cancel),
    ]
}

fn remind() -> Command {
    Command::Remind { notify: notices() }
}

/// Commands of a worker, most of them about the last attempt.
fn work() -> impl Strategy<Value = Command> {
    let attempt = prop_oneof![5 => Just(0), 1 => Just(1_u32)];
    let finish = (attempt.clone(), report());
    prop_oneof![
        12 => Just(Command::Start { plan: None, notify: notices() }),
        12 => finish.prop_map(|(attempt, report)| Command::Finish { attempt, report, notify: notices() }),
        8 => attempt.prop_map(|attempt| Command::LeaseExpired { attempt, notify: notices() }),
        2 => Just(Command::Expire { notify: notices() }),
        3 => Just(remind()),
        2 => Just(Command::Polled),
        1 => Just(Command::Abandon { reason: "reason".to_owned() }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let command = prop_oneof![1 => wish(), 3 => work()];
    let command = (command, prop::bool::weighted(0.3));
    let seconds = prop_oneof![4 => 0..60_u64, 1 => 60..100_000_u64];
    prop_oneof![
        12 => command.prop_map(|(command, stale)| Step::Command { command, stale }),
        2 => Just(Step::Again),
        3 => seconds.prop_map(|seconds| Step::Wait(Duration::from_secs(seconds))),
    ]
}

/// The steps of a story. Most stories begin with an approval, because little else can happen before it.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let approve = Step::Command { command: decide(Verdict::Approve), stale: false };
    let begin = prop_oneof![3 => Just(vec![approve]), 1 => Just(Vec::new())];
    (begin, prop::collection::vec(step(), 1..30)).prop_map(|(begin, then)| [begin, then].concat())
}

/// Completes a command with the values of the operation. `attempt` in a random command counts backwards.
fn aimed(command: &Command, operation: &Operation) -> Command {
    match command.clone() {
        Command::Start { notify, .. } => Command::Start { plan: operation.plan.clone(), notify },
        Command::Finish { attempt: back, report, notify } => {
            Command::Finish { attempt: operation.attempts.saturating_sub(back), report, notify }
        }
        Command::LeaseExpired { attempt: back, notify } => {
            Command::LeaseExpired { attempt: operation.attempts.saturating_sub(back), notify }
        }
        Command::Settle { settlement, comment, by, notify, .. } => {
            let (seen, attempt) = (operation.digest, operation.attempts);
            Command::Settle { settlement, comment, by, seen, attempt, notify }
        }
        other => other,
    }
}

/// The item without the ids of its writes, because the engine generates them.
fn comparable(mut item: Item<Operation>) -> Item<Operation> {
    item.header.writes.clear();
    item
}

/// The operation in its current version and in the version before.
struct Model {
    current: Item<Operation>,
    stale: Item<Operation>,
}

impl Model {
    /// The result for a writer with the given version: the refusal of that version, or the version after the
    /// current one.
    fn apply(
        &self,
        read: &Item<Operation>,
        command: &Command,
        now: &Write<'_>,
    ) -> Result<Item<Operation>, Refusal> {
        read.apply(&aimed(command, read), now)?;
        let mut next = self.current.apply(&aimed(command, &self.current), now)?;
        let schedule = next.schedule(Some(&self.current), now.at, None);
        (next.header.due, next.header.rests) = (schedule.due, schedule.rests);
        Ok(next)
    }
}

/// The configuration of an operation with a reminder.
const REMINDS: &str = "{executor: {function: charge}, deadline: 1h, remind: [50s, 40m]}";

async fn create(world: &World, function: &str) -> Item<Operation> {
    let content = Content::Call {
        function: function.to_owned(),
        kwargs: json!({"a": 0.1, "b": [1e-7, 123_456_789_012_345_678_u64, "\u{10ffff}\u{0}"]}),
    };
    let requested = Requested {
        id: OperationId::call(PROJECT, "call-1"),
        run_id: "run".to_owned(),
        specification: Specification::of(content),
        by: Actor::api("key-of-ci", "ci"),
        except_key: None,
        through: Interface::Placet,
    };
    match world.system.runtime.create_operation(requested).await.unwrap() {
        Created::New(item) => item,
        Created::Before(item) => panic!("the operation existed before: {item:?}"),
    }
}

async fn story(function: &str, steps: &[Step]) {
    let world = World::building().operation("polls", POLLS).operation("reminds", REMINDS);
    let world = world.start().await;
    let created = create(&world, function).await;
    let mut model = Model { current: created.clone(), stale: created };
    let mut last = (remind(), false);
    for step in steps {
        match step {
            Step::Wait(duration) => {
                world.advance(*duration);
                continue;
            }
            Step::Command { command, stale } => last = (command.clone(), *stale),
            Step::Again => {}
        }
        let (command, stale) = &last;
        let read = if *stale { &model.stale } else { &model.current }.clone();
        let expected = model.apply(&read, command, &Write::new("model", world.clock.now()));
        let change =
            world.system.runtime.engine.change(read, |operation| aimed(command, operation));
        match (expected, change.await) {
            (Ok(expected), Ok(stored)) => {
                assert_eq!(comparable(stored.clone()), comparable(expected));
                model.stale = std::mem::replace(&mut model.current, stored);
            }
            (Err(expected), Err(ChangeError::Refused(refusal))) => assert_eq!(expected, refusal),
            (expected, got) => panic!("the model returned {expected:?}, the store {got:?}"),
        }
        let stored = world.operation("call-1").await;
        assert_eq!(stored, model.current);
        stored.verify_history().unwrap();
        let ended = stored.is_terminal(world.clock.now());
        assert_eq!(stored.header.rests == Rests::Nothing, ended, "law 3");
        world.nothing_is_forgotten().await;
    }
    world.abandon();
}

#[test]
fn the_store_agrees_with_the_state_machine() {
    let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let functions = ["charge", "charge_once", "polls", "reminds", "runs_nowhere"];
    let functions = prop::sample::select(functions.to_vec());
    let stories = (functions, steps());
    TestRunner::new(config)
        .run(&stories, |(function, steps)| {
            tokio.block_on(story(function, &steps));
            Ok(())
        })
        .unwrap();
}

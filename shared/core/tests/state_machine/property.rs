//! Random histories: the state machine and the model agree at every step, and the laws hold.

use std::cell::RefCell;
use std::collections::HashMap;

use placet_core::{Command, Operation, Plan, State, Timestamp};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::acts::{Act, history};
use crate::case::Case;
use crate::laws;
use crate::model::{Answer, Model};

/// How often each answer was given.
type Given = HashMap<Answer, u32>;

/// Histories that never come to one of these would test nothing about it.
const STATES: [State; 8] = [
    State::Approved,
    State::Denied,
    State::Expired,
    State::Queued,
    State::Running,
    State::Succeeded,
    State::Failed,
    State::Unknown,
];
const REFUSALS: [&str; 9] = [
    "already_decided",
    "digest_mismatch",
    "expired",
    "lease_held",
    "not_queued",
    "not_unknown",
    "nothing_due",
    "stale_attempt",
    "too_early",
];

#[test]
fn the_state_machine_does_what_the_laws_say() {
    let config = Config { cases: 2048, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let given = RefCell::new(Given::new());
    let result = runner.run(&history(), |(plan, acts)| {
        let mut world = World::new(plan);
        acts.iter().try_for_each(|act| world.happens(act, &mut given.borrow_mut()))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let (states, refusals) = (STATES.map(Answer::Becomes), REFUSALS.map(Answer::Refused));
    for answer in states.iter().chain(&refusals) {
        assert!(given.borrow().contains_key(answer), "no history comes to {answer:?}");
    }
}

struct World {
    operation: Operation,
    model: Model,
    now: Timestamp,
    /// Everything that was sent so far, accepted or not.
    sent: Vec<Command>,
    /// The attempts whose worker is dead.
    dead: Vec<u32>,
}

impl World {
    fn new(plan: Option<Plan>) -> Self {
        let Case { operation, now, .. } = Case::asked(plan);
        let model = Model::new(&operation);
        Self { operation, model, now, sent: Vec::new(), dead: Vec::new() }
    }

    fn happens(&mut self, act: &Act, given: &mut Given) -> Result<(), TestCaseError> {
        let moment = act.waits_until(&self.operation, self.now);
        self.now = moment.unwrap_or(self.now).max(self.now);
        let command = match act {
            Act::Crash => {
                self.dead.push(self.model.attempts());
                None
            }
            Act::Again(index) if !self.sent.is_empty() => Some(index.get(&self.sent).clone()),
            _ => act.command(&self.operation, self.model.attempts()),
        };
        match command.filter(|command| !self.silenced(command)) {
            None => Ok(()),
            Some(command) => {
                self.sent.push(command.clone());
                self.receives(&command, given).map_err(TestCaseError::fail)
            }
        }
    }

    fn silenced(&self, command: &Command) -> bool {
        matches!(command, Command::Finish { attempt, .. } if self.dead.contains(attempt))
    }

    /// The store receives a command: the model says what must come of it.
    fn receives(&mut self, command: &Command, given: &mut Given) -> Result<(), String> {
        let shown = match command {
            Command::Decide { seen, .. } => seen.is_none_or(|seen| seen == self.operation.digest),
            Command::Settle { seen, .. } => *seen == self.operation.digest,
            _ => true,
        };
        let expected = self.model.expect(command, shown, self.now);
        let write = format!("write-{}", self.operation.version + 1);
        let answer = self.operation.apply(command, &write, self.now);
        let came_to = match &answer {
            Ok(transition) => Answer::Becomes(transition.operation.state),
            Err(refusal) => Answer::Refused(refusal.code()),
        };
        *given.entry(came_to).or_default() += 1;
        if came_to != expected {
            return Err(format!("{command:?}: {came_to:?}, but {expected:?} by {:?}", self.model));
        }
        let Ok(transition) = answer else { return Ok(()) };
        laws::check(&self.operation, &transition, &write, self.now)?;
        let licensed = self.model.licensed;
        let effect = transition.effect.as_ref();
        self.model.note(command, &transition.operation, effect, self.now);
        self.operation = transition.operation;
        self.check_effects(command, licensed)
    }

    /// Law 4: at most once in effect, and nothing is claimed that nobody can know.
    fn check_effects(&self, command: &Command, licensed: bool) -> Result<(), String> {
        let Self { operation, model, .. } = self;
        let started = matches!(command, Command::Start { .. }) && operation.state == State::Running;
        let may_have_happened = model.effects.iter().filter(|effect| **effect).count();
        let decided = operation.decision.as_ref().map(|made| (made.verdict, made.by.clone()));
        let rules = [
            ("a second attempt needs a licence", !started || licensed || model.idempotent()),
            ("at most one effect", model.idempotent() || may_have_happened <= 1),
            ("success was reported", operation.state != State::Succeeded || model.success),
            (
                "failed means without effect",
                operation.state != State::Failed || may_have_happened == 0,
            ),
            ("the decision is the first one", decided == model.decided),
            ("attempts are counted", operation.attempts == model.attempts()),
        ];
        match rules.iter().find(|(_, holds)| !holds) {
            None => Ok(()),
            Some((rule, _)) => Err(format!("broken: {rule} by {command:?}, {model:?}")),
        }
    }
}

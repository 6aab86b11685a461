//! Random histories: the state machine and the model agree at every step, and the laws hold.

use std::cell::RefCell;
use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use placet_core::{Command, Digest, Effect, NewOperation, Operation, State, Timestamp, Write};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::acts::{Act, history};
use crate::case::Case;
use crate::laws;
use crate::model::{Answer, Model};

/// How often each answer was given, and each kind of effect wanted.
#[derive(Default)]
struct Given {
    answers: HashMap<Answer, u32>,
    effects: HashMap<Discriminant<Effect>, u32>,
}

/// Histories that never come to one of these, or to a state, would test nothing about it.
const REFUSALS: [&str; 13] = [
    "already_decided",
    "digest_mismatch",
    "empty_answer",
    "escalated_enough",
    "expired",
    "lease_held",
    "not_queued",
    "not_unknown",
    "nothing_due",
    "nothing_to_tell",
    "stale_attempt",
    "too_early",
    "wrong_verdict",
];

#[test]
fn the_state_machine_does_what_the_laws_say() {
    let config = Config { cases: 2048, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let given = RefCell::new(Given::default());
    let result = runner.run(&history(), |(asked, announce, acts)| {
        let mut world = World::new(asked, announce);
        acts.iter().try_for_each(|act| world.happens(act, &mut given.borrow_mut()))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let given = given.into_inner();
    let (states, refusals) = (State::ALL.map(Answer::Becomes), REFUSALS.map(Answer::Refused));
    for answer in states.iter().chain(&refusals) {
        assert!(given.answers.contains_key(answer), "no history comes to {answer:?}");
    }
    assert_eq!(given.effects.len(), 3, "a worker is called to execute, to tell and to consult");
}

struct World {
    operation: Operation,
    model: Model,
    /// The digest of what was asked.
    shown: Digest,
    now: Timestamp,
    announce: Option<Duration>,
    /// Everything that was sent so far, accepted or not.
    sent: Vec<Command>,
    /// The attempts whose worker is dead.
    dead: Vec<u32>,
}

impl World {
    fn new(asked: NewOperation, announce: Option<Duration>) -> Self {
        let Case { operation, now, .. } = Case::new(asked.clone());
        let (model, shown) = (Model::new(&asked, now), operation.digest);
        let (sent, dead) = (Vec::new(), Vec::new());
        Self { operation, model, shown, now, announce, sent, dead }
    }

    fn happens(&mut self, act: &Act, given: &mut Given) -> Result<(), TestCaseError> {
        let moment = act.waits_until(&self.operation, self.now);
        self.now = moment.unwrap_or(self.now).max(self.now);
        let command = match act {
            Act::Announce(announce) => {
                self.announce = *announce;
                None
            }
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
                (0..act.times())
                    .try_for_each(|_| self.receives(&command, given))
                    .map_err(TestCaseError::fail)
            }
        }
    }

    fn silenced(&self, command: &Command) -> bool {
        matches!(command, Command::Finish { attempt, .. } if self.dead.contains(attempt))
    }

    /// The store receives a command: the model says what must come of it.
    fn receives(&mut self, command: &Command, given: &mut Given) -> Result<(), String> {
        let shown = match command {
            Command::Decide { seen, .. } => seen.is_none_or(|seen| seen == self.shown),
            Command::Settle { seen, .. } => *seen == self.shown,
            _ => true,
        };
        let expected = self.model.expect(command, shown, self.now);
        let id = format!("write-{}", self.operation.version + 1);
        let write = Write { id: &id, at: self.now, announce: self.announce };
        let answer = self.operation.apply(command, write);
        let came_to = match &answer {
            Ok(transition) => Answer::Becomes(transition.operation.state),
            Err(refusal) => Answer::Refused(refusal.code()),
        };
        *given.answers.entry(came_to).or_default() += 1;
        if came_to != expected {
            return Err(format!("{command:?}: {came_to:?}, but {expected:?} by {:?}", self.model));
        }
        let Ok(transition) = answer else { return Ok(()) };
        laws::check(&self.operation, &transition, write)?;
        if let Some(effect) = transition.effect {
            *given.effects.entry(discriminant(&effect)).or_default() += 1;
        }
        let licensed = self.model.licensed;
        self.model.note(command, &transition, self.now, self.announce);
        self.operation = transition.operation;
        self.check_effects(command, licensed)
    }

    /// Law 4: at most once in effect, and nothing is claimed that nobody can know.
    fn check_effects(&self, command: &Command, licensed: bool) -> Result<(), String> {
        let Self { operation, model, .. } = self;
        let started = matches!(command, Command::Start { .. }) && operation.state == State::Running;
        let may_have_happened = model.effects.iter().filter(|effect| **effect).count();
        let decided = operation.decision.as_ref().map(|made| (made.verdict, made.by.clone()));
        let consulted = operation.upstream.as_ref().map(|upstream| upstream.consulted);
        let rules = [
            ("a second attempt needs a licence", !started || licensed || model.idempotent()),
            ("at most one effect", model.idempotent() || may_have_happened <= 1),
            ("success was reported", operation.state != State::Succeeded || model.success),
            (
                "failed means without effect",
                operation.state != State::Failed || may_have_happened == 0,
            ),
            ("the decision is the first one", decided == model.decided),
            ("who is to be told is known", operation.untold == model.untold),
            ("the timer looks when it has to", operation.due == model.due),
            ("consultations are counted", consulted == model.consulted),
            ("attempts are counted", operation.attempts == model.attempts()),
        ];
        match rules.iter().find(|(_, holds)| !holds) {
            None => Ok(()),
            Some((rule, _)) => Err(format!("broken: {rule} by {command:?}, {model:?}")),
        }
    }
}

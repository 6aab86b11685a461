//! Random histories: the state machine and the model agree at every step, and the laws hold.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use placet_core::item::{Hold, Item, Write};
use placet_core::operation::{Command, NewOperation, Operation, State};
use placet_core::{Digest, Timestamp};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::acts::{Act, history};
use crate::case::{Case, HOLD, written};
use crate::commands::{is_by_worker, notified, notifying};
use crate::laws::{self, Step};
use crate::model::{Answer, Model};

/// Counts of the answers, and which cases occurred.
#[derive(Default)]
struct Given {
    answers: HashMap<Answer, u32>,
    /// The names of accepted commands.
    accepted: BTreeSet<String>,
    created_under_a_lease: bool,
}

/// The random histories must reach each of these refusals, and each state.
const REFUSALS: [&str; 16] = [
    "already_decided",
    "digest_mismatch",
    "empty_answer",
    "escalated_enough",
    "expired",
    "lease_held",
    "not_queued",
    "not_unknown",
    "not_an_approver",
    "nothing_due",
    "own_operation",
    "link_revoked",
    "nothing_to_decide",
    "stale_attempt",
    "too_early",
    "wrong_verdict",
];

#[test]
fn the_state_machine_agrees_with_the_model_and_the_laws() {
    let config = Config { cases: 2048, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let given = RefCell::new(Given::default());
    let result = runner.run(&history(), |(new, acts)| {
        let mut world = World::new(&new);
        acts.iter().try_for_each(|act| world.happens(act, &mut given.borrow_mut()))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let given = given.into_inner();
    let (states, refusals) = (State::ALL.map(Answer::Becomes), REFUSALS.map(Answer::Refused));
    for answer in states.iter().chain(&refusals) {
        assert!(given.answers.contains_key(answer), "no history reaches {answer:?}");
    }
    assert_eq!(given.accepted.len(), 15, "every command is accepted once: {:?}", given.accepted);
    assert!(given.created_under_a_lease);
}

struct World {
    item: Item<Operation>,
    model: Model,
    /// The digest of the requested content.
    shown: Digest,
    now: Timestamp,
    /// The configured endpoints.
    endpoints: &'static [&'static str],
    /// All commands that were sent so far, accepted or not.
    sent: Vec<Command>,
    /// The attempts whose worker is dead.
    dead: Vec<u32>,
}

impl World {
    fn new(new: &NewOperation) -> Self {
        let Case { item, now, .. } = Case::new(new.clone());
        let (model, shown) = (Model::new(new, now), item.digest);
        Self { item, model, shown, now, endpoints: &[], sent: Vec::new(), dead: Vec::new() }
    }

    fn happens(&mut self, act: &Act, given: &mut Given) -> Result<(), TestCaseError> {
        let moment = act.waits_until(&self.item, self.now);
        self.now = moment.unwrap_or(self.now).max(self.now);
        let command = match act {
            Act::Configure(endpoints) => {
                self.endpoints = endpoints;
                None
            }
            Act::Crash => {
                self.dead.push(self.model.attempts());
                None
            }
            Act::CreateChildren(most) => {
                given.created_under_a_lease |= self.item.state == State::Running;
                return self.creates_children(*most).map_err(TestCaseError::fail);
            }
            Act::Again(index) if !self.sent.is_empty() => Some(index.get(&self.sent).clone()),
            _ => act
                .command(&self.item, self.model.attempts(), self.now)
                .map(|command| notifying(command, self.endpoints)),
        };
        let Some(command) = command.filter(|command| !self.is_silent(command)) else {
            return Ok(());
        };
        self.sent.push(command.clone());
        (0..act.times())
            .try_for_each(|_| self.receives(&command, given))
            .map_err(TestCaseError::fail)
    }

    fn is_silent(&self, command: &Command) -> bool {
        matches!(command, Command::Finish { attempt, .. } if self.dead.contains(attempt))
    }

    /// Applies a command and compares the result with the model.
    fn receives(&mut self, command: &Command, given: &mut Given) -> Result<(), String> {
        let shown = match command {
            Command::Decide { seen, .. } => seen.is_none_or(|seen| seen == self.shown),
            Command::Settle { seen, .. } => *seen == self.shown,
            _ => true,
        };
        let expected = self.model.expect(command, shown, self.now);
        let id = format!("write-{}", self.item.header.version + 1);
        let write = Write::new(&id, self.now);
        let answer = self.item.apply(command, &write);
        let came_to = match &answer {
            Ok(after) => Answer::Becomes(after.state),
            Err(refusal) => Answer::Refused(refusal.code()),
        };
        *given.answers.entry(came_to).or_default() += 1;
        if came_to != expected {
            return Err(format!("{command:?}: {came_to:?}, but {expected:?} by {:?}", self.model));
        }
        let Ok(after) = answer else { return Ok(()) };
        let name = format!("{command:?}");
        given.accepted.insert(name.split([' ', '{']).next().unwrap_or_default().to_owned());
        let licensed = self.model.licensed;
        self.model.note(command, &after, self.now);
        let hold = is_by_worker(command).then_some(HOLD);
        self.writes(after, &write, hold).map_err(|broken| format!("{broken} by {command:?}"))?;
        self.check_effects(command, licensed)
    }

    fn creates_children(&mut self, most: usize) -> Result<(), String> {
        let children = self.item.header.children.iter().take(most);
        let created: Vec<String> = children.map(|child| child.id.clone()).collect();
        for (endpoint, about) in self.item.header.children.iter().take(most).filter_map(notified) {
            self.model.unnotified.remove(&(endpoint, about.event, about.number));
        }
        let id = format!("write-{}", self.item.header.version + 1);
        let write = Write { id: &id, at: self.now, created: &created };
        self.writes(self.item.touched(&write), &write, Some(HOLD))
    }

    fn writes(
        &mut self,
        after: Item<Operation>,
        write: &Write<'_>,
        hold: Option<Hold>,
    ) -> Result<(), String> {
        let schedule = after.schedule(Some(&self.item), self.now, hold.as_ref());
        let after = written(after, schedule);
        laws::check(&Step { before: &self.item, after: &after, schedule, write, hold })?;
        let (expected, found) =
            (self.model.schedule(self.now, hold.is_some()), (schedule.due, schedule.pointer));
        if expected != found {
            return Err(format!("scheduled {found:?}, but {expected:?} by {:?}", self.model));
        }
        self.item = after;
        Ok(())
    }

    /// Law 4: at most one effect, and no result that is not known.
    fn check_effects(&self, command: &Command, licensed: bool) -> Result<(), String> {
        let Self { item, model, .. } = self;
        let started = matches!(command, Command::Start { .. }) && item.state == State::Running;
        let may_have_happened = model.effects.iter().filter(|effect| **effect).count();
        let decided = item.decision.as_ref().map(|made| (made.verdict, made.by.clone()));
        let upstream = item.upstream.as_ref();
        let children = item.header.children.iter().filter_map(notified);
        let rules = [
            ("a second attempt needs a licence", !started || licensed || model.idempotent()),
            ("at most one effect", model.idempotent() || may_have_happened <= 1),
            ("success was reported", item.state != State::Succeeded || model.success),
            ("failed means without effect", item.state != State::Failed || may_have_happened == 0),
            ("the decision is the first one", decided == model.decided),
            ("who has still to be notified is known", {
                let all = children.map(|(endpoint, about)| (endpoint, about.event, about.number));
                all.collect::<BTreeSet<_>>() == model.unnotified
            }),
            ("polls are counted", upstream.is_none_or(|one| one.polls == model.polls)),
            ("the next poll is known", {
                upstream.and_then(|one| one.next_poll) == model.next_poll
            }),
            ("attempts are counted", item.attempts == model.attempts()),
        ];
        match rules.iter().find(|(_, holds)| !holds) {
            None => Ok(()),
            Some((rule, _)) => Err(format!("broken: {rule} by {command:?}, {model:?}")),
        }
    }
}

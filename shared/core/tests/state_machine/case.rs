//! One operation with a manual clock. Every step checks every law.

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::item::{Hold, Item, Kind as _, Lane, Next, Schedule, Write};
use placet_core::operation::{
    Command, Content, NewOperation, Operation, Outcome, Plan, Refusal, Settlement, State,
};
use serde_json::Value;

use crate::commands::{approve, done, finish, is_by_worker, lease_expired, settle, start, unclear};
use crate::laws::{self, Step};
use crate::requests::{MILLISECOND, SECOND, call, plan};

/// The creation time of every operation.
pub const CREATED: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub struct Case {
    pub item: Item<Operation>,
    /// The schedule of the last write.
    pub schedule: Schedule,
    pub now: Timestamp,
}

impl Case {
    pub fn new(new: NewOperation) -> Self {
        let item = Operation::create(new, &Write::new("write-1", CREATED));
        let schedule = item.schedule(None, CREATED, None);
        Self { item: written(item, schedule), schedule, now: CREATED }
    }

    pub fn pending(plan: Option<Plan>) -> Self {
        Self::new(call(plan))
    }

    pub fn queued(plan: Plan) -> Self {
        let mut case = Self::pending(Some(plan));
        case.wait(600 * SECOND).becomes(&approve(), State::Queued);
        case
    }

    pub fn running(plan: Plan) -> Self {
        let mut case = Self::queued(plan);
        case.wait(SECOND).start_next();
        case
    }

    /// An operation with an unknown outcome: the worker reported its first attempt as unclear.
    pub fn unknown() -> Self {
        Self::running(plan(false)).reported_unclear()
    }

    /// An idempotent operation with an unknown outcome: its only attempt ended unclear.
    pub fn unknown_idempotent() -> Self {
        Self::running(Plan { max_attempts: 1, ..plan(true) }).reported_unclear()
    }

    fn reported_unclear(mut self) -> Self {
        self.wait(SECOND).becomes(&finish(1, unclear()), State::Unknown);
        self
    }

    pub fn wait(&mut self, duration: Duration) -> &mut Self {
        self.now = self.now.plus(duration);
        self
    }

    pub fn wait_until(&mut self, moment: Timestamp) -> &mut Self {
        assert!(moment >= self.now, "the clock cannot go back");
        self.now = moment;
        self
    }

    /// The moment at which the operation needs a worker.
    pub fn wanted_at(&self) -> Timestamp {
        self.item.wants(self.now).unwrap().1
    }

    pub fn leased_until(&self) -> Timestamp {
        self.item.leased_until.unwrap()
    }

    pub fn not_before(&self) -> Timestamp {
        self.item.not_before.unwrap()
    }

    pub fn next_poll(&self) -> Option<Timestamp> {
        self.item.upstream.as_ref().unwrap().next_poll
    }

    pub fn polls(&self) -> u32 {
        self.item.upstream.as_ref().unwrap().polls
    }

    /// What the operation needs now.
    pub fn next(&self) -> Next<Operation> {
        Operation::next(&self.item, self.now)
    }

    pub fn start(&self) -> Command {
        start(&self.item)
    }

    pub fn settle(&self, settlement: Settlement) -> Command {
        settle(settlement, self.item.digest, self.item.attempts)
    }

    /// The result of a command, which is not written.
    pub fn after(&self, command: &Command) -> Result<Item<Operation>, Refusal> {
        self.item.apply(command, &Write::new("another write", self.now))
    }

    pub fn apply(&mut self, command: &Command) -> Result<State, Refusal> {
        let hold = is_by_worker(command).then_some(HOLD);
        let id = format!("write-{}", self.item.header.version + 1);
        let write = Write::new(&id, self.now);
        let after = self.item.apply(command, &write)?;
        self.write(after, &write, hold, command);
        Ok(self.item.state)
    }

    /// The worker records that it created these children.
    pub fn created(&mut self, ids: &[String]) -> &mut Self {
        let id = format!("write-{}", self.item.header.version + 1);
        let write = Write { id: &id, at: self.now, created: ids };
        self.write(self.item.touched(&write), &write, Some(HOLD), &"children were created");
        self
    }

    fn write(
        &mut self,
        after: Item<Operation>,
        write: &Write<'_>,
        hold: Option<Hold>,
        what: &dyn std::fmt::Debug,
    ) {
        let schedule = after.schedule(Some(&self.item), self.now, hold.as_ref());
        let after = written(after, schedule);
        let step = Step { before: &self.item, after: &after, schedule, write, hold };
        if let Err(broken) = laws::check(&step) {
            panic!("{what:?}\n{broken}");
        }
        (self.item, self.schedule) = (after, schedule);
    }

    #[track_caller]
    pub fn becomes(&mut self, command: &Command, state: State) -> &mut Self {
        assert_eq!(self.apply(command), Ok(state), "{command:?}");
        self
    }

    #[track_caller]
    pub fn refuses(&mut self, command: &Command, refusal: Refusal) -> &mut Self {
        assert_eq!(self.apply(command), Err(refusal), "{command:?}");
        self
    }

    /// Advances the clock to the earliest start of the next attempt.
    pub fn until_its_turn(&mut self) -> &mut Self {
        self.wait_until(self.item.not_before.unwrap_or(self.now).max(self.now))
    }

    #[track_caller]
    pub fn start_next(&mut self) -> &mut Self {
        self.until_its_turn();
        self.becomes(&self.start(), State::Running)
    }

    /// Advances the clock until the state needs a worker, and does the work.
    #[track_caller]
    pub fn works(&mut self, state: State) -> &mut Self {
        self.wait_until(self.wanted_at());
        let command = done(&self.item, self.now).unwrap();
        self.becomes(&command, state)
    }

    /// Lets the lease expire without a report, and records it.
    #[track_caller]
    pub fn lease_expires(&mut self, state: State) -> &mut Self {
        self.wait_until(self.leased_until());
        self.becomes(&lease_expired(self.item.attempts), state)
    }

    pub fn failure_code(&self) -> &str {
        failure_code(&self.item)
    }
}

/// The message that a worker holds.
pub const HOLD: Hold = Hold { lane: Lane::Calls, receives: 1 };

/// The next version, as the engine writes it.
pub fn written(mut item: Item<Operation>, schedule: Schedule) -> Item<Operation> {
    (item.header.due, item.header.rests) = (schedule.due, schedule.rests);
    item
}

/// The stored arguments, for tests that change them in the table.
pub fn kwargs(operation: &mut Operation) -> &mut Value {
    match &mut operation.content {
        Content::Call { kwargs, .. } => kwargs,
        Content::Question { .. } => panic!("a question has no arguments"),
    }
}

pub fn set_function(operation: &mut Operation, name: &str) {
    match &mut operation.content {
        Content::Call { function, .. } => name.clone_into(function),
        Content::Question { .. } => panic!("a question has no function"),
    }
}

pub fn just_before(moment: Timestamp) -> Timestamp {
    moment.minus(MILLISECOND)
}

pub fn failure_code(operation: &Operation) -> &str {
    match &operation.outcome {
        Some(Outcome::Failure(failure)) => &failure.code,
        other => panic!("no failure: {other:?}"),
    }
}

//! The state machine: one pure function from an operation and a command to the next operation.
//!
//! # Why nothing runs twice
//!
//! A worker may be slow, dead, frozen or one of two that got the same message, and nobody can tell
//! these apart. So before any effect it writes `Start`, which is granted once per attempt (the
//! store makes each write conditional on the version it read). A lease that lapses says only that
//! the worker was not heard of in time, not that the call did not happen. Then:
//!
//! - an idempotent operation is queued again under the same idempotency key;
//! - any other becomes `unknown` and waits for a person, and a late report of that same attempt is
//!   still taken, because it is the one thing that can settle it.
//!
//! `failed` is a promise that the call had no effect. If an earlier attempt ended unclear, giving
//! up can not promise that any more, and the operation becomes `unknown` instead.
//!
//! # Why nobody is left untold
//!
//! The write that decides also notes that endpoints have still to be told. The worker tells them
//! before it does anything else: when each of them has a delivery of its own, the note goes with the
//! write that starts the operation, or, of one that ends with its decision, with `Told`. Until then
//! the operation has a due time, so whoever crashes in between is followed by the timer.

mod decision;
mod execution;

use std::time::Duration;

use serde_json::{Value, json};

use crate::{Command, Decision, Failure, Operation, Outcome, Plan, Refusal, State, Timestamp};

/// How often a person is reminded of an unknown outcome.
const REMINDER: Duration = Duration::from_secs(24 * 60 * 60);

/// Work that must follow a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Put an `execute` message on the queue, visible after this long.
    Execute(Duration),
    /// Put a `tell` message on the queue.
    Tell,
    /// Put a `consult` message on the queue.
    Consult,
}

/// The next version of an operation and what must follow its write.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The operation to store, if its version is still the one before.
    pub operation: Operation,
    /// What to do once it is stored. A lost effect is made good by the timer.
    pub effect: Option<Effect>,
}

/// The write that will store a transition.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// Its id, which no other write has.
    pub id: &'a str,
    /// When.
    pub at: Timestamp,
    /// If endpoints want to be told of a decision: how long until the timer looks whether they were.
    pub announce: Option<Duration>,
}

impl Operation {
    /// The operation after `command`, or why nothing changes.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] with a stable code.
    pub fn apply(&self, command: &Command, write: Write<'_>) -> Result<Transition, Refusal> {
        let mut step = Step::new(self, write);
        match command {
            Command::Decide { verdict, comment, option, by, seen } => {
                step.check_undecided(*seen)?;
                step.check_verdict(*verdict, comment)?;
                step.decide(Decision {
                    verdict: *verdict,
                    comment: comment.clone(),
                    option: option.clone(),
                    by: by.clone(),
                    at: write.at,
                    digest: self.digest,
                });
            }
            Command::Cancel { reason, by } => {
                step.check_undecided(None)?;
                step.cancel(reason, by);
            }
            Command::Escalate { message, recipients, by } => {
                step.check_undecided(None)?;
                step.escalate(message, recipients, by)?;
            }
            Command::Told => step.told()?,
            Command::Start { plan } => {
                step.check_startable()?;
                step.start(plan.as_ref());
            }
            Command::Finish { attempt, report } => {
                step.check_attempt(*attempt)?;
                step.finish(*attempt, report);
            }
            Command::Redrive => step.redrive()?,
            Command::Settle { settlement, comment, by, seen, attempt } => {
                step.check_unknown(*settlement, *seen)?;
                step.check_attempt(*attempt)?;
                step.settle(*settlement, comment, by);
            }
        }
        Ok(step.done())
    }
}

/// A transition in the making: the next operation, its write and what follows it.
struct Step<'a> {
    next: Operation,
    write: Write<'a>,
    now: Timestamp,
    effect: Option<Effect>,
}

impl<'a> Step<'a> {
    fn new(operation: &Operation, write: Write<'a>) -> Self {
        let mut next = operation.clone();
        next.version += 1;
        next.last_write = write.id.to_owned();
        Self { next, write, now: write.at, effect: None }
    }

    fn done(self) -> Transition {
        Transition { operation: self.next, effect: self.effect }
    }

    fn record(&mut self, event: &str, by: &str, detail: Value) {
        self.next.record(self.now, event, by, detail, self.write.id);
    }

    fn end(&mut self, state: State, outcome: Option<Outcome>) {
        self.next.state = state;
        self.next.lease = None;
        self.next.not_before = None;
        self.next.outcome = outcome;
        self.next.due =
            if state.is_terminal() { self.tell() } else { Some(self.now.plus(REMINDER)) };
    }

    /// Has those told who are still untold; when the timer looks whether they were.
    fn tell(&mut self) -> Option<Timestamp> {
        if !self.next.untold {
            return None;
        }
        self.effect = Some(Effect::Tell);
        Some(self.now.plus(self.write.announce.unwrap_or(REMINDER)))
    }

    fn fail(&mut self, state: State, failure: Failure, by: &str) {
        let event = state.as_str();
        self.record(event, by, json!({"code": failure.code, "message": failure.message}));
        self.end(state, Some(Outcome::Failure(failure)));
    }

    /// Waits for a worker, who is called after `delay`.
    fn queue(&mut self, delay: Duration) {
        let redrive = self.plan(|plan| plan.redrive);
        let not_before = self.now.plus(delay);
        self.next.state = State::Queued;
        self.next.outcome = None;
        self.next.lease = None;
        self.next.not_before = (!delay.is_zero()).then_some(not_before);
        self.next.due = Some(not_before.plus(redrive));
        self.effect = Some(Effect::Execute(delay));
    }

    fn plan<T: Default>(&self, field: impl Fn(&Plan) -> T) -> T {
        self.next.plan.as_ref().map(field).unwrap_or_default()
    }

    fn redrive(&mut self) -> Result<(), Refusal> {
        if self.next.due.is_none_or(|due| due > self.now) {
            return Err(Refusal::NothingDue);
        }
        match self.next.state {
            State::Pending if self.now > self.next.deadline => self.expire(),
            State::Pending => self.consult(),
            State::Queued => self.queue(Duration::ZERO),
            State::Running => self.lapse(),
            State::Unknown => self.next.due = Some(self.now.plus(REMINDER)),
            _ => self.next.due = self.tell(),
        }
        Ok(())
    }

    fn consult(&mut self) {
        if let Some(upstream) = &mut self.next.upstream {
            upstream.consulted = upstream.consulted.saturating_add(1);
            self.effect = Some(Effect::Consult);
        }
        self.next.due = Some(self.next.next_look(self.now));
    }
}

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

use std::time::Duration;

use serde_json::{Value, json};

use crate::retry::backoff;
use crate::{
    Command, Decision, Digest, Failure, Lease, Operation, Outcome, Plan, Refusal, Report,
    Settlement, State, Timestamp, Verdict,
};

/// How often a person is reminded of an unknown outcome.
const REMINDER: Duration = Duration::from_secs(24 * 60 * 60);

/// Work that must follow a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Put an `execute` message on the queue, visible after this long.
    Execute(Duration),
}

/// The next version of an operation and what must follow its write.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The operation to store, if its version is still the one before.
    pub operation: Operation,
    /// What to do once it is stored. Lost effects are made good by the timer.
    pub effect: Option<Effect>,
}

impl Operation {
    /// The operation after `command`, or why nothing changes.
    ///
    /// `write` is the id of the write that will store the result.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] with a stable code.
    pub fn apply(
        &self,
        command: &Command,
        write: &str,
        now: Timestamp,
    ) -> Result<Transition, Refusal> {
        let mut step = Step::new(self, write, now);
        match command {
            Command::Decide { verdict, comment, option, by, seen } => {
                step.check_undecided(*seen)?;
                step.decide(Decision {
                    verdict: *verdict,
                    comment: comment.clone(),
                    option: option.clone(),
                    by: by.clone(),
                    at: now,
                    digest: self.digest,
                });
            }
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

/// A transition in the making: the next operation, its write and its moment.
struct Step<'a> {
    next: Operation,
    write: &'a str,
    now: Timestamp,
    effect: Option<Effect>,
}

impl<'a> Step<'a> {
    fn new(operation: &Operation, write: &'a str, now: Timestamp) -> Self {
        let mut next = operation.clone();
        next.version += 1;
        next.last_write = write.to_owned();
        Self { next, write, now, effect: None }
    }

    fn done(self) -> Transition {
        Transition { operation: self.next, effect: self.effect }
    }

    fn record(&mut self, event: &str, by: &str, detail: Value) {
        self.next.record(self.now, event, by, detail, self.write);
    }

    fn end(&mut self, state: State, outcome: Option<Outcome>) {
        self.next.state = state;
        self.next.lease = None;
        self.next.not_before = None;
        self.next.due = (!state.is_terminal()).then(|| self.now.plus(REMINDER));
        self.next.outcome = outcome;
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

    fn check_undecided(&self, seen: Option<Digest>) -> Result<(), Refusal> {
        let operation = &self.next;
        match operation.state_at(self.now) {
            State::Pending => self.check_seen(seen.unwrap_or(operation.digest)),
            State::Expired => Err(Refusal::Expired { deadline: operation.deadline }),
            state => Err(Refusal::AlreadyDecided { state }),
        }
    }

    fn check_seen(&self, seen: Digest) -> Result<(), Refusal> {
        if seen == self.next.digest && seen == self.next.content_digest() {
            Ok(())
        } else {
            Err(Refusal::DigestMismatch)
        }
    }

    fn decide(&mut self, decision: Decision) {
        let detail = json!({
            "comment": decision.comment,
            "option": decision.option,
            "digest": decision.digest,
        });
        let by = decision.by.clone();
        match decision.verdict {
            Verdict::Approve => self.record("approved", &by, detail),
            Verdict::Deny => self.record("denied", &by, detail),
        }
        match decision.verdict {
            Verdict::Approve if self.next.plan.is_some() => self.queue(Duration::ZERO),
            Verdict::Approve => self.end(State::Approved, None),
            Verdict::Deny => self.end(State::Denied, None),
        }
        self.next.decision = Some(decision);
    }

    fn check_startable(&self) -> Result<(), Refusal> {
        match (self.next.state, &self.next.lease, self.next.not_before) {
            (State::Running, Some(lease), _) => Err(Refusal::LeaseHeld { until: lease.until }),
            (State::Queued, _, Some(not_before)) if self.now < not_before => {
                Err(Refusal::TooEarly { not_before })
            }
            (State::Queued, _, _) => Ok(()),
            (state, _, _) => Err(Refusal::NotQueued { state }),
        }
    }

    /// Takes the lease, unless what would run is not what was approved.
    fn start(&mut self, configured: Option<&Plan>) {
        if let Some(failure) = self.not_as_approved(configured) {
            // An attempt that ended unclear may have run while all was still in order.
            let state = if self.next.unclear { State::Unknown } else { State::Failed };
            return self.fail(state, failure, "worker");
        }
        // A lease that ends at the due time already in the index saves moving it there.
        let (timeout, redrive) = self.plan(|plan| (plan.timeout, plan.redrive));
        let shortest = self.now.plus(timeout.saturating_add(redrive / 4));
        let until = self.next.due.filter(|due| *due >= shortest).unwrap_or(shortest);
        self.next.attempts += 1;
        self.next.state = State::Running;
        self.next.not_before = None;
        self.next.due = Some(until);
        self.next.lease = Some(Lease { attempt: self.next.attempts, until });
        self.record("started", "worker", json!({"attempt": self.next.attempts, "until": until}));
    }

    /// Law 1: shown = approved = executed.
    fn not_as_approved(&self, configured: Option<&Plan>) -> Option<Failure> {
        let operation = &self.next;
        let content = operation.content_digest();
        let decided = operation.decision.as_ref().is_some_and(|decision| {
            decision.verdict == Verdict::Approve && decision.digest == content
        });
        let entries = operation.history.entries().iter();
        let approval = entries.rev().find(|entry| entry.event == "approved");
        let recorded = approval.is_some_and(|entry| entry.detail["digest"] == json!(content));
        if !decided || !recorded || operation.digest != content {
            return Some(Failure::new(
                "digest_mismatch",
                "what is stored is not what was approved: it was changed in between and did not run",
            ));
        }
        if let Err(broken) = operation.verify_history() {
            return Some(Failure::new("history_broken", &broken.to_string()));
        }
        let revision = configured.map(Plan::revision);
        if revision != operation.plan.as_ref().map(Plan::revision) {
            return Some(Failure::new(
                "policy_changed",
                "placet.yaml runs this function in another way than when it was approved: ask again",
            ));
        }
        None
    }

    fn check_attempt(&self, attempt: u32) -> Result<(), Refusal> {
        let current = match self.next.state {
            State::Running => self.next.lease.as_ref().map(|lease| lease.attempt),
            State::Unknown => Some(self.next.attempts),
            _ => None,
        };
        if current == Some(attempt) { Ok(()) } else { Err(Refusal::StaleAttempt) }
    }

    fn finish(&mut self, attempt: u32, report: &Report) {
        // Only its one attempt can have made an operation that is not idempotent unclear, and here
        // is what became of it.
        self.next.unclear &= self.plan(|plan| plan.idempotent);
        match report {
            Report::Succeeded(result) => {
                self.record("succeeded", "worker", json!({"attempt": attempt}));
                self.end(State::Succeeded, Some(Outcome::Result(result.clone())));
            }
            Report::Rejected(failure) => self.give_up(failure.clone(), "worker"),
            Report::NotDone(failure, wish) => self.retry(failure, *wish, "worker"),
            Report::Unclear(failure) => {
                self.next.unclear = true;
                // A late report that knows nothing is no reason to leave `unknown`.
                if self.plan(|plan| plan.idempotent) && self.next.state == State::Running {
                    self.retry(failure, None, "worker");
                } else {
                    self.give_up(failure.clone(), "worker");
                }
            }
        }
    }

    fn retry(&mut self, cause: &Failure, wish: Option<Duration>, by: &str) {
        if self.next.attempts >= self.next.attempt_limit {
            let message =
                format!("given up after {} attempts: {}", self.next.attempts, cause.message);
            return self.give_up(Failure::new("attempts_exhausted", &message), by);
        }
        let delay = backoff(self.next.attempts, &self.next.call_id, wish);
        let detail = json!({
            "attempt": self.next.attempts,
            "code": cause.code,
            "message": cause.message,
            "not_before": self.now.plus(delay),
        });
        self.record("retrying", by, detail);
        self.queue(delay);
    }

    fn give_up(&mut self, failure: Failure, by: &str) {
        let state = if self.next.unclear { State::Unknown } else { State::Failed };
        self.fail(state, failure, by);
    }

    fn redrive(&mut self) -> Result<(), Refusal> {
        if self.next.due.is_none_or(|due| due > self.now) {
            return Err(Refusal::NothingDue);
        }
        match self.next.state {
            State::Pending => {
                self.record("expired", "timer", json!({"deadline": self.next.deadline}));
                self.end(State::Expired, None);
            }
            State::Queued => self.queue(Duration::ZERO),
            State::Running => {
                self.next.unclear = true;
                let lost = Failure::new(
                    "lease_lapsed",
                    "the worker was not heard of after it had started: it may or may not have run",
                );
                if self.plan(|plan| plan.idempotent) {
                    self.retry(&lost, None, "timer");
                } else {
                    self.fail(State::Unknown, lost, "timer");
                }
            }
            State::Unknown => self.next.due = Some(self.now.plus(REMINDER)),
            _ => return Err(Refusal::NothingDue),
        }
        Ok(())
    }

    /// What was changed after it was approved can be closed, whatever came of it, but not run.
    fn check_unknown(&self, settlement: Settlement, seen: Digest) -> Result<(), Refusal> {
        if self.next.state != State::Unknown {
            return Err(Refusal::NotUnknown { state: self.next.state });
        }
        if settlement != Settlement::RunAgain && seen == self.next.digest {
            return Ok(());
        }
        self.check_seen(seen)
    }

    fn settle(&mut self, settlement: Settlement, comment: &str, by: &str) {
        let found = match settlement {
            Settlement::Happened => "happened",
            Settlement::DidNotHappen => "did_not_happen",
            Settlement::RunAgain => "run_again",
        };
        self.record("settled", by, json!({"found": found, "comment": comment}));
        self.next.unclear = false;
        match settlement {
            Settlement::Happened => {
                self.end(State::Succeeded, Some(Outcome::Result(Value::Null)));
            }
            Settlement::DidNotHappen => {
                let found = Failure::new(
                    "settled",
                    &format!("a person found that it did not run: {comment}"),
                );
                self.end(State::Failed, Some(Outcome::Failure(found)));
            }
            Settlement::RunAgain => {
                let more = self.plan(|plan| plan.max_attempts);
                self.next.attempt_limit = self.next.attempts.saturating_add(more);
                self.queue(Duration::ZERO);
            }
        }
    }
}

//! Transitions by workers, and settlements of unknown outcomes.

use std::time::Duration;

use serde_json::{Value, json};

use super::transition::Step;
use super::{
    Actor, Event, Failure, Notice, Outcome, Plan, Refusal, Report, Settlement, State, Verdict,
};
use crate::Digest;
use crate::limits::MOST_RUNS_AGAIN;
use crate::retry::backoff;

/// A lease lasts this much longer than the attempt's timeout, so that the worker can report.
const MARGIN: Duration = Duration::from_secs(10);

/// How long a worker waits at least and at most until it looks whether the missing configuration of an operation is
/// there. In between it waits for as long as the operation is blocked already: who has just read that something is
/// missing adds it within minutes.
const RECHECK: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(5 * 60));

/// After this many attempts, the wait for the next one is four times as long: about an hour. The history keeps
/// every attempt.
const MANY: u32 = 10;

impl Step<'_> {
    fn check_startable(&self) -> Result<(), Refusal> {
        match (self.next.state, self.next.leased_until, self.next.not_before) {
            (State::Running, Some(until), _) => Err(Refusal::LeaseHeld { until }),
            (State::Queued | State::Blocked, _, Some(not_before)) if self.now < not_before => {
                Err(Refusal::TooEarly { not_before })
            }
            (State::Queued | State::Blocked, _, _) => Ok(()),
            (state, _, _) => Err(Refusal::NotQueued { state }),
        }
    }

    /// The configuration is missing: waits for it, and for a person who sees that.
    pub(super) fn block(&mut self, missing: &Failure, notify: &[Notice]) -> Result<(), Refusal> {
        self.check_startable()?;
        let outcome = Some(Outcome::Failure(missing.clone()));
        if (self.next.state, &self.next.outcome) != (State::Blocked, &outcome) {
            let detail = json!({"code": missing.code, "message": missing.message});
            self.record("blocked", Actor::Worker, detail);
            self.notify(Event::Blocked, notify);
        }
        self.next.state = State::Blocked;
        self.next.outcome = outcome;
        let since = self.next.history.of("blocked").last().map_or(self.now, |entry| entry.at);
        let wait = self.now.since(since).clamp(RECHECK.0, RECHECK.1);
        self.next.not_before = Some(self.now.plus(wait));
        self.next.retry_until = None;
        Ok(())
    }

    /// Takes the lease, or fails the operation if it differs from the approved one.
    pub(super) fn start(
        &mut self,
        configured: Option<&Plan>,
        notify: &[Notice],
    ) -> Result<(), Refusal> {
        self.check_startable()?;
        if let Some(failure) = self.not_as_approved(configured) {
            // An earlier attempt that ended unclear may have run before the change.
            let state = if self.next.unclear { State::Unknown } else { State::Failed };
            self.fail(state, failure, Actor::Worker, notify);
            return Ok(());
        }
        if configured.is_none() {
            let message = "placet.yaml has no executor for this function: add it again";
            return self.block(&Failure::new("not_configured", message), notify);
        }
        let until = self.now.plus(self.plan(|plan| plan.timeout)).plus(MARGIN);
        self.next.attempts = self.next.attempts.saturating_add(1);
        self.next.state = State::Running;
        self.next.not_before = None;
        self.next.outcome = None;
        let retry_until = self.now.plus(self.plan(|plan| plan.retry_for));
        self.next.retry_until.get_or_insert(retry_until);
        self.next.leased_until = Some(until);
        let detail = json!({"attempt": self.next.attempts, "until": until});
        self.record("started", Actor::Worker, detail);
        Ok(())
    }

    /// Law 1: shown = approved = executed.
    fn not_as_approved(&self, configured: Option<&Plan>) -> Option<Failure> {
        let operation = &self.next;
        let content = self.item.content_digest();
        let decided = operation.decision.as_ref().is_some_and(|decision| {
            decision.verdict == Verdict::Approve && decision.digest == content
        });
        let approval = operation.history.of("approved").next_back();
        let recorded = approval.is_some_and(|entry| entry.detail["digest"] == json!(content));
        if !decided || !recorded || operation.digest != content {
            let message = "the stored operation differs from the approved one and did not run: create the operation again";
            return Some(Failure::new("digest_mismatch", message));
        }
        if let Err(broken) = self.item.verify_history() {
            return Some(Failure::new("history_broken", &broken.to_string()));
        }
        let runs_the_same = match (configured, &operation.plan) {
            (Some(configured), Some(approved)) => configured.runs_the_same(approved),
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if !runs_the_same {
            let message = "placet.yaml has changed since this operation was requested, and would run something else than what was approved: create the operation again";
            return Some(Failure::new("plan_changed", message));
        }
        None
    }

    pub(super) fn check_attempt(&self, attempt: u32) -> Result<(), Refusal> {
        let open = matches!(self.next.state, State::Running | State::Unknown);
        if open && attempt == self.next.attempts { Ok(()) } else { Err(Refusal::StaleAttempt) }
    }

    pub(super) fn finish(
        &mut self,
        attempt: u32,
        report: &Report,
        notify: &[Notice],
    ) -> Result<(), Refusal> {
        self.check_attempt(attempt)?;
        // If the operation is not idempotent, only its one attempt can have set `unclear`. This report says
        // how that attempt ended.
        self.next.unclear &= self.plan(|plan| plan.idempotent);
        match report {
            Report::Succeeded(result) => {
                self.record("succeeded", Actor::Worker, json!({"attempt": attempt}));
                self.end(State::Succeeded, Some(Outcome::Result(result.clone())));
            }
            Report::Rejected(failure) => {
                self.end_without_success(failure.clone(), Actor::Worker, notify);
            }
            Report::NotDone(failure, wish) => self.retry_for_long(failure, *wish, notify),
            Report::Unclear(failure) => {
                self.next.unclear = true;
                // A late unclear report does not change the state `unknown`.
                if self.plan(|plan| plan.idempotent) && self.next.state == State::Running {
                    self.retry(failure, Actor::Worker, notify);
                } else {
                    self.end_without_success(failure.clone(), Actor::Worker, notify);
                }
            }
        }
        Ok(())
    }

    /// The attempt may have run: it counts against the limit.
    fn retry(&mut self, cause: &Failure, by: Actor, notify: &[Notice]) {
        if self.next.attempts >= self.next.attempt_limit {
            return self.give_up(cause, by, notify);
        }
        let delay = backoff(self.next.attempts, self.item.call_id(), None);
        self.retry_after(delay, cause, by);
    }

    /// The attempt certainly did not run: it does not count against the limit, and the next one may start until
    /// the time for retries is over.
    fn retry_for_long(&mut self, cause: &Failure, wish: Option<Duration>, notify: &[Notice]) {
        let left = self.next.retry_until.unwrap_or(self.now).since(self.now);
        if left.is_zero() {
            return self.give_up(cause, Actor::Worker, notify);
        }
        self.next.attempt_limit = self.next.attempt_limit.saturating_add(1);
        let delay = backoff(self.next.attempts, self.item.call_id(), wish);
        let delay = if self.next.attempts > MANY { delay * 4 } else { delay };
        self.retry_after(delay.min(left), cause, Actor::Worker);
    }

    fn retry_after(&mut self, delay: Duration, cause: &Failure, by: Actor) {
        let detail = json!({
            "attempt": self.next.attempts,
            "code": cause.code,
            "message": cause.message,
            "not_before": self.now.plus(delay),
        });
        self.record("retrying", by, detail);
        self.queue(delay);
    }

    fn give_up(&mut self, cause: &Failure, by: Actor, notify: &[Notice]) {
        let attempts = self.next.attempts;
        let message = format!("retries exhausted after {attempts} attempts: {}", cause.message);
        self.end_without_success(Failure::new("attempts_exhausted", &message), by, notify);
    }

    fn end_without_success(&mut self, failure: Failure, by: Actor, notify: &[Notice]) {
        let state = if self.next.unclear { State::Unknown } else { State::Failed };
        self.fail(state, failure, by, notify);
    }

    /// A person settles an unknown outcome in every way, ends a blocked operation or runs it now, and runs a
    /// failed operation again, because nothing happened. A person can close an operation that was changed after
    /// its approval, but cannot run it again.
    pub(super) fn check_settlement(
        &self,
        settlement: Settlement,
        by: &Actor,
        seen: Digest,
        attempt: u32,
    ) -> Result<(), Refusal> {
        self.next.check_settler(by)?;
        let may = match self.next.state {
            State::Unknown => true,
            State::Blocked => settlement != Settlement::Happened,
            State::Failed => settlement == Settlement::RunAgain,
            _ => false,
        };
        if !may {
            return Err(Refusal::NotUnknown { state: self.next.state });
        }
        if settlement == Settlement::RunAgain || seen != self.next.digest {
            self.check_seen(seen)?;
        }
        if settlement == Settlement::RunAgain
            && self.next.history.of("settled").count() >= MOST_RUNS_AGAIN
        {
            return Err(Refusal::RunEnough);
        }
        if attempt == self.next.attempts { Ok(()) } else { Err(Refusal::StaleAttempt) }
    }

    pub(super) fn settle(
        &mut self,
        settlement: Settlement,
        comment: &str,
        by: &Actor,
        notify: &[Notice],
    ) {
        let detail = json!({"found": settlement.as_str(), "comment": comment});
        self.record("settled", by.clone(), detail);
        self.next.unclear = false;
        match settlement {
            Settlement::Happened => {
                self.end(State::Succeeded, Some(Outcome::Result(Value::Null)));
            }
            Settlement::DidNotHappen => {
                let message = format!("a person found that the call did not run: {comment}");
                let found = Failure::new("settled", &message);
                self.end(State::Failed, Some(Outcome::Failure(found)));
                self.notify(Event::Failed, notify);
            }
            Settlement::RunAgain => {
                let more = self.plan(|plan| plan.max_attempts);
                self.next.attempt_limit = self.next.attempts.saturating_add(more);
                self.next.retry_until = None;
                self.queue(Duration::ZERO);
            }
        }
    }

    /// The lease expired before the worker reported.
    pub(super) fn lease_expired(&mut self, attempt: u32, notify: &[Notice]) -> Result<(), Refusal> {
        let expired = self.next.leased_until.is_none_or(|until| until <= self.now);
        if self.next.state != State::Running || !expired {
            return Err(Refusal::NothingDue);
        }
        self.check_attempt(attempt)?;
        self.next.unclear = true;
        let message = "the worker started the call and did not report: the call may have run";
        let failure = Failure::new("lease_expired", message);
        if self.plan(|plan| plan.idempotent) {
            self.retry(&failure, Actor::Timer, notify);
        } else {
            self.fail(State::Unknown, failure, Actor::Timer, notify);
        }
        Ok(())
    }

    pub(super) fn abandon(&mut self, reason: &str) -> Result<(), Refusal> {
        match self.next.state {
            State::Queued | State::Blocked => {}
            State::Running => self.next.unclear = true,
            state => return Err(Refusal::NotQueued { state }),
        }
        self.end_without_success(Failure::new("abandoned", reason), Actor::Worker, &[]);
        Ok(())
    }
}

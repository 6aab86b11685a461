//! What workers do, and what a person makes of an outcome nobody knows.

use std::time::Duration;

use serde_json::{Value, json};

use super::Step;
use crate::retry::backoff;
use crate::{Digest, Failure, Lease, Outcome, Plan, Refusal, Report, Settlement, State, Verdict};

impl Step<'_> {
    pub(super) fn check_startable(&self) -> Result<(), Refusal> {
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
    pub(super) fn start(&mut self, configured: Option<&Plan>) {
        // Whoever starts has told them before.
        self.next.untold = false;
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

    pub(super) fn check_attempt(&self, attempt: u32) -> Result<(), Refusal> {
        let current = match self.next.state {
            State::Running => self.next.lease.as_ref().map(|lease| lease.attempt),
            State::Unknown => Some(self.next.attempts),
            _ => None,
        };
        if current == Some(attempt) { Ok(()) } else { Err(Refusal::StaleAttempt) }
    }

    pub(super) fn finish(&mut self, attempt: u32, report: &Report) {
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

    /// What was changed after it was approved can be closed, whatever came of it, but not run.
    pub(super) fn check_unknown(
        &self,
        settlement: Settlement,
        seen: Digest,
    ) -> Result<(), Refusal> {
        if self.next.state != State::Unknown {
            return Err(Refusal::NotUnknown { state: self.next.state });
        }
        if settlement != Settlement::RunAgain && seen == self.next.digest {
            return Ok(());
        }
        self.check_seen(seen)
    }

    pub(super) fn settle(&mut self, settlement: Settlement, comment: &str, by: &str) {
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

    /// The worker was not heard of in time.
    pub(super) fn lapse(&mut self) {
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
}

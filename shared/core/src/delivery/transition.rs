use std::time::Duration;

use super::{Answer, Attempt, Delivery, LARGEST_ANSWER, LARGEST_ERROR, State, excerpt, schedule};
use crate::retry::LONGEST;
use crate::{Lease, Timestamp};

/// How long a message on the queue may be missing before the timer sends another.
pub(super) const GRACE: Duration = Duration::from_secs(120);

/// How much longer than its timeout an attempt is given to record what came of it.
const MARGIN: Duration = Duration::from_secs(10);

/// What happens to a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A worker starts the next attempt.
    Start {
        /// How long the attempt may take.
        timeout: Duration,
    },
    /// A worker reports what came of an attempt.
    Record {
        /// The attempt of the lease it got.
        attempt: u32,
        /// What came.
        answer: Answer,
        /// How long it took.
        took: Duration,
    },
    /// It can not be sent, and waiting does not help.
    GiveUp {
        /// Why.
        reason: String,
    },
    /// The timer found it past its due time.
    Redrive,
    /// A person wants it sent again, from the start of the schedule.
    Redeliver,
}

/// The next version of a delivery and what must follow its write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The delivery to store, if its version is still the one before.
    pub delivery: Delivery,
    /// Put a `deliver` message on the queue, visible after this long. If it is lost, the timer
    /// makes it good.
    pub send: Option<Duration>,
}

/// Why a command changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is delivered or failed.
    #[error("a {} delivery is not sent", .state.as_str())]
    NotPending {
        /// Where it stands.
        state: State,
    },
    /// It is being sent.
    #[error("it is being sent until {until}")]
    LeaseHeld {
        /// When the lease ends.
        until: Timestamp,
    },
    /// The next attempt is due later.
    #[error("the next attempt starts no earlier than {not_before}")]
    TooEarly {
        /// When it may start.
        not_before: Timestamp,
    },
    /// A worker reports on an attempt that is not the current one.
    #[error("this is about an earlier attempt")]
    StaleAttempt,
    /// The timer found nothing to do.
    #[error("nothing is due")]
    NothingDue,
}

impl Refusal {
    /// The stable reason code, for replies and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotPending { .. } => "not_pending",
            Self::LeaseHeld { .. } => "lease_held",
            Self::TooEarly { .. } => "too_early",
            Self::StaleAttempt => "stale_attempt",
            Self::NothingDue => "nothing_due",
        }
    }
}

impl Delivery {
    /// The delivery after `command`, or why nothing changes.
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
        let mut next = self.clone();
        next.version += 1;
        next.last_write = write.to_owned();
        next.changed_at = now;
        let send = match command {
            Command::Start { timeout } => {
                next.start(*timeout, now)?;
                None
            }
            Command::Record { attempt, answer, took } => {
                next.record(*attempt, answer, *took, now)?
            }
            Command::GiveUp { reason } => {
                next.check_waiting()?;
                next.note(Attempt::unanswered(0, reason, Duration::ZERO, now));
                next.end(State::Failed);
                None
            }
            Command::Redrive => next.redrive(now)?,
            Command::Redeliver => {
                next.check_free()?;
                next.state = State::Pending;
                next.tries = 0;
                Some(next.try_in(Duration::ZERO, now))
            }
        };
        Ok(Transition { delivery: next, send: send.filter(|delay| *delay <= LONGEST) })
    }

    fn check_free(&self) -> Result<(), Refusal> {
        match &self.lease {
            Some(lease) => Err(Refusal::LeaseHeld { until: lease.until }),
            None => Ok(()),
        }
    }

    fn check_waiting(&self) -> Result<(), Refusal> {
        if self.state != State::Pending {
            return Err(Refusal::NotPending { state: self.state });
        }
        self.check_free()
    }

    fn start(&mut self, timeout: Duration, now: Timestamp) -> Result<(), Refusal> {
        self.check_waiting()?;
        if now < self.not_before {
            return Err(Refusal::TooEarly { not_before: self.not_before });
        }
        self.attempts = self.attempts.saturating_add(1);
        self.tries = self.tries.saturating_add(1);
        let until = now.plus(timeout).plus(MARGIN);
        self.lease = Some(Lease { attempt: self.attempts, until });
        self.due = Some(until);
        Ok(())
    }

    fn record(
        &mut self,
        attempt: u32,
        answer: &Answer,
        took: Duration,
        now: Timestamp,
    ) -> Result<Option<Duration>, Refusal> {
        if self.lease.as_ref().is_none_or(|lease| lease.attempt != attempt) {
            return Err(Refusal::StaleAttempt);
        }
        let asked = match answer {
            Answer::Status { status, retry_after, body } => {
                let text = String::from_utf8_lossy(&body[..body.len().min(LARGEST_ANSWER)]);
                self.note(Attempt {
                    status: Some(*status),
                    error: None,
                    answer: excerpt(&text, LARGEST_ANSWER),
                    ..Attempt::unanswered(attempt, "", took, now)
                });
                *retry_after
            }
            Answer::Nothing(reason) => {
                self.note(Attempt::unanswered(attempt, reason, took, now));
                None
            }
        };
        if answer.is_success() {
            self.end(State::Delivered);
            return Ok(None);
        }
        if answer.is_gone() {
            self.end(State::Failed);
            return Ok(None);
        }
        Ok(self.try_again(asked, now))
    }

    fn redrive(&mut self, now: Timestamp) -> Result<Option<Duration>, Refusal> {
        if self.due.is_none_or(|due| now < due) {
            return Err(Refusal::NothingDue);
        }
        let Some(lease) = self.lease.take() else {
            return Ok(Some(self.try_in(Duration::ZERO, now)));
        };
        let reason = "the worker was not heard of in time; it may have been delivered";
        self.note(Attempt::unanswered(lease.attempt, reason, Duration::ZERO, now));
        Ok(self.try_again(None, now))
    }

    /// On to the next attempt of the schedule, or to its end.
    fn try_again(&mut self, asked: Option<Duration>, now: Timestamp) -> Option<Duration> {
        let seed = format!("{}#{}", self.id, self.attempts);
        let Some(wait) = schedule(self.tries, &seed, asked) else {
            self.end(State::Failed);
            return None;
        };
        Some(self.try_in(wait, now))
    }

    /// A message can not wait longer than [`LONGEST`]: then the timer is to send it, in time.
    fn try_in(&mut self, wait: Duration, now: Timestamp) -> Duration {
        self.lease = None;
        self.not_before = now.plus(wait);
        let grace = if wait <= LONGEST { GRACE } else { Duration::ZERO };
        self.due = Some(self.not_before.plus(grace));
        wait
    }

    fn end(&mut self, state: State) {
        self.state = state;
        self.lease = None;
        self.due = None;
    }
}

impl Attempt {
    fn unanswered(attempt: u32, reason: &str, took: Duration, now: Timestamp) -> Self {
        Self {
            attempt,
            at: now,
            status: None,
            error: Some(excerpt(reason, LARGEST_ERROR)),
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            answer: String::new(),
        }
    }
}

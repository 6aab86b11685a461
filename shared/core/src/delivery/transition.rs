use std::time::Duration;

use super::{Answer, Attempt, Delivery, LARGEST_ERROR, State, excerpt, schedule};
use crate::item::{Change, Item, Job, Kind, Lane, Next, Write};
use crate::limits::LARGEST_ANSWER;
use crate::{Payload, Timestamp};

/// How long a delivery is kept after it is delivered or has failed.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A command that changes a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// An attempt has started and is not answered yet. The next attempt waits until this attempt must have
    /// ended.
    Started {
        /// The timeout of the attempt.
        timeout: Duration,
    },
    /// Records the result of an attempt.
    Record {
        /// The number of the attempt, from 1.
        attempt: u32,
        /// The answer of the endpoint.
        answer: Answer,
        /// The duration of the attempt.
        took: Duration,
    },
    /// The notification is not needed any more.
    Skip {
        /// The reason.
        reason: String,
    },
    /// The delivery can never be sent.
    Fail {
        /// The reason.
        reason: String,
    },
    /// A person sends the delivery again, from the start of the schedule.
    Redeliver,
}

/// The work of a worker for a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Make the next attempt.
    Send,
}

/// The reason why a command changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The delivery is delivered or has failed.
    #[error("the delivery is {}, and only a pending delivery is sent", .state.as_str())]
    NotPending {
        /// The state of the delivery.
        state: State,
    },
    /// A worker reports on an attempt that is not the current one.
    #[error("the report is about an earlier attempt")]
    StaleAttempt,
}

impl Refusal {
    /// The stable reason code, for replies and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotPending { .. } => "not_pending",
            Self::StaleAttempt => "stale_attempt",
        }
    }
}

/// After this time a delivery fails even if attempts are left. Attempts that the circuit breaker refuses do
/// not count as failed attempts. The schedule itself ends earlier, even if the endpoint asks for a day before
/// each attempt.
const LONGEST: Duration = Duration::from_secs(10 * 24 * 60 * 60);

/// After the timeout of an attempt, the worker has this much time to record it.
const MARGIN: Duration = Duration::from_secs(10);

impl Kind for Delivery {
    const NAME: &'static str = "delivery";
    const REPEATABLE: bool = true;

    type Command = Command;
    type Refusal = Refusal;
    type Work = Work;

    fn apply(
        item: &Item<Self>,
        command: &Command,
        write: &Write<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let now = write.at;
        let mut next = item.body.clone();
        match command {
            Command::Started { timeout } => {
                next.check_pending()?;
                next.not_before = now.plus(*timeout).plus(MARGIN);
            }
            Command::Record { attempt, answer, took } => {
                next.check_pending()?;
                if *attempt != next.attempts.saturating_add(1) {
                    return Err(Refusal::StaleAttempt);
                }
                next.record(&item.header.id, answer, *took, now);
            }
            Command::Skip { reason } => {
                next.check_pending()?;
                next.note(Attempt::unanswered(0, reason, Duration::ZERO, now));
                next.state = State::Skipped;
            }
            Command::Fail { reason } => {
                next.check_pending()?;
                next.note(Attempt::unanswered(0, reason, Duration::ZERO, now));
                next.state = State::Failed;
            }
            Command::Redeliver => {
                next.state = State::Pending;
                next.failed_attempts = 0;
                (next.not_before, next.since) = (now, now);
            }
        }
        Ok(next.into())
    }

    fn next(item: &Item<Self>, now: Timestamp) -> Next<Self> {
        match item.state {
            State::Pending if now >= item.since.plus(LONGEST) => {
                let reason = "retries exhausted: attempts to the endpoint were paused for ten days"
                    .to_owned();
                Next::Transition(Command::Fail { reason })
            }
            State::Pending => {
                Next::Work(Job { lane: Lane::Calls, at: item.not_before, work: Work::Send })
            }
            State::Delivered | State::Failed | State::Skipped => Next::Nothing,
        }
    }

    fn failed(reason: String) -> Command {
        Command::Fail { reason }
    }

    fn is_id(text: &str) -> bool {
        Self::is_id(text)
    }

    /// A notification that the endpoint accepted at the first attempt is not listed, which saves a write. It
    /// can be found through its operation.
    fn is_listed(&self) -> bool {
        let notification = self.operation.is_some();
        !(notification && self.state == State::Delivered && self.attempts <= 1)
    }

    fn expires(item: &Item<Self>) -> Option<Timestamp> {
        (item.state != State::Pending).then(|| item.header.changed_at.plus(KEPT))
    }

    fn payload(&self) -> Option<&Payload> {
        self.operation.is_none().then_some(&self.payload)
    }

    fn with_payload(self, payload: Payload) -> Self {
        Self { payload, ..self }
    }
}

impl Delivery {
    fn check_pending(&self) -> Result<(), Refusal> {
        match self.state {
            State::Pending => Ok(()),
            state => Err(Refusal::NotPending { state }),
        }
    }

    fn record(&mut self, id: &str, answer: &Answer, took: Duration, now: Timestamp) {
        self.attempts = self.attempts.saturating_add(1);
        let mut asked = None;
        match answer {
            Answer::Status { status, retry_after, body } => {
                let text = String::from_utf8_lossy(&body[..body.len().min(LARGEST_ANSWER)]);
                asked = *retry_after;
                self.note(Attempt {
                    status: Some(*status),
                    error: None,
                    answer: excerpt(&text, LARGEST_ANSWER),
                    ..Attempt::unanswered(self.attempts, "", took, now)
                });
            }
            Answer::Nothing(reason) | Answer::TimedOut(reason) => {
                self.note(Attempt::unanswered(self.attempts, reason, took, now));
            }
        }
        if answer.is_success() {
            self.state = State::Delivered;
        } else if answer.is_gone() {
            self.state = State::Failed;
        } else {
            self.retry(id, asked, now);
        }
    }

    /// Schedules the next attempt, or fails the delivery at the end of the schedule.
    fn retry(&mut self, id: &str, asked: Option<Duration>, now: Timestamp) {
        self.failed_attempts = self.failed_attempts.saturating_add(1);
        let seed = format!("{id}#{}", self.attempts);
        match schedule(self.failed_attempts, &seed, asked) {
            Some(wait) => self.not_before = now.plus(wait),
            None => self.state = State::Failed,
        }
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

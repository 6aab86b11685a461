use super::{Receipt, Replays, State, beginning};
use crate::item::{Change, Item, Job, Kind, Lane, Next, Write};
use crate::{Payload, Timestamp};

/// The most bytes of a note. A note may quote the received webhook.
const LONGEST_NOTE: usize = 4 * 1024;

/// A command that changes a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Every target that takes the event has processed it.
    Processed {
        /// The number of the processed replay; 0 the first time.
        replay: u32,
        /// The type of the event.
        event_type: Option<String>,
        /// The result of the processing, for a person.
        note: String,
    },
    /// A target failed, and another attempt would also fail.
    Fail {
        /// The number of the processed replay; 0 the first time.
        replay: u32,
        /// The type of the event, if the body could be read.
        event_type: Option<String>,
        /// The reason, for a person.
        note: String,
    },
    /// The receipt can never be processed.
    Abandon {
        /// The reason, for a person.
        reason: String,
    },
    /// A person replays the receipt.
    Replay,
    /// The sender sends a failed webhook again.
    Redeliver,
}

/// The work of a worker for a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Hand the event to every target that takes it. Each target is idempotent, so a worker may process a
    /// receipt again until the result is recorded.
    Process,
}

/// The reason why a command changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The receipt is processed or has failed.
    #[error("the receipt is already {}", .state.as_str())]
    NotReceived {
        /// The state of the receipt.
        state: State,
    },
    /// A webhook that its sender sends again did not fail.
    #[error("the receipt is {}, so it is not processed again", .state.as_str())]
    NotFailed {
        /// The state of the receipt.
        state: State,
    },
    /// A worker reports on an earlier replay.
    #[error("the report is about an earlier replay")]
    StaleReplay,
    /// The receipt is not processed yet.
    #[error("the receipt is not processed yet: replay it after it is processed")]
    UnderWay,
}

impl Refusal {
    /// The stable reason code, for replies and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotReceived { .. } => "not_received",
            Self::NotFailed { .. } => "not_failed",
            Self::StaleReplay => "stale_replay",
            Self::UnderWay => "under_way",
        }
    }
}

impl Kind for Receipt {
    const NAME: &'static str = "receipt";

    type Command = Command;
    type Refusal = Refusal;
    type Work = Work;

    fn apply(
        item: &Item<Self>,
        command: &Command,
        write: &Write<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let mut next = item.body.clone();
        match (command, item.state) {
            (Command::Processed { replay, .. } | Command::Fail { replay, .. }, State::Received)
                if *replay != item.replay() =>
            {
                return Err(Refusal::StaleReplay);
            }
            (Command::Processed { event_type, note, .. }, State::Received) => {
                next.end(State::Processed, event_type.as_ref(), note);
            }
            (Command::Fail { event_type, note, .. }, State::Received) => {
                next.end(State::Failed, event_type.as_ref(), note);
            }
            (Command::Abandon { reason }, State::Received) => {
                next.end(State::Failed, None, reason);
            }
            (Command::Replay, State::Processed | State::Failed | State::Duplicate)
            | (Command::Redeliver, State::Failed) => {
                let count = item.replay().saturating_add(1);
                next.state = State::Received;
                next.replays = Some(Replays { count, last_at: write.at });
            }
            (Command::Replay | Command::Redeliver, State::Received) => {
                return Err(Refusal::UnderWay);
            }
            (Command::Redeliver, State::Processed | State::Duplicate) => {
                return Err(Refusal::NotFailed { state: item.state });
            }
            (Command::Processed { .. } | Command::Fail { .. } | Command::Abandon { .. }, state) => {
                return Err(Refusal::NotReceived { state });
            }
        }
        Ok(next.into())
    }

    fn next(item: &Item<Self>, _now: Timestamp) -> Next<Self> {
        match item.state {
            State::Received => Next::Work(Job {
                lane: Lane::Work,
                at: item.header.created_at,
                work: Work::Process,
            }),
            State::Processed | State::Failed | State::Duplicate => Next::Nothing,
        }
    }

    fn failed(reason: String) -> Command {
        Command::Abandon { reason }
    }

    fn is_id(text: &str) -> bool {
        Self::is_id(text)
    }

    /// A receipt that is not processed yet is never deleted.
    fn expires(item: &Item<Self>) -> Option<Timestamp> {
        (item.state != State::Received).then_some(item.remembered_until)
    }

    fn payload(&self) -> Option<&Payload> {
        Some(&self.body)
    }

    fn with_payload(self, body: Payload) -> Self {
        Self { body, ..self }
    }
}

impl Receipt {
    fn end(&mut self, state: State, event_type: Option<&String>, note: &str) {
        self.state = state;
        self.event_type = event_type.cloned();
        self.note = beginning(note, LONGEST_NOTE);
    }
}

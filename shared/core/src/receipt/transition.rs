use super::{Receipt, Replays, State, beginning};
use crate::item::{Change, Item, Job, Kind, Lane, Next, Write};
use crate::{Payload, Timestamp};

/// The most bytes of a note that are kept: it may quote what was received.
const LONGEST_NOTE: usize = 4 * 1024;

/// What changes a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Every target that takes its event has it.
    Processed {
        /// For which replay it was processed; 0 the first time.
        replay: u32,
        /// The type of the event.
        event_type: Option<String>,
        /// What came of it, for a person.
        note: String,
    },
    /// A target failed, and another attempt would fail, too.
    Fail {
        /// For which replay it was processed; 0 the first time.
        replay: u32,
        /// The type of the event, if the body could be read.
        event_type: Option<String>,
        /// Why, for a person.
        note: String,
    },
    /// It can never be processed.
    Abandon {
        /// Why, for a person.
        reason: String,
    },
    /// A person wants it processed again.
    Replay,
}

/// What a worker does for a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Hand its event to every target that takes it. Each of them does its part once, however often it is
    /// asked, so a receipt is processed again until that is recorded.
    Process,
}

/// Why a command changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is processed, or has failed.
    #[error("the receipt is {} already", .state.as_str())]
    NotReceived {
        /// Where it stands.
        state: State,
    },
    /// A worker reports on an earlier replay than the current one.
    #[error("this is about an earlier replay")]
    StaleReplay,
    /// It is still to be processed.
    #[error("the receipt is still to be processed")]
    UnderWay,
}

impl Refusal {
    /// The stable reason code, for replies and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotReceived { .. } => "not_received",
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
            (Command::Replay, State::Processed | State::Failed) => {
                let count = item.replay().saturating_add(1);
                next.state = State::Received;
                next.replays = Some(Replays { count, last_at: write.at });
            }
            (Command::Replay, State::Received) => return Err(Refusal::UnderWay),
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
            State::Processed | State::Failed => Next::Nothing,
        }
    }

    fn failed(reason: String) -> Command {
        Command::Abandon { reason }
    }

    fn is_id(text: &str) -> bool {
        Self::is_id(text)
    }

    /// What is still to be processed is not deleted, however old it is.
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

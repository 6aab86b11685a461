use super::{MOST_ESCALATIONS, MOST_RUNS_AGAIN, OperationKind, State};
use crate::Timestamp;

/// Why a command changes nothing. Not a fault: a concurrent decision, a late answer, a duplicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody decided before.
    #[error("call already has a response: it is {}", .state.as_str())]
    AlreadyDecided {
        /// Where the operation stands.
        state: State,
    },
    /// A question cannot be approved, and a call cannot be answered in words.
    #[error("a {} is not decided like this: approve or deny a function_call, answer a human_contact", .kind.as_str())]
    WrongVerdict {
        /// What was to be decided.
        kind: OperationKind,
    },
    /// The answer to a question is empty.
    #[error("an answer needs at least one character")]
    EmptyAnswer,
    /// The requester has escalated too often.
    #[error(
        "it was escalated {MOST_ESCALATIONS} times, which is the most: reach the person another way"
    )]
    EscalatedEnough,
    /// The decision came after the deadline.
    #[error("the deadline {deadline} has passed: create the operation again")]
    Expired {
        /// The last moment at which a decision counted.
        deadline: Timestamp,
    },
    /// The decision is about other content than what is stored.
    #[error("the operation is not the one you saw: open it again")]
    DigestMismatch,
    /// A worker wants to start what does not wait for a worker.
    #[error("a {} operation cannot be started", .state.as_str())]
    NotQueued {
        /// Where the operation stands.
        state: State,
    },
    /// Another worker runs it.
    #[error("another worker holds the lease until {until}")]
    LeaseHeld {
        /// When the lease expires.
        until: Timestamp,
    },
    /// The next attempt is due later.
    #[error("the next attempt starts no earlier than {not_before}")]
    TooEarly {
        /// When it may start.
        not_before: Timestamp,
    },
    /// A worker reports on, or a person settles, an attempt that is not the current one.
    #[error("this is about an earlier attempt")]
    StaleAttempt,
    /// A person settles what is not unknown.
    #[error("only an unknown outcome can be settled, this one is {}", .state.as_str())]
    NotUnknown {
        /// Where the operation stands.
        state: State,
    },
    /// A person has had it run again too often.
    #[error(
        "it was run again {MOST_RUNS_AGAIN} times, which is the most: find out what came of it, or request it anew"
    )]
    RunEnough,
    /// Its time has not come, or it waits for something else.
    #[error("nothing is due")]
    NothingDue,
}

impl Refusal {
    /// The stable reason code, for replies and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlreadyDecided { .. } => "already_decided",
            Self::WrongVerdict { .. } => "wrong_verdict",
            Self::EmptyAnswer => "empty_answer",
            Self::EscalatedEnough => "escalated_enough",
            Self::Expired { .. } => "expired",
            Self::DigestMismatch => "digest_mismatch",
            Self::NotQueued { .. } => "not_queued",
            Self::LeaseHeld { .. } => "lease_held",
            Self::TooEarly { .. } => "too_early",
            Self::StaleAttempt => "stale_attempt",
            Self::NotUnknown { .. } => "not_unknown",
            Self::RunEnough => "run_enough",
            Self::NothingDue => "nothing_due",
        }
    }
}

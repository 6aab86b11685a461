use super::{OperationKind, State};
use crate::Timestamp;
use crate::limits::{MOST_ESCALATIONS, MOST_LINKS, MOST_RUNS_AGAIN};

/// The reason why a command changes nothing. A refusal is not a fault: its causes are a concurrent
/// decision, a late answer or a duplicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The operation already has a decision, or it is cancelled.
    #[error("call already has a response: it is {}", .state.as_str())]
    AlreadyDecided {
        /// The state of the operation.
        state: State,
    },
    /// The key that created the operation tries to decide it.
    #[error(
        "the key that created an operation cannot decide it: use another key, or create with a key that was made with --self-approval"
    )]
    OwnOperation,
    /// The operation was not created to be decided by this webhook source or server.
    #[error(
        "the operation was not created to be decided here: name this source or server as its approver in placet.yaml"
    )]
    NotAnApprover,
    /// The decision link was revoked.
    #[error("the link was revoked: ask for a new one")]
    LinkRevoked,
    /// Nothing waits for a person, so there is nothing to link to.
    #[error("the operation is {}: there is nothing to decide", .state.as_str())]
    NothingToDecide {
        /// The state of the operation.
        state: State,
    },
    /// Too many links were made or revoked.
    #[error(
        "an operation has at most {MOST_LINKS} links, and as many are revoked: send the approver to the inbox"
    )]
    LinksEnough,
    /// A question cannot be approved or denied, and a call cannot be answered.
    #[error("a {} does not accept this verdict: approve or deny a function_call, answer a human_contact", .kind.as_str())]
    WrongVerdict {
        /// The kind of the operation.
        kind: OperationKind,
    },
    /// The answer to a question is empty.
    #[error("an answer needs at least one character")]
    EmptyAnswer,
    /// The requester has escalated too many times.
    #[error(
        "the operation was escalated {MOST_ESCALATIONS} times, which is the limit: contact the approver directly"
    )]
    EscalatedEnough,
    /// The decision came after the deadline.
    #[error("the deadline {deadline} has passed: create the operation again")]
    Expired {
        /// The last moment at which an approver could decide.
        deadline: Timestamp,
    },
    /// The digest that the person saw is not the digest of the stored operation.
    #[error(
        "the content of the operation is not what you saw: open the operation again, then decide"
    )]
    DigestMismatch,
    /// A worker tries to start an operation that is not queued.
    #[error("a {} operation cannot be started", .state.as_str())]
    NotQueued {
        /// The state of the operation.
        state: State,
    },
    /// Another worker runs the operation.
    #[error("another worker holds the lease until {until}")]
    LeaseHeld {
        /// When the lease expires.
        until: Timestamp,
    },
    /// The next attempt is due later.
    #[error("the next attempt starts no earlier than {not_before}")]
    TooEarly {
        /// The earliest start of the next attempt.
        not_before: Timestamp,
    },
    /// A worker reports on an old attempt, or a person settles an old attempt.
    #[error("the attempt is not the current one: load the operation again")]
    StaleAttempt,
    /// A person tries to settle an operation in a state that does not take this settlement.
    #[error(
        "only an unknown outcome can be settled, and only a failed or blocked operation can be run again; this operation is {}",
        .state.as_str()
    )]
    NotUnknown {
        /// The state of the operation.
        state: State,
    },
    /// A person has run the operation again too many times.
    #[error(
        "the operation was run again {MOST_RUNS_AGAIN} times, which is the limit: settle its outcome, or create a new operation"
    )]
    RunEnough,
    /// The transition is not due yet, or the state does not need it.
    #[error("nothing is due")]
    NothingDue,
}

impl Refusal {
    /// The stable reason code, for replies and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlreadyDecided { .. } => "already_decided",
            Self::OwnOperation => "own_operation",
            Self::NotAnApprover => "not_an_approver",
            Self::LinkRevoked => "link_revoked",
            Self::NothingToDecide { .. } => "nothing_to_decide",
            Self::LinksEnough => "links_enough",
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

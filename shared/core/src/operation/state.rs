use serde::{Deserialize, Serialize};

/// The state of an operation.
///
/// `pending → approved | denied | answered | cancelled | expired`. If the operation has an executor, an
/// approval leads to `queued → running → succeeded | failed | unknown` instead of `approved`. `blocked` stands
/// for `queued` while the configuration is missing. A person can run a `failed` operation again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for an approver.
    Pending,
    /// Approved. Placet runs nothing: the requester acts on the decision. Terminal.
    Approved,
    /// Denied. Terminal.
    Denied,
    /// An approver answered the question. Terminal.
    Answered,
    /// The requester cancelled the operation. Terminal.
    Cancelled,
    /// Nobody decided before the deadline. Terminal.
    Expired,
    /// Approved. Waits for a worker, or for the next attempt.
    Queued,
    /// Approved. The configuration that runs it is missing. It runs as soon as the configuration is there.
    Blocked,
    /// A worker holds the lease.
    Running,
    /// The call ran, and its result is recorded. Terminal.
    Succeeded,
    /// The call had no effect. Nothing more happens, unless a person runs it again.
    Failed,
    /// The call may have had its effect. Placet does not run it again until a person settles the outcome.
    Unknown,
}

impl State {
    /// All states.
    pub const ALL: [Self; 12] = [
        Self::Pending,
        Self::Approved,
        Self::Denied,
        Self::Answered,
        Self::Cancelled,
        Self::Expired,
        Self::Queued,
        Self::Blocked,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Unknown,
    ];

    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The name in the store, the API, pages and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Answered => "answered",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Queued => "queued",
            Self::Blocked => "blocked",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the operation never leaves this state.
    pub const fn is_terminal(self) -> bool {
        !matches!(
            self,
            Self::Pending | Self::Queued | Self::Blocked | Self::Running | Self::Unknown
        )
    }
}

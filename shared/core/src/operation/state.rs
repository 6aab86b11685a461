use serde::{Deserialize, Serialize};

/// Where an operation stands.
///
/// `pending → approved | denied | answered | cancelled | expired`; one with an executor goes on from
/// the approval `→ queued → running → succeeded | failed | unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for a person.
    Pending,
    /// Approved; nothing runs here, the requester acts on it. Terminal.
    Approved,
    /// Denied. Terminal.
    Denied,
    /// A person answered the question. Terminal.
    Answered,
    /// The requester cancelled it. Terminal.
    Cancelled,
    /// Nobody decided before the deadline. Terminal.
    Expired,
    /// Approved; waits for a worker, or for its next attempt.
    Queued,
    /// A worker holds the lease.
    Running,
    /// It ran, the result is recorded. Terminal.
    Succeeded,
    /// It did not happen. Terminal.
    Failed,
    /// It may have happened, or not. It is not run again until a person has settled it.
    Unknown,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Pending,
        Self::Approved,
        Self::Denied,
        Self::Answered,
        Self::Cancelled,
        Self::Expired,
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Unknown,
    ];

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The name on every surface.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Answered => "answered",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Whether nothing happens to it any more.
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Pending | Self::Queued | Self::Running | Self::Unknown)
    }
}

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How an approved operation is run. Fixed at creation: a person approves this, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What runs it, in words a person reads: `function purchase_materials`, `POST https://…`.
    pub executor: String,
    /// Whether running it twice with one idempotency key has the effect of running it once.
    pub idempotent: bool,
    /// How many attempts are made at most.
    pub max_attempts: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
}

impl Plan {
    /// What of it an approval is bound to: what runs, and whether it may be repeated.
    pub(crate) fn digested(&self) -> Value {
        json!({"executor": self.executor, "idempotent": self.idempotent})
    }

    /// Whether an approval of one of them is an approval of the other.
    pub fn runs_the_same(&self, other: &Self) -> bool {
        self.digested() == other.digested()
    }
}

/// An upstream approver: a HumanLayer-compatible server that decides, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// Where its API is, with `/humanlayer/v1`.
    pub base_url: String,
    /// How often it was polled.
    pub polls: u32,
    /// When it is polled next; `None` after the last poll before the deadline.
    pub next_poll: Option<crate::Timestamp>,
}

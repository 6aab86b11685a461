use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How a worker runs an approved operation. Placet fixes the plan at creation: the approver approves the
/// plan, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The executor, as pages show it: `function purchase_materials`, `POST https://…`.
    pub executor: String,
    /// Whether two runs with one idempotency key have the effect of one run.
    pub idempotent: bool,
    /// The most attempts that may have run.
    pub max_attempts: u32,
    /// How long Placet retries attempts that are known not to have run, from the first attempt on.
    pub retry_for: Duration,
    /// The timeout of one attempt.
    pub timeout: Duration,
}

impl Plan {
    /// The part of the plan that an approval is bound to: the executor, and whether it is idempotent.
    pub(crate) fn digested(&self) -> Value {
        json!({"executor": self.executor, "idempotent": self.idempotent})
    }

    /// Whether an approval of one plan is valid for the other.
    pub fn runs_the_same(&self, other: &Self) -> bool {
        self.digested() == other.digested()
    }
}

/// An upstream approver: another HumanLayer-compatible server, which may decide, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// The base URL of its API, with `/humanlayer/v1`.
    pub base_url: String,
    /// How many polls were made.
    pub polls: u32,
    /// The time of the next poll; `None` after the last poll before the deadline.
    pub next_poll: Option<crate::Timestamp>,
}

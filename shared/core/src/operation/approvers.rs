//! Who may decide an operation.

use serde::{Deserialize, Serialize};

use super::{Actor, Operation, Refusal};

/// Who may decide an operation, beside its upstream approver. Placet fixes this at creation.
///
/// The inbox, signed links and API keys with the right may decide every operation. A webhook decides only
/// the operations that name its source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvers {
    /// The webhook source whose events may decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// The id of the API key that may not decide: the key that created the operation, unless it is a
    /// self-approval key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except_key: Option<String>,
}

impl Operation {
    /// Checks that `by` may decide this operation, or settle its outcome.
    ///
    /// # Errors
    ///
    /// [`Refusal::OwnOperation`] for the key that created the operation, and [`Refusal::NotAnApprover`] for
    /// everybody that the operation does not name.
    pub fn check_approver(&self, by: &Actor) -> Result<(), Refusal> {
        let may = match by {
            Actor::Inbox | Actor::Link { .. } => true,
            Actor::Api { key, .. } if self.approvers.except_key.as_ref() == Some(key) => {
                return Err(Refusal::OwnOperation);
            }
            Actor::Api { .. } => true,
            Actor::Webhook { source, .. } => self.approvers.webhook.as_ref() == Some(source),
            Actor::Upstream { url } => {
                self.upstream.as_ref().is_some_and(|upstream| upstream.base_url == *url)
            }
            // The sample in a test event, which is not stored.
            Actor::Test => self.history.entries().first().is_some_and(|created| created.by == *by),
            Actor::Demo | Actor::Worker | Actor::Timer => false,
        };
        if may { Ok(()) } else { Err(Refusal::NotAnApprover) }
    }
}

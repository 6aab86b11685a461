//! What an approval is bound to (law 1), and what tells an operation from all others.

use serde_json::json;

use super::{Content, HistoryBroken, Operation, Plan};
use crate::Digest;
use crate::item::Item;

impl Item<Operation> {
    /// The digest of the operation as it is stored now: project, kind, content, options and plan.
    ///
    /// Equal to the digest it was created with unless somebody changed the row.
    pub fn content_digest(&self) -> Digest {
        self.digest_with(&self.content)
    }

    /// The digest this operation would have with another content: what somebody saw who was shown that.
    pub fn digest_with(&self, content: &Content) -> Digest {
        let mut whole = content.digested();
        whole["project"] = self.project().into();
        whole["kind"] = content.kind().as_str().into();
        whole["options"] = json!(self.options);
        whole["plan"] = json!(self.plan.as_ref().map(Plan::digested));
        Digest::of_json(&whole)
    }

    /// Whether the history is the one that was written for this operation.
    ///
    /// # Errors
    ///
    /// Names the first entry that does not follow from what is before it.
    pub fn verify_history(&self) -> Result<(), HistoryBroken> {
        self.history.verify(self.identity())
    }

    /// What tells this operation from all others: where its history starts.
    pub(super) fn identity(&self) -> Digest {
        Digest::of_json(&json!([self.project(), self.kind().as_str(), self.call_id()]))
    }

    /// The key under which an executor must do this operation at most once. The same for every attempt;
    /// distinct for every operation of every project.
    pub fn idempotency_key(&self) -> String {
        let identity = json!([self.project(), self.kind().as_str(), self.call_id(), self.digest]);
        format!("placet-{}", Digest::of_json(&identity))
    }
}

//! The digest to which an approval is bound (law 1), and the identity of an operation.

use serde_json::json;

use super::{Content, HistoryBroken, Operation, Plan};
use crate::Digest;
use crate::item::Item;

impl Item<Operation> {
    /// The digest of the operation as it is stored now: project, kind, content, options and plan.
    ///
    /// If nobody changed the row, this digest is equal to [`Operation::digest`], which was computed at the
    /// creation.
    pub fn content_digest(&self) -> Digest {
        self.digest_with(&self.content)
    }

    /// The digest that this operation would have with `content`. Somebody who saw that content decided on
    /// this digest.
    pub fn digest_with(&self, content: &Content) -> Digest {
        let mut whole = content.digested();
        whole["project"] = self.project().into();
        whole["kind"] = content.kind().as_str().into();
        whole["options"] = json!(self.options);
        whole["plan"] = json!(self.plan.as_ref().map(Plan::digested));
        Digest::of_json(&whole)
    }

    /// Checks that nobody changed the history after Placet wrote it for this operation.
    ///
    /// # Errors
    ///
    /// Names the first entry that does not match the hash chain.
    pub fn verify_history(&self) -> Result<(), HistoryBroken> {
        self.history.verify(self.identity())
    }

    /// The identity of this operation: a digest of project, kind and call id. The history's hash chain
    /// starts with it.
    pub(super) fn identity(&self) -> Digest {
        Digest::of_json(&json!([self.project(), self.kind().as_str(), self.call_id()]))
    }

    /// The idempotency key: an executor must run one key at most once. The key is the same for every
    /// attempt, and different for every operation of every project.
    pub fn idempotency_key(&self) -> String {
        let identity = json!([self.project(), self.kind().as_str(), self.call_id(), self.digest]);
        format!("placet-{}", Digest::of_json(&identity))
    }
}

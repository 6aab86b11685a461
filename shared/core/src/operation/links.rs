//! Decision links of an operation: made for a person, and revoked.

use serde_json::json;

use super::transition::Step;
use super::{Actor, Operation, Refusal, State};
use crate::limits::MOST_LINKS;
use crate::{DecisionLink, Timestamp};

impl Operation {
    /// The attempt that a new link would settle, if the operation waits for its settlement; `None` if a new link
    /// would decide.
    ///
    /// # Errors
    ///
    /// If nothing waits for a person.
    pub fn linked_attempt(&self, now: Timestamp) -> Result<Option<u32>, Refusal> {
        match self.state_at(now) {
            State::Pending => Ok(None),
            State::Unknown | State::Blocked | State::Failed => Ok(Some(self.attempts)),
            state => Err(Refusal::NothingToDecide { state }),
        }
    }
}

impl crate::item::Item<Operation> {
    /// A link for this person: to settle this attempt, or to decide if there is none.
    pub fn link(
        &self,
        person: Option<&str>,
        settles: Option<u32>,
        expires_at: Timestamp,
    ) -> DecisionLink {
        DecisionLink {
            kind: self.kind(),
            project: self.project().to_owned(),
            call_id: self.call_id().to_owned(),
            digest: self.digest,
            settles,
            person: person.map(str::to_owned),
            expires_at,
        }
    }

    /// A link for this person to decide or settle this operation now.
    ///
    /// # Errors
    ///
    /// If nothing waits for a person.
    pub fn link_for(
        &self,
        person: Option<&str>,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<DecisionLink, Refusal> {
        Ok(self.link(person, self.linked_attempt(now)?, expires_at))
    }
}

impl Step<'_> {
    pub(super) fn link(
        &mut self,
        id: &str,
        person: Option<&str>,
        until: Timestamp,
        by: &Actor,
    ) -> Result<(), Refusal> {
        self.next.linked_attempt(self.now)?;
        // A key that may not decide must not make a link that decides.
        self.next.check_approver(by)?;
        if person.is_some_and(|person| !self.next.approvers.include(person)) {
            return Err(Refusal::NotAnApprover);
        }
        if self.next.history.of("linked").count() >= MOST_LINKS {
            return Err(Refusal::LinksEnough);
        }
        let detail = json!({"link": id, "person": person, "until": until});
        self.record("linked", by.clone(), detail);
        Ok(())
    }

    /// Revokes a link. To revoke it again changes nothing more.
    pub(super) fn revoke_link(&mut self, id: &str, by: &Actor) -> Result<(), Refusal> {
        self.next.linked_attempt(self.now)?;
        if self.next.revoked_links.iter().any(|known| known == id) {
            return Err(Refusal::LinkRevoked);
        }
        if self.next.revoked_links.len() >= MOST_LINKS {
            return Err(Refusal::LinksEnough);
        }
        self.next.revoked_links.push(id.to_owned());
        self.record("link_revoked", by.clone(), json!({"link": id}));
        Ok(())
    }
}

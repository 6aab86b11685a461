//! Who may decide an operation.

use serde::{Deserialize, Serialize};

use super::{Actor, Operation, Refusal};

/// Who may decide an operation, beside its upstream approver. Placet fixes this at creation.
///
/// The people decide in the inbox, by link or by message. The surface checks that they are still listed and have
/// the right. API keys with the right decide every operation. A webhook decides only the operations that name its
/// source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvers {
    /// The ids of the people who may decide; everybody who is listed if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// The webhook source whose events may decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// The id of the API key that may not decide: the key that created the operation, unless it is a
    /// self-approval key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except_key: Option<String>,
}

impl Approvers {
    /// Adds people who may decide. If everybody may decide, they may already.
    pub(super) fn add(&mut self, people: &[String]) {
        if self.people.is_empty() {
            return;
        }
        for id in people {
            if !self.people.contains(id) {
                self.people.push(id.clone());
            }
        }
    }

    /// Whether this person is an approver, if the person is still listed.
    pub fn include(&self, person: &str) -> bool {
        self.people.is_empty() || self.people.iter().any(|id| id == person)
    }
}

impl Operation {
    /// Checks that `by` may settle the outcome of this operation. A person who operates Placet may settle every
    /// outcome, and the inbox has checked that right.
    ///
    /// # Errors
    ///
    /// As [`Self::check_approver`].
    pub fn check_settler(&self, by: &Actor) -> Result<(), Refusal> {
        match by {
            Actor::Inbox { person: Some(_) } => Ok(()),
            by => self.check_approver(by),
        }
    }

    /// Checks that `by` may decide this operation.
    ///
    /// # Errors
    ///
    /// [`Refusal::OwnOperation`] for the key that created the operation, [`Refusal::LinkRevoked`] for a revoked
    /// link, and [`Refusal::NotAnApprover`] for everybody that the operation does not name.
    pub fn check_approver(&self, by: &Actor) -> Result<(), Refusal> {
        let may = match by {
            Actor::Link { id, .. } if self.revoked_links.contains(id) => {
                return Err(Refusal::LinkRevoked);
            }
            Actor::Inbox { person: None } => true,
            // A link of its bearer was made while nobody was listed.
            Actor::Link { person: None, .. } => self.approvers.people.is_empty(),
            Actor::Inbox { person: Some(person) } | Actor::Link { person: Some(person), .. } => {
                self.approvers.include(&person.id)
            }
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

//! The operation that a request is about, and the commands that its channel allows.

use lambda_http::http::StatusCode;
use placet_core::item::Item;
use placet_core::operation::{Actor, Command, Identity, Operation, OperationId, Proof, State};
use placet_core::people::PersonRight;
use placet_core::{DecisionLink, Token as _};
use placet_runtime::StoreError;
use placet_runtime::http::Request;

use crate::fields::Fields;
use crate::pages::{After, CannotRun, Late, Projects, Viewer};
use crate::reply::Page;
use crate::visitor::{Visitor, source};
use crate::{Inbox, pages};

/// An operation, and what the request may do with it.
pub(crate) struct Subject {
    pub(crate) operation: Item<Operation>,
    /// The address that the forms of the page post to.
    pub(crate) action: String,
    /// The channel of the person.
    pub(crate) by: Actor,
    /// The commands that the channel allows.
    pub(crate) may: May,
    /// Who opened the page; `None` for the visitor of a link.
    pub(crate) visitor: Option<Visitor>,
}

/// The commands that a visitor may give to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum May {
    /// Every command that the state of the operation takes.
    Everything,
    /// Decide while the operation is pending.
    Decide,
    /// Settle the outcome of this attempt.
    Settle(u32),
    /// Settle the outcome of any attempt, but not decide.
    SettleOnly,
}

impl May {
    pub(crate) fn allows(self, command: &Command) -> bool {
        match (self, command) {
            (Self::Everything, _) | (Self::Decide, Command::Decide { .. }) => true,
            (Self::Settle(own), Command::Settle { attempt, .. }) => own == *attempt,
            (Self::SettleOnly, Command::Settle { .. }) => true,
            _ => false,
        }
    }

    pub(crate) fn applies_to(self, operation: &Operation) -> bool {
        match self {
            Self::Everything => true,
            Self::Decide => operation.state == State::Pending,
            Self::Settle(attempt) => operation.attempts == attempt,
            Self::SettleOnly => operation.state != State::Pending,
        }
    }
}

impl Inbox {
    /// The operation with this id, if the visitor may see it.
    pub(crate) async fn by_id(&self, id: OperationId, visitor: Visitor) -> Result<Subject, Page> {
        let action = self.runtime.config.inbox_address(&id);
        let operation = self.load(&id).await?;
        let may = visitor.may(&operation).ok_or_else(Page::not_found)?;
        Ok(Subject { operation, action, by: visitor.actor(), may, visitor: Some(visitor) })
    }

    /// The operation of a decision link. The page for an invalid link is the same for all reasons; the log
    /// has the reason.
    pub(crate) async fn by_link(&self, token: &str, request: &Request) -> Result<Subject, Page> {
        let refused = |reason: &dyn std::fmt::Display| {
            tracing::warn!(%reason, link = DecisionLink::token_id(token), "decision link refused");
            Page::bad_link()
        };
        let keys = self.signing_keys().map_err(|missing| refused(&missing))?;
        let link = DecisionLink::verify(token, keys, self.runtime.engine.now());
        let link = link.map_err(|error| refused(&error))?;
        let person = self.linked_person(&link, request).map_err(|reason| refused(&reason))?;
        let operation = self.load(&link.id()).await?;
        let id = DecisionLink::token_id(token);
        if operation.digest != link.digest {
            return Err(refused(&"the operation has changed"));
        }
        if person.as_ref().is_some_and(|person| !operation.approvers.include(&person.id)) {
            return Err(refused(&"the person is not an approver of this operation"));
        }
        if operation.revoked_links.contains(&id) {
            return Err(refused(&"it was revoked"));
        }
        let may = link.settles.map_or(May::Decide, May::Settle);
        let by = Actor::Link { id, person };
        Ok(Subject { operation, action: format!("/d/{token}"), by, may, visitor: None })
    }

    /// The person of a link; `None` for a link of its bearer.
    ///
    /// # Errors
    ///
    /// The reason why the link is not valid now.
    fn linked_person(
        &self,
        link: &DecisionLink,
        request: &Request,
    ) -> Result<Option<Identity>, &'static str> {
        let people = &self.runtime.config.people;
        let Some(id) = &link.person else {
            let bearer = people.is_empty().then_some(None);
            return bearer.ok_or("it names nobody, and placet.yaml lists people");
        };
        let person = people.get(id).ok_or("the person is not in placet.yaml any more")?;
        if !person.may(PersonRight::Decide) {
            return Err("the person may not decide any more");
        }
        let (id, name) = (person.id.clone(), person.name.clone());
        Ok(Some(Identity { id, name, proof: Proof::Link, from: source(request) }))
    }

    pub(crate) async fn load(&self, id: &OperationId) -> Result<Item<Operation>, Page> {
        let found = self.runtime.engine.store.item(&id.project, &id.path(), true).await;
        found.map_err(unavailable)?.ok_or_else(Page::not_found)
    }

    /// The project that the query names, or the main project.
    pub(crate) fn project(&self, query: &Fields) -> Result<&str, Page> {
        let config = &self.runtime.config;
        let main = config.project.as_str();
        let name = query.get("project").unwrap_or(main);
        config.projects().find(|known| *known == name).ok_or_else(Page::not_found)
    }

    /// All projects. `shown` is the one that is shown.
    pub(crate) fn projects<'a>(&'a self, shown: &'a str, viewer: Viewer<'a>) -> Projects<'a> {
        let all = self.runtime.config.projects().collect();
        Projects { all, shown, demo: self.runtime.has_demo(), viewer }
    }

    /// The page of an operation. It has a form only if the visitor may use it now.
    pub(crate) fn view(
        &self,
        subject: &Subject,
        option: Option<&str>,
        late: Option<&Late>,
        after: Option<&After>,
    ) -> Page {
        let Subject { operation, action, may, visitor, .. } = subject;
        let viewer = visitor.as_ref().map(Visitor::viewer).unwrap_or_default();
        let (now, projects) =
            (self.runtime.engine.now(), self.projects(operation.project(), viewer));
        let action = may.applies_to(operation).then_some(action.as_str());
        let cannot_run = self.cannot_run(operation);
        let view = pages::View { now, projects, action, option, late, after, cannot_run };
        Page::ok(pages::operation(operation, &view))
    }

    /// Why an approval of this operation would not run it, if this is known.
    fn cannot_run(&self, operation: &Operation) -> Option<CannotRun<'_>> {
        let (function, asked) = (operation.content.function()?, operation.plan.as_ref()?);
        match self.runtime.config.plan(function) {
            None => Some(CannotRun::Missing("placet.yaml has no executor for this function")),
            Some(configured) if !configured.runs_the_same(asked) => Some(CannotRun::Changed),
            Some(_) => self.cannot_run.get(function).map(|reason| CannotRun::Missing(reason)),
        }
    }
}

pub(crate) fn unavailable(error: StoreError) -> Page {
    tracing::error!(%error, "page not served");
    Page::message(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not available right now",
        "A service that this page needs does not respond. Nothing was changed. Try again in a few seconds.",
    )
}

//! The operation that a request is about, and the commands that its channel allows.

use lambda_http::http::StatusCode;
use placet_core::DecisionLink;
use placet_core::item::Item;
use placet_core::operation::{Actor, Command, Operation, OperationId, State};
use placet_runtime::StoreError;

use crate::fields::Fields;
use crate::pages::{After, CannotRun, Late, Projects, Viewer};
use crate::reply::Page;
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
}

impl May {
    pub(crate) fn allows(self, command: &Command) -> bool {
        match (self, command) {
            (Self::Everything, _) | (Self::Decide, Command::Decide { .. }) => true,
            (Self::Settle(own), Command::Settle { attempt, .. }) => own == *attempt,
            _ => false,
        }
    }

    pub(crate) fn applies_to(self, operation: &Operation) -> bool {
        match self {
            Self::Everything => true,
            Self::Decide => operation.state == State::Pending,
            Self::Settle(attempt) => operation.attempts == attempt,
        }
    }
}

impl Inbox {
    /// The operation with this id.
    pub(crate) async fn by_id(&self, id: OperationId) -> Result<Subject, Page> {
        let action = self.projects(&id.project).operation(&id);
        let operation = self.load(&id).await?;
        Ok(Subject { operation, action, by: Actor::Inbox, may: May::Everything })
    }

    /// The operation of a decision link. The page for an invalid link is the same for all reasons; the log
    /// has the reason.
    pub(crate) async fn by_link(&self, token: &str) -> Result<Subject, Page> {
        let Some(key) = &self.link_key else {
            tracing::warn!("decision link refused: PLACET_LINK_SECRET is missing or too short");
            return Err(Page::bad_link());
        };
        let link =
            DecisionLink::verify(token, key, self.runtime.engine.now()).map_err(|reason| {
                tracing::warn!(%reason, "decision link refused");
                Page::bad_link()
            })?;
        let operation = self.load(&link.id()).await?;
        if operation.digest != link.digest {
            tracing::warn!(
                call_id = link.call_id,
                "decision link refused: the operation has changed"
            );
            return Err(Page::bad_link());
        }
        let may = link.settles.map_or(May::Decide, May::Settle);
        Ok(Subject {
            operation,
            action: format!("/d/{token}"),
            by: Actor::Link { id: DecisionLink::token_id(token) },
            may,
        })
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
    pub(crate) fn projects<'a>(&'a self, shown: &'a str) -> Projects<'a> {
        Projects {
            all: self.runtime.config.projects().collect(),
            shown,
            demo: self.runtime.has_demo(),
            viewer: Viewer::default(),
        }
    }

    /// The page of an operation. Without `action`, the page has no form.
    pub(crate) fn view(
        &self,
        operation: &Item<Operation>,
        action: Option<&str>,
        option: Option<&str>,
        late: Option<&Late>,
        after: Option<&After>,
    ) -> Page {
        let (now, projects) = (self.runtime.engine.now(), self.projects(operation.project()));
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

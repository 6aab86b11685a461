//! The pages that a person opens, and the decision that the person posts. Only this crate renders pages.
//!
//! GET and HEAD never change anything (law 6). A decision is a POST with the digest of the content that was
//! shown, so it cannot decide on other content.

mod decide;
mod fields;
mod mail;
pub mod pages;
mod reply;
mod subject;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use lambda_http::http::Method;
use placet_core::item::{Item, Need};
use placet_core::limits::MOST_LISTED;
use placet_core::operation::{Operation, OperationId, OperationKind, State};
use placet_core::{SHORTEST_LINK_KEY, Secret, purchase};
use placet_runtime::function_url::respond;
use placet_runtime::http::{Request, Response, segments};
use placet_runtime::mailbox::Mailbox;
use placet_runtime::{Access, Runtime, new_call_id};

use crate::fields::Fields;
use crate::reply::{Page, page, style};
use crate::subject::{Subject, unavailable};

/// The inbox function.
#[derive(Clone)]
pub struct Inbox {
    runtime: Runtime,
    access: Access,
    link_key: Option<Secret>,
    cannot_run: Arc<BTreeMap<String, String>>,
    mailbox: Option<Mailbox>,
}

impl Inbox {
    /// Builds the function from its services. Decision links need a key of at least 32 bytes in
    /// `PLACET_LINK_SECRET`; without such a key, every decision link is refused.
    pub fn new(runtime: Runtime, access: Access) -> Self {
        let text = runtime.environment.get("PLACET_LINK_SECRET").unwrap_or_default();
        let link_key = Secret::new(text).filter(|key| key.expose().len() >= SHORTEST_LINK_KEY);
        if link_key.is_none() {
            tracing::warn!("PLACET_LINK_SECRET is too short: every decision link is refused");
        }
        Self { runtime, access, link_key, cannot_run: Arc::default(), mailbox: None }
    }

    /// Also tells approvers which operations cannot run, by function name, and why. Only a process that runs the
    /// worker, too, knows this: on AWS, the secrets of executors are not in the environment of this function.
    #[must_use]
    pub fn with_blocked(mut self, cannot_run: BTreeMap<String, String>) -> Self {
        self.cannot_run = Arc::new(cannot_run);
        self
    }

    /// Answers a Function URL event.
    pub async fn handle(&self, event: LambdaFunctionUrlRequest) -> LambdaFunctionUrlResponse {
        respond(event, |request| self.route(request)).await
    }

    async fn route(&self, request: Request) -> Response {
        let Some(path) = segments(request.uri().path()) else { return page(Page::not_found()) };
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["inbox", "style.css"] if reads(&request) => style(),
            ["mail", path @ ..] => self.mail(path, &request),
            path => page(self.reply(path, &request).await.unwrap_or_else(|refused| refused)),
        }
    }

    async fn reply(&self, path: &[&str], request: &Request) -> Result<Page, Page> {
        let read = reads(request);
        let post = request.method() == Method::POST;
        let query = request.uri().query().unwrap_or_default();
        let query = Fields::read(query.as_bytes()).ok_or_else(Page::not_found)?;
        match (path, read) {
            (["d", token], _) if read || post => {
                self.visit(self.by_link(token).await?, request, &query).await
            }
            _ if (read || post) && !self.access.lets_in(request.method(), request.headers()) => {
                Err(Page::closed())
            }
            (["inbox", call_id], _) if read || post => {
                let id = OperationId::call(self.project(&query)?, *call_id);
                self.visit(self.by_id(id).await?, request, &query).await
            }
            (["inbox", "questions", call_id], _) if read || post => {
                let project = self.project(&query)?;
                let id = OperationId::new(project, OperationKind::HumanContact, *call_id);
                self.visit(self.by_id(id).await?, request, &query).await
            }
            ([], true) => Ok(Page::see_other("/inbox".to_owned())),
            (["inbox"], true) => self.waiting(self.project(&query)?).await,
            (["purchase-materials" | "purchases", ..], _) if !self.runtime.has_demo() => {
                Err(Page::not_found())
            }
            (["purchase-materials"], true) => Ok(Page::ok(pages::purchase_form(&new_call_id()))),
            (["purchases"], true) => self.purchases().await,
            (["inbox" | "purchases" | "purchase-materials" | "d", ..], _) => {
                Err(Page::method_not_allowed())
            }
            _ => Err(Page::not_found()),
        }
    }

    /// Shows an operation, or handles the form that was posted for it.
    async fn visit(
        &self,
        subject: Subject,
        request: &Request,
        query: &Fields,
    ) -> Result<Page, Page> {
        if request.method() == Method::POST {
            return self.decide(subject, request.body().as_ref()).await;
        }
        let Subject { operation, action, may, .. } = subject;
        let action = may.applies_to(&operation).then_some(action.as_str());
        Ok(self.view(&operation, action, query.get("option"), None))
    }

    async fn waiting(&self, project: &str) -> Result<Page, Page> {
        let now = self.runtime.engine.now();
        let waits = |item: &Item<Operation>| {
            matches!(item.state_at(now), State::Pending | State::Blocked | State::Unknown)
        };
        let store = &self.runtime.engine.store;
        let read = async |need| store.waiting(project, need, "", waits, MOST_LISTED, None).await;
        let (mut page, pending) = read(Need::Decision).await.map_err(unavailable)?;
        let (settlements, unknown) = read(Need::Settlement).await.map_err(unavailable)?;
        page.items.extend(settlements.items);
        let rest = pages::Rests { pending, unknown };
        Ok(Page::ok(pages::inbox(&page.items, rest, &self.projects(project), now)))
    }

    async fn purchases(&self) -> Result<Page, Page> {
        let project = self.runtime.config.project.as_str();
        let wanted = |item: &Item<Operation>| item.content.function() == Some(purchase::FUNCTION);
        let store = &self.runtime.engine.store;
        let page = store.newest(project, (None, None), wanted, MOST_LISTED, None).await;
        let purchases = page.map_err(unavailable)?.items;
        Ok(Page::ok(pages::purchases(&purchases, self.runtime.engine.now())))
    }
}

fn reads(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

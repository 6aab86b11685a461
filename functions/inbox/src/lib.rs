//! The pages that a person opens, and the decision that the person posts. Only this crate renders pages.
//!
//! GET and HEAD never change anything (law 6). A decision is a POST with the digest of the content that was
//! shown, so it cannot decide on other content.

mod decide;
mod deliveries;
mod fields;
mod lists;
mod mail;
mod oidc;
pub mod pages;
mod reply;
mod sign_in;
mod subject;
mod visitor;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use lambda_http::http::Method;
use placet_core::item::Item;
use placet_core::limits::MOST_LISTED;
use placet_core::operation::{Operation, OperationId, OperationKind};
use placet_core::{SigningKeys, purchase};
use placet_runtime::function_url::respond;
use placet_runtime::http::{Request, Response, segments};
use placet_runtime::mailbox::Mailbox;
use placet_runtime::{Access, Runtime, new_call_id};

use crate::fields::Fields;
use crate::pages::After;
use crate::reply::{Page, asset, page};
use crate::subject::{Subject, unavailable};
use crate::visitor::Visitor;

/// The environment variable that closes the pages of the local system with the value `required`.
const SIGN_IN: &str = "PLACET_SIGN_IN";

/// The inbox function.
#[derive(Clone)]
pub struct Inbox {
    runtime: Runtime,
    access: Access,
    /// Whether the pages are open without a session.
    open: bool,
    keys: Option<SigningKeys>,
    cannot_run: Arc<BTreeMap<String, String>>,
    mailbox: Option<Mailbox>,
}

impl Inbox {
    /// Builds the function from its services. Links and sessions need a key in `PLACET_LINK_SECRET`; without such a
    /// key, every link and every session is refused. On loopback the pages are open without a session, unless
    /// `PLACET_SIGN_IN` is `required`.
    pub fn new(runtime: Runtime, access: Access) -> Self {
        let text = runtime.environment.get("PLACET_LINK_SECRET").unwrap_or_default();
        let keys = SigningKeys::read(&text).inspect_err(|_| {
            tracing::warn!("PLACET_LINK_SECRET is too short: every link and session is refused");
        });
        let required = runtime.environment.get(SIGN_IN).is_some_and(|value| value == "required");
        let open = access == Access::Loopback && !required;
        Self { runtime, access, open, keys: keys.ok(), cannot_run: Arc::default(), mailbox: None }
    }

    /// Also shows approvers which operations cannot run, by function name, and why. Only a process that runs the
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
            ["inbox", "assets", name] if reads(&request) => {
                asset(name).unwrap_or_else(|| page(Page::not_found()))
            }
            ["mail", path @ ..] => self.mail(path, &request),
            path => page(self.reply(path, &request).await.unwrap_or_else(|refused| refused)),
        }
    }

    async fn reply(&self, path: &[&str], request: &Request) -> Result<Page, Page> {
        let read = reads(request);
        let post = request.method() == Method::POST;
        let query = request.uri().query().unwrap_or_default();
        let query = Fields::read(query.as_bytes()).ok_or_else(Page::not_found)?;
        match path {
            ["d", token] if read || post => {
                let subject = self.by_link(token, request).await.map_err(Page::secret)?;
                let secret = self.visit(subject, request, &query).await;
                return secret.map(Page::secret).map_err(Page::secret);
            }
            ["sign-in", rest @ ..] => {
                let secret = self.sign_in(rest, request).await;
                return secret.map(Page::secret).map_err(Page::secret);
            }
            _ if !read && !post => return Err(Page::method_not_allowed()),
            _ => {}
        }
        let visitor = self.visitor(request).await?;
        match (path, read) {
            (["inbox", call_id], _) => {
                let id = OperationId::call(self.project(&query)?, *call_id);
                self.visit(self.by_id(id, visitor).await?, request, &query).await
            }
            (["inbox", "questions", call_id], _) => {
                let project = self.project(&query)?;
                let id = OperationId::new(project, OperationKind::HumanContact, *call_id);
                self.visit(self.by_id(id, visitor).await?, request, &query).await
            }
            (["inbox", "deliveries", id], _) => {
                self.delivery(self.project(&query)?, id, &visitor, request).await
            }
            (["sign-out"], false) => self.sign_out(&visitor, request.body().as_ref()).await,
            ([], true) => Ok(Page::see_other("/inbox".to_owned())),
            (["inbox"], true) => self.list(&query, &visitor).await,
            (["purchase-materials" | "purchases", ..], _) if !self.runtime.has_demo() => {
                Err(Page::not_found())
            }
            (["purchase-materials"], true) => Ok(Page::ok(pages::purchase_form(&new_call_id()))),
            (["purchases"], true) => self.purchases(&visitor).await,
            (["inbox" | "purchases" | "purchase-materials" | "d" | "sign-out", ..], _) => {
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
        let after = match &subject.visitor {
            Some(visitor) => self.after(&subject.operation, visitor).await?,
            None => After::default(),
        };
        Ok(self.view(&subject, query.get("option"), None, Some(&after)))
    }

    async fn purchases(&self, visitor: &Visitor) -> Result<Page, Page> {
        let project = self.runtime.config.project.as_str();
        let wanted = |item: &Item<Operation>| {
            item.content.function() == Some(purchase::FUNCTION) && visitor.sees(item)
        };
        let store = &self.runtime.engine.store;
        let page = store.newest(project, (None, None), wanted, MOST_LISTED, None).await;
        let purchases = page.map_err(unavailable)?.items;
        Ok(Page::ok(pages::purchases(&purchases, self.runtime.engine.now())))
    }
}

fn reads(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

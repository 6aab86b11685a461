//! The pages a person opens, and the decision they post. The only room that renders HTML.
//!
//! GET and HEAD never change anything (law 6). A decision is a POST that carries the digest of what
//! was shown, so it can not hit anything else.

mod decide;
pub mod pages;
mod reply;

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use lambda_http::http::{Method, StatusCode};
use placet_core::{Command, DecisionLink, Operation, Secret, State, purchase};
use placet_runtime::http::{Request, Response, respond, segments};
use placet_runtime::{Access, Runtime, StoreError, new_call_id};

use crate::reply::{Page, page, style};

/// The fewest bytes the key of decision links may have.
const SHORTEST_LINK_KEY: usize = 32;

/// The inbox function.
#[derive(Clone)]
pub struct Inbox {
    runtime: Runtime,
    access: Access,
    link_key: Option<Secret>,
}

/// What a request may see and decide.
struct Subject {
    operation: Operation,
    /// Where its forms post to.
    action: String,
    /// Through which door the person came.
    by: &'static str,
    /// What may be done through that door.
    may: May,
}

/// What a visitor may do with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    /// Whatever its state asks for.
    Everything,
    /// Decide while it is pending.
    Decide,
    /// Settle the outcome of this attempt.
    Settle(u32),
}

impl May {
    fn allows(self, command: &Command) -> bool {
        match (self, command) {
            (Self::Everything, _) | (Self::Decide, Command::Decide { .. }) => true,
            (Self::Settle(own), Command::Settle { attempt, .. }) => own == *attempt,
            _ => false,
        }
    }

    fn applies_to(self, operation: &Operation) -> bool {
        match self {
            Self::Everything => true,
            Self::Decide => operation.state == State::Pending,
            Self::Settle(attempt) => operation.attempts == attempt,
        }
    }
}

impl Inbox {
    /// The function over these services. Decision links need a key of at least 32 bytes in
    /// `PLACET_LINK_SECRET`; without one they are closed.
    pub fn new(runtime: Runtime, access: Access) -> Self {
        let text = runtime.environment.get("PLACET_LINK_SECRET").unwrap_or_default();
        let link_key = Secret::new(text).filter(|key| key.expose().len() >= SHORTEST_LINK_KEY);
        if link_key.is_none() {
            tracing::warn!(
                "PLACET_LINK_SECRET has fewer than {SHORTEST_LINK_KEY} bytes: decision links are closed"
            );
        }
        Self { runtime, access, link_key }
    }

    /// Answers a Function URL event.
    pub async fn handle(&self, event: LambdaFunctionUrlRequest) -> LambdaFunctionUrlResponse {
        respond(event, |request| self.route(request)).await
    }

    async fn route(&self, request: Request) -> Response {
        let path = segments(request.uri().path()).unwrap_or_default();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let read = matches!(*request.method(), Method::GET | Method::HEAD);
        let reply = match (path.as_slice(), read, request.method() == Method::POST) {
            (["inbox", "style.css"], true, _) => return style(),
            (["d", token], true, _) => self.show(self.by_link(token).await),
            (["d", token], _, true) => {
                let subject = self.by_link(token).await;
                self.decide(subject, request.body().as_ref()).await
            }
            (_, true, _) | (_, _, true)
                if !self.access.lets_in(request.method(), request.headers()) =>
            {
                Err(Page::closed())
            }
            (["inbox", call_id], true, _) => self.show(self.by_id(call_id).await),
            (["inbox", call_id], _, true) => {
                let subject = self.by_id(call_id).await;
                self.decide(subject, request.body().as_ref()).await
            }
            ([], true, _) => Ok(Page::see_other("/inbox".to_owned())),
            (["inbox"], true, _) => self.waiting().await,
            (["purchase-materials"], true, _) => Ok(Page::ok(pages::purchase_form(&new_call_id()))),
            (["purchases"], true, _) => self.purchases().await,
            (["inbox" | "purchases" | "purchase-materials" | "d", ..], ..) => {
                Err(Page::method_not_allowed())
            }
            _ => Err(Page::not_found()),
        };
        page(reply.unwrap_or_else(|refused| refused))
    }

    async fn waiting(&self) -> Result<Page, Page> {
        let now = self.runtime.clock.now();
        let tenant = self.runtime.config.project.as_str();
        let open = self.runtime.store.open_operations(tenant).await.map_err(unavailable)?;
        let for_a_person =
            |one: &Operation| matches!(one.state_at(now), State::Pending | State::Unknown);
        let waiting: Vec<Operation> = open.into_iter().filter(for_a_person).collect();
        Ok(Page::ok(pages::inbox(&waiting, now)))
    }

    async fn purchases(&self) -> Result<Page, Page> {
        let tenant = self.runtime.config.project.as_str();
        let found = self.runtime.store.operations_of(tenant, purchase::FUNCTION).await;
        let purchases = found.map_err(unavailable)?;
        Ok(Page::ok(pages::purchases(&purchases, self.runtime.clock.now())))
    }

    fn show(&self, subject: Result<Subject, Page>) -> Result<Page, Page> {
        let Subject { operation, action, may, .. } = subject?;
        let form = may.applies_to(&operation).then_some(action.as_str());
        let now = self.runtime.clock.now();
        Ok(Page::ok(pages::operation(&operation, now, form, None)))
    }

    async fn by_id(&self, call_id: &str) -> Result<Subject, Page> {
        let tenant = self.runtime.config.project.as_str();
        let operation = self.load(tenant, call_id).await?;
        let action = format!("/inbox/{}", pages::call_id_segment(call_id));
        Ok(Subject { operation, action, by: "inbox", may: May::Everything })
    }

    /// Whoever brings a link is told the same whatever is wrong with it; the log says what.
    async fn by_link(&self, token: &str) -> Result<Subject, Page> {
        let Some(key) = &self.link_key else {
            tracing::warn!("decision link refused: there is no link key");
            return Err(Page::bad_link());
        };
        let link =
            DecisionLink::verify(token, key, self.runtime.clock.now()).map_err(|reason| {
                tracing::warn!(%reason, "decision link refused");
                Page::bad_link()
            })?;
        let operation = self.load(&link.tenant, &link.call_id).await?;
        if operation.digest != link.digest {
            tracing::warn!(
                call_id = link.call_id,
                "decision link refused: it is about other content"
            );
            return Err(Page::bad_link());
        }
        let may = link.settles.map_or(May::Decide, May::Settle);
        Ok(Subject { operation, action: format!("/d/{token}"), by: "link", may })
    }

    async fn load(&self, tenant: &str, call_id: &str) -> Result<Operation, Page> {
        let found = self.runtime.store.operation(tenant, call_id, true).await;
        found.map_err(unavailable)?.ok_or_else(Page::not_found)
    }
}

fn unavailable(error: StoreError) -> Page {
    tracing::error!(%error, "page not served");
    Page::message(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not available right now",
        "A service behind this page does not answer. Nothing was changed. Try again in a few seconds.",
    )
}

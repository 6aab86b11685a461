//! `/humanlayer/v1`: the routes that the SDKs of HumanLayer, its command line, its daemon and its
//! Kubernetes controller call.

mod failed;
mod items;
mod project;

use lambda_http::http::{Method, StatusCode};
use placet_core::{Kind, OperationId};
use placet_runtime::Right;
use placet_runtime::http::{Request, Response, json};
use placet_runtime::problem::Problem;
use serde_json::json;

use failed::Failed;
pub(crate) use failed::create_problem;

use crate::{Approval, permit};

/// What a path under `/humanlayer/v1` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'a> {
    Status,
    Project,
    Channel(&'a str),
    Items(Kind),
    Item(Kind, &'a str),
    Pending(Kind),
    Respond(Kind, &'a str),
    Escalate(Kind, &'a str),
}

impl<'a> Route<'a> {
    /// Questions have two names: the SDKs create and read `contact_requests` and answer
    /// `human_contacts`; the documentation knows only the second.
    fn of(path: &[&'a str]) -> Option<Self> {
        let kind = |name: &str| match name {
            "function_calls" => Some(Kind::FunctionCall),
            "contact_requests" | "human_contacts" => Some(Kind::HumanContact),
            _ => None,
        };
        Some(match *path {
            ["status"] => Self::Status,
            ["project"] => Self::Project,
            ["contact_channel", id] => Self::Channel(id),
            [name] => Self::Items(kind(name)?),
            ["agent", name, "pending"] => Self::Pending(kind(name)?),
            [name, id] | ["agent", name, id] => Self::Item(kind(name)?, id),
            ["agent", name, id, "respond"] => Self::Respond(kind(name)?, id),
            ["agent", name, id, "escalate_email"] => Self::Escalate(kind(name)?, id),
            _ => return None,
        })
    }

    const fn right(self) -> Right {
        match self {
            Self::Items(_) | Self::Escalate(..) => Right::Ask,
            Self::Respond(..) => Right::Answer,
            _ => Right::Read,
        }
    }

    const fn method(self) -> Method {
        match self {
            Self::Items(_) | Self::Respond(..) | Self::Escalate(..) => Method::POST,
            _ => Method::GET,
        }
    }
}

impl Approval {
    pub(crate) async fn humanlayer(
        &self,
        path: &[&str],
        method: Method,
        request: &Request,
    ) -> Response {
        self.humanlayer_reply(path, method, request).await.unwrap_or_else(Failed::into_response)
    }

    async fn humanlayer_reply(
        &self,
        path: &[&str],
        method: Method,
        request: &Request,
    ) -> Result<Response, Failed> {
        let route = Route::of(path);
        if route == Some(Route::Status) && method == Method::GET {
            return Ok(json(StatusCode::OK, &json!({"status": "ok"})));
        }
        let key = self.authorize(request.headers()).await?;
        let Some(route) = route else {
            return Err(Problem::not_found("there is no such route under /humanlayer/v1").into());
        };
        if route.method() != method {
            let allowed = if route.method() == Method::GET { "GET, HEAD" } else { "POST" };
            return Err(Problem::method_not_allowed(allowed).into());
        }
        permit(&key, route.right())?;
        let id = |kind, call_id| OperationId::new(&key.tenant, kind, call_id);
        let body = request.body().as_ref();
        match route {
            Route::Status | Route::Project => Ok(self.project(&key)),
            Route::Channel(id) => self.channel(&key, id),
            Route::Items(kind) => self.create_item(&key, kind, body).await,
            Route::Item(kind, call_id) => self.get_item(&id(kind, call_id), request).await,
            Route::Pending(kind) => self.pending_items(&key, kind, request).await,
            Route::Respond(kind, call_id) => self.answer(&key, &id(kind, call_id), body).await,
            Route::Escalate(kind, call_id) => self.escalate(&key, &id(kind, call_id), body).await,
        }
    }
}

//! The API: what agents and applications call.

mod deliveries;
mod humanlayer;
mod operations;
mod poll;
mod purchases;
mod query;
mod receipts;
mod routes;

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use lambda_http::http::{HeaderMap, Method, StatusCode};
use placet_runtime::http::{Request, Response, json, respond, segments, text};
use placet_runtime::problem::Problem;
use placet_runtime::{Access, ApiKey, ApiKeys, Right, Runtime, Unauthorized};
use serde_json::json;

pub use routes::{ROUTES, Route};

/// What this function answers to, as an OpenAPI 3.1 document. `tests/openapi` makes the file.
const OPENAPI: &str = include_str!("../openapi.json");

/// The approval function.
#[derive(Clone)]
pub struct Approval {
    runtime: Runtime,
    keys: ApiKeys,
    access: Access,
    polling: poll::Polling,
}

impl Approval {
    /// The function over these services.
    pub fn new(runtime: Runtime, keys: ApiKeys, access: Access) -> Self {
        let polling = poll::Polling::new(&runtime.environment);
        Self { runtime, keys, access, polling }
    }

    /// Answers every client that is held: the process is about to end.
    pub fn end_polls(&self) {
        self.polling.end();
    }

    /// Answers a Function URL event.
    pub async fn handle(&self, event: LambdaFunctionUrlRequest) -> LambdaFunctionUrlResponse {
        respond(event, |request| self.route(request)).await
    }

    async fn route(&self, request: Request) -> Response {
        let Some(path) = segments(request.uri().path()) else {
            let problem = Problem::not_found("the path is not valid UTF-8");
            let humanlayer = request.uri().path().trim_start_matches('/').starts_with("humanlayer");
            return if humanlayer { problem.into_detail() } else { problem.into_response() };
        };
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        // A HEAD is answered like a GET; the front end leaves the body out.
        let method =
            if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
        match (path.as_slice(), method) {
            (["humanlayer", "v1", rest @ ..], method) => {
                self.humanlayer(rest, method, &request).await
            }
            (["v1", rest @ ..], method) => {
                self.v1(rest, method, &request).await.unwrap_or_else(Problem::into_response)
            }
            (["purchase-materials"], Method::POST) => self.purchase_materials(&request).await,
            (["purchases"], Method::GET) => self.purchases(&request).await,
            (["healthz"], Method::GET) => json(StatusCode::OK, &json!({"status": "ok"})),
            (["version"], Method::GET) => {
                json(StatusCode::OK, &json!({"version": env!("CARGO_PKG_VERSION")}))
            }
            (["openapi.json"], Method::GET) => {
                text(StatusCode::OK, "application/json", OPENAPI.to_owned())
            }
            (["purchase-materials"], _) => Problem::method_not_allowed("POST").into_response(),
            (["purchases" | "healthz" | "version" | "openapi.json"], _) => {
                Problem::method_not_allowed("GET, HEAD").into_response()
            }
            _ => Problem::not_found("there is no such route").into_response(),
        }
    }

    /// Our own API: everything in it needs a key.
    async fn v1(
        &self,
        path: &[&str],
        method: Method,
        request: &Request,
    ) -> Result<Response, Problem> {
        let key = self.authorize(request.headers()).await?;
        permit(&key, routes::right(path, &method)?)?;
        match path {
            ["operations", path @ ..] => self.operations(&key, path, method, request).await,
            ["receipts", path @ ..] => self.inbound(&key.tenant, path, method, request).await,
            _ => self.outbound(&key.tenant, path, method, request).await,
        }
    }

    /// The key a request brings. All that are not good get one answer.
    async fn authorize(&self, headers: &HeaderMap) -> Result<ApiKey, Problem> {
        if !self.access.knows_host(headers) {
            tracing::warn!(reason = "the Host header names another site", "request refused");
            let detail = "this system answers only to the name of this machine";
            return Err(Problem::new(StatusCode::FORBIDDEN, "foreign_host", detail));
        }
        self.keys.authorize(headers).await.map_err(|error| match error {
            Unauthorized::Store(error) => unavailable(&error),
            refused => {
                tracing::warn!(reason = %refused, "request refused");
                let detail = "a valid key is needed, as in: Authorization: Bearer <key>";
                Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            }
        })
    }

    /// Whose demo it is: the person's at this machine, or the key's.
    async fn demo_tenant(&self, request: &Request, right: Right) -> Result<String, Problem> {
        let headers = request.headers();
        if self.access.lets_in(request.method(), headers) {
            return Ok(self.runtime.config.project.as_str().to_owned());
        }
        let key = self.authorize(headers).await?;
        permit(&key, right)?;
        Ok(key.tenant)
    }
}

/// Refuses what the key's role does not cover.
fn permit(key: &ApiKey, right: Right) -> Result<(), Problem> {
    if key.allows(right) {
        return Ok(());
    }
    let role = key.role.as_str();
    tracing::warn!(
        tenant = key.tenant,
        role,
        reason = "the role does not allow it",
        "request refused"
    );
    let needed = match right {
        Right::Ask => "agent or both",
        Right::Read => "any",
        Right::Answer => "responder or both",
        Right::Operate => "both",
    };
    let detail =
        format!("the key has the role {role}, but this needs a key with the role {needed}");
    Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
}

fn unavailable(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "request not served");
    Problem::unavailable()
}

//! The API: what agents and applications call.

mod deliveries;
mod humanlayer;
mod purchases;
mod query;
mod receipts;

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use lambda_http::http::{HeaderMap, Method, StatusCode};
use placet_runtime::http::{Request, Response, json, respond, segments};
use placet_runtime::problem::Problem;
use placet_runtime::{Access, ApiKey, ApiKeys, Runtime, Unauthorized};
use serde_json::json;

/// The approval function.
#[derive(Clone)]
pub struct Approval {
    runtime: Runtime,
    keys: ApiKeys,
    access: Access,
}

impl Approval {
    /// The function over these services.
    pub fn new(runtime: Runtime, keys: ApiKeys, access: Access) -> Self {
        Self { runtime, keys, access }
    }

    /// Answers a Function URL event.
    pub async fn handle(&self, event: LambdaFunctionUrlRequest) -> LambdaFunctionUrlResponse {
        respond(event, |request| self.route(request)).await
    }

    async fn route(&self, request: Request) -> Response {
        let Some(path) = segments(request.uri().path()) else {
            return Problem::not_found("the path is not valid UTF-8").into_response();
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
            (["purchase-materials" | "purchases" | "healthz" | "version"], _) => {
                Problem::method_not_allowed().into_response()
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
        let tenant = self.authorize(request.headers()).await?.tenant;
        if let Some(answer) = self.inbound(&tenant, path, &method, request).await {
            return answer;
        }
        match self.outbound(&tenant, path, method, request).await {
            Some(answer) => answer,
            None => Err(Problem::not_found("there is no such route under /v1")),
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
    async fn demo_tenant(&self, request: &Request) -> Result<String, Problem> {
        let headers = request.headers();
        if self.access.lets_in(request.method(), headers) {
            return Ok(self.runtime.config.project.as_str().to_owned());
        }
        self.authorize(headers).await.map(|key| key.tenant)
    }
}

fn unavailable(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "request not served");
    Problem::unavailable()
}

//! Webhook ingress: verify, deduplicate, store, enqueue, acknowledge. This package has no business rules: the
//! worker interprets webhooks.

mod documents;

use std::sync::Arc;

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use documents::KeyDocuments;
use lambda_http::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use lambda_http::http::{Method, StatusCode};
use placet_core::webhook::{Answer, Documents, Incoming, Scheme, Unverified, Verified, Verifier};
use placet_runtime::config::{Closed, SourceAt};
use placet_runtime::function_url::respond;
use placet_runtime::http::{Request, Response, SourceIp, json, text};
use placet_runtime::problem::Problem;
use placet_runtime::{Received, Runtime};

/// The webhook function.
#[derive(Clone)]
pub struct Webhook {
    runtime: Runtime,
    /// In the order of the sources in `placet.yaml`.
    verifiers: Arc<Vec<Result<Verifier, Closed>>>,
    documents: KeyDocuments,
}

impl Webhook {
    /// The function over these services. Logs what is wrong with a source.
    pub fn new(runtime: Runtime) -> Self {
        let sources = runtime.config.sources();
        let verifiers: Vec<_> =
            sources.map(|(name, source)| source.open(name, &runtime.environment)).collect();
        let documents = KeyDocuments::new(runtime.https.clone(), runtime.engine.clock.clone());
        let webhook = Self { runtime, verifiers: Arc::new(verifiers), documents };
        webhook.log_sources();
        webhook
    }

    fn verifiers(&self) -> impl Iterator<Item = (&str, &Result<Verifier, Closed>)> {
        self.runtime.config.sources().map(|(name, _)| name).zip(&*self.verifiers)
    }

    fn log_sources(&self) {
        for (source, verifier) in self.verifiers() {
            match verifier {
                Err(error @ (Closed::Open(_) | Closed::Secret(_))) => {
                    tracing::error!(source, %error, "webhook source is closed");
                }
                Ok(verifier) if verifier.scheme().checks.none.is_some() => {
                    tracing::warn!(
                        source,
                        "webhook source verifies nothing: anyone may send to it"
                    );
                }
                Err(Closed::NotSet(_)) | Ok(_) => {}
            }
        }
    }

    /// Logs which sources are closed because their secrets are not set.
    pub fn log_closed(&self) {
        let not_set = |verifier: &_| matches!(verifier, Err(Closed::NotSet(_)));
        let closed = self.verifiers().filter(|(_, verifier)| not_set(verifier));
        let closed: Vec<&str> = closed.map(|(name, _)| name).collect();
        if !closed.is_empty() {
            let sources = closed.join(" ");
            tracing::warn!(sources, "webhook sources are closed: set their secrets");
        }
    }

    /// Answers a Function URL event.
    pub async fn handle(&self, event: LambdaFunctionUrlRequest) -> LambdaFunctionUrlResponse {
        respond(event, |request| self.route(request)).await
    }

    async fn route(&self, request: Request) -> Response {
        let (method, path) = (request.method(), request.uri().path());
        if path == "/" && matches!(*method, Method::GET | Method::HEAD) {
            return text(StatusCode::OK, "text/plain; charset=utf-8", "hello!".to_owned());
        }
        let Some(found) = self.runtime.config.source_at(path) else {
            return Problem::not_found("there is no webhook source at this path").into_response();
        };
        let SourceAt { position, name, source, rest } = found;
        let scheme: &Scheme = &source.scheme;
        let body = request.body().as_ref();
        if scheme.retired {
            return Problem::new(
                StatusCode::GONE,
                "gone",
                "this webhook source is closed permanently: remove this URL at the sender",
            )
            .into_response();
        }
        if method == Method::HEAD {
            return text(StatusCode::OK, "text/plain; charset=utf-8", String::new());
        }
        if body.len() > scheme.limit {
            let detail =
                format!("the body has {} bytes; the limit is {} bytes", body.len(), scheme.limit);
            return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
                .into_response();
        }
        match self.verifiers.get(position) {
            Some(Ok(verifier)) => self.judge(verifier, incoming(&request, rest)).await,
            Some(Err(error @ (Closed::Open(_) | Closed::Secret(_)))) => {
                tracing::error!(source = name, %error, "webhook refused, the source is closed");
                Problem::unavailable().into_response()
            }
            Some(Err(Closed::NotSet(variable))) => {
                tracing::warn!(source = name, variable, "webhook refused, the source is closed");
                unauthorized()
            }
            None => unauthorized(),
        }
    }

    async fn judge(&self, verifier: &Verifier, request: Incoming<'_>) -> Response {
        let source = verifier.source();
        if let Some(answer) = verifier.greeted(&request) {
            tracing::info!(source, status = answer.status, "handshake answered");
            return answered(&answer);
        }
        let scheme = verifier.scheme();
        let takes = scheme.methods.iter().any(|method| method == request.method);
        if !takes && !verifier.greets(request.method) {
            let reads = request.method == Method::GET.as_str();
            return if reads { reachable(verifier) } else { not_allowed(&scheme.methods) };
        }
        let verified = match self.verify(verifier, request).await {
            Ok(verified) => verified,
            Err(Refusal::Unverified(reason)) => {
                tracing::warn!(source, %reason, "webhook refused");
                return unauthorized();
            }
            Err(Refusal::NoKeys(error)) => {
                tracing::error!(
                    source,
                    error,
                    "webhook not verified: its signing key cannot be fetched"
                );
                return Problem::unavailable().into_response();
            }
        };
        if let Some(answer) = verifier.verified_handshake(verified.request()) {
            tracing::info!(source, status = answer.status, "handshake answered");
            return answered(&answer);
        }
        if !takes {
            return not_allowed(&scheme.methods);
        }
        match self.runtime.receive(&verified).await {
            Ok(received) => {
                let (receipt_id, outcome) = match &received {
                    Received::New(id) => (id, "new"),
                    Received::Duplicate(id) => (id, "duplicate"),
                    Received::Again(id) => (id, "again"),
                    Received::Spooled(id) => (id, "spooled"),
                };
                tracing::info!(source, receipt_id, outcome, "webhook received");
                acknowledged(verifier)
            }
            Err(error) => {
                tracing::error!(source, %error, "webhook not stored");
                Problem::unavailable().into_response()
            }
        }
    }

    /// Verifies the request, and fetches the key documents that this needs.
    async fn verify<'v>(
        &self,
        verifier: &'v Verifier,
        mut request: Incoming<'v>,
    ) -> Result<Verified<'v>, Refusal> {
        let mut documents = Documents::default();
        let mut fetched = Vec::new();
        loop {
            let now = self.runtime.engine.now();
            let rejected = match verifier.verify(request, &documents, now) {
                Ok(verified) => return Ok(verified),
                Err(rejected) => *rejected,
            };
            let (url, newer) = match rejected.reason {
                Unverified::NeedsDocument { url, newer } => (url, newer),
                reason => return Err(Refusal::Unverified(reason)),
            };
            if fetched.contains(&(url.clone(), newer)) {
                return Err(Refusal::Unverified(Unverified::NeedsDocument { url, newer }));
            }
            let document = self.documents.get(&url, newer).await;
            documents.insert(&url, document.map_err(Refusal::NoKeys)?);
            fetched.push((url, newer));
            request = rejected.request;
        }
    }
}

enum Refusal {
    /// The sender did not prove its identity.
    Unverified(Unverified),
    /// The key to verify the request with cannot be fetched.
    NoKeys(String),
}

fn incoming<'a>(request: &'a Request, rest: &'a str) -> Incoming<'a> {
    let mut incoming = Incoming::post(request.uri().path(), request.body().as_ref());
    incoming.method = request.method().as_str();
    incoming.rest = rest;
    incoming.query = request.uri().query().unwrap_or_default();
    let headers = request.headers().iter();
    incoming.headers = headers
        .filter_map(|(name, value)| {
            Some((name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?))
        })
        .collect();
    incoming.source_ip = request.extensions().get::<SourceIp>().map(|source| source.0);
    incoming
}

fn acknowledged(verifier: &Verifier) -> Response {
    let ack = &verifier.scheme().ack;
    answered(&Answer {
        status: ack.status,
        content_type: ack.content_type.clone(),
        headers: Vec::new(),
        body: ack.body.clone(),
    })
}

fn answered(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = text(status, "text/plain; charset=utf-8", answer.body.clone());
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let own = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.chain([(CONTENT_TYPE.as_str(), answer.content_type.as_str())]) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    response
}

/// The same response to every request that is not verified.
fn unauthorized() -> Response {
    let detail = "the delivery is not signed by this source";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).into_response()
}

/// The response to a person who checks whether the address of an open source is right.
fn reachable(verifier: &Verifier) -> Response {
    let (source, scheme) = (verifier.source(), verifier.scheme());
    let methods = scheme.methods.join(" or ");
    let detail =
        format!("this is the webhook source {source}: send its webhooks here with {methods}");
    let signed = scheme.checks.none.is_none();
    let body = serde_json::json!({"detail": detail, "methods": scheme.methods, "signed": signed});
    json(StatusCode::OK, &body)
}

fn not_allowed(methods: &[String]) -> Response {
    Problem::method_not_allowed(methods.join(", ")).into_response()
}

//! Webhook ingress: verify, deduplicate, store, enqueue, acknowledge. No business rule is here; what
//! a delivery means is the worker's to find out.

mod documents;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use documents::KeyDocuments;
use lambda_http::http::header::{
    CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use lambda_http::http::{Method, StatusCode};
use placet_core::webhook::{Answer, Documents, Incoming, Scheme, Unverified, Verified, Verifier};
use placet_runtime::config::Closed;
use placet_runtime::http::{Request, Response, SourceIp, respond, text};
use placet_runtime::problem::Problem;
use placet_runtime::{Received, Runtime};

/// When a sender whose event we could not take should come again, in seconds.
const COME_AGAIN: &str = "5";

/// The webhook function.
#[derive(Clone)]
pub struct Webhook {
    runtime: Runtime,
    sources: Arc<BTreeMap<String, Result<Verifier, Closed>>>,
    documents: KeyDocuments,
}

impl Webhook {
    /// The function over these services. Says which sources are closed.
    pub fn new(runtime: Runtime) -> Self {
        let open = |(name, source): (&str, &placet_runtime::config::Source)| {
            (name.to_owned(), source.open(&runtime.environment))
        };
        let sources: BTreeMap<_, _> = runtime.config.sources().map(open).collect();
        let closed: Vec<&str> = sources
            .iter()
            .filter(|(_, source)| matches!(source, Err(Closed::NotSet(_))))
            .map(|(name, _)| name.as_str())
            .collect();
        if !closed.is_empty() {
            let sources = closed.join(" ");
            tracing::warn!(sources, "webhook sources are closed: their secrets are not set");
        }
        for (name, source) in sources.iter() {
            match source {
                Err(error @ Closed::Open(_)) => {
                    tracing::error!(source = name, %error, "the webhook source is closed");
                }
                Ok(verifier) if verifier.scheme().checks.none.is_some() => {
                    tracing::warn!(source = name, "anyone may send to this webhook source");
                }
                _ => {}
            }
        }
        let documents = KeyDocuments::new(runtime.https.clone(), runtime.clock.clone());
        Self { runtime, sources: Arc::new(sources), documents }
    }

    /// Answers a Function URL event.
    pub async fn handle(&self, event: LambdaFunctionUrlRequest) -> LambdaFunctionUrlResponse {
        respond(event, |request| self.route(request)).await
    }

    async fn route(&self, request: Request) -> Response {
        let Some((name, source, rest)) = self.runtime.config.source_at(request.uri().path()) else {
            return Problem::not_found("there is no webhook source at this path").into_response();
        };
        let scheme: &Scheme = &source.scheme;
        let body = request.body().as_ref();
        if scheme.retired {
            return Problem::new(StatusCode::GONE, "gone", "this source is closed for good")
                .into_response();
        }
        if request.method() == Method::HEAD {
            return text(StatusCode::OK, "text/plain; charset=utf-8", String::new());
        }
        if body.len() > scheme.limit {
            let detail =
                format!("the body has {} bytes, at most {} are taken", body.len(), scheme.limit);
            return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
                .into_response();
        }
        let incoming = incoming(&request, rest);
        match self.sources.get(name) {
            Some(Ok(verifier)) => self.judge(name, verifier, &incoming).await,
            Some(Err(error @ Closed::Open(_))) => {
                tracing::error!(source = name, %error, "webhook refused, the source is closed");
                unavailable()
            }
            Some(Err(Closed::NotSet(variable))) => {
                tracing::warn!(source = name, variable, "webhook refused, the source is closed");
                unauthorized()
            }
            None => unauthorized(),
        }
    }

    async fn judge(&self, name: &str, verifier: &Verifier, request: &Incoming<'_>) -> Response {
        if let Some(answer) = verifier.greeted(request) {
            tracing::info!(source = name, status = answer.status, "handshake answered");
            return answered(&answer);
        }
        let scheme = verifier.scheme();
        let takes = scheme.methods.iter().any(|method| method == request.method);
        if !takes && !verifier.greets(request.method) {
            return not_allowed(&scheme.methods);
        }
        let verified = match self.verify(verifier, request).await {
            Ok(verified) => verified,
            Err(Refusal::Unverified(reason)) => {
                tracing::warn!(source = name, %reason, "webhook refused");
                return unauthorized();
            }
            Err(Refusal::NoKeys(error)) => {
                tracing::error!(source = name, error, "webhook not verified, its key is not there");
                return unavailable();
            }
        };
        if let Some(answer) = verifier.verified_handshake(request) {
            tracing::info!(source = name, status = answer.status, "handshake answered");
            return answered(&answer);
        }
        if !takes {
            return not_allowed(&scheme.methods);
        }
        match self.runtime.receive(name, scheme, &verified, request).await {
            Ok(received) => {
                let (receipt_id, outcome) = match &received {
                    Received::New(id) => (id, "new"),
                    Received::Before(id) => (id, "duplicate"),
                    Received::Aside(id) => (id, "aside"),
                };
                tracing::info!(source = name, receipt_id, outcome, "webhook received");
                acknowledged(verifier)
            }
            Err(error) => {
                tracing::error!(source = name, %error, "webhook not stored");
                unavailable()
            }
        }
    }

    /// The request as proven, with the key documents it needs fetched on the way.
    async fn verify(
        &self,
        verifier: &Verifier,
        request: &Incoming<'_>,
    ) -> Result<Verified, Refusal> {
        let mut documents = Documents::default();
        let mut asked = Vec::new();
        loop {
            let now = self.runtime.clock.now();
            match verifier.verify(request, &documents, now) {
                Err(Unverified::NeedsDocument { url, newer })
                    if !asked.contains(&(url.clone(), newer)) =>
                {
                    let document = self.documents.get(&url, newer).await;
                    documents.insert(&url, document.map_err(Refusal::NoKeys)?);
                    asked.push((url, newer));
                }
                judged => return judged.map_err(Refusal::Unverified),
            }
        }
    }
}

enum Refusal {
    /// The sender did not prove who it is.
    Unverified(Unverified),
    /// We could not fetch the key that would tell.
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

/// The one answer to everything that is not proven.
fn unauthorized() -> Response {
    let detail = "the delivery is not signed by this source";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).into_response()
}

fn not_allowed(methods: &[String]) -> Response {
    Problem::method_not_allowed(methods.join(", ")).into_response()
}

fn unavailable() -> Response {
    let mut response = Problem::unavailable().into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(COME_AGAIN));
    response
}

//! Webhook ingress: verify, deduplicate, store, enqueue, acknowledge. No business rule is here; what
//! a delivery means is the worker's to find out.

use std::time::Duration;

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use lambda_http::http::{HeaderMap, Method, StatusCode};
use placet_core::Job;
use placet_core::webhook::{SignatureHeaders, Verified, verify};
use placet_runtime::config::{SecretError, Source};
use placet_runtime::http::{Request, Response, json, respond};
use placet_runtime::problem::Problem;
use placet_runtime::{Put, Receipt, ReceiptState, Runtime, StoreError};
use serde_json::json;

/// The largest body, in bytes: a receipt is one item of at most 400 KB.
const LARGEST_BODY: usize = 350 * 1024;

/// The webhook function.
#[derive(Clone)]
pub struct Webhook {
    runtime: Runtime,
}

impl Webhook {
    /// The function over these services.
    pub fn new(runtime: Runtime) -> Self {
        for (name, source) in runtime.config.sources() {
            if let Err(error) = source.secret.resolve(&runtime.environment) {
                tracing::warn!(source = name, %error, "the webhook source is closed");
            }
        }
        Self { runtime }
    }

    /// Answers a Function URL event.
    pub async fn handle(&self, event: LambdaFunctionUrlRequest) -> LambdaFunctionUrlResponse {
        respond(event, |request| self.route(request)).await
    }

    async fn route(&self, request: Request) -> Response {
        let Some((name, source)) = self.runtime.config.source_at(request.uri().path()) else {
            return Problem::not_found("there is no webhook source at this path").into_response();
        };
        if request.method() != Method::POST {
            return Problem::method_not_allowed().into_response();
        }
        let body = request.body().as_ref();
        if body.len() > LARGEST_BODY {
            let detail =
                format!("the body has {} bytes, at most {LARGEST_BODY} are taken", body.len());
            return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
                .into_response();
        }
        let verified = match self.verify(name, source, request.headers(), body) {
            Ok(verified) => verified,
            Err(problem) => return problem.into_response(),
        };
        match self.receive(name, &verified, body).await {
            Ok(duplicate) => {
                let delivery_id = verified.id;
                tracing::info!(source = name, delivery_id, duplicate, "webhook received");
                json(StatusCode::OK, &json!({"status": "ok"}))
            }
            Err(error) => {
                tracing::error!(source = name, %error, "webhook not stored");
                Problem::unavailable().into_response()
            }
        }
    }

    /// The delivery as proven to come from the source. Why not is only for the log. A secret that is
    /// not set closes the source; one that is not of its form is our fault, and the sender shall
    /// come again.
    fn verify(
        &self,
        name: &str,
        source: &Source,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Verified, Problem> {
        let unauthorized = || {
            let detail = "the delivery is not signed by this source";
            Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
        };
        let secret = source.secret.resolve(&self.runtime.environment).map_err(|error| {
            tracing::error!(source = name, %error, "webhook refused, the source is closed");
            match error {
                SecretError::Missing(_) => unauthorized(),
                SecretError::Format(..) => Problem::unavailable(),
            }
        })?;
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let verified = SignatureHeaders::find(header)
            .and_then(|signed| verify(&[secret], &signed, body, self.runtime.clock.now()));
        verified.map_err(|reason| {
            tracing::warn!(source = name, %reason, "webhook refused");
            unauthorized()
        })
    }

    /// Stores a verified delivery once and puts it on the queue; says whether it was here before.
    ///
    /// The receipt is due like everything that is not done, so it is kept for good once it is
    /// stored, whether or not the queue takes the message. A duplicate of a delivery that was
    /// stored needs nothing.
    async fn receive(
        &self,
        source: &str,
        verified: &Verified,
        body: &[u8],
    ) -> Result<bool, StoreError> {
        let now = self.runtime.clock.now();
        let config = &self.runtime.config;
        let receipt = Receipt {
            id: Receipt::id_of(source, &verified.id),
            tenant: config.project.as_str().to_owned(),
            source: source.to_owned(),
            delivery_id: verified.id.clone(),
            body: body.to_vec(),
            received_at: now,
            state: ReceiptState::Received,
            note: String::new(),
            due: Some(now.plus(config.defaults.redrive.0)),
            redrives: 0,
        };
        if let Put::Existing(()) = self.runtime.store.create_receipt(&receipt).await? {
            return Ok(true);
        }
        self.runtime.enqueue(Job::Process, &receipt.tenant, &receipt.id, Duration::ZERO).await;
        Ok(false)
    }
}

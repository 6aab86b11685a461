//! Executors that are HTTP endpoints.

use std::time::Duration;

use placet_core::breaker::End;
use placet_core::limits::{LARGEST_ANSWER, LARGEST_RESULT};
use placet_core::operation::{Failure, Report};
use placet_core::{Timestamp, strict_json, webhook};
use placet_runtime::config::HttpExecutor;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::Call;
use crate::Worker;
use crate::http::{causes, retry_after};
use crate::run::{TIMEOUT, not_run};

impl Worker {
    /// Posts `{call_id, fn, kwargs}`, and derives the report of the attempt from the response.
    pub(crate) async fn post(
        &self,
        http: &HttpExecutor,
        timeout: Duration,
        call: &Call,
    ) -> (Report, End) {
        let body = json!({"call_id": call.call_id, "fn": call.function, "kwargs": call.kwargs});
        let body = body.to_string();
        let now = self.runtime.engine.now();
        let request = match self.outbound.request(Method::POST, http.url.as_str()) {
            Ok(request) => request,
            Err(reason) => {
                return not_run("not_callable", &reason);
            }
        };
        let mut request = request
            .timeout(timeout)
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", &call.idempotency_key)
            .header("webhook-id", &call.idempotency_key)
            .header("webhook-timestamp", now.seconds().to_string());
        if let Some(reference) = &http.secret {
            match reference.resolve(&self.runtime.environment) {
                Ok(secret) => {
                    let signature =
                        webhook::sign(&secret, &call.idempotency_key, now, body.as_bytes());
                    request = request.header("webhook-signature", signature);
                }
                Err(error) => {
                    return not_run("no_secret", &error.to_string());
                }
            }
        }
        match request.body(body).send().await {
            Ok(response) => (answered(response, now).await, End::Answered),
            Err(error) if error.is_timeout() => (unanswered(http, &error), End::TimedOut),
            Err(error) => (unanswered(http, &error), End::Unknown),
        }
    }
}

/// Only an error before the request was sent is certain to have had no effect.
fn unanswered(http: &HttpExecutor, error: &reqwest::Error) -> Report {
    let text = causes(error);
    if error.is_connect() && error.is_timeout() {
        Report::NotDone(Failure::new(TIMEOUT, &text), None)
    } else if error.is_connect() {
        let text = format!("no connection to {}: {text}", http.url.shown());
        Report::NotDone(Failure::new("unreachable", &text), None)
    } else if error.is_builder() {
        Report::Rejected(Failure::new("invalid_request", &text))
    } else if error.is_timeout() {
        Report::Unclear(Failure::new(TIMEOUT, &text))
    } else {
        Report::Unclear(Failure::new("connection_lost", &text))
    }
}

async fn answered(response: Response, now: Timestamp) -> Report {
    let status = response.status();
    if status.is_success() {
        return Report::Succeeded(result(response).await);
    }
    let wish = retry_after(&response, now);
    let said = beginning_of(response).await;
    let message = match said.trim() {
        "" => format!("the endpoint answered {status}"),
        said => format!("the endpoint answered {status}: {said}"),
    };
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::TOO_EARLY => {
            Report::NotDone(Failure::new("throttled", &message), wish)
        }
        // 307 and 308 mean that the endpoint did not process the request: it must be sent to another URL.
        // Other redirects often follow a request that was processed.
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
            let message = format!("{message}; redirects are not followed");
            Report::Rejected(Failure::new("redirected", &message))
        }
        status if !status.is_client_error() || status == StatusCode::REQUEST_TIMEOUT => {
            Report::Unclear(Failure::new("unclear_answer", &message))
        }
        _ => Report::Rejected(Failure::new("rejected", &message)),
    }
}

/// The response body: JSON if it can be read exactly, otherwise its text; null if it is empty. The status has already
/// shown that the operation succeeded, so of a body that cannot be kept only the reason is kept.
async fn result(response: Response) -> Value {
    let left_out = |why: &str| json!({"result_left_out": why});
    let body = match whole_body(response).await {
        Ok(body) => body,
        Err(why) => return left_out(why),
    };
    match (strict_json::parse(&body), String::from_utf8(body)) {
        (Ok(json), _) => json,
        (Err(_), Ok(text)) if text.is_empty() => Value::Null,
        (Err(_), Ok(text)) => Value::from(text),
        (Err(_), Err(_)) => left_out("it is not UTF-8"),
    }
}

/// The beginning of a refusal, which often says what is wrong.
async fn beginning_of(mut response: Response) -> String {
    let mut body = Vec::new();
    while body.len() < LARGEST_ANSWER
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(LARGEST_ANSWER);
    String::from_utf8_lossy(&body).into_owned()
}

async fn whole_body(mut response: Response) -> Result<Vec<u8>, &'static str> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| "it was cut off")? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_RESULT {
            return Err("it has more than 64 KB");
        }
    }
    Ok(body)
}

//! Polls an upstream approver: a HumanLayer-compatible server that may also decide the operation.
//!
//! The operation has the same call id on the upstream server, so a poll needs no stored state: it reads the
//! operation, or creates it if the server does not have it. If the worker dies in between, it polls again.
//! The upstream server gets the creation and nothing else: an operation that is decided here stays open
//! there.

use std::time::Duration;

use placet_core::breaker::End;
use placet_core::delivery::Answer;
use placet_core::humanlayer::{self, Answered};
use placet_core::item::{Item, Write};
use placet_core::limits::LARGEST_UPSTREAM_ANSWER;
use placet_core::operation::{Actor, Command, Operation, OperationKind};
use placet_runtime::config::Upstream;
use placet_runtime::engine::Context;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::Worker;

/// The timeout of one HTTP call. A poll makes two calls at most.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The result of a poll.
enum Polled {
    /// The upstream approver has decided.
    Decided(Box<Answered>),
    /// The upstream approver has not decided yet.
    Pending,
    /// The server refuses the poll until a person corrects the configuration or the data.
    Refused(String),
    /// The server is unavailable at the moment.
    Unreachable(String),
}

/// The upstream server, ready to be called.
struct Server<'a> {
    /// The collection URL of the operations of this kind.
    items: Url,
    bearer: HeaderValue,
    configured: &'a Upstream,
}

impl Worker {
    /// Polls the upstream approver. Returns its decision as a command if the operation accepts the decision;
    /// otherwise [`Command::Polled`], which schedules the next poll.
    pub(crate) async fn poll(&self, context: &Context, operation: &Item<Operation>) -> Command {
        let (project, call_id) = (operation.project(), operation.call_id());
        let Some(upstream) = &operation.upstream else { return Command::Polled };
        let url = upstream.base_url.as_str();
        let polled = match self.server(operation, url) {
            Ok(server) => self.poll_server(context, operation, &server).await,
            Err(wrong) => Polled::Refused(wrong),
        };
        match polled {
            Polled::Decided(answered) => {
                let by = Actor::Upstream { url: url.to_owned() };
                let seen = Some(operation.digest_with(&answered.content));
                let notices = self.runtime.notices(operation);
                let decide = answered.answer.decide(operation, &by, seen, notices);
                let write = Write::new("", self.runtime.engine.now());
                match operation.apply(&decide, &write) {
                    Ok(_) => return decide,
                    Err(refusal) => {
                        let code = refusal.code();
                        tracing::error!(
                            project,
                            call_id,
                            url,
                            code,
                            "upstream decision refused by the operation"
                        );
                    }
                }
            }
            Polled::Pending => tracing::info!(project, call_id, url, "upstream approver polled"),
            Polled::Refused(error) => {
                tracing::error!(project, call_id, url, error, "upstream approver refused the poll");
            }
            Polled::Unreachable(error) => {
                tracing::warn!(
                    project,
                    call_id,
                    url,
                    error,
                    "upstream approver unreachable, will retry"
                );
            }
        }
        Command::Polled
    }

    /// The upstream approver of an operation.
    ///
    /// # Errors
    ///
    /// The reason, if `placet.yaml` no longer names the server or its API key cannot be used.
    fn server(&self, operation: &Item<Operation>, url: &str) -> Result<Server<'_>, String> {
        let config = &self.runtime.config;
        let configured = config
            .upstream(operation.project(), operation.content.function())
            .filter(|upstream| upstream.base_url() == url)
            .ok_or("placet.yaml no longer names this server as upstream approver")?;
        let variable = &configured.api_key.variable;
        let key = configured.api_key.text(&self.runtime.environment);
        let key = key.map_err(|error| error.to_string())?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {key}"))
            .map_err(|_| format!("{variable} does not contain an API key"))?;
        bearer.set_sensitive(true);
        let mut items =
            Url::parse(url).map_err(|error| format!("its base_url is not a URL: {error}"))?;
        push(
            &mut items,
            match operation.kind() {
                OperationKind::FunctionCall => "function_calls",
                OperationKind::HumanContact => "contact_requests",
            },
        );
        Ok(Server { items, bearer, configured })
    }

    async fn poll_server(
        &self,
        context: &Context,
        operation: &Item<Operation>,
        server: &Server<'_>,
    ) -> Polled {
        let mut item = server.items.clone();
        push(&mut item, operation.call_id());
        item.set_query(Some("wait=0"));
        let mut answer = self.call(server, Method::GET, &item, String::new()).await;
        if matches!(answer, Answer::Status { status: 404, .. }) {
            let body = self.creation(operation).to_string();
            answer = self.call(server, Method::POST, &server.items, body).await;
        }
        context.note_end(match &answer {
            Answer::Status { .. } => End::Answered,
            Answer::TimedOut(_) => End::TimedOut,
            Answer::Nothing(_) => End::Unknown,
        });
        match answer {
            Answer::Status { status: 200..=299, body, .. } => read(operation, &body),
            Answer::Status { status: status @ (408 | 429 | 500..), .. } => {
                Polled::Unreachable(format!("it answered {status}"))
            }
            Answer::Status { status, .. } => Polled::Refused(server.refuses(status)),
            Answer::Nothing(reason) | Answer::TimedOut(reason) => Polled::Unreachable(reason),
        }
    }

    /// The body that creates the operation on the upstream server. That server does not know the channel ids
    /// of `placet.yaml`, so the body contains the whole channel.
    fn creation(&self, operation: &Item<Operation>) -> Value {
        let mut body = humanlayer::create_body(operation);
        if let Some(id) = operation.channel.as_ref().and_then(|channel| channel.channel_id) {
            let stored = self.runtime.config.channel(operation.project(), id);
            body["spec"]["channel"] =
                stored.map(|stored| json!(stored.channel)).unwrap_or_default();
        }
        body
    }

    async fn call(&self, server: &Server<'_>, method: Method, url: &Url, body: String) -> Answer {
        let request = match self.outbound.request(method, url.as_str()) {
            Ok(request) => request.timeout(TIMEOUT).body(body),
            Err(reason) => return Answer::Nothing(reason),
        };
        let request = request.header(AUTHORIZATION, &server.bearer);
        let request = request.header(CONTENT_TYPE, "application/json");
        self.outbound.answer(request, LARGEST_UPSTREAM_ANSWER).await
    }
}

impl Server<'_> {
    /// Why the server refuses the poll with this status, and how to correct that.
    fn refuses(&self, status: u16) -> String {
        let variable = &self.configured.api_key.variable;
        match status {
            401 | 403 => format!(
                "it answered {status}: {variable} must contain an API key of that server that may create and read operations"
            ),
            404 => "it answered 404: base_url must be the URL of its API, including /humanlayer/v1"
                .to_owned(),
            409 => "it answered 409: it has a different operation under this call id".to_owned(),
            300..=399 => format!("it answered {status}: redirects are not followed"),
            _ => format!("it answered {status}"),
        }
    }
}

/// Appends a segment to the path, and escapes its characters.
fn push(url: &mut Url, segment: &str) {
    if let Ok(mut path) = url.path_segments_mut() {
        path.push(segment);
    }
}

/// Reads the response to a poll. The server may decide only the operation that was polled.
fn read(operation: &Item<Operation>, body: &[u8]) -> Polled {
    if body.len() >= LARGEST_UPSTREAM_ANSWER {
        return Polled::Refused(format!(
            "its response has {LARGEST_UPSTREAM_ANSWER} bytes or more"
        ));
    }
    let polled = |answered: &Answered| {
        answered.call_id == operation.call_id() && answered.content.kind() == operation.kind()
    };
    match humanlayer::answer(body) {
        Ok(Some(answered)) if polled(&answered) => Polled::Decided(Box::new(answered)),
        Ok(Some(_)) => Polled::Refused("it answered for another operation".to_owned()),
        Ok(None) => Polled::Pending,
        Err(error) => Polled::Refused(error.to_string()),
    }
}

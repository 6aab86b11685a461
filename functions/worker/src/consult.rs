//! Asks a person elsewhere: at a server that speaks HumanLayer's language.
//!
//! The call has the same id there as here, so asking needs no memory: what is not there yet is
//! created, what is there is read. Whoever crashes in between asks again. Nothing is ever told to that
//! server but the question: what is decided here stays unanswered there.

use std::time::Duration;

use placet_core::delivery::Answer;
use placet_core::humanlayer::{self, Answered};
use placet_core::{Kind, Operation, OperationId, State};
use placet_runtime::config::Upstream;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use crate::{JobError, Worker};

/// How long the server may take for one answer; there are two at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most bytes of an answer: a specification, with every character of it escaped.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// What a server said.
enum Said {
    /// A person has answered there.
    Answered(Box<Answered>),
    /// Nobody has answered yet.
    Nothing,
    /// It will stay like this until somebody mends something.
    Refused(String),
    /// It can not be asked for now.
    Unreachable(String),
}

/// The server as it is called.
struct Server<'a> {
    /// All calls of this kind.
    items: Url,
    bearer: HeaderValue,
    configured: &'a Upstream,
}

impl Worker {
    /// Asks, or asks for the answer and applies it. An answer that can not be had or not be taken for now
    /// is asked for again by the timer.
    pub(crate) async fn consult(&self, id: &OperationId) -> Result<(), JobError> {
        let (tenant, call_id) = (id.tenant.as_str(), id.call_id.as_str());
        let Some(operation) = self.runtime.store.operation(id, true).await? else {
            tracing::error!(tenant, call_id, "there is no such operation");
            return Ok(());
        };
        if operation.state_at(self.runtime.clock.now()) != State::Pending {
            return Ok(());
        }
        let Some(asked) = &operation.upstream else { return Ok(()) };
        let asked = asked.base_url.as_str();
        let said = match self.server(&operation, asked) {
            Ok(server) => self.ask_server(&operation, &server).await,
            Err(wrong) => Said::Refused(wrong),
        };
        match said {
            Said::Answered(answered) => {
                let host = Url::parse(asked).map(|url| url.authority().to_owned());
                let by = format!("upstream {}", host.unwrap_or_default());
                match self.apply_answer(tenant, &answered, by).await? {
                    Ok(note) => {
                        tracing::info!(tenant, call_id, url = asked, note, "decided elsewhere")
                    }
                    Err(error) => {
                        tracing::error!(
                            tenant,
                            call_id,
                            url = asked,
                            error,
                            "not decided elsewhere"
                        );
                    }
                }
            }
            Said::Nothing => tracing::info!(tenant, call_id, url = asked, "asked elsewhere"),
            Said::Refused(error) => {
                tracing::error!(tenant, call_id, url = asked, error, "not decided elsewhere");
            }
            // A message that comes again and again would end as a dead letter each time.
            Said::Unreachable(error) => {
                tracing::warn!(tenant, call_id, url = asked, error, "not asked elsewhere for now");
            }
        }
        Ok(())
    }

    /// The server that was to be asked, if it still is.
    fn server(&self, operation: &Operation, asked: &str) -> Result<Server<'_>, String> {
        let config = &self.runtime.config;
        let configured = config
            .upstream(&operation.tenant, operation.content.function())
            .filter(|upstream| upstream.base_url() == asked)
            .ok_or("placet.yaml does not name this server as approver any more")?;
        let variable = &configured.api_key.variable;
        let key = configured.api_key.text(&self.runtime.environment);
        let key = key.map_err(|error| error.to_string())?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {key}"))
            .map_err(|_| format!("{variable} holds what is no API key"))?;
        bearer.set_sensitive(true);
        let mut items = Url::parse(asked).map_err(|error| format!("its base_url: {error}"))?;
        push(
            &mut items,
            match operation.kind() {
                Kind::FunctionCall => "function_calls",
                Kind::HumanContact => "contact_requests",
            },
        );
        Ok(Server { items, bearer, configured })
    }

    async fn ask_server(&self, operation: &Operation, server: &Server<'_>) -> Said {
        let mut item = server.items.clone();
        push(&mut item, &operation.call_id);
        item.set_query(Some("wait=0"));
        let mut answer = self.call(server, Method::GET, &item, String::new()).await;
        if matches!(answer, Answer::Status { status: 404, .. }) {
            let body = self.question(operation).to_string();
            answer = self.call(server, Method::POST, &server.items, body).await;
        }
        match answer {
            Answer::Status { status: 200..=299, body, .. } => read(operation, &body),
            Answer::Status { status: status @ (408 | 429 | 500..), .. } => {
                Said::Unreachable(format!("it answered {status}"))
            }
            Answer::Status { status, .. } => Said::Refused(server.refuses(status)),
            Answer::Nothing(reason) => Said::Unreachable(reason),
        }
    }

    /// What is asked there. The number of a channel that is stored here means nothing there.
    fn question(&self, operation: &Operation) -> Value {
        let mut body = humanlayer::create_body(operation);
        let channel = &mut body["spec"]["channel"];
        let id = channel.get("channel_id").and_then(Value::as_u64);
        if let Some(id) = id {
            let stored = self.runtime.config.channel(&operation.tenant, id);
            *channel = stored.map(|stored| Value::from(stored.channel.clone())).unwrap_or_default();
        }
        body
    }

    async fn call(&self, server: &Server<'_>, method: Method, url: &Url, body: String) -> Answer {
        let request = match self.outbound.request(method, url.as_str()) {
            Ok(request) => request.timeout(PATIENCE).body(body),
            Err(reason) => return Answer::Nothing(reason),
        };
        let request = request.header(AUTHORIZATION, &server.bearer);
        let request = request.header(CONTENT_TYPE, "application/json");
        self.outbound.answer(request, LARGEST_ANSWER).await
    }
}

impl Server<'_> {
    /// Why this status will stay until somebody mends something.
    fn refuses(&self, status: u16) -> String {
        let variable = &self.configured.api_key.variable;
        match status {
            401 | 403 => format!(
                "it answered {status}: {variable} must hold a key of that server that may ask and read"
            ),
            404 => {
                "it answered 404: base_url must be where its API is, with /humanlayer/v1".to_owned()
            }
            409 => "it answered 409: it holds something else under this id".to_owned(),
            300..=399 => format!("it answered {status}: redirects are not followed"),
            _ => format!("it answered {status}"),
        }
    }
}

/// Adds a segment to the path, whatever characters it has.
fn push(url: &mut Url, segment: &str) {
    if let Ok(mut path) = url.path_segments_mut() {
        path.push(segment);
    }
}

/// A server may only answer what it was asked.
fn read(operation: &Operation, body: &[u8]) -> Said {
    if body.len() >= LARGEST_ANSWER {
        return Said::Refused(format!("its answer has more than {LARGEST_ANSWER} bytes"));
    }
    let asked = |answered: &Answered| {
        answered.call_id == operation.call_id && answered.content.kind() == operation.kind()
    };
    match humanlayer::answer(body) {
        Ok(Some(answered)) if asked(&answered) => Said::Answered(Box::new(answered)),
        Ok(Some(_)) => Said::Refused("it answered for another call".to_owned()),
        Ok(None) => Said::Nothing,
        Err(error) => Said::Refused(error.to_string()),
    }
}

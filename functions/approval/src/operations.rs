//! `/v1/operations`: ask, look, decide, cancel.

mod describe;
mod list;

use lambda_http::http::header::LOCATION;
use lambda_http::http::{HeaderMap, HeaderValue, Method, StatusCode};
use placet_core::humanlayer::{Create, InvalidBody};
use placet_core::native::{self, Decide};
use placet_core::{Command, Digest, Kind, Operation, OperationId, Refusal, State};
use placet_runtime::http::{Request, Response, json};
use placet_runtime::problem::Problem;
use placet_runtime::{ApiKey, Asked, CommandError, CreateError, Created, new_call_id};

use crate::humanlayer::create_problem;
use crate::query::Query;
use crate::{Approval, unavailable};

/// The longest `Idempotency-Key`, in bytes.
const LONGEST_KEY: usize = 255;

impl Approval {
    /// The routes under `/v1/operations`.
    pub(crate) async fn operations(
        &self,
        key: &ApiKey,
        path: &[&str],
        method: Method,
        request: &Request,
    ) -> Result<Response, Problem> {
        let id = |kind: &str, call_id: &str| match Kind::parse(kind) {
            Some(kind) => Ok(OperationId::new(&key.tenant, kind, call_id)),
            None => Err(Problem::not_found(format!(
                "there are no operations of the kind {kind:?}, only function_call and human_contact"
            ))),
        };
        let body = request.body().as_ref();
        match (path, method) {
            ([], Method::POST) => self.ask(key, request).await,
            ([], Method::GET) => self.list(key, request).await,
            ([kind, call_id], Method::GET) => self.look(&id(kind, call_id)?, request).await,
            ([kind, call_id, "decision"], Method::POST) => {
                self.decide(key, &id(kind, call_id)?, body).await
            }
            ([kind, call_id, "cancel"], Method::POST) => {
                self.cancel(key, &id(kind, call_id)?, body).await
            }
            _ => Err(Problem::not_found("there is no such route under /v1")),
        }
    }

    /// The id of what is asked is the asker's; or made from the idempotency key, so that a repetition
    /// finds what was asked before; or a new one.
    async fn ask(&self, key: &ApiKey, request: &Request) -> Result<Response, Problem> {
        let (kind, asked) = native::create(request.body().as_ref()).map_err(invalid)?;
        let Create { run_id, call_id, content, extras } = asked;
        let idempotency_key = idempotency_key(request.headers())?.filter(|_| call_id.is_none());
        let derived = idempotency_key.map(derived_id);
        let call_id = call_id.or_else(|| derived.clone()).unwrap_or_else(new_call_id);
        let id = OperationId::new(&key.tenant, kind, call_id);
        let extras = self
            .with_channel(key, extras)
            .map_err(|wrong| Problem::invalid_body("/channel/channel_id", wrong.msg))?;
        let by = format!("api {}", key.name);
        let created = self.runtime.create(Asked { id, run_id, content, extras, by }).await;
        let (status, operation) = match created {
            Ok(Created::New(operation)) => {
                let (tenant, call_id) = (&operation.tenant, &operation.call_id);
                tracing::info!(tenant, call_id, kind = kind.as_str(), "operation created");
                (StatusCode::CREATED, operation)
            }
            Ok(Created::Before(operation)) => (StatusCode::OK, operation),
            Err(CreateError::Conflict(_)) if derived.is_some() => return Err(key_reused(kind)),
            Err(error) => return Err(create_problem(&error)),
        };
        let mut response = self.answer_with(status, &operation).await?;
        if let Ok(location) = HeaderValue::try_from(describe::url(&operation.id())) {
            response.headers_mut().insert(LOCATION, location);
        }
        Ok(response)
    }

    /// Held only if the client asks for it.
    async fn look(&self, id: &OperationId, request: &Request) -> Result<Response, Problem> {
        let wait = Query::read(request, &["wait"])?.wait()?.unwrap_or_default();
        let operation = self.poll(id, Some(wait)).await.map_err(|error| unavailable(&error))?;
        self.answer_with(StatusCode::OK, &operation.ok_or_else(|| no_operation(id))?).await
    }

    async fn decide(
        &self,
        key: &ApiKey,
        id: &OperationId,
        body: &[u8],
    ) -> Result<Response, Problem> {
        let Decide { said, seen } = native::decide(body).map_err(invalid)?;
        let operation = self.find_operation(id).await?;
        let offered = |name: &String| operation.options().iter().any(|one| one.name == *name);
        if let Some(option) = said.option.as_ref().filter(|option| !offered(option)) {
            let wrong = format!("{option:?} is not an option of this operation");
            return Err(Problem::invalid_body("/option", wrong));
        }
        let by = format!("api {}", key.name);
        let command = |operation: &Operation| said.decide(operation, &by, Some(seen));
        let decided = self.runtime.change(operation, command).await;
        let operation = decided.map_err(|error| refused(id, &error))?;
        let (tenant, call_id) = (&id.tenant, &id.call_id);
        tracing::info!(tenant, call_id, state = operation.state.as_str(), "operation decided");
        self.answer_with(StatusCode::OK, &operation).await
    }

    /// What is cancelled already is shown as it stands.
    async fn cancel(
        &self,
        key: &ApiKey,
        id: &OperationId,
        body: &[u8],
    ) -> Result<Response, Problem> {
        let reason = native::cancel(body).map_err(invalid)?;
        let by = format!("api {}", key.name);
        let command = |_: &Operation| Command::Cancel { reason: reason.clone(), by: by.clone() };
        let operation = match self.runtime.command(id, command).await {
            Err(CommandError::Refused(Refusal::AlreadyDecided { state: State::Cancelled })) => {
                self.find_operation(id).await?
            }
            cancelled => {
                let operation = cancelled.map_err(|error| refused(id, &error))?;
                tracing::info!(tenant = id.tenant, call_id = id.call_id, "operation cancelled");
                operation
            }
        };
        self.answer_with(StatusCode::OK, &operation).await
    }

    async fn find_operation(&self, id: &OperationId) -> Result<Operation, Problem> {
        let found = self.runtime.store.operation(id, true).await;
        found.map_err(|error| unavailable(&error))?.ok_or_else(|| no_operation(id))
    }

    async fn answer_with(
        &self,
        status: StatusCode,
        operation: &Operation,
    ) -> Result<Response, Problem> {
        let described = self.whole_operation(operation).await;
        Ok(json(status, &described.map_err(|error| unavailable(&error))?))
    }
}

/// The `Idempotency-Key` of a request.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| {
        (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let detail = "the Idempotency-Key has to be 1 to 255 visible ASCII characters";
    let wrong = || Problem::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", detail);
    key.ok_or_else(wrong).map(Some)
}

fn derived_id(key: &str) -> String {
    let digest = Digest::of_bytes(key.as_bytes()).to_string();
    format!("op-{}", &digest[..32])
}

fn key_reused(kind: Kind) -> Problem {
    let kind = kind.as_str();
    let detail = format!(
        "another {kind} was asked for with this Idempotency-Key: repeat what was asked, or choose a \
         new key"
    );
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
}

fn no_operation(id: &OperationId) -> Problem {
    Problem::not_found(format!("there is no {} with id {}", id.kind.as_str(), id.call_id))
}

fn refused(id: &OperationId, error: &CommandError) -> Problem {
    match error {
        CommandError::NotFound(_) => no_operation(id),
        CommandError::Refused(refusal) => {
            Problem::new(StatusCode::CONFLICT, refusal.code(), refusal.to_string())
        }
        CommandError::Busy(_) | CommandError::Store(_) => unavailable(error),
    }
}

fn invalid(body: InvalidBody) -> Problem {
    match body {
        InvalidBody::Json(_) => {
            Problem::new(StatusCode::BAD_REQUEST, "malformed_json", body.to_string())
        }
        InvalidBody::Field(field) => {
            let escape = |part: &String| format!("/{}", part.replace('~', "~0").replace('/', "~1"));
            let pointer: String = field.loc.iter().skip(1).map(escape).collect();
            Problem::invalid_body(pointer, field.msg)
        }
    }
}

//! `/humanlayer/v1`: the routes that the SDKs of HumanLayer call.

use lambda_http::http::{Method, StatusCode};
use placet_core::humanlayer::{self, InvalidBody, Respond};
use placet_core::{Command, NewOperation, Refusal, Verdict};
use placet_runtime::http::{Request, Response, json};
use placet_runtime::problem::Problem;
use placet_runtime::{ApiKey, CommandError, CreateError, Created, new_call_id};
use serde_json::json;

use crate::{Approval, unavailable};

impl Approval {
    pub(crate) async fn humanlayer(
        &self,
        path: &[&str],
        method: Method,
        request: &Request,
    ) -> Response {
        let key = match self.authorize(request.headers()).await {
            Ok(key) => key,
            Err(problem) => return problem.into_detail(),
        };
        let body = request.body().as_ref();
        let reply = match (path, &method) {
            (["function_calls"], &Method::POST) => self.create_call(&key, body).await,
            (["function_calls", call_id], &Method::GET) => self.get_call(&key, call_id).await,
            (["agent", "function_calls", call_id, "respond"], &Method::POST) => {
                self.respond_to_call(&key, call_id, body).await
            }
            (["function_calls"] | ["function_calls", _], _)
            | (["agent", "function_calls", _, "respond"], _) => {
                Err(Problem::method_not_allowed().into())
            }
            _ => Err(Problem::not_found("there is no such route under /humanlayer/v1").into()),
        };
        reply.unwrap_or_else(Failed::into_response)
    }

    async fn create_call(&self, key: &ApiKey, body: &[u8]) -> Result<Response, Failed> {
        let call = humanlayer::create_call(body)?;
        let config = &self.runtime.config;
        let created = self
            .runtime
            .create(NewOperation {
                tenant: key.tenant.clone(),
                call_id: call.call_id.unwrap_or_else(new_call_id),
                run_id: call.run_id,
                plan: config.plan(&call.function),
                time_to_decide: config.time_to_decide(&call.function),
                function: call.function,
                kwargs: call.kwargs,
                extras: call.extras,
                by: format!("api {}", key.name),
            })
            .await?;
        let (Created::New(operation) | Created::Before(operation)) = created;
        tracing::info!(tenant = key.tenant, call_id = operation.call_id, "function call created");
        Ok(self.reply(&operation))
    }

    async fn get_call(&self, key: &ApiKey, call_id: &str) -> Result<Response, Failed> {
        let store = &self.runtime.store;
        let read = |consistent| store.operation(&key.tenant, call_id, consistent);
        // A poll can do with the cheap read; only a call that was created just now needs the other.
        let found = match read(false).await {
            Ok(None) => read(true).await,
            found => found,
        };
        let operation = found
            .map_err(|error| unavailable(&error))?
            .ok_or_else(|| Problem::not_found(format!("there is no call with id {call_id}")))?;
        Ok(self.reply(&operation))
    }

    async fn respond_to_call(
        &self,
        key: &ApiKey,
        call_id: &str,
        body: &[u8],
    ) -> Result<Response, Failed> {
        let Respond { approved, comment, option } = humanlayer::respond(body)?;
        let command = Command::Decide {
            verdict: if approved { Verdict::Approve } else { Verdict::Deny },
            comment,
            option,
            by: format!("api {}", key.name),
            seen: None,
        };
        let operation = self.runtime.command(&key.tenant, call_id, |_| command.clone()).await?;
        tracing::info!(tenant = key.tenant, call_id, approved, "function call decided");
        Ok(self.reply(&operation))
    }

    fn reply(&self, operation: &placet_core::Operation) -> Response {
        json(StatusCode::OK, &humanlayer::function_call(operation, self.runtime.clock.now()))
    }
}

/// What a client is told instead of its call: `{"detail": text}`, or FastAPI's list of fields.
enum Failed {
    Problem(Problem),
    Body(InvalidBody),
}

impl Failed {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_detail(),
            Self::Body(InvalidBody::Field(field)) => {
                json(StatusCode::UNPROCESSABLE_ENTITY, &json!({"detail": [field]}))
            }
            Self::Body(invalid @ InvalidBody::Json(_)) => {
                let error =
                    json!({"loc": ["body"], "msg": invalid.to_string(), "type": "json_invalid"});
                json(StatusCode::UNPROCESSABLE_ENTITY, &json!({"detail": [error]}))
            }
        }
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<InvalidBody> for Failed {
    fn from(invalid: InvalidBody) -> Self {
        Self::Body(invalid)
    }
}

impl From<CreateError> for Failed {
    fn from(error: CreateError) -> Self {
        Self::Problem(create_problem(&error))
    }
}

impl From<CommandError> for Failed {
    fn from(error: CommandError) -> Self {
        let detail = error.to_string();
        Self::Problem(match &error {
            CommandError::NotFound(_) => Problem::not_found(detail),
            CommandError::Refused(refusal) => {
                Problem::new(StatusCode::CONFLICT, Refusal::code(refusal), detail)
            }
            CommandError::Busy(_) | CommandError::Store(_) => unavailable(&error),
        })
    }
}

pub(crate) fn create_problem(error: &CreateError) -> Problem {
    let detail = error.to_string();
    match error {
        CreateError::Conflict(_) => Problem::new(StatusCode::CONFLICT, "id_taken", detail),
        CreateError::TooLarge { .. } => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        }
        CreateError::Store(error) => unavailable(error),
    }
}

//! Function calls and questions: create, get, respond, escalate.

use lambda_http::http::StatusCode;
use placet_core::FieldError;
use placet_core::humanlayer::{self, Create};
use placet_core::item::Item;
use placet_core::operation::{Command, Operation, OperationId, OperationKind, Refusal};
use placet_runtime::config::Interface;
use placet_runtime::http::Response;
use placet_runtime::{ChangeError, new_call_id};
use serde::Deserialize;

use crate::call::Call;
use crate::error::Error;
use crate::operations::{Poll, choose_channel, log_created, log_decided};
use crate::polling::poll;
use crate::read::Seconds;
use crate::reply::json;

/// The function call or question that a path names.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CallPath {
    /// The client's id of the function call or question.
    #[cfg_attr(test, schemars(example = &"call-1"))]
    call_id: String,
}

/// Creates an operation, or returns the one that has the same id and specification.
pub(crate) async fn create(call: Call<'_>, kind: OperationKind) -> Result<Response, Error> {
    let Create { run_id, call_id, mut specification } = humanlayer::create(kind, call.body())?;
    choose_channel(&call, &mut specification).map_err(|unknown| {
        wrong(&["body", "spec", "channel", "channel_id"], unknown.to_string())
    })?;
    let id = call.operation_id(kind, &call_id.unwrap_or_else(new_call_id));
    let requested = call.requested(id, run_id, specification, Interface::HumanLayer);
    let created = call.runtime().create_operation(requested).await?;
    log_created(&created);
    Ok(answer(&call, &created.into_item()))
}

/// Gets an operation. If long polling is on, the poll is held unless the client sends `wait=0`.
pub(crate) async fn get(call: Call<'_>, kind: OperationKind) -> Result<Response, Error> {
    let id = named(&call, kind)?;
    let Poll { wait } = call.query()?;
    let operation = poll(&call, &id, wait.map(|Seconds(wait)| wait)).await?;
    Ok(answer(&call, &operation))
}

/// Decides an operation. A second decision is refused, even if it is the same.
pub(crate) async fn respond(call: Call<'_>, kind: OperationKind) -> Result<Response, Error> {
    let id = named(&call, kind)?;
    let response = humanlayer::respond(kind, call.body())?;
    let operation = call.load::<Operation>(&id.path()).await?;
    let (by, notices) = (call.by(), call.runtime().notices(&operation));
    let decide =
        |operation: &Item<Operation>| response.decide(operation, &by, None, notices.clone());
    let operation = match call.engine().change(operation, decide).await {
        Err(ChangeError::Refused(Refusal::EmptyAnswer)) => {
            let msg = "Must not be empty: the operation has no option of this name with a text";
            return Err(wrong(&["body", "response"], msg.to_owned()).into());
        }
        decided => decided?,
    };
    log_decided(&operation);
    Ok(answer(&call, &operation))
}

/// Escalates an operation. A decided operation is returned unchanged.
pub(crate) async fn escalate(call: Call<'_>, kind: OperationKind) -> Result<Response, Error> {
    let id = named(&call, kind)?;
    let escalation = humanlayer::escalate(call.body())?;
    let operation = call.load::<Operation>(&id.path()).await?;
    let notify = call.runtime().notices_of_request(&operation, &escalation);
    let escalate = Command::Escalate { escalation, by: call.by(), notify };
    let escalate = |_: &Item<Operation>| escalate.clone();
    let operation = match call.engine().change(operation, escalate).await {
        Err(ChangeError::Refused(Refusal::AlreadyDecided { .. } | Refusal::Expired { .. })) => {
            call.load(&id.path()).await?
        }
        escalated => {
            let operation = escalated?;
            let (project, call_id) = (operation.project(), operation.call_id());
            tracing::info!(project, call_id, "operation escalated");
            operation
        }
    };
    Ok(answer(&call, &operation))
}

fn named(call: &Call<'_>, kind: OperationKind) -> Result<OperationId, Error> {
    let CallPath { call_id } = call.path()?;
    Ok(call.operation_id(kind, &call_id))
}

fn wrong(loc: &[&str], msg: String) -> FieldError {
    let loc = loc.iter().map(|part| (*part).to_owned()).collect();
    FieldError { loc, msg, kind: "value_error" }
}

fn answer(call: &Call<'_>, operation: &Item<Operation>) -> Response {
    json(StatusCode::OK, &humanlayer::item(operation, call.now()))
}

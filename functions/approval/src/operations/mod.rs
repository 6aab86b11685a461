//! Operations in our own API: create, list, get, decide, cancel, settle.

mod channel;
mod decision;
mod idempotency;
pub(crate) mod links;
mod list;
mod new;
mod reply;
mod settle;
mod webhooks;

use lambda_http::http::header::LOCATION;
use lambda_http::http::{HeaderValue, StatusCode};
use placet_core::item::Item;
use placet_core::operation::{Command, Operation, OperationId, OperationKind, Refusal, State};
use placet_runtime::config::Interface;
use placet_runtime::http::Response;
use placet_runtime::{ChangeError, CreateError, Created, new_call_id};
use serde::Deserialize;

pub(crate) use channel::choose_channel;
pub(crate) use idempotency::idempotency_key;
pub(crate) use list::list;
pub(crate) use reply::FailureReply;
pub(crate) use settle::{settle, settle_many};

use crate::call::Call;
use crate::error::Error;
use crate::polling::poll;
use crate::read::{Seconds, Wrong};
use crate::reply::json;
use crate::routes::path_of;
use decision::{Cancellation, NewDecision};
use new::NewOperation;
use reply::OperationReply;

#[cfg(test)]
pub(crate) mod schemas {
    pub(crate) use super::channel::{NewChannel, Recipients};
    pub(crate) use super::decision::{Body as NewDecision, Cancellation};
    pub(crate) use super::idempotency::IdempotencyKey;
    pub(crate) use super::links::{LinkPath, LinkReply, NewLink, RevokedLink};
    pub(crate) use super::list::ListOperations;
    pub(crate) use super::new::Body as NewOperation;
    pub(crate) use super::reply::{ListedOperation, OperationReply};
    pub(crate) use super::settle::{NewSettlement, NewSettlements, Settled};
}

/// The operation that a path names.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OperationPath {
    /// The kind of the operation.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::OperationKind"))]
    kind: OperationKind,
    /// The requester's id of the operation.
    #[cfg_attr(test, schemars(example = &"call-1"))]
    call_id: String,
}

/// How long a poll is held.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Poll {
    /// For how many seconds the poll of a pending operation is held, if long polling is on.
    pub(crate) wait: Option<Seconds>,
}

/// Creates an operation, or returns the one that has the same id and specification.
///
/// The id is the one that the requester chose. Without one, the id is derived from the API key and the
/// idempotency key, so that a repeated request finds the operation that the first request created. Without an
/// idempotency key, the id is new.
pub(crate) async fn create(call: Call<'_>) -> Result<Response, Error> {
    let NewOperation { run_id, call_id, mut specification } = NewOperation::read(call.body())?;
    let key = idempotency_key(call.headers())?.filter(|_| call_id.is_none());
    let derived = key.map(|key| idempotency::derived_id(call.key_digest, key));
    let call_id = call_id.or_else(|| derived.clone()).unwrap_or_else(new_call_id);
    choose_channel(&call, &mut specification)
        .map_err(|unknown| Wrong::at(&["channel", "channel_id"], unknown.to_string()))?;
    let kind = specification.content.kind();
    let id = call.operation_id(kind, &call_id);
    let requested = call.requested(id, run_id, specification, Interface::Placet);
    let created = match call.runtime().create_operation(requested).await {
        Err(CreateError::Conflict(_)) if derived.is_some() => {
            return Err(idempotency::key_reused(kind).into());
        }
        created => created?,
    };
    log_created(&created);
    let status = match created {
        Created::New(_) => StatusCode::CREATED,
        Created::Before(_) => StatusCode::OK,
    };
    let operation = created.into_item();
    let location = path_of("get_operation", &[kind.as_str(), operation.call_id()]);
    let mut response = answer(&call, status, &operation).await?;
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Gets an operation. The poll is held only if the client sends `wait`.
pub(crate) async fn get(call: Call<'_>) -> Result<Response, Error> {
    let id = named(&call)?;
    let Poll { wait } = call.query()?;
    let wait = wait.map(|Seconds(wait)| wait).unwrap_or_default();
    let operation = poll(&call, &id, Some(wait)).await?;
    answer(&call, StatusCode::OK, &operation).await
}

/// Decides an operation for a person. The digest identifies what the person saw.
pub(crate) async fn decide(call: Call<'_>) -> Result<Response, Error> {
    let id = named(&call)?;
    let NewDecision { response, seen } = NewDecision::read(call.body())?;
    let operation = call.load::<Operation>(&id.path()).await?;
    if let Some(option) = &response.option
        && operation.option(option).is_none()
    {
        let detail = format!("must name an option of this operation; it has no {option:?}");
        return Err(Wrong::at(&["option"], detail).into());
    }
    let (by, notices) = (call.by(), call.runtime().notices(&operation));
    let decide =
        |operation: &Item<Operation>| response.decide(operation, &by, Some(seen), notices.clone());
    let operation = call.engine().change(operation, decide).await?;
    log_decided(&operation);
    answer(&call, StatusCode::OK, &operation).await
}

/// Cancels a pending operation. An operation that is already cancelled is returned unchanged.
pub(crate) async fn cancel(call: Call<'_>) -> Result<Response, Error> {
    let id = named(&call)?;
    let Cancellation { reason } = Cancellation::read(call.body())?;
    let reason = reason.unwrap_or_default().0;
    let operation = call.load::<Operation>(&id.path()).await?;
    let (by, notices) = (call.by(), call.runtime().notices(&operation));
    let cancel = |_: &Item<Operation>| Command::Cancel {
        reason: reason.clone(),
        by: by.clone(),
        notify: notices.clone(),
    };
    let operation = match call.engine().change(operation, cancel).await {
        Err(ChangeError::Refused(Refusal::AlreadyDecided { state: State::Cancelled })) => {
            call.load(&id.path()).await?
        }
        cancelled => {
            let operation = cancelled?;
            let (project, call_id) = (operation.project(), operation.call_id());
            tracing::info!(project, call_id, "operation cancelled");
            operation
        }
    };
    answer(&call, StatusCode::OK, &operation).await
}

fn named(call: &Call<'_>) -> Result<OperationId, Error> {
    let OperationPath { kind, call_id } = call.path()?;
    Ok(call.operation_id(kind, &call_id))
}

async fn answer(
    call: &Call<'_>,
    status: StatusCode,
    operation: &Item<Operation>,
) -> Result<Response, Error> {
    let webhooks = webhooks::webhooks(call, operation).await?;
    Ok(json(status, &OperationReply::new(call, operation, webhooks)))
}

/// Logs a creation, unless the operation was created before.
pub(crate) fn log_created(created: &Created<Operation>) {
    if let Created::New(operation) = created {
        let (project, call_id) = (operation.project(), operation.call_id());
        tracing::info!(project, call_id, kind = operation.kind().as_str(), "operation created");
    }
}

/// Logs a decision.
pub(crate) fn log_decided(operation: &Item<Operation>) {
    let (project, call_id) = (operation.project(), operation.call_id());
    tracing::info!(project, call_id, state = operation.state.as_str(), "operation decided");
}

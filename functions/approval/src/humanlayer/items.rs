//! Function calls and questions: created, read, answered, escalated.

use lambda_http::http::StatusCode;
use placet_core::humanlayer::{self, Escalate, InvalidBody};
use placet_core::{Command, Kind, Operation, OperationId, Refusal, State};
use placet_runtime::http::{Request, Response, json};
use placet_runtime::problem::Problem;
use placet_runtime::{ApiKey, Asked, CommandError, Created, new_call_id};
use serde_json::{Value, json};

use super::failed::Failed;
use crate::query::Query;
use crate::{Approval, unavailable};

/// The most a list of what is pending shows at once, and if nothing is said.
const PAGE: usize = 100;

/// After so many bytes it shows no more: an answer of Lambda has 6 MB at most.
const LARGEST_PAGE: usize = 4 * 1024 * 1024;

impl Approval {
    pub(super) async fn create_item(
        &self,
        key: &ApiKey,
        kind: Kind,
        body: &[u8],
    ) -> Result<Response, Failed> {
        let asked = humanlayer::create(kind, body)?;
        let created = self
            .runtime
            .create(Asked {
                id: OperationId::new(&key.tenant, kind, asked.call_id.unwrap_or_else(new_call_id)),
                run_id: asked.run_id,
                content: asked.content,
                extras: self.with_channel(key, asked.extras).map_err(InvalidBody::from)?,
                by: format!("api {}", key.name),
            })
            .await?;
        if let Created::New(operation) = &created {
            let (tenant, call_id) = (&operation.tenant, &operation.call_id);
            tracing::info!(tenant, call_id, kind = kind.as_str(), "operation created");
        }
        let (Created::New(operation) | Created::Before(operation)) = created;
        Ok(self.item(&operation))
    }

    pub(super) async fn get_item(
        &self,
        id: &OperationId,
        request: &Request,
    ) -> Result<Response, Failed> {
        let wait = Query::read(request, &["wait"])?.wait()?;
        let operation = self.poll(id, wait).await.map_err(|error| unavailable(&error))?;
        let missing = || Problem::not_found(format!("there is no call with id {}", id.call_id));
        Ok(self.item(&operation.ok_or_else(missing)?))
    }

    /// What waits for an answer, the nearest deadline first: in the shape clients have expected since June
    /// 2025, or with `format=array` in the one before.
    pub(super) async fn pending_items(
        &self,
        key: &ApiKey,
        kind: Kind,
        request: &Request,
    ) -> Result<Response, Failed> {
        let query = Query::lenient(request)?;
        let at_least_one = |text: &str| text.parse().ok().filter(|limit| *limit >= 1);
        let limit = query.parse("limit", "1 or more", at_least_one)?.unwrap_or(PAGE).min(PAGE);
        let offset =
            query.parse("offset", "a number", |text| text.parse().ok())?.unwrap_or(0_usize);
        let format = |text: &str| (text == "array").then_some(());
        let array = query.parse("format", "array, or left out", format)?.is_some();
        let now = self.runtime.clock.now();
        let (mut items, mut total, mut room) = (Vec::new(), 0_usize, LARGEST_PAGE);
        let see = |one: Operation| {
            if one.kind() != kind || one.state_at(now) != State::Pending {
                return;
            }
            total += 1;
            if total > offset && items.len() < limit && room > 0 {
                let item = humanlayer::item(&one, now);
                room = room.saturating_sub(item.to_string().len());
                items.push(item);
            }
        };
        let seen = self.runtime.store.each_open(&key.tenant, see).await;
        seen.map_err(|error| unavailable(&error))?;
        if array {
            return Ok(json(StatusCode::OK, &items.into()));
        }
        let has_more = offset.saturating_add(items.len()) < total;
        let page = json!({"items": items, "total": total, "limit": limit, "offset": offset, "has_more": has_more});
        Ok(json(StatusCode::OK, &page))
    }

    pub(super) async fn answer(
        &self,
        key: &ApiKey,
        id: &OperationId,
        body: &[u8],
    ) -> Result<Response, Failed> {
        let said = humanlayer::respond(id.kind, body)?;
        let by = format!("api {}", key.name);
        let command = |operation: &Operation| said.decide(operation, &by, None);
        let operation = self.runtime.command(id, command).await?;
        let (tenant, call_id) = (&id.tenant, &id.call_id);
        tracing::info!(tenant, call_id, state = operation.state.as_str(), "operation decided");
        Ok(self.item(&operation))
    }

    /// More attention is wanted. Of what is decided already nothing changes; it is shown as it stands.
    pub(super) async fn escalate(
        &self,
        key: &ApiKey,
        id: &OperationId,
        body: &[u8],
    ) -> Result<Response, Failed> {
        let escalation = humanlayer::escalate(body)?;
        let command = |operation: &Operation| Command::Escalate {
            message: escalation.message.clone(),
            recipients: recipients(&escalation, operation),
            by: format!("api {}", key.name),
        };
        let operation = match self.runtime.command(id, command).await {
            Err(CommandError::Refused(
                Refusal::AlreadyDecided { .. } | Refusal::Expired { .. },
            )) => {
                let found = self.runtime.store.operation(id, true).await;
                let missing = || CommandError::NotFound(id.call_id.clone());
                found.map_err(|error| unavailable(&error))?.ok_or_else(missing)?
            }
            escalated => {
                let operation = escalated?;
                tracing::info!(tenant = id.tenant, call_id = id.call_id, "operation escalated");
                operation
            }
        };
        Ok(self.item(&operation))
    }

    fn item(&self, operation: &Operation) -> Response {
        json(StatusCode::OK, &humanlayer::item(operation, self.runtime.clock.now()))
    }
}

/// Who is to be told: first the channel of the escalation, else that of the call, and then all that
/// either of them names.
fn recipients(escalation: &Escalate, operation: &Operation) -> Vec<String> {
    let email = operation.extras.get("channel").and_then(|channel| channel.get("email"));
    let address = |value: &Value| Some(value.get("address")?.as_str()?.to_owned());
    let own = email.and_then(address).filter(|_| !escalation.redirects);
    let more = email.and_then(|email| email.get("additional_recipients")?.as_array());
    let more = more.into_iter().flatten().filter_map(address);
    let mut all: Vec<String> = Vec::new();
    for one in own.into_iter().chain(escalation.recipients.iter().cloned()).chain(more) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

//! An operation as our own API shows it.

use placet_core::delivery::Delivery;
use placet_core::percent;
use placet_core::{
    Content, Decision, Entry, Operation, OperationId, ResponseOption, State, Timestamp, Verdict,
};
use placet_runtime::StoreError;
use serde_json::{Value, json};

use crate::Approval;

/// How much of a question a list shows, in characters.
const EXCERPT: usize = 200;

impl Approval {
    /// All there is to an operation.
    pub(super) async fn whole_operation(&self, operation: &Operation) -> Result<Value, StoreError> {
        let mut described = common(operation, self.runtime.clock.now());
        match &operation.content {
            Content::Call { function, kwargs } => {
                described["fn"] = function.as_str().into();
                described["kwargs"] = kwargs.clone();
            }
            Content::Question { message, subject } => {
                described["msg"] = message.as_str().into();
                described["subject"] = subject.as_deref().into();
            }
        }
        described[operation.kind().options()] = operation.options().iter().map(option).collect();
        let extra = |name: &str| operation.extras.get(name).cloned().unwrap_or_default();
        described["channel"] = extra("channel");
        described["asker_state"] = extra("state");
        described["executor"] = operation.plan.as_ref().map(|plan| plan.executor.as_str()).into();
        described["decision"] = operation.decision.as_ref().map(decision).into();
        described["outcome"] = json!(operation.outcome);
        described["history"] = operation.history.entries().iter().map(entry).collect();
        described["inbox"] =
            operation.id().inbox_address(self.runtime.config.project.as_str()).into();
        described["webhooks"] = self.webhooks(operation).await?;
        Ok(described)
    }

    /// The endpoints that are told of the decision, and how far that has come. A delivery is kept for a
    /// week after it ended; until it is stored, its endpoint is untold.
    async fn webhooks(&self, operation: &Operation) -> Result<Value, StoreError> {
        let id = operation.id();
        let mut webhooks = Vec::new();
        for (endpoint, _, event) in self.runtime.config.told(&id) {
            let delivery_id = Delivery::id_of(endpoint, &Delivery::key_of(&id));
            let found = match operation.state {
                State::Pending => None,
                _ => self.runtime.store.delivery(&id.tenant, &delivery_id).await?,
            };
            webhooks.push(json!({
                "endpoint": endpoint,
                "event_type": event.to_string(),
                "delivery_id": delivery_id,
                "state": match found {
                    Some(stored) => stored.delivery.state.as_str().into(),
                    None if operation.state == State::Pending || operation.untold => Value::Null,
                    None => "no_longer_kept".into(),
                },
            }));
        }
        Ok(webhooks.into())
    }
}

/// An operation in a list.
pub(super) fn summary(operation: &Operation, now: Timestamp) -> Value {
    let mut described = common(operation, now);
    match &operation.content {
        Content::Call { function, .. } => described["fn"] = function.as_str().into(),
        Content::Question { message, subject } => {
            described["msg"] = excerpt(message).into();
            described["subject"] = subject.as_deref().map(excerpt).into();
        }
    }
    let decision = operation.decision.as_ref();
    described["verdict"] = json!(decision.map(|decision| decision.verdict));
    described["decided_at"] = decision.map(|decision| decision.at.to_string()).into();
    described
}

/// Where an operation is found.
pub(super) fn url(id: &OperationId) -> String {
    format!("/v1/operations/{}/{}", id.kind.as_str(), percent::encode(&id.call_id))
}

fn common(operation: &Operation, now: Timestamp) -> Value {
    json!({
        "kind": operation.kind(),
        "call_id": operation.call_id,
        "run_id": operation.run_id,
        "state": operation.state_at(now),
        "digest": operation.digest,
        "created_at": operation.created_at.to_string(),
        "deadline": operation.deadline.to_string(),
        "attempts": operation.attempts,
    })
}

fn option(option: &ResponseOption<'_>) -> Value {
    json!({
        "name": option.name,
        "title": option.title,
        "description": option.description,
        "prompt_fill": option.prompt_fill,
        "interactive": option.interactive,
    })
}

/// What was said is a comment, or the answer, as it is in the request.
fn decision(decision: &Decision) -> Value {
    let said = if decision.verdict == Verdict::Answer { "answer" } else { "comment" };
    json!({
        "verdict": decision.verdict,
        said: decision.comment,
        "option": decision.option,
        "by": decision.by,
        "at": decision.at.to_string(),
    })
}

fn entry(entry: &Entry) -> Value {
    json!({
        "at": entry.at.to_string(),
        "event": entry.event,
        "by": entry.by,
        "detail": entry.detail,
        "write": entry.write,
        "hash": entry.hash,
    })
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

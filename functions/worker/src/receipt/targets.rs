//! The targets of a webhook source: log, decide, request approval, forward.

use std::borrow::Cow;

use placet_core::humanlayer::{Answered, Completed, completed};
use placet_core::item::Item;
use placet_core::operation::{Command, Content, Decision, Operation, OperationId, Specification};
use placet_core::receipt::beginning;
use placet_core::routing::Filter;
use placet_core::webhook::Confirm;
use placet_runtime::config::{Action, Interface, RequestApproval, Source};
use placet_runtime::engine::WorkError;
use placet_runtime::https::HttpsError;
use placet_runtime::{ChangeError, CreateError, NewDelivery, Requested, SendError};

use super::LONGEST_TYPE;
use super::event::Event;
use crate::Worker;

/// The longest type of an event that is forwarded, in bytes. It is sent as a header.
const LONGEST_FORWARDED_TYPE: usize = 256;

/// The longest note on an event that no target takes, in bytes.
const LONGEST_NOTE: usize = 300;

/// The result of an event at one target, with a note for a person.
pub(super) enum Outcome {
    /// The target processed the event.
    Done(String),
    /// The target cannot process the event, now or later.
    Failed(String),
}

impl Outcome {
    pub(super) fn note(&self) -> &str {
        match self {
            Self::Done(note) | Self::Failed(note) => note,
        }
    }
}

impl Worker {
    pub(super) async fn route(
        &self,
        source: &Source,
        event: &Event<'_>,
    ) -> Result<Vec<Outcome>, WorkError> {
        if let Some(confirm) = &source.scheme.confirm
            && event.known_type() == Some(&confirm.event_type)
        {
            return Ok(vec![self.confirm(confirm, event).await?]);
        }
        let (mut outcomes, mut missed) = (Vec::new(), Vec::new());
        for (n, target) in (1..).zip(&source.targets) {
            outcomes.push(match (misses(&target.filter, event), &target.action) {
                (Ok(Some(wanted)), _) => {
                    missed.push(format!("target {n} takes {wanted}"));
                    continue;
                }
                (Err(unreadable), _) => Outcome::Failed(unreadable),
                (Ok(None), Action::Log) => Outcome::Done("logged".to_owned()),
                (Ok(None), Action::Decide) => self.decide(event).await?,
                (Ok(None), Action::Operation(request)) => self.request(request, n, event).await?,
                (Ok(None), Action::Forward { endpoint }) => {
                    self.forward(endpoint.as_str(), event).await?
                }
            });
        }
        if outcomes.is_empty() {
            outcomes.push(not_taken(event, &missed));
        }
        Ok(outcomes)
    }

    /// Confirms a subscription at the URL in the event, if that URL is on a host of the sender.
    async fn confirm(&self, confirm: &Confirm, event: &Event<'_>) -> Result<Outcome, WorkError> {
        let url = event.request.value(&confirm.url).map(Cow::into_owned).unwrap_or_default();
        if !confirm.host.allows(&url) {
            let note = "the confirmation URL is not on a host of the sender";
            return Ok(Outcome::Failed(note.to_owned()));
        }
        match self.runtime.https.get(&url, 64 * 1024).await {
            Ok(_) => Ok(Outcome::Done("subscription confirmed".to_owned())),
            // A retry may help after 408 (Request Timeout) and 429 (Too Many Requests), but after no other
            // 4xx.
            Err(HttpsError::Status(status @ 400..=499)) if ![408, 429].contains(&status) => {
                let note = format!("the sender refused the confirmation with {status}");
                Ok(Outcome::Failed(note))
            }
            Err(error) => Err(WorkError::Retryable(format!(
                "the subscription could not be confirmed: {error}"
            ))),
        }
    }

    /// Forwards the event unchanged, signed by Placet. The delivery key is the id of the receipt.
    async fn forward(&self, endpoint: &str, event: &Event<'_>) -> Result<Outcome, WorkError> {
        let receipt = event.receipt;
        let new = NewDelivery {
            project: receipt.project().to_owned(),
            endpoint: endpoint.to_owned(),
            key: receipt.header.id.clone(),
            event_type: beginning(event.known_type().unwrap_or_default(), LONGEST_FORWARDED_TYPE),
            content_type: receipt.record.content_type().unwrap_or_default().to_owned(),
            body: event.body.clone(),
        };
        match self.runtime.send_webhook(new).await {
            Ok(delivery) => Ok(Outcome::Done(format!("forwarded as {}", delivery.header.id))),
            Err(error @ SendError::UnknownEndpoint(_)) => Ok(Outcome::Failed(error.to_string())),
            Err(SendError::Blob(error)) => Err(error.into()),
            Err(SendError::Store(error)) => Err(error.into()),
        }
    }

    /// Requests an approval. The call id is the receipt's id and the number of the target (from 1).
    async fn request(
        &self,
        request: &RequestApproval,
        number: usize,
        event: &Event<'_>,
    ) -> Result<Outcome, WorkError> {
        let kwargs = match request.kwargs.arguments(event.json()) {
            Ok(kwargs) => kwargs,
            Err(reason) => return Ok(Outcome::Failed(reason)),
        };
        let receipt = event.receipt;
        let (source, id) = (receipt.record.source.as_str(), receipt.header.id.as_str());
        let content = Content::Call { function: request.function.clone(), kwargs };
        let requested = Requested {
            id: OperationId::call(receipt.project(), format!("{id}-{number}")),
            run_id: source.to_owned(),
            specification: Specification::of(content),
            by: event.by(),
            except_key: None,
            through: Interface::Placet,
        };
        match self.runtime.create_operation(requested).await {
            Ok(created) => Ok(Outcome::Done(format!(
                "approval requested as {}",
                created.into_item().call_id()
            ))),
            Err(CreateError::Store(error)) => Err(error.into()),
            Err(error) => Ok(Outcome::Failed(error.to_string())),
        }
    }

    async fn decide(&self, event: &Event<'_>) -> Result<Outcome, WorkError> {
        let json = match event.json() {
            Ok(json) => json,
            Err(unreadable) => return Ok(Outcome::Failed(unreadable)),
        };
        match completed(json.bytes()) {
            Ok(Completed::Answered(answered)) => self.apply(event, &answered).await,
            Ok(Completed::Ignored(reason)) => Ok(Outcome::Done(reason.to_owned())),
            Err(error) => Ok(Outcome::Failed(error.to_string())),
        }
    }

    /// Applies a decision to exactly the content that the approver saw.
    async fn apply(&self, event: &Event<'_>, answered: &Answered) -> Result<Outcome, WorkError> {
        let receipt = event.receipt;
        let by = event.by();
        let kind = answered.content.kind();
        let id = OperationId::new(receipt.project(), kind, &answered.call_id);
        let command = |operation: &Item<Operation>| {
            let seen = Some(operation.digest_with(&answered.content));
            answered.answer.decide(operation, &by, seen, self.runtime.notices(operation))
        };
        let engine = &self.runtime.engine;
        match engine.command::<Operation>(&id.project, &id.path(), command).await {
            Ok(operation) => Ok(decided("decided", &operation)),
            Err(ChangeError::Refused(refusal)) => {
                let current = engine.store.item::<Operation>(&id.project, &id.path(), true).await?;
                // An earlier attempt may have decided and stopped before it recorded that, or the same
                // decision may have come through two channels.
                let same = |operation: &Item<Operation>| {
                    let decide = command(operation);
                    operation.decision.as_ref().is_some_and(|decision| {
                        decision.by == by || decides_the_same(&decide, decision)
                    })
                };
                Ok(match current.filter(same) {
                    Some(operation) => decided("the same decision was made before", &operation),
                    None => Outcome::Failed(refusal.to_string()),
                })
            }
            Err(ChangeError::NotFound { .. }) => {
                Ok(Outcome::Failed(format!("there is no operation {} to decide", id.path())))
            }
            Err(ChangeError::Store(error)) => Err(error.into()),
            Err(error) => Err(WorkError::retryable(error)),
        }
    }
}

/// What a filter wants that the event does not have; `None` if the filter takes the event. The body is parsed only
/// if the filter compares values in it.
fn misses(filter: &Filter, event: &Event<'_>) -> Result<Option<String>, String> {
    if !filter.takes_type(&event.event_type)? {
        return Ok(Some(format!("the types {}", filter.types.join(", "))));
    }
    if filter.comparisons.is_empty() {
        return Ok(None);
    }
    let first_false = filter.first_false(event.json()?).map_err(|error| error.to_string())?;
    Ok(first_false.map(|comparison| format!("events with {comparison}")))
}

/// The outcome of an event that no target takes, with the reasons. An empty body is no event.
fn not_taken(event: &Event<'_>, missed: &[String]) -> Outcome {
    if event.body.trim_ascii().is_empty() {
        return Outcome::Failed("the body is empty".to_owned());
    }
    let of_type = match event.known_type() {
        Some(found) => format!("of the type {}", beginning(found, LONGEST_TYPE)),
        None => "without a type".to_owned(),
    };
    let note = format!("no target takes this event {of_type}: {}", missed.join("; "));
    Outcome::Done(beginning(&note, LONGEST_NOTE))
}

/// Whether a command would make this decision, regardless of its channel.
fn decides_the_same(command: &Command, decision: &Decision) -> bool {
    matches!(command, Command::Decide { verdict, comment, option, seen, .. }
        if *verdict == decision.verdict
            && *comment == decision.comment
            && *option == decision.option
            && *seen == Some(decision.digest))
}

fn decided(how: &str, operation: &Item<Operation>) -> Outcome {
    let (id, state) = (&operation.header.id, operation.state.as_str());
    Outcome::Done(format!("{how}: {id} is now {state}"))
}

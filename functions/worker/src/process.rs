//! Works off a stored webhook: every target that takes the event gets it. All of them do their part
//! once however often they are asked, so a receipt is simply worked off again until it is done.

use std::borrow::Cow;

use placet_core::delivery::NewDelivery;
use placet_core::humanlayer::{Completed, completed};
use placet_core::webhook::{Confirm, Incoming, Location};
use placet_core::{Content, OperationId, strict_json};
use placet_runtime::config::{Action, AskFor, Source};
use placet_runtime::https::HttpsError;
use placet_runtime::{Asked, BodyError, CreateError, Created, Receipt, ReceiptState, SendError};
use serde_json::{Map, Value};

use crate::{JobError, Worker};

/// What came of an event at one target: what a person reads, or why it failed for good.
pub(crate) type Outcome = Result<String, String>;

/// An event as the targets see it.
struct Event {
    receipt: Receipt,
    body: Vec<u8>,
    event_type: Option<String>,
    /// The body as JSON; of a form its fields, or what its field `payload` holds.
    json: Value,
    /// Why the JSON is not exactly what was sent.
    inexact: Option<String>,
}

/// The most bytes of an event type that are kept.
const LONGEST_TYPE: usize = 256;

impl Worker {
    pub(crate) async fn process(&self, receipt_id: &str) -> Result<(), JobError> {
        let Some(receipt) = self.runtime.store.receipt(receipt_id).await? else {
            tracing::error!(receipt_id, "there is no such receipt");
            return Ok(());
        };
        if receipt.state != ReceiptState::Received {
            return Ok(());
        }
        let config = self.runtime.config.clone();
        let (event_type, outcomes) = match config.source(&receipt.about.source) {
            None => (None, vec![Err("its source is not in placet.yaml any more".to_owned())]),
            Some(source) => match self.runtime.blobs.body(&receipt.body).await {
                Err(BodyError::Blob(error)) => return Err(error.into()),
                Err(error) => (None, vec![Err(error.to_string())]),
                Ok(body) => {
                    let event = Event::read(receipt.clone(), body.to_vec(), source);
                    let outcomes = self.route(source, &event).await?;
                    (event.event_type, outcomes)
                }
            },
        };
        let failed = outcomes.iter().any(Result::is_err);
        let state = if failed { ReceiptState::Failed } else { ReceiptState::Done };
        let notes = outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|note| note));
        let note = notes.collect::<Vec<_>>().join("; ");
        let next = Receipt {
            state,
            note: note.clone(),
            event_type: event_type.clone(),
            due: None,
            ..receipt
        };
        if !self.runtime.store.replace_receipt(next).await? {
            tracing::warn!(receipt_id, "somebody else works this webhook off, too");
        } else if failed {
            tracing::error!(receipt_id, event_type, note, "webhook failed at a target");
        } else {
            tracing::info!(receipt_id, event_type, note, "webhook worked off");
        }
        Ok(())
    }

    async fn route(&self, source: &Source, event: &Event) -> Result<Vec<Outcome>, JobError> {
        let event_type = event.event_type.as_deref();
        if let Some(confirm) = &source.scheme.confirm
            && event_type == Some(&confirm.event_type)
        {
            return Ok(vec![self.confirm(confirm, event).await?]);
        }
        let mut outcomes = Vec::new();
        for (n, target) in source.targets.iter().enumerate() {
            if !target.filter.takes(event_type, &event.json) {
                continue;
            }
            outcomes.push(match &target.action {
                Action::Log => Ok("logged".to_owned()),
                Action::Decide => self.decided(event).await?,
                Action::Operation(ask) => self.ask(ask, n + 1, event).await?,
                Action::Forward { endpoint } => self.forward(endpoint.as_str(), event).await?,
            });
        }
        if outcomes.is_empty() {
            outcomes.push(Ok("no target takes it".to_owned()));
        }
        Ok(outcomes)
    }

    /// Confirms a subscription at the address the sender gave, if it is an address of theirs.
    async fn confirm(&self, confirm: &Confirm, event: &Event) -> Result<Outcome, JobError> {
        let request = event.request();
        let url = request.value(&confirm.url).map(Cow::into_owned).unwrap_or_default();
        if !confirm.host.allows(&url) {
            return Ok(Err("the address to confirm at is not the sender's".to_owned()));
        }
        match self.runtime.https.get(&url, 64 * 1024).await {
            Ok(_) => Ok(Ok("subscription confirmed".to_owned())),
            // Too slow and too often are the two of these that pass.
            Err(HttpsError::Status(status @ 400..=499)) if ![408, 429].contains(&status) => {
                Ok(Err(format!("the sender refuses the confirmation with {status}")))
            }
            Err(error) => Err(JobError::Confirm(error)),
        }
    }

    /// The event is sent on as it came, signed by us. Its receiver knows it by the id of the receipt.
    async fn forward(&self, endpoint: &str, event: &Event) -> Result<Outcome, JobError> {
        let about = &event.receipt.about;
        let content_type = event.request().header("content-type").unwrap_or_default().to_owned();
        let new = NewDelivery {
            tenant: about.tenant.clone(),
            endpoint: endpoint.to_owned(),
            key: about.id.clone(),
            event_type: event.event_type.clone().unwrap_or_default(),
            content_type,
        };
        match self.runtime.send_webhook(new, event.body.clone().into()).await {
            Ok(delivery) => Ok(Ok(format!("sent on as {}", delivery.id))),
            Err(error @ SendError::UnknownEndpoint(_)) => Ok(Err(error.to_string())),
            Err(SendError::Blob(error)) => Err(error.into()),
            Err(SendError::Store(error)) => Err(error.into()),
        }
    }

    /// A person is asked; the id of the approval is made from the receipt's and the number of the
    /// target.
    async fn ask(&self, ask: &AskFor, number: usize, event: &Event) -> Result<Outcome, JobError> {
        if let Some(inexact) = &event.inexact {
            return Ok(Err(inexact.clone()));
        }
        let kwargs = match ask.kwargs.arguments(&event.json) {
            Ok(kwargs) => kwargs,
            Err(missing) => return Ok(Err(missing)),
        };
        let about = &event.receipt.about;
        let asked = Asked {
            id: OperationId::call(&about.tenant, format!("{}-{number}", about.id)),
            run_id: about.source.clone(),
            content: Content::Call { function: ask.function.clone(), kwargs },
            extras: Map::new(),
            by: format!("webhook {}", about.source),
        };
        match self.runtime.create(asked).await {
            Ok(Created::New(operation) | Created::Before(operation)) => {
                Ok(Ok(format!("asked as {}", operation.call_id)))
            }
            Err(error @ (CreateError::Conflict(_) | CreateError::TooLarge { .. })) => {
                Ok(Err(error.to_string()))
            }
            Err(CreateError::Store(error)) => Err(error.into()),
        }
    }

    async fn decided(&self, event: &Event) -> Result<Outcome, JobError> {
        match completed(&event.body) {
            Ok(Completed::Answered(answered)) => {
                let about = &event.receipt.about;
                let delivery = about.delivery_id.as_deref().unwrap_or(&about.id);
                let by = format!("webhook {} {delivery}", about.source);
                self.apply_answer(&about.tenant, &answered, by).await
            }
            Ok(Completed::Ignored(reason)) => Ok(Ok(reason.to_owned())),
            Err(error) => Ok(Err(error.to_string())),
        }
    }
}

impl Event {
    fn read(receipt: Receipt, body: Vec<u8>, source: &Source) -> Self {
        let mut event = Self { receipt, body, event_type: None, json: Value::Null, inexact: None };
        let event_type = source.scheme.event_type(&event.request());
        event.event_type = event_type.map(|text| text.chars().take(LONGEST_TYPE / 4).collect());
        event.json = event.as_json(source);
        // What a person approves must be what was sent.
        event.inexact = strict_json::parse(&event.body).err().filter(|_| !event.json.is_null());
        if event.request().is_form() {
            event.inexact = None;
        }
        event
    }

    /// The request as it came, without what held secrets.
    fn request(&self) -> Incoming<'_> {
        let about = &self.receipt.about;
        let mut request = Incoming::post(&about.path, &self.body);
        request.method = &about.method;
        request.rest = &about.rest;
        request.query = &about.query;
        let headers = about.headers.iter();
        request.headers = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        request
    }

    /// The same reading as the checks had: of a repeated field there is none.
    fn as_json(&self, source: &Source) -> Value {
        let request = self.request();
        if !request.is_form() {
            return request.json().cloned().unwrap_or_default();
        }
        let payload = Location::Form("payload".to_owned(), None);
        if source.scheme.reads_payload()
            && let Some(text) = request.value(&payload)
            && let Ok(json) = strict_json::parse(text.as_bytes())
        {
            return json;
        }
        let names = request.form().unwrap_or_default().iter().map(|(name, _)| name.clone());
        let field = |name: String| {
            let value = request.value(&Location::Form(name.clone(), None))?.into_owned();
            Some((name, Value::from(value)))
        };
        Value::Object(names.filter_map(field).collect::<Map<_, _>>())
    }
}

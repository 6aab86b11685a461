//! Queues in which time passes only when a test moves the clock.
//!
//! The engine knows real time only. So this module holds a delayed message until its delay has passed, and
//! decides when a received message becomes visible again. It also knows every message of a queue, visible
//! or not: tests check whether a message still points to an item.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use placet_core::Timestamp;
use placet_runtime::Clock;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_http::dispatch::SqsHandler as _;
use rustack_sqs_model::error::SqsError;
use rustack_sqs_model::operations::SqsOperation;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{VISIBILITY_TIMEOUT_SECONDS, read};

/// The clock and the messages whose visibility it decides.
pub(super) struct ManualTime {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Messages that wait for their delay to end.
    held: Vec<Held>,
    /// Received messages, in the order of their receives, so that a run can be repeated.
    in_flight: Vec<InFlight>,
    /// The bodies of all messages on the engine's queues, by queue and message id.
    bodies: BTreeMap<(String, String), String>,
}

struct Held {
    visible_at: Timestamp,
    queue: String,
    body: String,
}

struct InFlight {
    receipt_handle: String,
    visible_at: Timestamp,
    queue: String,
    message_id: String,
}

impl ManualTime {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bodies of all messages of a queue.
    pub(super) fn messages(&self, queue: &str) -> Vec<String> {
        let state = self.state();
        let held = state.held.iter().filter(|one| one.queue == queue).map(|one| one.body.clone());
        let there = state.bodies.iter().filter(|((of, _), _)| of == queue);
        held.chain(there.map(|(_, body)| body.clone())).collect()
    }

    pub(super) async fn handle(
        &self,
        engine: &RustackSqsHandler,
        operation: SqsOperation,
        request: Value,
    ) -> Result<Value, SqsError> {
        let queue = text(&request, "QueueUrl");
        match operation {
            SqsOperation::SendMessage => self.send(engine, &queue, request).await,
            SqsOperation::SendMessageBatch => {
                let mut sent = Vec::new();
                for entry in entries(&request) {
                    let id = entry.get("Id").cloned();
                    let mut reply = self.send(engine, &queue, entry).await?;
                    reply["Id"] = id.unwrap_or_default();
                    sent.push(reply);
                }
                Ok(json!({ "Successful": sent, "Failed": [] }))
            }
            SqsOperation::ReceiveMessage => self.receive(engine, &queue, request).await,
            SqsOperation::ChangeMessageVisibility => {
                self.hide(&request);
                Ok(json!({}))
            }
            SqsOperation::ChangeMessageVisibilityBatch => {
                let entries = entries(&request);
                entries.iter().for_each(|entry| self.hide(entry));
                let done: Vec<_> =
                    entries.iter().map(|entry| json!({ "Id": entry.get("Id") })).collect();
                Ok(json!({ "Successful": done, "Failed": [] }))
            }
            SqsOperation::DeleteMessage => {
                self.forget(&request);
                call(engine, operation, &request).await
            }
            SqsOperation::DeleteMessageBatch => {
                entries(&request).iter().for_each(|entry| self.forget(entry));
                call(engine, operation, &request).await
            }
            SqsOperation::PurgeQueue => {
                self.state().purge(&queue);
                call(engine, operation, &request).await
            }
            _ => call(engine, operation, &request).await,
        }
    }

    async fn send(
        &self,
        engine: &RustackSqsHandler,
        queue: &str,
        mut message: Value,
    ) -> Result<Value, SqsError> {
        let body = text(&message, "MessageBody");
        let delay = message.get("DelaySeconds").and_then(Value::as_u64).unwrap_or_default();
        if delay > 0 {
            let visible_at = self.clock.now().plus(Duration::from_secs(delay));
            self.state().held.push(Held { visible_at, queue: queue.to_owned(), body });
            return Ok(json!({ "MessageId": Uuid::new_v4().to_string() }));
        }
        message["QueueUrl"] = queue.into();
        if let Some(fields) = message.as_object_mut() {
            fields.remove("Id");
        }
        let reply = call(engine, SqsOperation::SendMessage, &message).await?;
        self.state().bodies.insert((queue.to_owned(), text(&reply, "MessageId")), body);
        Ok(reply)
    }

    async fn receive(
        &self,
        engine: &RustackSqsHandler,
        queue: &str,
        request: Value,
    ) -> Result<Value, SqsError> {
        let now = self.clock.now();
        let (due, back) = self.state().take_visible(queue, now);
        for Held { body, queue, .. } in due {
            self.send(engine, &queue, json!({ "MessageBody": body })).await?;
        }
        for handle in back {
            let visible =
                json!({ "QueueUrl": queue, "ReceiptHandle": handle, "VisibilityTimeout": 0 });
            // Ignore the error of a handle that is no longer in flight: nothing is to do.
            let _ = call(engine, SqsOperation::ChangeMessageVisibility, &visible).await;
        }
        let reply = call(engine, SqsOperation::ReceiveMessage, &request).await?;
        let visible_at = now.plus(Duration::from_secs(VISIBILITY_TIMEOUT_SECONDS.into()));
        let mut state = self.state();
        for message in reply.get("Messages").and_then(Value::as_array).into_iter().flatten() {
            let queue = queue.to_owned();
            let message_id = text(message, "MessageId");
            let receipt_handle = text(message, "ReceiptHandle");
            state.in_flight.push(InFlight { receipt_handle, visible_at, queue, message_id });
        }
        drop(state);
        Ok(reply)
    }

    fn hide(&self, request: &Value) {
        let seconds = request.get("VisibilityTimeout").and_then(Value::as_u64).unwrap_or_default();
        let visible_at = self.clock.now().plus(Duration::from_secs(seconds));
        let handle = text(request, "ReceiptHandle");
        let mut state = self.state();
        let known = |one: &&mut InFlight| one.receipt_handle == handle;
        if let Some(message) = state.in_flight.iter_mut().find(known) {
            message.visible_at = visible_at;
        }
    }

    fn forget(&self, request: &Value) {
        let handle = text(request, "ReceiptHandle");
        let mut state = self.state();
        let at = state.in_flight.iter().position(|one| one.receipt_handle == handle);
        if let Some(gone) = at.map(|at| state.in_flight.remove(at)) {
            state.bodies.remove(&(gone.queue, gone.message_id));
        }
    }
}

impl State {
    fn purge(&mut self, queue: &str) {
        self.held.retain(|one| one.queue != queue);
        self.in_flight.retain(|one| one.queue != queue);
        self.bodies.retain(|(of, _), _| of != queue);
    }

    /// Removes and returns the messages of a queue that become visible now: the delayed messages, and the
    /// receipt handles of messages whose visibility timeout has ended.
    fn take_visible(&mut self, queue: &str, now: Timestamp) -> (Vec<Held>, Vec<String>) {
        let due = |one: &Held| one.queue == queue && one.visible_at <= now;
        let (due, held) = std::mem::take(&mut self.held).into_iter().partition(due);
        self.held = held;
        let back = |one: &InFlight| one.queue == queue && one.visible_at <= now;
        let (back, in_flight): (Vec<_>, _) =
            std::mem::take(&mut self.in_flight).into_iter().partition(back);
        self.in_flight = in_flight;
        (due, back.into_iter().map(|one| one.receipt_handle).collect())
    }
}

async fn call(
    engine: &RustackSqsHandler,
    operation: SqsOperation,
    request: &Value,
) -> Result<Value, SqsError> {
    read(engine.handle_operation(operation, Bytes::from(request.to_string())).await?).await
}

fn text(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn entries(request: &Value) -> Vec<Value> {
    request.get("Entries").and_then(Value::as_array).cloned().unwrap_or_default()
}

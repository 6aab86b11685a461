//! The handler of a queue. It processes a batch of pointers, and returns the records that failed.

use std::sync::Arc;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use placet_core::backoff;
use placet_core::item::{Hold, Lane, Pointer, PointerError};
use tokio::task::JoinSet;

use super::again::Again;
use super::{Engine, Kinds, Memory};

/// The receive count from which an unreadable message, or one whose item is unreadable, goes to the
/// dead-letter queue. That is after about two hours. A person must see the message before the queue expires
/// it.
const DEAD_LETTER_AT: u32 = 16;

/// The receive count from which a message whose item is unreadable is left to the timer, if the item is due.
const LEFT_TO_TIMER_AT: u32 = 3;

/// Processes a batch of a lane, each record independently. A record fails if its processing panics, or if a
/// service is unavailable. The queue delivers failed records again.
///
/// The records run at the same time, as far as their memory allows ([`Memory`]). Lambda passes at most ten
/// records (see `template.yaml`).
pub async fn process_batch<W, List>(
    engine: &Engine,
    worker: &W,
    lane: Lane,
    event: SqsEvent,
) -> SqsBatchResponse
where
    W: Clone + Send + Sync + 'static,
    List: Kinds<W>,
{
    let memory = Arc::new(Memory::default());
    let mut running = JoinSet::new();
    let mut ids = Vec::new();
    for record in event.records {
        let (engine, worker, memory) = (engine.clone(), worker.clone(), memory.clone());
        let id = record.message_id.clone().unwrap_or_default();
        let task = running.spawn(async move {
            process::<W, List>(&engine, &worker, &memory, lane, &record).await
        });
        ids.push((task.id(), id));
    }
    let mut failures = Vec::new();
    while let Some(joined) = running.join_next_with_id().await {
        let (task, error) = match joined {
            Ok((_, Ok(()))) => continue,
            Ok((task, Err(error))) => (task, error.to_string()),
            Err(panicked) => (panicked.id(), panicked.to_string()),
        };
        let id = ids.iter().find(|(known, _)| *known == task).map(|(_, id)| id.clone());
        tracing::error!(message_id = id, error, "message not processed, will retry");
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id.unwrap_or_default();
        failures.push(failure);
    }
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failures;
    response
}

async fn process<W, List: Kinds<W>>(
    engine: &Engine,
    worker: &W,
    memory: &Memory,
    lane: Lane,
    record: &SqsMessage,
) -> Result<(), Again> {
    let body = record.body.as_deref().unwrap_or_default();
    let receives = record.attributes.get("ApproximateReceiveCount");
    let receives = receives.and_then(|count| count.parse().ok()).unwrap_or(1);
    let processed = match Pointer::parse(body) {
        Ok(pointer) => {
            let hold = Hold { lane, receives };
            let stepped = List::step::<List>(engine, worker, hold, memory, &pointer).await;
            if let Err(Again::Unreadable(error)) = &stepped
                && receives >= LEFT_TO_TIMER_AT
                && engine.store.pointed(&pointer).await?.is_some_and(|found| found.is_due())
            {
                let (item, id) = (&pointer.kind, &pointer.id);
                tracing::error!(
                    error,
                    item,
                    id,
                    "item cannot be read, the timer will enqueue it again"
                );
                return Ok(());
            }
            stepped
        }
        // Another release wrote the message. That release may be running now, and can process it.
        Err(error @ PointerError::Format(_)) => Err(Again::Unreadable(error.to_string())),
        Err(error) => return move_to_dead_letters(engine, body, &error.to_string()).await,
    };
    match &processed {
        Err(Again::Unreadable(error)) if receives >= DEAD_LETTER_AT => {
            return move_to_dead_letters(engine, body, error).await;
        }
        _ => {}
    }
    if let (Err(_), Some(handle)) = (&processed, &record.receipt_handle) {
        let id = record.message_id.as_deref().unwrap_or_default();
        let delay = backoff(receives, id, None);
        if let Err(error) = engine.queue.retry_after(lane, handle, delay).await {
            tracing::warn!(%error, message_id = id, "visibility timeout not changed");
        }
    }
    processed
}

/// Moves a message to the dead-letter queue, where a person can see it.
async fn move_to_dead_letters(engine: &Engine, body: &str, error: &str) -> Result<(), Again> {
    let pointer = Pointer::parse(body).ok();
    let (item, id) = pointer.map(|pointer| (pointer.kind, pointer.id)).unzip();
    tracing::error!(error, item, id, "message moved to the dead-letter queue");
    let moved = engine.queue.send_to_dead_letters(body).await;
    moved.map_err(|error| Again::new(error.to_string()))
}

//! Long polling: the server holds the poll of a pending operation until a decision or a timeout.
//!
//! Clients sleep for three seconds between two polls. A client whose poll is held learns of a decision sooner
//! and polls less often. A held poll costs two eventually consistent reads a second, and on Lambda the run
//! time of a function. So long polling is off unless `PLACET_LONG_POLL` turns it on.

use std::sync::Arc;
use std::time::Duration;

use placet_core::Period;
use placet_core::item::Item;
use placet_core::limits::{LONGEST_POLL, MOST_HELD_POLLS};
use placet_core::operation::{Operation, OperationId, State};
use placet_runtime::{Engine, Environment, StoreError};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::call::{Call, not_found};
use crate::error::Error;

/// The pause between two reads of the table.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether and how long polls are held.
#[derive(Clone)]
pub(crate) struct Polling {
    longest: Duration,
    places: Arc<Semaphore>,
    ended: Arc<watch::Sender<bool>>,
}

impl Polling {
    /// Polls are held for the duration in `PLACET_LONG_POLL`. Without a duration, or with `0s`, long polling
    /// is off.
    pub(crate) fn new(environment: &Environment) -> Self {
        let period = environment.get("PLACET_LONG_POLL").filter(|text| text != "0s");
        let period = period.map(Period::try_from).transpose().unwrap_or_else(|error| {
            tracing::error!(
                error,
                "PLACET_LONG_POLL is not a duration: write it like 8s; long polling is off"
            );
            None
        });
        Self {
            longest: period.map_or(Duration::ZERO, |period| period.0.min(LONGEST_POLL)),
            places: Arc::new(Semaphore::new(MOST_HELD_POLLS)),
            ended: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Answers every held poll and holds no further polls.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// How long a poll is held if its client asks for `wait`; zero if long polling is off.
    fn hold(&self, wait: Option<Duration>) -> Duration {
        if self.longest.is_zero() {
            return Duration::ZERO;
        }
        wait.unwrap_or(self.longest).min(LONGEST_POLL)
    }
}

/// Returns the operation as soon as it is no longer pending, or when the poll was held long enough.
///
/// # Errors
///
/// 404 if there is no such operation.
pub(crate) async fn poll(
    call: &Call<'_>,
    id: &OperationId,
    wait: Option<Duration>,
) -> Result<Item<Operation>, Error> {
    let (polling, engine) = (call.polling(), call.engine());
    let end = Instant::now() + polling.hold(wait);
    let found = first_read(engine, id).await?;
    let mut operation = found.ok_or_else(|| not_found::<Operation>(&id.path()))?;
    let Ok(_place) = polling.places.try_acquire() else { return Ok(operation) };
    let mut ended = polling.ended.subscribe();
    while operation.state_at(call.now()) == State::Pending && Instant::now() < end {
        let next = end.min(Instant::now() + PAUSE);
        let over = tokio::time::timeout_at(next, ended.wait_for(|ended| *ended)).await.is_ok();
        let found = engine.store.item(&id.project, &id.path(), false).await?;
        operation = found.unwrap_or(operation);
        if over {
            break;
        }
    }
    Ok(operation)
}

/// An eventually consistent read, which is enough for a poll. A consistent read follows only if nothing was
/// found, because the operation may have just been created.
async fn first_read(
    engine: &Engine,
    id: &OperationId,
) -> Result<Option<Item<Operation>>, StoreError> {
    match engine.store.item(&id.project, &id.path(), false).await? {
        None => engine.store.item(&id.project, &id.path(), true).await,
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests;

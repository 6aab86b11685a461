//! Polling: a client that asks whether there is a decision is held for a while until there is one.
//!
//! Clients sleep for three seconds between two questions, so one that is held learns of a decision
//! sooner and asks less often. Whoever is held costs two cheap reads a second, and on Lambda the
//! time of a function: there nobody is held unless `PLACET_LONG_POLL` says so.

use std::sync::Arc;
use std::time::Duration;

use placet_core::{Operation, OperationId, Period, State};
use placet_runtime::{Environment, StoreError};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::Approval;

/// How long lies between two looks at the table.
const BETWEEN: Duration = Duration::from_millis(500);

/// The longest a client is held, whatever it asks for: clients give up after 30 s.
const LONGEST: Duration = Duration::from_secs(25);

/// How many are held at once; who comes then is answered at once.
const MOST_HELD: usize = 256;

/// Whether and how long clients are held.
#[derive(Clone)]
pub(crate) struct Polling {
    hold: Duration,
    places: Arc<Semaphore>,
    ended: Arc<watch::Sender<bool>>,
}

impl Polling {
    /// Clients are held for the period in `PLACET_LONG_POLL`; without one, or with `0s`, nobody is.
    pub(crate) fn new(environment: &Environment) -> Self {
        let period = environment.get("PLACET_LONG_POLL").filter(|text| text != "0s");
        let hold = period.map(Period::try_from).transpose().unwrap_or_else(|error| {
            tracing::error!(error, "PLACET_LONG_POLL is no period, nobody is held");
            None
        });
        Self {
            hold: hold.map_or(Duration::ZERO, |period| period.0.min(LONGEST)),
            places: Arc::new(Semaphore::new(MOST_HELD)),
            ended: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Answers everybody who is held, and holds nobody any more.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// How long a client is held that asks for `wait`: where nobody is held, it is not either.
    fn hold(&self, wait: Option<Duration>) -> Duration {
        if self.hold.is_zero() { Duration::ZERO } else { wait.unwrap_or(self.hold).min(LONGEST) }
    }
}

impl Approval {
    /// The operation, once it is no longer pending or the client was held long enough.
    pub(crate) async fn poll(
        &self,
        id: &OperationId,
        wait: Option<Duration>,
    ) -> Result<Option<Operation>, StoreError> {
        let end = Instant::now() + self.polling.hold(wait);
        let mut found = self.read(id).await?;
        let Ok(_place) = self.polling.places.try_acquire() else { return Ok(found) };
        let mut ended = self.polling.ended.subscribe();
        while self.is_pending(found.as_ref()) && Instant::now() < end {
            let next = end.min(Instant::now() + BETWEEN);
            let over = tokio::time::timeout_at(next, ended.wait_for(|ended| *ended)).await.is_ok();
            found = self.runtime.store.operation(id, false).await?;
            if over {
                break;
            }
        }
        Ok(found)
    }

    /// A poll can do with the cheap read; only what was created just now needs the other.
    async fn read(&self, id: &OperationId) -> Result<Option<Operation>, StoreError> {
        match self.runtime.store.operation(id, false).await? {
            None => self.runtime.store.operation(id, true).await,
            found => Ok(found),
        }
    }

    fn is_pending(&self, found: Option<&Operation>) -> bool {
        found.is_some_and(|one| one.state_at(self.runtime.clock.now()) == State::Pending)
    }
}

use std::future::Future;
use std::sync::{Arc, OnceLock};

use placet_core::Timestamp;
use placet_core::breaker::{End, LONGEST_PROBE, Pause};
use placet_core::item::{Item, Kind};

use super::Engine;
use super::gates::Destination;
use crate::blob::BlobError;
use crate::{AnyItem, BodyError, StoreError};

/// Why work was not done.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// Another attempt may succeed: the queue delivers the message again.
    #[error("{0}")]
    Retryable(String),
    /// No attempt will succeed: the engine records that with [`Kind::failed`].
    #[error("{0}")]
    Terminal(String),
    /// Nothing was tried: the destination is paused until this time.
    #[error("the destination is paused until {0}")]
    Postponed(Timestamp),
}

impl WorkError {
    /// An error after which another attempt may succeed.
    pub fn retryable(error: impl std::fmt::Display) -> Self {
        Self::Retryable(error.to_string())
    }

    /// An error after which no attempt will succeed.
    pub fn terminal(error: impl std::fmt::Display) -> Self {
        Self::Terminal(error.to_string())
    }
}

impl From<StoreError> for WorkError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Service { .. } | StoreError::Unpackable { .. } => Self::retryable(error),
            StoreError::NotRead(_) | StoreError::Corrupt { .. } => Self::terminal(error),
        }
    }
}

impl From<BlobError> for WorkError {
    fn from(error: BlobError) -> Self {
        Self::retryable(error)
    }
}

impl From<BodyError> for WorkError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Blob(error) => error.into(),
            lost => Self::terminal(lost),
        }
    }
}

/// The context of one attempt.
#[derive(Clone, Debug)]
pub struct Context {
    /// The engine.
    pub engine: Engine,
    /// The parent of the item, if it was just read.
    parent: Option<AnyItem>,
    /// How the call of the destination ended, once that is known.
    pub(super) end: Arc<OnceLock<End>>,
}

impl Context {
    pub(super) fn new(engine: Engine, parent: Option<AnyItem>) -> Self {
        Self { engine, parent, end: Arc::default() }
    }

    /// Notes how the call of the destination ended, for its circuit breaker. Only the first note counts.
    pub fn note_end(&self, end: End) {
        let _ = self.end.set(end);
    }

    /// Respects the stored pause of an endpoint: no attempt calls it during the pause, and one attempt alone
    /// (a probe) after the pause.
    ///
    /// # Errors
    ///
    /// [`WorkError::Postponed`] if this attempt may not begin now. Another error if the table fails.
    pub async fn heed(
        &self,
        project: &str,
        endpoint: &str,
        paused: Option<Pause>,
    ) -> Result<(), WorkError> {
        self.engine.gates.learn(Destination::endpoint(project, endpoint), paused);
        let Some(pause) = paused else { return Ok(()) };
        let now = self.engine.now();
        if now < pause.until {
            return Err(WorkError::Postponed(pause.until));
        }
        let probed = Pause { until: now.plus(LONGEST_PROBE), number: pause.number };
        if self.engine.store.claim_probe(project, endpoint, pause, probed).await? {
            return Ok(());
        }
        Err(WorkError::Postponed(probed.until))
    }

    /// Another item of the same project. The parent needs no read if it was just read.
    ///
    /// # Errors
    ///
    /// If the table fails, or the item cannot be read.
    pub async fn item<K: Kind>(
        &self,
        project: &str,
        id: &str,
    ) -> Result<Option<Item<K>>, StoreError> {
        match &self.parent {
            Some(parent) if parent.is::<K>(project, id) => parent.decode().map(Some),
            _ => self.engine.store.item(project, id, true).await,
        }
    }
}

/// The work of a kind. A worker implements this trait for each kind in its list.
pub trait Work<K: Kind>: Clone + Send + Sync + 'static {
    /// The destination that the work calls; `None` if it calls none. The engine limits concurrent attempts to
    /// it.
    fn destination(&self, _item: &Item<K>, _work: &K::Work) -> Option<Destination> {
        None
    }

    /// The command that takes the lease, for work that must not run twice at the same time.
    fn lease(&self, _item: &Item<K>, _work: &K::Work) -> Option<K::Command> {
        None
    }

    /// The command that records a first attempt that still runs, for a kind whose attempts may be repeated.
    fn under_way(&self, _item: &Item<K>, _work: &K::Work) -> Option<K::Command> {
        None
    }

    /// Does the work, and returns the command that records the outcome.
    ///
    /// # Errors
    ///
    /// If the work was not done: the error tells whether another attempt may succeed.
    fn perform(
        &self,
        context: Context,
        item: Item<K>,
        work: K::Work,
    ) -> impl Future<Output = Result<K::Command, WorkError>> + Send;

    /// Logs an item after a command. Called after the write.
    fn log(&self, item: &Item<K>, command: &K::Command);

    /// Logs why the state machine refused a command.
    fn log_refusal(&self, item: &Item<K>, command: &K::Command, refusal: &K::Refusal);
}

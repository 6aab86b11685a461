use std::future::Future;
use std::sync::{Arc, OnceLock};

use placet_core::Timestamp;
use placet_core::breaker::{End, LONGEST_PROBE, Pause};
use placet_core::item::{Item, Kind};

use super::Engine;
use super::gates::Destination;
use crate::blob::BlobError;
use crate::{AnyItem, BodyError, StoreError};

/// Why a piece of work was not done.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// Another attempt may do it: the message is received again.
    #[error("{0}")]
    Retryable(String),
    /// No attempt will do it: that is recorded with [`Kind::failed`].
    #[error("{0}")]
    Terminal(String),
    /// Nothing was tried: the destination is left alone until this moment.
    #[error("not before {0}")]
    Postponed(Timestamp),
}

impl WorkError {
    /// Another attempt may do it.
    pub fn retryable(error: impl std::fmt::Display) -> Self {
        Self::Retryable(error.to_string())
    }

    /// No attempt will do it.
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

/// What work has at hand.
#[derive(Clone, Debug)]
pub struct Context {
    /// The engine.
    pub engine: Engine,
    /// The item whose child is worked on, if it was just read.
    parent: Option<AnyItem>,
    /// How the attempt ended, once that is known.
    pub(super) end: Arc<OnceLock<End>>,
}

impl Context {
    pub(super) fn new(engine: Engine, parent: Option<AnyItem>) -> Self {
        Self { engine, parent, end: Arc::default() }
    }

    /// Notes how the attempt ended for its destination. Only the first note counts.
    pub fn note_end(&self, end: End) {
        let _ = self.end.set(end);
    }

    /// Heeds what is stored of an endpoint: nobody calls it during a pause, and one attempt alone after it.
    ///
    /// # Errors
    ///
    /// [`WorkError::Postponed`] if this attempt may not begin now; if the table does not answer.
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

    /// Another item of the same project; the parent is at hand.
    ///
    /// # Errors
    ///
    /// If the table does not answer, or the item cannot be read.
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

/// How the work of a kind is done: what a worker implements for each kind in its list.
pub trait Work<K: Kind>: Clone + Send + Sync + 'static {
    /// Whom the work calls, if it calls somebody: nobody is called by too many attempts at once.
    fn destination(&self, _item: &Item<K>, _work: &K::Work) -> Option<Destination> {
        None
    }

    /// The command that takes the lease, for work that must not be done twice at the same time.
    fn lease(&self, _item: &Item<K>, _work: &K::Work) -> Option<K::Command> {
        None
    }

    /// The command under which an item is stored whose first attempt is under way, for a kind whose attempts
    /// may be repeated.
    fn under_way(&self, _item: &Item<K>, _work: &K::Work) -> Option<K::Command> {
        None
    }

    /// Does the work, and hands back the command that records what came of it.
    ///
    /// # Errors
    ///
    /// If nothing came of it: whether another attempt may do it.
    fn perform(
        &self,
        context: Context,
        item: Item<K>,
        work: K::Work,
    ) -> impl Future<Output = Result<K::Command, WorkError>> + Send;

    /// Logs what a command made of an item. Called after the write.
    fn log(&self, item: &Item<K>, command: &K::Command);

    /// Logs why a command changed nothing.
    fn log_refusal(&self, item: &Item<K>, command: &K::Command, refusal: &K::Refusal);
}

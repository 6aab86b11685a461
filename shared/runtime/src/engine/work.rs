use std::future::Future;
use std::sync::{Arc, OnceLock};

use placet_core::Timestamp;
use placet_core::breaker::Pause;
use placet_core::item::{Item, Kind};

use super::Engine;
use super::gates::Destination;
use crate::blob::BlobError;
use crate::{AnyItem, BodyError, StoreError};

/// Why a piece of work was not done.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// Another attempt may do it: the message comes again.
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
    /// Set if the destination did not answer in time.
    pub(super) timed_out: Arc<OnceLock<()>>,
}

impl Context {
    pub(super) fn new(engine: Engine, parent: Option<AnyItem>) -> Self {
        Self { engine, parent, timed_out: Arc::default() }
    }

    /// Notes that the destination did not answer in time.
    pub fn note_timeout(&self) {
        let _ = self.timed_out.set(());
    }

    /// Takes over a pause of the destination that another process has found.
    ///
    /// # Errors
    ///
    /// [`WorkError::Postponed`] if it has not ended yet.
    pub fn heed(&self, destination: Destination, pause: Pause) -> Result<(), WorkError> {
        self.engine.gates.learn(destination, pause);
        if self.engine.now() < pause.until {
            return Err(WorkError::Postponed(pause.until));
        }
        Ok(())
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

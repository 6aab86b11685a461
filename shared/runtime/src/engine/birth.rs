//! Creates pending children, each once. If attempts of a kind may be repeated, the first attempt comes before
//! the child is stored. A child whose first attempt succeeds quickly costs one write and no message.

use std::time::Duration;

use placet_core::item::{Child, Hold, Item, Kind, Next, Write};
use tokio::task::JoinSet;

use super::again::Again;
use super::perform::{admit, perform};
use super::work::{Work, WorkError};
use super::{ChangeError, Created, Engine, write_id};
use crate::{AnyItem, StoreError};

/// How long a first attempt may take before the child is stored and its parent continues without the outcome.
const PROMPT: Duration = Duration::from_secs(1);

/// The parent of a new child.
pub struct Parent {
    pub(super) project: String,
    /// The stored parent, if it was just read.
    pub(super) row: Option<AnyItem>,
}

/// A first attempt that still runs.
pub type Later = JoinSet<Result<(), Again>>;

/// Creates a child if it does not exist. A child that cannot be read does not fail its parent. Returns the
/// first attempt if it still runs.
pub(super) async fn birth<K: Kind, W: Work<K>>(
    engine: &Engine,
    worker: &W,
    hold: Hold,
    parent: &Parent,
    child: &Child,
) -> Result<Option<Later>, Again> {
    let body: K = serde_json::from_value(child.body.clone()).map_err(|error| {
        Again::new(format!("the first body of the child cannot be read: {error}"))
    })?;
    let write = write_id();
    let now = engine.now();
    let item = Item::new(&parent.project, &child.id, body, &Write::new(&write, now));
    let first = match K::next(&item, now) {
        Next::Work(job) if K::REPEATABLE && job.lane <= hold.lane && job.at <= now => job.work,
        _ => {
            return match engine.store_new(item, &write).await {
                Ok(_) | Err(StoreError::Corrupt { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            };
        }
    };
    match engine.store.item::<K>(&parent.project, &child.id, true).await {
        Ok(None) => {}
        Ok(Some(_)) | Err(StoreError::Corrupt { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let Ok(permit) = admit(engine, worker, &item, &first).await else {
        engine.store_new(item, &write).await?;
        return Ok(None);
    };
    let mut attempt = JoinSet::new();
    attempt.spawn({
        let (engine, worker, row) = (engine.clone(), worker.clone(), parent.row.clone());
        let work = (item.clone(), first.clone());
        async move { perform(&engine, &worker, row, work, permit).await }
    });
    match tokio::time::timeout(PROMPT, attempt.join_next()).await {
        Ok(Some(Ok(outcome))) => {
            let command = match outcome {
                Ok(command) => command,
                Err(WorkError::Terminal(reason)) => K::failed(reason),
                // The failure concerns only the child: store it, and it gets a message of its own.
                Err(WorkError::Retryable(_) | WorkError::Postponed(_)) => {
                    engine.store_new(item, &write).await?;
                    return Ok(None);
                }
            };
            let item = after(&item, &command, &Write::new(&write, engine.now()))?;
            if let Created::New(item) = engine.store_new(item, &write).await? {
                worker.log(&item, &command);
            }
            Ok(None)
        }
        Ok(_) => Err(Again::new("the first attempt of the child panicked")),
        Err(_) => {
            let item = match worker.under_way(&item, &first) {
                Some(command) => after(&item, &command, &Write::new(&write, engine.now()))?,
                None => item,
            };
            match engine.store_new(item, &write).await? {
                Created::New(item) => Ok(Some(record_later(engine, worker, item, attempt))),
                Created::Before(_) => Ok(None),
            }
        }
    }
}

/// Records the outcome of an attempt when it ends. If the process dies before that, the next attempt follows
/// when the stored item is due.
fn record_later<K: Kind, W: Work<K>>(
    engine: &Engine,
    worker: &W,
    item: Item<K>,
    mut attempt: JoinSet<Result<K::Command, WorkError>>,
) -> Later {
    let (engine, worker) = (engine.clone(), worker.clone());
    let mut later = JoinSet::new();
    later.spawn(async move {
        let command = match attempt.join_next().await {
            Some(Ok(Ok(command))) => command,
            Some(Ok(Err(WorkError::Terminal(reason)))) => K::failed(reason),
            _ => return Ok(()),
        };
        match engine.change(item.clone(), |_| command.clone()).await {
            Ok(stored) => worker.log(&stored, &command),
            Err(ChangeError::Refused(refusal)) => worker.log_refusal(&item, &command, &refusal),
            Err(error) => return Err(Again::new(error.to_string())),
        }
        Ok(())
    });
    later
}

fn after<K: Kind>(
    item: &Item<K>,
    command: &K::Command,
    write: &Write<'_>,
) -> Result<Item<K>, Again> {
    item.apply_unstored(command, write).map_err(|refusal| Again::new(refusal.to_string()))
}

//! One attempt at the work of an item: admit it, do it, and note how it ended.

use placet_core::Timestamp;
use placet_core::breaker::{End, Turn};
use placet_core::item::{Item, Kind};

use super::Engine;
use super::gates::{Name, Permit};
use super::work::{Context, Work, WorkError};
use crate::AnyItem;

/// Admits an attempt; `None` for work that calls no destination.
///
/// # Errors
///
/// If the attempt may not begin now: the time of the next try.
pub(super) async fn admit<K: Kind, W: Work<K>>(
    engine: &Engine,
    worker: &W,
    item: &Item<K>,
    work: &K::Work,
) -> Result<Option<Permit>, Timestamp> {
    match worker.destination(item, work) {
        Some(destination) => engine.gates.admit(destination, engine.now()).await.map(Some),
        None => Ok(None),
    }
}

/// Does the work, and holds `permit` until the work ends.
pub(super) async fn perform<K: Kind, W: Work<K>>(
    engine: &Engine,
    worker: &W,
    parent: Option<AnyItem>,
    (item, work): (Item<K>, K::Work),
    permit: Option<Permit>,
) -> Result<K::Command, WorkError> {
    let context = Context::new(engine.clone(), parent);
    let noted = context.end.clone();
    let outcome = worker.perform(context, item, work).await;
    if let (Some(permit), Some(end)) = (permit, noted.get()) {
        note_end(engine, permit, *end).await;
    }
    outcome
}

/// Notes how an attempt ended. If that pauses or resumes an endpoint, stores the pause for other processes.
async fn note_end(engine: &Engine, permit: Permit, end: End) {
    let destination = permit.destination.clone();
    let Some(turn) = permit.end(end, engine.now()) else { return };
    let (project, name) = (destination.project.as_str(), destination.name.to_string());
    match turn {
        Turn::Opened(pause) => {
            let (until, pauses) = (pause.until.to_string(), pause.number);
            tracing::error!(
                project,
                destination = name,
                until,
                pauses,
                "destination paused: it timed out repeatedly"
            );
        }
        Turn::Closed => tracing::info!(project, destination = name, "destination answers again"),
    }
    let Name::Endpoint(endpoint) = &destination.name else { return };
    let stored = match turn {
        Turn::Opened(pause) => engine.store.pause_endpoint(project, endpoint, pause).await,
        Turn::Closed => engine.store.resume_endpoint(project, endpoint).await,
    };
    if let Err(error) = stored {
        tracing::warn!(%error, project, endpoint, "pause of the endpoint not stored: other processes will not see it");
    }
}

//! Steps an item of any kind: load it, find the work that its state needs, do it, record the outcome. Repeat
//! until the item waits.

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use placet_core::item::{Hold, Item, Kind, Next, Pointer, Rests};
use placet_core::{Payload, Timestamp, spread};
use tokio::task::JoinSet;

use super::again::Again;
use super::birth::Parent;
use super::memory::Memory;
use super::perform::{admit, perform};
use super::work::{Work, WorkError};
use super::{ChangeError, Engine, Kinds};
use crate::AnyItem;

/// The most steps of an item per message.
const STEPS: usize = 16;

/// The time after which no further step begins. The Lambda timeout of the worker is 30 s, and one attempt may
/// take 25 s.
const BUDGET: Duration = Duration::from_secs(2);

/// The receive count from which the worker reschedules the item instead of working on it.
const RESCHEDULED_AT: u32 = 3;

/// The receive count, after about 30 s, at which a pointer without its write is dropped.
const DROPPED_AT: u32 = 5;

/// The waits of a worker for the write that its pointer names.
const WAITS: [Duration; 3] =
    [Duration::from_millis(25), Duration::from_millis(75), Duration::from_millis(150)];

/// Steps one item for one message.
pub(super) struct Stepper<'a, K, W, All> {
    engine: &'a Engine,
    worker: &'a W,
    hold: Hold,
    memory: &'a Memory,
    /// The ids of pending children that now exist.
    created: Vec<String>,
    /// The ids of pending children that could not be created.
    not_created: Vec<String>,
    /// Why one of them could not be created.
    failure: Option<Again>,
    /// First attempts of children that still run.
    later: Vec<JoinSet<Result<(), Again>>>,
    kinds: PhantomData<fn() -> (K, All)>,
}

impl<'a, K: Kind, W: Work<K>, All: Kinds<W>> Stepper<'a, K, W, All> {
    pub(super) fn new(engine: &'a Engine, worker: &'a W, hold: Hold, memory: &'a Memory) -> Self {
        Self {
            engine,
            worker,
            hold,
            memory,
            created: Vec::new(),
            not_created: Vec::new(),
            failure: None,
            later: Vec::new(),
            kinds: PhantomData,
        }
    }

    pub(super) async fn run(mut self, pointer: &Pointer) -> Result<(), Again> {
        let Some(found) = self.announced(pointer).await? else {
            return if self.hold.receives >= DROPPED_AT {
                let Pointer { kind, project, id, version, .. } = pointer;
                tracing::info!(
                    item = kind,
                    project,
                    id,
                    version,
                    "pointer dropped: its write did not happen"
                );
                Ok(())
            } else {
                Err(Again::new("the write that the pointer names is not there yet"))
            };
        };
        let item: Item<K> = self.engine.store.noted(found.decode())?;
        let now = self.engine.now();
        if self.hold.receives >= RESCHEDULED_AT && item.wants(now).is_some_and(|(_, at)| at <= now)
        {
            return Ok(self.engine.reschedule(item).await?);
        }
        let payload = item.body.payload().map_or(0, Payload::size);
        let _room = self.memory.room_for(found.size() + payload).await?;
        let stepped = self.steps(item, &found).await;
        for mut attempt in std::mem::take(&mut self.later) {
            // Each of these children is stored and has a message of its own.
            match attempt.join_next().await {
                Some(Ok(Err(error))) => {
                    tracing::warn!(%error, "outcome not recorded, will retry")
                }
                Some(Err(panicked)) => {
                    tracing::error!(%panicked, "attempt panicked, will retry")
                }
                _ => {}
            }
        }
        stepped
    }

    /// The item, after the write that the pointer names; `None` if that write is not there yet.
    async fn announced(&self, pointer: &Pointer) -> Result<Option<AnyItem>, Again> {
        let mut waits = WAITS.into_iter();
        loop {
            let found = self.engine.store.pointed(pointer).await?;
            let found = found.filter(|found| found.version() >= pointer.version);
            match (found, waits.next()) {
                (None, Some(wait)) => self.engine.clock.pause(wait).await,
                (found, _) => return Ok(found),
            }
        }
    }

    async fn steps(&mut self, mut item: Item<K>, found: &AnyItem) -> Result<(), Again> {
        let begun = Instant::now();
        for step in 0..STEPS {
            let now = self.engine.now();
            let Some((lane, at)) = item.wants(now) else { return Ok(()) };
            if at > now || lane > self.hold.lane {
                return self.leave(item, found).await;
            }
            if step > 0 && begun.elapsed() > BUDGET {
                break;
            }
            self.create_children(&item, found).await;
            let next = match K::next(&item, now) {
                Next::Transition(command) => self.apply(item, command).await?,
                next => {
                    match next.job().filter(|job| job.at <= now && job.lane <= self.hold.lane) {
                        Some(job) => self.work(item, job.work.clone()).await?,
                        None => match self.without_children(item).await? {
                            Some(item) => Some(item),
                            // The only children left are those that could not be created.
                            None => return self.failure.take().map_or(Ok(()), Err),
                        },
                    }
                }
            };
            let Some(next) = next else { return Ok(()) };
            item = next;
        }
        Ok(self.engine.rest(item).await?)
    }

    /// Leaves an item that waits, or that needs another lane.
    async fn leave(&self, item: Item<K>, found: &AnyItem) -> Result<(), Again> {
        let now = self.engine.now();
        let leased = matches!(K::next(&item, now), Next::Lease(_));
        // A version that we wrote has its own message or due time. A version that we found may depend on this
        // message, even with an entry in `due`: that entry may be later than the next work, as a deadline is
        // later than a poll, or as the due time after a slow send is later than the retry.
        let wrote = item.header.version > found.version() && !leased;
        let needs_message = item.wants(now).is_some_and(|(_, at)| {
            at <= now
                || item.header.rests != Rests::Due
                || item.header.due.is_none_or(|due| due > at)
        });
        if !wrote && needs_message {
            self.engine.rest(item).await?;
        }
        Ok(())
    }

    /// Takes the lease if the work needs one, does the work, and records the outcome.
    async fn work(&mut self, mut item: Item<K>, work: K::Work) -> Result<Option<Item<K>>, Again> {
        let permit = match admit(self.engine, self.worker, &item, &work).await {
            Ok(permit) => permit,
            Err(until) => {
                // Record its children now: they do not wait for the destination.
                if let Some(error) = self.failure.take() {
                    return Err(error);
                }
                let item = self.without_children(item.clone()).await?.unwrap_or(item);
                return self.postpone(&item, until).await;
            }
        };
        if let Some(lease) = self.worker.lease(&item, &work) {
            let Some(leased) = self.apply(item, lease).await? else { return Ok(None) };
            let now = self.engine.now();
            if !matches!(K::next(&leased, now), Next::Lease(until) if until > now) {
                return Ok(Some(leased));
            }
            item = leased;
        }
        let command =
            match perform(self.engine, self.worker, None, (item.clone(), work), permit).await {
                Ok(command) => command,
                Err(WorkError::Postponed(until)) => return self.postpone(&item, until).await,
                Err(WorkError::Terminal(reason)) => K::failed(reason),
                Err(WorkError::Retryable(reason)) => return Err(Again::new(reason)),
            };
        self.apply(item, command).await
    }

    /// Postpones work that may not begin yet to a later message. Writes nothing.
    async fn postpone(&self, item: &Item<K>, until: Timestamp) -> Result<Option<Item<K>>, Again> {
        let now = self.engine.now();
        // An item that the timer enqueued is still due: the timer will enqueue it again.
        let from_timer =
            item.header.rests == Rests::Due && item.header.due.is_some_and(|at| at <= now);
        let lane = item.wants(now).map_or(self.hold.lane, |(lane, _)| lane);
        let at = now.plus(spread(until.since(now), &item.header.id));
        if from_timer || self.engine.announce(item, lane, at).await {
            return Ok(None);
        }
        Err(Again::new("its destination is paused or busy"))
    }

    /// Applies a command, and returns the new version; `None` if the command was refused because another
    /// writer changed the item first.
    async fn apply(
        &mut self,
        item: Item<K>,
        command: K::Command,
    ) -> Result<Option<Item<K>>, Again> {
        let before = item.clone();
        let apply = self.engine.advance(item, Some(&self.hold), &self.created, |item, write| {
            item.apply(&command, write)
        });
        match apply.await {
            Ok(stored) => {
                self.worker.log(&stored, &command);
                Ok(Some(stored))
            }
            Err(ChangeError::Refused(refusal)) => {
                self.worker.log_refusal(&before, &command, &refusal);
                // The present version may depend on this message.
                let (project, id) = (before.project(), before.header.id.as_str());
                match self.engine.store.item::<K>(project, id, true).await? {
                    // No other writer changed the item: its state machine refuses its own next command, and
                    // would refuse it again at once.
                    Some(item) if item.header.version == before.header.version => {
                        return Err(Again::new(format!(
                            "the item refuses its next command: {refusal}"
                        )));
                    }
                    Some(item) if item.header.rests != Rests::Due => self.engine.rest(item).await?,
                    _ => {}
                }
                Ok(None)
            }
            Err(error) => Err(Again::new(error.to_string())),
        }
    }

    /// Creates the pending children. A failure delays neither the parent nor the other children.
    async fn create_children(&mut self, item: &Item<K>, found: &AnyItem) {
        let tried = |id: &String| self.created.contains(id) || self.not_created.contains(id);
        let children: Vec<_> =
            item.header.children.iter().filter(|child| !tried(&child.id)).collect();
        let parent = Parent {
            project: item.project().to_owned(),
            row: (found.version() == item.header.version).then(|| found.clone()),
        };
        let births = children
            .iter()
            .map(|child| All::birth(self.engine, self.worker, self.hold, &parent, child));
        for (child, born) in children.iter().zip(join_all(births).await) {
            match born {
                Ok(attempt) => {
                    self.created.push(child.id.clone());
                    self.later.extend(attempt);
                }
                Err(error) => {
                    let (kind, id, parent) = (&child.kind, &child.id, &item.header.id);
                    tracing::error!(%error, item = kind, id, parent, "child item not created, will retry");
                    self.not_created.push(child.id.clone());
                    self.failure = Some(error);
                }
            }
        }
    }

    /// Records that children exist, if no other write has recorded that; `None` if there is nothing to
    /// record.
    async fn without_children(&mut self, item: Item<K>) -> Result<Option<Item<K>>, Again> {
        if !item.header.children.iter().any(|child| self.created.contains(&child.id)) {
            return Ok(None);
        }
        let touched = self
            .engine
            .advance(item, Some(&self.hold), &self.created, |item, write| Ok(item.touched(write)));
        touched.await.map(Some).map_err(|error| Again::new(error.to_string()))
    }
}

//! One run of the timer. The partitions of all projects take turns in small bites, so that a backlog in one
//! partition does not delay another.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use futures_util::future::join_all;
use placet_core::Timestamp;
use placet_core::item::{Lane, Pointer};
use placet_runtime::{DueEntry, DuePartition, MOST_MESSAGES, Progress, QueueError, StoreError};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::pass::{Next, Pass};
use crate::{Tick, Timer};

/// When a run stops. The Lambda timeout of the function is 60 s.
const STOPS_AFTER: Duration = Duration::from_secs(45);

/// How many partitions a run reads at the same time.
const AT_ONCE: usize = 24;

/// How far the timer came, as stored in the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Passes {
    /// By the key of the partition. An idle partition has no entry.
    partitions: BTreeMap<String, Pass>,
    /// Whether the spool held more webhooks than one run drains.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) spool_is_full: bool,
}

/// Why the timer could not enqueue all due items.
#[derive(Debug, thiserror::Error)]
pub enum TimerError {
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// A few entries of a partition.
struct Bite {
    /// The range that was read.
    next: Next,
    found: Vec<DueEntry>,
    /// Whether the range may hold more entries.
    full: bool,
}

impl Bite {
    fn of(next: Next, mut found: Vec<DueEntry>) -> Self {
        let full = found.len() == MOST_MESSAGES;
        if let Some(last) = &next.last {
            found.retain(|entry| entry.place <= *last);
        }
        let full = full && found.len() == MOST_MESSAGES;
        Self { next, found, full }
    }
}

/// The state of one run.
struct Run<'a> {
    timer: &'a Timer,
    now: Timestamp,
    /// How many more messages each lane takes.
    room: BTreeMap<Lane, usize>,
    /// How many pointers each project has got on each lane.
    granted: BTreeMap<(Lane, String), usize>,
    /// The lanes whose queue has failed, with the error. Only the next run sends to them again.
    failing: BTreeMap<Lane, QueueError>,
    /// How many entries were read.
    read: usize,
    /// How many of these entries were read in second passes.
    read_again: usize,
    tick: &'a mut Tick,
}

impl Timer {
    pub(crate) async fn run(&self, tick: &mut Tick) -> Result<(), TimerError> {
        let stop = Instant::now() + STOPS_AFTER;
        let progress = self.runtime.engine.store.timer_progress().await?;
        let before = passes(&progress);
        let mut passes = before.clone();
        let mut run = Run {
            timer: self,
            now: self.runtime.engine.now(),
            room: BTreeMap::new(),
            granted: BTreeMap::new(),
            failing: BTreeMap::new(),
            read: 0,
            read_again: 0,
            tick,
        };
        let enqueued = run.enqueue(&mut passes, stop).await;
        // Save before draining, because the spool may be slow. The next run starts in a minute and must not
        // enqueue the same entries again.
        let progress = self.save(progress, &before, &passes).await?;
        let enqueued_until = passes.clone();
        self.drain_spool(&mut passes, tick, stop).await;
        self.save(progress, &enqueued_until, &passes).await?;
        enqueued
    }

    /// Writes how far the timer came, if that has changed. Returns the progress that is now stored.
    async fn save(
        &self,
        stored: Progress,
        before: &Passes,
        passes: &Passes,
    ) -> Result<Progress, StoreError> {
        if passes == before {
            return Ok(stored);
        }
        let text = serde_json::to_string(passes).unwrap_or_default();
        if !self.runtime.engine.store.put_timer_progress(&stored, &text).await? {
            tracing::warn!("timer progress not saved: another run of the timer saved its own");
        }
        Ok(Progress { version: stored.version.saturating_add(1), text })
    }
}

fn passes(progress: &Progress) -> Passes {
    if progress.text.is_empty() {
        return Passes::default();
    }
    serde_json::from_str(&progress.text).unwrap_or_else(|error| {
        tracing::error!(%error, "timer progress cannot be read, the timer starts from the beginning");
        Passes::default()
    })
}

impl Run<'_> {
    async fn enqueue(&mut self, passes: &mut Passes, stop: Instant) -> Result<(), TimerError> {
        let projects = self.timer.runtime.config.projects();
        let mut turns: Vec<DuePartition> = projects.flat_map(DuePartition::all).collect();
        // Interleave the projects: first one partition of each project, then the next of each.
        turns.sort_by_key(|partition| (partition.shard, partition.desk));
        let mut turns = VecDeque::from(turns);
        // Forget the partitions of projects that are no longer in placet.yaml.
        let known: BTreeSet<String> = turns.iter().map(DuePartition::key).collect();
        passes.partitions.retain(|key, _| known.contains(key));
        let mut failed = Ok(());
        while Instant::now() < stop {
            let room = self.timer.limits.pointers.saturating_sub(self.read) / MOST_MESSAGES;
            let some: Vec<_> = turns.drain(..turns.len().min(AT_ONCE).min(room)).collect();
            if some.is_empty() {
                break;
            }
            for (partition, bite) in self.read(passes, &some).await {
                if Instant::now() >= stop {
                    break;
                }
                let pass = passes.partitions.entry(partition.key()).or_default();
                match self.enqueue_bite(pass, &partition.project, bite).await {
                    Ok(true) => turns.push_back(partition.clone()),
                    Ok(false) => {}
                    Err(error) => {
                        let (project, partition) = (&partition.project, partition.key());
                        tracing::error!(%error, project, partition, "due items not enqueued");
                        self.tick.failed += 1;
                        failed = Err(error.into());
                    }
                }
            }
            passes.partitions.retain(|_, pass| *pass != Pass::default());
        }
        match self.failing.pop_first() {
            Some((_, error)) => Err(error.into()),
            None => failed,
        }
    }

    /// Reads a few entries of each of these partitions, at the same time.
    async fn read<'p>(
        &self,
        passes: &mut Passes,
        partitions: &'p [DuePartition],
    ) -> Vec<(&'p DuePartition, Result<Bite, StoreError>)> {
        let may_repeat = self.read_again < self.timer.limits.pointers / 2;
        let (store, now) = (&self.timer.runtime.engine.store, self.now);
        let reads = partitions.iter().map(|partition| {
            let pass = passes.partitions.entry(partition.key()).or_default();
            let next = pass.next(now, may_repeat);
            async move {
                let found = store.due(partition, &next.after, now, MOST_MESSAGES).await;
                (partition, found.map(|found| Bite::of(next, found)))
            }
        });
        join_all(reads.collect::<Vec<_>>()).await
    }

    /// Enqueues the entries of a bite. Returns whether the timer must read on in this partition.
    async fn enqueue_bite(
        &mut self,
        pass: &mut Pass,
        project: &str,
        bite: Result<Bite, StoreError>,
    ) -> Result<bool, StoreError> {
        let Bite { next, mut found, full } = bite?;
        let sent = self.send(project, &found).await;
        self.read += found.len();
        self.tick.enqueued += sent;
        if next.last.is_some() {
            self.read_again += found.len();
            self.tick.again += sent;
        }
        let place = found.pop().map(|entry| entry.place);
        Ok(pass.note(&next, place, full, self.now))
    }

    /// Sends a pointer for each entry to the lane that the entry names, and returns how many it sent. It
    /// skips entries whose lane is too deep, fails, or is unknown to this build: the second pass takes them.
    async fn send(&mut self, project: &str, found: &[DueEntry]) -> usize {
        let mut lanes: BTreeMap<Lane, Vec<Pointer>> = BTreeMap::new();
        for (lane, pointer) in found.iter().filter_map(|entry| entry.target.clone()) {
            lanes.entry(lane).or_default().push(pointer);
        }
        let mut sent = 0;
        for (lane, pointers) in lanes {
            match self.send_on(lane, project, &pointers).await {
                Ok(true) => sent += pointers.len(),
                Ok(false) => {}
                Err(error) => {
                    let queue = lane.as_str();
                    tracing::error!(%error, project, queue, "due items not enqueued");
                    self.tick.failed += 1;
                    self.failing.insert(lane, error);
                }
            }
        }
        sent
    }

    /// Sends these pointers if the lane has room, and returns whether it did. Each project gets its share
    /// even on a lane that another project has filled.
    async fn send_on(
        &mut self,
        lane: Lane,
        project: &str,
        pointers: &[Pointer],
    ) -> Result<bool, QueueError> {
        let queue = &self.timer.runtime.engine.queue;
        if self.failing.contains_key(&lane) {
            return Ok(false);
        }
        let room = match self.room.get(&lane) {
            Some(room) => *room,
            None => self.timer.limits.depth.saturating_sub(queue.depth(lane).await?),
        };
        self.room.insert(lane, room.saturating_sub(pointers.len()));
        let granted = self.granted.entry((lane, project.to_owned())).or_default();
        if room < pointers.len() && *granted + pointers.len() > self.timer.limits.share {
            return Ok(false);
        }
        *granted += pointers.len();
        queue.send_all(lane, pointers).await?;
        Ok(true)
    }
}

//! Puts pointers to due items on the queues (law 3), and stores spooled webhooks. The timer loads no item and
//! knows no kind: an entry of the index `due` holds the item's key and its lane.

mod pass;
mod run;
mod spool;

use placet_runtime::Runtime;
use serde::Serialize;

pub use run::TimerError;

/// The timer function.
#[derive(Clone)]
pub struct Timer {
    runtime: Runtime,
    limits: Limits,
}

/// The limits of one run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most entries of the index `due` that one run reads, and so the most pointers that it enqueues.
    pub pointers: usize,
    /// On a lane with more messages than this, each project gets only its `share`.
    pub depth: usize,
    /// How many pointers a project gets on a lane that is too deep, because another project may have filled
    /// it.
    pub share: usize,
    /// The most spooled webhooks that one run drains.
    pub spooled: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { pointers: 5_000, depth: 10_000, share: 20, spooled: 200 }
    }
}

/// What one run of the timer did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tick {
    /// Pointers that the run put on a queue.
    pub enqueued: usize,
    /// How many of these pointers a second pass enqueued: an earlier run enqueued them at least five minutes
    /// ago, or their lane had no room then.
    pub again: usize,
    /// Spooled webhooks that the run stored in the table.
    pub drained: usize,
    /// Partitions and spooled webhooks that failed. They stay due, and a later run tries them again.
    pub failed: usize,
}

impl Timer {
    /// The function over these services.
    pub fn new(runtime: Runtime) -> Self {
        Self { runtime, limits: Limits::default() }
    }

    /// The same function with other limits.
    #[must_use]
    pub fn with(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Enqueues the due items of every project. The timer logs a partition that it cannot read, and continues
    /// with the others.
    ///
    /// # Errors
    ///
    /// If a partition could not be read or enqueued: the Lambda error metric must show the failure.
    pub async fn handle(&self) -> Result<Tick, TimerError> {
        let mut tick = Tick::default();
        let ran = self.run(&mut tick).await;
        if tick != Tick::default() {
            let Tick { enqueued, again, drained, failed } = tick;
            tracing::info!(enqueued, again, drained, failed, "timer run ended");
        }
        ran.map(|()| tick)
    }
}

//! Puts pointers to what is due on the queues (law 3), and stores spooled webhooks. It loads no item and knows
//! no kind: an entry of the index `due` says where the item is and which lane it needs.

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

/// How much one run does.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most entries that are read, and so the most pointers.
    pub pointers: usize,
    /// A lane with more messages than this gets none but the shares of the projects.
    pub depth: usize,
    /// How many pointers a project gets on a lane that is too deep: another project may have filled it.
    pub share: usize,
    /// The most spooled webhooks.
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
    /// Pointers that were put on a queue.
    pub enqueued: usize,
    /// Pointers among them that were put there before, at least five minutes ago, or for which the lane had no
    /// room then.
    pub again: usize,
    /// Spooled webhooks that are stored now.
    pub drained: usize,
    /// Partitions and spooled webhooks that failed; what is due there still is.
    pub failed: usize,
}

impl Timer {
    /// The function over these services.
    pub fn new(runtime: Runtime) -> Self {
        Self { runtime, limits: Limits::default() }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Enqueues what is due, in every project. A partition that cannot be read is logged and does not hold
    /// up the others.
    ///
    /// # Errors
    ///
    /// If a partition could not be read or enqueued: the function's errors must show it.
    pub async fn handle(&self) -> Result<Tick, TimerError> {
        let mut tick = Tick::default();
        let ran = self.run(&mut tick).await;
        if tick != Tick::default() {
            let Tick { enqueued, again, drained, failed } = tick;
            tracing::info!(enqueued, again, drained, failed, "timer enqueued what is due");
        }
        ran.map(|()| tick)
    }
}

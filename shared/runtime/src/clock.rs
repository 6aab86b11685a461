use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use placet_core::Timestamp;

/// The source of the current time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A stopped clock that only a test moves, in milliseconds since the Unix epoch.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A stopped clock that shows `start`.
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.millis())))
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                Timestamp::from_millis(0).plus(since_epoch.unwrap_or_default())
            }
            Self::Manual(millis) => Timestamp::from_millis(millis.load(Ordering::SeqCst)),
        }
    }

    /// Waits. With a manual clock, it only yields to other tasks.
    pub async fn pause(&self, duration: Duration) {
        match self {
            Self::System => tokio::time::sleep(duration).await,
            Self::Manual(_) => tokio::task::yield_now().await,
        }
    }

    /// Moves a manual clock forward. Does nothing to the machine's clock.
    pub fn advance(&self, duration: Duration) {
        if let Self::Manual(millis) = self {
            let by = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
            millis.fetch_add(by, Ordering::SeqCst);
        }
    }
}

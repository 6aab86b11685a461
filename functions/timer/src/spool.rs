//! The spool: webhooks that the table did not take when they came.

use tokio::time::Instant;

use crate::run::Passes;
use crate::{Tick, Timer};

impl Timer {
    /// Stores spooled webhooks while time remains. The spool is looked at every fifth minute, because each
    /// look at an empty one costs the same; and in the next minute if it was full.
    pub(crate) async fn drain_spool(&self, passes: &mut Passes, tick: &mut Tick, stop: Instant) {
        let minute = self.runtime.engine.now().seconds() / 60;
        if !passes.spool_is_full && minute % 5 != 0 {
            return;
        }
        let most = self.limits.spooled;
        let keys = match self.runtime.spooled(most).await {
            Ok(keys) => keys,
            Err(error) => {
                tracing::error!(%error, "the spool cannot be listed");
                return;
            }
        };
        passes.spool_is_full = keys.len() == most;
        for key in keys {
            if Instant::now() >= stop {
                passes.spool_is_full = true;
                return;
            }
            match self.runtime.drain(&key).await {
                Ok(_) => tick.drained += 1,
                Err(error) => {
                    tracing::error!(key, %error, "spooled webhook not stored");
                    tick.failed += 1;
                }
            }
        }
    }
}

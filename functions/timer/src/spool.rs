//! The spool: webhooks that arrived while the table was unavailable.

use tokio::time::Instant;

use crate::run::Passes;
use crate::{Tick, Timer};

impl Timer {
    /// Stores spooled webhooks in the table while time remains. The timer lists the spool every fifth minute,
    /// because listing an empty spool also costs a request. If the spool was full, the timer lists it again
    /// in the next minute.
    pub(crate) async fn drain_spool(&self, passes: &mut Passes, tick: &mut Tick, stop: Instant) {
        let minute = self.runtime.engine.now().seconds() / 60;
        if !passes.spool_is_full && minute % 5 != 0 {
            return;
        }
        let most = self.limits.spooled;
        let keys = match self.runtime.spooled(most).await {
            Ok(keys) => keys,
            Err(error) => {
                tracing::error!(%error, "spool cannot be listed");
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

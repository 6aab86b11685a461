//! Limits how often an API key may write, so that one agent cannot take the capacity of all others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use placet_core::limits::{WRITES_BURST_SECONDS, WRITES_PER_SECOND};
use placet_core::rate::{self, Bucket, Rate};
use placet_core::{Digest, Timestamp};
use placet_runtime::Environment;

/// The most keys that are remembered. Only valid keys are.
const MOST_KEYS: usize = 1000;

/// The writes of each API key in this process.
#[derive(Clone)]
pub(crate) struct Rates {
    rate: Rate,
    buckets: Arc<Mutex<HashMap<Digest, Bucket>>>,
}

/// A key writes more often than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooOften {
    /// How often the key may write.
    pub(crate) rate: Rate,
    /// When it may write again.
    pub(crate) wait: Duration,
}

impl Rates {
    /// Each key may write as often as `PLACET_WRITES_PER_SECOND` says.
    pub(crate) fn new(environment: &Environment) -> Self {
        let text = environment.get("PLACET_WRITES_PER_SECOND");
        let set = text.as_deref().and_then(rate::per_second);
        if text.is_some() && set.is_none() {
            tracing::error!(
                "PLACET_WRITES_PER_SECOND is not a whole number from 1 to 1000000: the default counts"
            );
        }
        let per_second = set.unwrap_or(WRITES_PER_SECOND);
        let burst = per_second.saturating_mul(WRITES_BURST_SECONDS);
        Self { rate: Rate { per_second, burst }, buckets: Arc::default() }
    }

    /// Counts a write of this key.
    ///
    /// # Errors
    ///
    /// If the key has written too often.
    pub(crate) fn write(&self, key: Digest, now: Timestamp) -> Result<(), TooOften> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_KEYS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        if buckets.len() >= MOST_KEYS && !buckets.contains_key(&key) {
            buckets.clear();
        }
        let taken = buckets.entry(key).or_default().take(self.rate, now);
        taken.map_err(|wait| TooOften { rate: self.rate, wait })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    fn rates(value: &str) -> Rates {
        let variable = ("PLACET_WRITES_PER_SECOND".to_owned(), value.to_owned());
        Rates::new(&[variable].into_iter().collect())
    }

    #[test]
    fn a_wrong_setting_counts_as_the_default() {
        for (value, expected) in
            [("", 100), ("7", 7), ("1000000", 1_000_000), ("0", 100), ("1000001", 100), ("a", 100)]
        {
            assert_eq!(rates(value).rate, Rate { per_second: expected, burst: 2 * expected });
        }
    }

    #[test]
    fn keys_that_have_not_written_lately_are_forgotten() {
        let rates = rates("1");
        let key = |n: usize| Digest::of_bytes(&n.to_le_bytes());
        for n in 0..MOST_KEYS {
            rates.write(key(n), NOW).unwrap();
        }
        let later = NOW.plus(Duration::from_secs(1));
        rates.write(key(0), later).unwrap();
        rates.write(key(MOST_KEYS), later).unwrap();
        assert_eq!(rates.buckets.lock().unwrap().len(), 2);
    }
}

//! Limits how often something may happen.

use std::time::Duration;

use crate::Timestamp;
use crate::limits::MOST_WRITES;

const SECOND: i64 = 1_000_000;

/// How often something may happen: so many times a second, and so many times at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many times a second, at most a million.
    pub per_second: u32,
    /// How many times at once.
    pub burst: u32,
}

/// The number of writes a second in a setting; `None` unless it is a whole number from 1 to [`MOST_WRITES`].
pub fn per_second(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| (1..=MOST_WRITES).contains(number))
}

/// A token bucket in one number. The default is a full bucket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// When the bucket is full again, in microseconds since 1970.
    full_at: i64,
}

impl Bucket {
    /// Takes a token.
    ///
    /// # Errors
    ///
    /// If the bucket is empty: the time until there is a token again.
    pub fn take(&mut self, rate: Rate, now: Timestamp) -> Result<(), Duration> {
        let now = micros(now);
        let each = SECOND / i64::from(rate.per_second.max(1));
        let room = each.saturating_mul(i64::from(rate.burst.max(1)));
        // A clock that was set back must not block anybody for longer than an empty bucket does.
        self.full_at = self.full_at.clamp(now, now.saturating_add(room));
        let full_at = self.full_at.saturating_add(each);
        let missing = full_at.saturating_sub(now).saturating_sub(room);
        match u64::try_from(missing) {
            Ok(missing @ 1..) => Err(Duration::from_micros(missing)),
            _ => {
                self.full_at = full_at;
                Ok(())
            }
        }
    }

    /// Whether the bucket is full, so that it need not be remembered.
    pub fn is_full(self, now: Timestamp) -> bool {
        self.full_at <= micros(now)
    }
}

fn micros(at: Timestamp) -> i64 {
    at.millis().saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_165_200_000);
    const RATE: Rate = Rate { per_second: 100, burst: 200 };

    fn taken(bucket: &mut Bucket, now: Timestamp) -> usize {
        std::iter::from_fn(|| bucket.take(RATE, now).ok()).take(1000).count()
    }

    #[test]
    fn a_burst_empties_the_bucket_and_time_fills_it() {
        let mut bucket = Bucket::default();
        assert!(bucket.is_full(NOW));
        assert_eq!(taken(&mut bucket, NOW), 200);
        assert_eq!(bucket.take(RATE, NOW), Err(Duration::from_millis(10)));
        assert!(!bucket.is_full(NOW));
        for (millis, expected) in
            [(9, 0), (10, 1), (1010, 100), (1015, 0), (3010, 200), (9999, 200)]
        {
            let later = NOW.plus(Duration::from_millis(millis));
            assert_eq!(taken(&mut bucket, later), expected, "{millis}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_blocks_nobody_for_long() {
        let mut bucket = Bucket::default();
        let ahead = NOW.plus(Duration::from_secs(3600));
        assert_eq!(taken(&mut bucket, ahead), 200);
        assert_eq!(bucket.take(RATE, NOW), Err(Duration::from_millis(10)));
        assert_eq!(taken(&mut bucket, NOW.plus(Duration::from_secs(2))), 200);
    }

    #[test]
    fn any_rate_lets_something_happen() {
        for (per_second, burst) in [(0, 0), (1, 1), (u32::MAX, u32::MAX), (1_000_000, 1)] {
            let rate = Rate { per_second, burst };
            assert_eq!(Bucket::default().take(rate, NOW), Ok(()), "{rate:?}");
        }
    }
}

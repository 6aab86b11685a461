use std::time::Duration;

use crate::{Digest, Timestamp};

/// The wait after the first attempt. The wait doubles after each attempt.
const FIRST: Duration = Duration::from_secs(2);

/// The most that [`spread`] adds to a wait.
const SPREAD: Duration = Duration::from_secs(5);

/// The longest wait, which is the longest delay of an SQS message.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The wait between `attempt` (from 1) and the next attempt, with up to 20 % of jitter in both directions.
///
/// The jitter comes from `seed`, so a repeated computation returns the same wait. `asked` is the wait that
/// the target asked for (`Retry-After`). It counts if it is longer, up to 15 minutes.
pub fn backoff(attempt: u32, seed: &str, asked: Option<Duration>) -> Duration {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    let wait = jittered(doubled.min(LONGEST), &format!("{seed}#{attempt}"));
    wait.max(asked.unwrap_or_default()).min(LONGEST)
}

/// The wait plus up to five seconds, always the same for one seed. So items that wait for the same moment
/// do not all become due at once.
pub fn spread(wait: Duration, seed: &str) -> Duration {
    wait + SPREAD * u32::from(Digest::of_bytes(seed.as_bytes()).as_bytes()[0]) / 255
}

/// The wait with up to 20 % of jitter in both directions, always the same for one seed.
pub(crate) fn jittered(wait: Duration, seed: &str) -> Duration {
    let hash = Digest::of_bytes(seed.as_bytes());
    wait * (80 + u32::from(hash.as_bytes()[0]) * 40 / 255) / 100
}

/// The wait in a `Retry-After` header: seconds, or an HTTP date; `None` if the value is neither.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    Timestamp::parse_http_date(value).map(|moment| moment.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_fifteen_minutes() {
        for attempt in 1..40 {
            let wait = backoff(attempt, "call-1", None).as_secs_f64();
            let base = (2.0 * 2_f64.powi(attempt as i32 - 1)).min(900.0);
            assert!((base * 0.79..=base * 1.21).contains(&wait), "{attempt}: {wait}");
        }
        assert!(backoff(u32::MAX, "call-1", None) <= LONGEST);
    }

    #[test]
    fn a_longer_wait_that_the_target_asks_for_counts() {
        let asked = |seconds| backoff(1, "x", Some(Duration::from_secs(seconds)));
        assert_eq!(asked(60), Duration::from_secs(60));
        assert_eq!(asked(86_400), LONGEST);
        assert!(asked(0) >= Duration::from_millis(1600));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::from_millis(1_445_412_420_000);
        let read = |text| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(read(" 120 "), Some(120));
        assert_eq!(read("Wed, 21 Oct 2015 07:28:00 GMT"), Some(60));
        assert_eq!(read("Wed, 21 Oct 2015 07:26:00 GMT"), Some(0), "the date has passed");
        for wrong in ["", "-1", "1.5", "soon", "Wed, 21 Oct"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}

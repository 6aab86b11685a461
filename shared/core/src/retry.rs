use std::time::Duration;

use crate::{Digest, Timestamp};

/// The wait after the first attempt; it doubles with each further one.
const FIRST: Duration = Duration::from_secs(2);

/// Over so long a moment is spread.
const SPREAD: Duration = Duration::from_secs(5);

/// The longest wait: what SQS can delay a message by.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The wait before the attempt after `attempt` (from 1), with up to 20 % taken off or put on.
///
/// The jitter comes from `seed`, so that a repeated computation gives the same answer. A longer
/// wait the target asked for (`Retry-After`) is respected, up to 15 minutes.
pub fn backoff(attempt: u32, seed: &str, asked: Option<Duration>) -> Duration {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    let wait = jittered(doubled.min(LONGEST), &format!("{seed}#{attempt}"));
    wait.max(asked.unwrap_or_default()).min(LONGEST)
}

/// The wait with up to five seconds put on, always the same for one seed: what waits for the same moment does
/// not come all at once.
pub fn spread(wait: Duration, seed: &str) -> Duration {
    wait + SPREAD * u32::from(Digest::of_bytes(seed.as_bytes()).as_bytes()[0]) / 255
}

/// The wait with up to 20 % taken off or put on, always the same for one seed.
pub(crate) fn jittered(wait: Duration, seed: &str) -> Duration {
    let hash = Digest::of_bytes(seed.as_bytes());
    wait * (80 + u32::from(hash.as_bytes()[0]) * 40 / 255) / 100
}

/// The value of a `Retry-After` header: seconds, or a moment.
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
    fn doubles_within_its_jitter_and_stops_at_fifteen_minutes() {
        for attempt in 1..40 {
            let wait = backoff(attempt, "call-1", None).as_secs_f64();
            let base = (2.0 * 2_f64.powi(attempt as i32 - 1)).min(900.0);
            assert!((base * 0.79..=base * 1.21).contains(&wait), "{attempt}: {wait}");
        }
        assert!(backoff(u32::MAX, "call-1", None) <= LONGEST);
    }

    #[test]
    fn respects_a_longer_wish_of_the_target() {
        let asked = |seconds| backoff(1, "x", Some(Duration::from_secs(seconds)));
        assert_eq!(asked(60), Duration::from_secs(60));
        assert_eq!(asked(86_400), LONGEST);
        assert!(asked(0) >= Duration::from_millis(1600));
    }

    #[test]
    fn retry_after_is_seconds_or_a_moment() {
        let now = Timestamp::from_millis(1_445_412_420_000);
        let read = |text| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(read(" 120 "), Some(120));
        assert_eq!(read("Wed, 21 Oct 2015 07:28:00 GMT"), Some(60));
        assert_eq!(read("Wed, 21 Oct 2015 07:26:00 GMT"), Some(0), "it has passed");
        for wrong in ["", "-1", "1.5", "soon", "Wed, 21 Oct"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}

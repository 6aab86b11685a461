use std::time::Duration;

use crate::retry::jittered;

/// The longest wait that an endpoint can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// The waits before each attempt, in seconds: eight attempts in about 28 hours.
const WAITS: [u64; 8] = [0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600];

/// The wait after `failed` failed attempts; `None` at the end of the schedule. `seed` determines a jitter of
/// up to 20 % in both directions. `asked` is the wait that the endpoint asked for. It counts if it is
/// longer, up to a day.
pub fn schedule(failed: u32, seed: &str, asked: Option<Duration>) -> Option<Duration> {
    let failed = usize::try_from(failed).unwrap_or(usize::MAX);
    let wait = jittered(Duration::from_secs(*WAITS.get(failed)?), seed);
    Some(wait.max(asked.unwrap_or_default().min(LONGEST_ASKED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_has_eight_attempts_in_about_28_hours() {
        let waits = |seed: &str| -> Vec<Duration> {
            (0..).map_while(|failed| schedule(failed, seed, None)).collect()
        };
        for seed in ["a", "b", "c"] {
            let waits = waits(seed);
            assert_eq!(waits.len(), 8);
            for (wait, expected) in waits.iter().zip(WAITS) {
                let (wait, expected) = (wait.as_secs_f64(), expected as f64);
                assert!((expected * 0.79..=expected * 1.21).contains(&wait), "{seed}: {wait}");
            }
        }
        let total: u64 = WAITS.iter().sum();
        assert_eq!(total, 27 * 3600 + 35 * 60 + 5);
        assert_ne!(waits("a")[7], waits("b")[7]);
        assert_eq!(waits("a"), waits("a"));
    }

    #[test]
    fn a_longer_wait_that_the_endpoint_asks_for_counts_up_to_a_day() {
        let asked = |failed, seconds| schedule(failed, "x", Some(Duration::from_secs(seconds)));
        assert_eq!(asked(1, 3600), Some(Duration::from_secs(3600)));
        assert_eq!(asked(1, 999_999), Some(LONGEST_ASKED));
        assert_eq!(asked(7, 1), schedule(7, "x", None));
        assert_eq!(asked(8, 1), None);
        assert_eq!(schedule(u32::MAX, "x", None), None);
    }
}

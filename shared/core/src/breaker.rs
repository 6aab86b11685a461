//! A circuit breaker: after repeated timeouts, Placet pauses the attempts to a destination, so that a slow
//! destination does not delay others.
//!
//! The breaker opens after [`TIMEOUTS`] timeouts in a row, for 30 seconds. Then it is half-open: one attempt
//! probes the destination. If the probe times out, the pause doubles, up to 15 minutes. Any answer closes
//! the breaker.

use std::time::Duration;

use crate::Timestamp;

/// The breaker opens after this many timeouts in a row.
pub const TIMEOUTS: u32 = 3;

const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// After this time the breaker forgets a probe that has not ended. No attempt may take longer than 25 s.
pub const LONGEST_PROBE: Duration = Duration::from_secs(60);

/// The breaker of one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// The number of timeouts in a row.
    timeouts: u32,
    /// The pause; `None` if the breaker is closed.
    pause: Option<Pause>,
    /// The start of the current probe.
    probe: Option<Timestamp>,
}

/// A pause of the attempts to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// No attempt begins before this moment.
    pub until: Timestamp,
    /// The number of pauses since the last answer, including this one.
    pub number: u32,
}

/// How an attempt ended, for the breaker of its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The destination did not answer within the timeout.
    TimedOut,
    /// The destination answered, with any status.
    Answered,
    /// The attempt did not reach the destination, or its end is unknown. The breaker does not count it.
    Unknown,
}

/// How the end of an attempt changed the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The breaker opened: attempts pause.
    Opened(Pause),
    /// The breaker closed: attempts resume.
    Closed,
}

impl Breaker {
    /// Lets an attempt begin.
    ///
    /// # Errors
    ///
    /// If the attempt must not begin: the earliest moment at which the caller may try again.
    pub fn admit(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        let Some(pause) = self.pause else { return Ok(()) };
        let probed_until = self.probe.map(|began| began.plus(LONGEST_PROBE));
        let until = probed_until.map_or(pause.until, |probed| probed.max(pause.until));
        if now < until {
            return Err(until);
        }
        self.probe = Some(now);
        Ok(())
    }

    /// Records the end of an attempt that began at `began`.
    pub fn note(&mut self, end: End, began: Timestamp, now: Timestamp) -> Option<Turn> {
        match end {
            End::TimedOut => {}
            End::Answered => {
                let was_open = self.pause.is_some();
                *self = Self::default();
                return was_open.then_some(Turn::Closed);
            }
            End::Unknown => {
                self.probe = self.probe.filter(|probe| *probe != began);
                return None;
            }
        }
        self.timeouts = self.timeouts.saturating_add(1);
        let number = match self.pause {
            None if self.timeouts < TIMEOUTS => return None,
            // The attempt began before the pause ended, so it was not a probe.
            Some(pause) if began < pause.until => return None,
            None => 1,
            Some(pause) => pause.number.saturating_add(1),
        };
        let length = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(number - 1));
        let pause = Pause { until: now.plus(length.min(LONGEST_PAUSE)), number };
        (self.pause, self.probe) = (Some(pause), None);
        Some(Turn::Opened(pause))
    }

    /// Takes over the stored pause of the destination, or its absence. Any process may have stored it.
    pub fn learn(&mut self, stored: Option<Pause>) {
        match stored {
            None if self.pause.is_some() => *self = Self::default(),
            None => {}
            Some(_) => (self.pause, self.probe) = (stored, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn after(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for second in 0..3 {
            breaker.note(End::TimedOut, after(0), after(second));
        }
        breaker
    }

    #[test]
    fn the_third_timeout_in_a_row_opens_the_breaker() {
        let mut breaker = Breaker::default();
        for end in [
            End::TimedOut,
            End::TimedOut,
            End::Answered,
            End::TimedOut,
            End::Unknown,
            End::TimedOut,
        ] {
            assert_eq!(breaker.note(end, START, START), None);
            assert_eq!(breaker.admit(START), Ok(()));
        }
        let pause = Pause { until: after(31), number: 1 };
        assert_eq!(breaker.note(End::TimedOut, START, after(1)), Some(Turn::Opened(pause)));
        assert_eq!(breaker.admit(after(30)), Err(after(31)));
    }

    #[test]
    fn one_probe_at_a_time_opens_or_closes_the_breaker() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(after(40)), Ok(()));
        assert_eq!(breaker.admit(after(41)), Err(after(100)), "only one probe at a time");
        let longer = Pause { until: after(50 + 60), number: 2 };
        assert_eq!(breaker.note(End::TimedOut, after(40), after(50)), Some(Turn::Opened(longer)));
        assert_eq!(breaker.admit(after(110)), Ok(()));
        assert_eq!(breaker.note(End::Answered, after(110), after(111)), Some(Turn::Closed));
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn attempts_that_began_before_the_pause_do_not_lengthen_it() {
        let mut breaker = opened();
        let before = breaker.clone();
        assert_eq!(breaker.note(End::TimedOut, after(2), after(20)), None);
        assert_eq!(breaker.pause, before.pause);
    }

    #[test]
    fn the_probe_of_a_process_that_died_is_forgotten() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(after(40)), Ok(()));
        assert_eq!(breaker.admit(after(100)), Ok(()));
    }

    #[test]
    fn a_pause_that_another_process_stored_ends_with_a_probe() {
        let mut breaker = Breaker::default();
        breaker.learn(Some(Pause { until: after(10), number: 1 }));
        breaker.learn(Some(Pause { until: after(60), number: 4 }));
        assert_eq!(breaker.admit(after(59)), Err(after(60)));
        assert_eq!(breaker.admit(after(60)), Ok(()));
        let longest = Pause { until: after(70).plus(8 * FIRST_PAUSE * 2), number: 5 };
        assert_eq!(breaker.note(End::TimedOut, after(60), after(70)), Some(Turn::Opened(longest)));
    }

    #[test]
    fn a_pause_that_is_no_longer_stored_ends_and_later_timeouts_count() {
        let mut breaker = opened();
        breaker.learn(None);
        assert_eq!((breaker.admit(after(5)), &breaker), (Ok(()), &Breaker::default()));
        breaker.note(End::TimedOut, after(5), after(6));
        breaker.learn(None);
        assert_eq!(breaker.timeouts, 1);
    }

    #[test]
    fn a_probe_with_an_unknown_end_may_be_repeated() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(after(40)), Ok(()));
        assert_eq!(breaker.note(End::Unknown, after(40), after(41)), None);
        assert_eq!(breaker.admit(after(41)), Ok(()));
    }

    proptest! {
        /// A destination that never answers gets attempts at growing intervals, but the attempts never stop.
        #[test]
        fn a_silent_destination_is_probed_at_least_every_15_minutes(
            steps in prop::collection::vec(1..40_u64, 200..400),
        ) {
            let (mut breaker, mut second, mut last) = (Breaker::default(), 0, 0);
            for step in steps {
                second += step;
                if breaker.admit(after(second)).is_ok() {
                    prop_assert!(second - last <= 15 * 60 + 25 + 40, "{second} {last}");
                    breaker.note(End::TimedOut, after(second), after(second + 25));
                    second += 25;
                    last = second;
                }
            }
            let attempts = breaker.timeouts;
            prop_assert!(u64::from(attempts) <= 3 + 6 + second / (15 * 60), "{attempts} in {second} s");
        }
    }
}

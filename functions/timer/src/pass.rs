//! How far the timer has enqueued a partition of the index `due`.
//!
//! The front moves on with time: each newly due entry is enqueued once. A second pass goes over the entries
//! behind the front. It enqueues every entry that is still there five minutes after it was enqueued, or that
//! the first pass left out because its lane was full.

use std::time::Duration;

use placet_core::Timestamp;
use serde::{Deserialize, Serialize};

/// The least time between two times that the same pointer is enqueued.
pub const APART: Duration = Duration::from_secs(5 * 60);

/// How far the timer has enqueued one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// Every entry up to this place was enqueued at least once, except if its lane had no room.
    pub front: String,
    /// Where the front was, and when. The second pass ends at this place.
    pub mark: Option<Mark>,
    /// How far the second pass has come; `None` while no second pass runs.
    pub again: Option<String>,
}

/// Where the front was at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The place of the front.
    pub place: String,
    /// When the front was there.
    pub at: Timestamp,
}

/// The range of a partition to read next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// Read after this place.
    pub after: String,
    /// Read up to and including this place; `None` means every entry that is due now.
    pub last: Option<String>,
}

impl Pass {
    /// The range to read next. The second pass begins once the mark is [`APART`] old.
    pub fn next(&mut self, now: Timestamp, may_repeat: bool) -> Next {
        if let Some(mark) = &self.mark {
            if self.again.is_none() && now >= mark.at.plus(APART) {
                self.again = Some(String::new());
            }
            if let Some(after) = self.again.as_ref().filter(|_| may_repeat) {
                return Next { after: after.clone(), last: Some(mark.place.clone()) };
            }
        }
        Next { after: self.front.clone(), last: None }
    }

    /// Records the range that was enqueued: its last place, and whether there may be more entries (`full`).
    /// Returns whether the timer must read on in this partition.
    pub fn note(&mut self, next: &Next, last: Option<String>, full: bool, now: Timestamp) -> bool {
        match (&next.last, last) {
            // The second pass continues.
            (Some(_), Some(place)) if full => {
                self.again = Some(place);
                true
            }
            // The second pass ends. The next one covers the entries up to the present front.
            (Some(mark), place) => {
                let empty = place.is_none() && next.after.is_empty();
                if empty && self.front == *mark {
                    // No entry is left: an idle timer writes nothing.
                    *self = Self::default();
                } else {
                    self.again = None;
                    self.mark = Some(Mark { place: self.front.clone(), at: now });
                }
                true
            }
            (None, Some(place)) => {
                self.front.clone_from(&place);
                self.mark.get_or_insert(Mark { place, at: now });
                full
            }
            (None, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const BITE: usize = 10;

    /// The entries of one partition by place: since when each is visible, and when it was enqueued.
    type Partition = BTreeMap<String, (Timestamp, Vec<Timestamp>)>;

    fn place(due: Timestamp, n: u64) -> String {
        format!("{:015}w{n:016x}", due.millis())
    }

    /// One run as in `run.rs`, of at most `bites` bites.
    fn run(pass: &mut Pass, partition: &mut Partition, now: Timestamp, bites: usize) {
        for _ in 0..bites {
            let next = pass.next(now, true);
            let last = format!("{:015}~", now.millis());
            let visible = partition.iter_mut().filter(|(place, (since, _))| {
                **place > next.after && **place <= last && *since <= now
            });
            let mut bite: Vec<_> = visible.take(BITE).collect();
            let full = bite.len() == BITE;
            bite.retain(|(place, _)| next.last.as_ref().is_none_or(|last| *place <= last));
            let full = full && bite.len() == BITE;
            bite.iter_mut().for_each(|(_, (_, enqueued))| enqueued.push(now));
            let place = bite.pop().map(|(place, _)| place.clone());
            if !pass.note(&next, place, full, now) {
                return;
            }
        }
    }

    /// Entries come at random times, early or late in the index, and stay for random times. No entry is
    /// enqueued twice within five minutes, and no entry waits longer than twelve minutes.
    #[test]
    fn no_entry_is_enqueued_too_often_or_too_late() {
        for seed in 1..200_u64 {
            let mut state = seed;
            let mut random = move |below: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) % below
            };
            let (mut pass, mut partition) = (Pass::default(), Partition::new());
            let mut now = Timestamp::from_millis(1_795_000_000_000);
            for minute in 0..120 {
                for n in 0..random(30) {
                    // Some entries are already overdue when they become visible.
                    let due = now.plus(Duration::from_secs(random(300))).minus(3 * MINUTE);
                    partition.insert(place(due, minute * 100 + n), (now, Vec::new()));
                }
                run(&mut pass, &mut partition, now, 1000);
                for (place, (since, enqueued)) in &partition {
                    for two in enqueued.windows(2) {
                        assert!(
                            two[1].since(two[0]) >= APART,
                            "seed {seed}: {place}: {enqueued:?}"
                        );
                    }
                    let due = Timestamp::from_millis(place[..15].parse().unwrap()).max(*since);
                    let last = enqueued.last().copied().unwrap_or(due);
                    assert!(
                        now.since(last) <= 12 * MINUTE,
                        "seed {seed}: {place} at {now} {enqueued:?}"
                    );
                }
                // Most entries are soon processed, some never.
                partition.retain(|_, (_, enqueued)| enqueued.is_empty() || random(10) == 0);
                now = now.plus(MINUTE);
            }
            partition.clear();
            for _ in 0..20 {
                run(&mut pass, &mut partition, now, 1000);
                now = now.plus(MINUTE);
            }
            assert_eq!(pass, Pass::default(), "an idle partition stores no progress");
        }
    }
}

//! How far a partition of the index `due` was enqueued.
//!
//! The front moves on with time: what is newly due is enqueued once. What is still there five minutes after
//! it was enqueued, or left out because its lane was full, is enqueued again, by a second pass over what the
//! front had left behind by then.

use std::time::Duration;

use placet_core::Timestamp;
use serde::{Deserialize, Serialize};

/// No pointer is enqueued twice within this time.
pub const APART: Duration = Duration::from_secs(5 * 60);

/// How far one partition was enqueued.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// Everything up to this place was enqueued at least once, but for what had no room on its lane.
    pub front: String,
    /// Where the front was, and when.
    pub mark: Option<Mark>,
    /// How far what lies before the mark was enqueued again.
    pub again: Option<String>,
}

/// Where the front was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The place.
    pub place: String,
    /// When.
    pub at: Timestamp,
}

/// What is to be read next of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// After this place.
    pub after: String,
    /// Up to this place; up to what is due now if not said.
    pub last: Option<String>,
}

impl Pass {
    /// What is to be read next. The second pass begins once the mark is old enough.
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

    /// Takes note of what was enqueued: the last place, and whether there may be more. Hands back whether the
    /// partition has to be read on.
    pub fn note(&mut self, next: &Next, last: Option<String>, full: bool, now: Timestamp) -> bool {
        match (&next.last, last) {
            // The second pass goes on.
            (Some(_), Some(place)) if full => {
                self.again = Some(place);
                true
            }
            // It is over: the next one is about what the front has left behind until now.
            (Some(mark), place) => {
                let empty = place.is_none() && next.after.is_empty();
                if empty && self.front == *mark {
                    // Everything is done: an idle timer writes nothing.
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

    /// What one partition holds: by its place, since when it is visible and when it was enqueued.
    type Partition = BTreeMap<String, (Timestamp, Vec<Timestamp>)>;

    fn place(due: Timestamp, n: u64) -> String {
        format!("{:015}w{n:016x}", due.millis())
    }

    /// One run, as of `run.rs`: at most so many bites.
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

    /// Whatever comes when, early or late in the index, and however long it stays: nothing is enqueued twice
    /// within five minutes, and nothing waits for longer than twelve.
    #[test]
    fn nothing_is_enqueued_too_often_or_too_late() {
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
                    // Some are due in the past when they are seen.
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
                // Most are done soon, some never.
                partition.retain(|_, (_, enqueued)| enqueued.is_empty() || random(10) == 0);
                now = now.plus(MINUTE);
            }
            partition.clear();
            for _ in 0..20 {
                run(&mut pass, &mut partition, now, 1000);
                now = now.plus(MINUTE);
            }
            assert_eq!(pass, Pass::default(), "an idle partition has no progress");
        }
    }
}

//! What has to exist when a version is written, so that nobody forgets the item (law 3).
//!
//! Every item that is not terminal rests on an entry in the index `due`, or on a message. The message is
//! sent *before* the write that needs it and names the version of that write, so there is no moment at
//! which the item exists without it. A lease rests on its holder's message, which is received again unless the
//! holder deletes it.

use std::time::Duration;

use super::{Item, Kind, Lane, Next, Rests};
use crate::Timestamp;

/// The longest a message can be delayed.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

/// The shortest and the longest wait of a rescheduled item.
const FIRST_WAIT: Duration = Duration::from_secs(2 * 60);
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// What has to exist when a version is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// When the timer has to look at it.
    pub due: Option<Timestamp>,
    /// A pointer that has to be on this lane, visible from this moment on.
    pub pointer: Option<(Lane, Timestamp)>,
    /// Which of the two it rests on.
    pub rests: Rests,
}

/// A message that a worker holds: unless the worker deletes it, it is received again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The lane it came on.
    pub lane: Lane,
    /// How often it was received, from 1.
    pub receives: u32,
}

/// How long an item waits that was rescheduled `times` before: 2 minutes, doubling to an hour.
pub fn rescheduled_after(times: u32) -> Duration {
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(times)).min(LONGEST_WAIT)
}

impl<K: Kind> Item<K> {
    /// What this version needs. `before` is the version it replaces, `hold` the message of the worker
    /// that writes it.
    pub fn schedule(&self, before: Option<&Self>, now: Timestamp, hold: Option<&Hold>) -> Schedule {
        let next = K::next(self, now);
        let soon = now.plus(LONGEST_DELAY);
        let job = next.job().map(|job| (job.lane, job.at));
        let due = match &next {
            Next::Nothing | Next::Transition(_) => None,
            Next::Wait(until) => Some(*until),
            Next::Person { until, .. } => {
                let late = job.map(|(_, at)| at).filter(|at| *at > soon);
                Some(late.map_or(*until, |at| at.min(*until)))
            }
            Next::Lease(until) => match before {
                // A write under the lease leaves alone what the lease rests on.
                Some(old) if matches!(K::next(old, now), Next::Lease(same) if same == *until) => {
                    old.header.due
                }
                _ if hold.is_some() => None,
                _ => Some(*until),
            },
            Next::Work(job) => Some(job.at).filter(|at| *at > soon),
        };
        let pointer = match &next {
            _ if !self.header.children.is_empty() => self.wants(now),
            Next::Transition(_) => Some((K::HOME, now)),
            _ => job.filter(|(_, at)| *at <= soon),
        };
        let rests = match (pointer, due, &next) {
            (None, None, Next::Nothing) => Rests::Nothing,
            (None, Some(_), _) => Rests::Due,
            _ => Rests::Message,
        };
        // The holder of a message goes on by itself with what its lane allows.
        let goes_on = |(lane, at): &(Lane, Timestamp)| {
            hold.is_some_and(|hold| *lane <= hold.lane) && *at <= now
        };
        Schedule { due, pointer: pointer.filter(|pointer| !goes_on(pointer)), rests }
    }
}

//! What must exist when a version is written, so that every item is processed (law 3).
//!
//! Every item that is not terminal relies on an entry in the index `due` or on a message. Placet sends the
//! message *before* the write that needs it, and the message names the version of that write. So the item
//! never exists without its message. A lease relies on the message of the lease holder: the queue delivers
//! that message again unless the holder deletes it.

use std::time::Duration;

use super::{Item, Kind, Lane, Next, Rests};
use crate::Timestamp;

/// The longest delay of an SQS message.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

/// The first and the longest wait of a rescheduled item.
const FIRST_WAIT: Duration = Duration::from_secs(2 * 60);
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// What must exist when a version is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// When the timer must process the item.
    pub due: Option<Timestamp>,
    /// The lane that must hold a pointer to the item, and when the pointer becomes visible.
    pub pointer: Option<(Lane, Timestamp)>,
    /// Whether the item relies on the timer, on a message, or on nothing.
    pub rests: Rests,
}

/// A message that a worker has received. Unless the worker deletes the message, the queue delivers it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The lane of the message.
    pub lane: Lane,
    /// How many times the message was received, from 1.
    pub receives: u32,
}

/// The wait of an item that was already rescheduled `times` times: 2 minutes, doubled each time, up to an
/// hour.
pub fn rescheduled_after(times: u32) -> Duration {
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(times)).min(LONGEST_WAIT)
}

impl<K: Kind> Item<K> {
    /// The schedule of this version. `before` is the version that it replaces. `hold` is the message of the
    /// worker that writes it.
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
                // A write under the same lease keeps the due time of the lease.
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
        // The holder of a message continues by itself with work that its lane allows.
        let goes_on = |(lane, at): &(Lane, Timestamp)| {
            hold.is_some_and(|hold| *lane <= hold.lane) && *at <= now
        };
        Schedule { due, pointer: pointer.filter(|pointer| !goes_on(pointer)), rests }
    }
}

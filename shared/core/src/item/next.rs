use super::{Item, Kind, Lane};
use crate::Timestamp;

/// What the state of an item needs next.
#[derive(Clone, Debug)]
pub enum Next<K: Kind> {
    /// Nothing, because the item is terminal.
    Nothing,
    /// Nothing before this moment.
    Wait(Timestamp),
    /// A person must act. There may be work in the meantime.
    Person {
        /// What the person must do.
        need: Need,
        /// From this moment on the state needs something else.
        until: Timestamp,
        /// Work to do while the item waits for the person.
        meanwhile: Option<Job<K>>,
    },
    /// A worker holds the lease until this moment.
    Lease(Timestamp),
    /// A transition that needs no work, for example after an expired lease.
    Transition(K::Command),
    /// A piece of work.
    Work(Job<K>),
}

/// What a person must do. Each need has its own list of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Decide on an operation.
    Decision,
    /// Settle an unknown outcome.
    Settlement,
}

/// A piece of work.
#[derive(Clone, Debug)]
pub struct Job<K: Kind> {
    /// The lane of the work.
    pub lane: Lane,
    /// The earliest start of the work.
    pub at: Timestamp,
    /// The work itself.
    pub work: K::Work,
}

impl<K: Kind> Next<K> {
    /// The work that the state needs, now or later; `None` if it needs no work.
    pub fn job(&self) -> Option<&Job<K>> {
        match self {
            Self::Work(job) => Some(job),
            Self::Person { meanwhile, .. } => meanwhile.as_ref(),
            _ => None,
        }
    }

    /// What a person must do; `None` if the state needs no person.
    pub const fn need(&self) -> Option<Need> {
        match self {
            Self::Person { need, .. } => Some(*need),
            _ => None,
        }
    }
}

impl<K: Kind> Item<K> {
    /// Whether the item needs nothing any more and has no pending children.
    pub fn is_terminal(&self, now: Timestamp) -> bool {
        self.header.children.is_empty() && matches!(K::next(self, now), Next::Nothing)
    }

    /// The lane and the time of the next step; `None` if there is no next step.
    pub fn wants(&self, now: Timestamp) -> Option<(Lane, Timestamp)> {
        let next = K::next(self, now);
        let own = match &next {
            Next::Nothing => None,
            Next::Transition(_) => Some((K::HOME, now)),
            Next::Work(job) => Some((job.lane, job.at)),
            Next::Person { until, meanwhile: Some(job), .. } if job.at <= *until => {
                Some((job.lane, job.at))
            }
            Next::Lease(until) | Next::Wait(until) | Next::Person { until, .. } => {
                Some((self.lane_at(*until), *until))
            }
        };
        match self.header.children.iter().map(|child| child.lane).max() {
            // One worker of the slower lane does both in one pass.
            Some(lane) => {
                let due = own.filter(|(_, at)| *at <= now).map_or(lane, |(own, _)| own.max(lane));
                Some((due, now))
            }
            None => own,
        }
    }

    /// The lane that the item needs at this moment.
    pub fn lane_at(&self, moment: Timestamp) -> Lane {
        let next = K::next(self, moment);
        next.job().filter(|job| job.at <= moment).map_or(K::HOME, |job| job.lane)
    }
}

use super::{Item, Kind, Lane};
use crate::Timestamp;

/// What a state needs.
#[derive(Clone, Debug)]
pub enum Next<K: Kind> {
    /// Nothing, ever: it is terminal.
    Nothing,
    /// Nothing before this moment.
    Wait(Timestamp),
    /// A person, until this moment; and meanwhile this work, if any.
    Person {
        /// What the person is to do.
        need: Need,
        /// The moment from which on it needs something else.
        until: Timestamp,
        /// What is done while the person is waited for.
        meanwhile: Option<Job<K>>,
    },
    /// Somebody has the exclusive right to its work until this moment.
    Lease(Timestamp),
    /// A transition that needs no work, as after an expired lease.
    Transition(K::Command),
    /// One piece of work.
    Work(Job<K>),
}

/// What a person is needed for. Each need has lists of its own, which hold nothing that merely runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// To decide.
    Decision,
    /// To find out what came of an unknown outcome.
    Settlement,
}

/// A piece of work.
#[derive(Clone, Debug)]
pub struct Job<K: Kind> {
    /// The lane it belongs to.
    pub lane: Lane,
    /// The earliest moment at which it may start.
    pub at: Timestamp,
    /// What is to be done.
    pub work: K::Work,
}

impl<K: Kind> Next<K> {
    /// The work that is needed, now or later.
    pub fn job(&self) -> Option<&Job<K>> {
        match self {
            Self::Work(job) => Some(job),
            Self::Person { meanwhile, .. } => meanwhile.as_ref(),
            _ => None,
        }
    }

    /// What a person is needed for, if one is.
    pub const fn need(&self) -> Option<Need> {
        match self {
            Self::Person { need, .. } => Some(*need),
            _ => None,
        }
    }
}

impl<K: Kind> Item<K> {
    /// Whether nothing is left to be done for it.
    pub fn is_terminal(&self, now: Timestamp) -> bool {
        self.header.children.is_empty() && matches!(K::next(self, now), Next::Nothing)
    }

    /// The lane to which the next thing to be done belongs, and the moment at which it is to be done.
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
            // One worker does both in one go: that of the slower lane.
            Some(lane) => {
                let due = own.filter(|(_, at)| *at <= now).map_or(lane, |(own, _)| own.max(lane));
                Some((due, now))
            }
            None => own,
        }
    }

    /// The lane it needs once this moment has come.
    pub fn lane_at(&self, moment: Timestamp) -> Lane {
        let next = K::next(self, moment);
        next.job().filter(|job| job.at <= moment).map_or(K::HOME, |job| job.lane)
    }
}

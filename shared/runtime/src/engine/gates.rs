//! The limits of concurrent attempts. In one process, no destination and no project takes all slots. A
//! destination that times out repeatedly is paused.
//!
//! On Lambda, a process runs one call at a time, and SQS delivers the messages of a quiet project before
//! those of a busy one (`MessageGroupId`, fair queues). So the limits matter only in a process with many
//! slots: in the local system, and for the first attempts of an operation's notifications.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html>

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::{self, Display};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use placet_core::Timestamp;
use placet_core::breaker::{Breaker, End, Pause, Turn};
use placet_core::limits::{DESTINATION_SHARE, PROJECT_SHARE};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The delay of an attempt that got no slot.
const NO_SLOT: Duration = Duration::from_secs(1);

/// How long an attempt waits, in real time, until another attempt to the same destination ends. Most attempts
/// are quick.
const SHORT: Duration = Duration::from_millis(500);

/// The server or executor that work calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The project of the work.
    pub project: String,
    /// The name of the destination in the project.
    pub name: Name,
}

impl Destination {
    /// An endpoint of `placet.yaml`.
    pub fn endpoint(project: &str, name: &str) -> Self {
        Self { project: project.to_owned(), name: Name::Endpoint(name.to_owned()) }
    }
}

/// The name of a destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// An endpoint of `placet.yaml`.
    Endpoint(String),
    /// The executor of a function, by the name of the function.
    Executor(String),
    /// An upstream approver, by its URL.
    Upstream(String),
}

impl Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(name) => write!(f, "endpoint {name}"),
            Self::Executor(function) => write!(f, "executor of {function}"),
            Self::Upstream(url) => write!(f, "upstream approver {url}"),
        }
    }
}

/// The running attempts and the circuit breakers of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gates {
    project_share: usize,
    known: Arc<Mutex<Known>>,
    /// Notified when an attempt ends.
    ended: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Known {
    /// The number of slots that each project uses. A project that uses none has no entry.
    slots: HashMap<String, usize>,
    destinations: HashMap<Destination, State>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    breaker: Breaker,
}

/// A slot of a project. Dropping the slot frees it.
#[derive(Debug)]
struct Slot {
    gates: Gates,
    project: String,
}

/// The right to make one attempt. Dropping the permit frees its slot.
#[derive(Debug)]
pub(super) struct Permit {
    pub(super) destination: Destination,
    began: Timestamp,
    slot: Slot,
}

impl Gates {
    /// The gates for this number of projects. A single project may take all slots.
    pub fn new(projects: usize) -> Self {
        let project_share = if projects > 1 { PROJECT_SHARE } else { usize::MAX };
        Self { project_share, known: Arc::default(), ended: Arc::default() }
    }

    /// Admits an attempt.
    ///
    /// # Errors
    ///
    /// If the attempt may not begin now: the time of the next try.
    pub(super) async fn admit(
        &self,
        destination: Destination,
        now: Timestamp,
    ) -> Result<Permit, Timestamp> {
        let later = now.plus(NO_SLOT);
        // A waiting attempt takes a slot of its own project, so that it does not delay another project.
        let slot = self.slot(&destination.project).ok_or(later)?;
        let latest = Instant::now() + SHORT;
        loop {
            let ended = self.ended.notified();
            if self.begin(&destination, now)? {
                return Ok(Permit { destination, began: now, slot });
            }
            tokio::time::timeout_at(latest, ended).await.map_err(|_| later)?;
        }
    }

    /// Takes over the stored pause of a destination.
    pub(super) fn learn(&self, destination: Destination, stored: Option<Pause>) {
        self.known().destinations.entry(destination).or_default().breaker.learn(stored);
    }

    fn slot(&self, project: &str) -> Option<Slot> {
        let mut known = self.known();
        let taken = known.slots.entry(project.to_owned()).or_default();
        if *taken >= self.project_share {
            return None;
        }
        *taken += 1;
        Some(Slot { gates: self.clone(), project: project.to_owned() })
    }

    /// Begins an attempt; `false` if too many run already.
    ///
    /// # Errors
    ///
    /// If the destination is paused: the end of the pause.
    fn begin(&self, destination: &Destination, now: Timestamp) -> Result<bool, Timestamp> {
        let mut known = self.known();
        let state = known.destinations.entry(destination.clone()).or_default();
        if state.running >= DESTINATION_SHARE {
            return Ok(false);
        }
        // The pause of an endpoint is stored in its row. Every attempt reads that row.
        if !matches!(destination.name, Name::Endpoint(_)) {
            state.breaker.admit(now)?;
        }
        state.running += 1;
        Ok(true)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Ends the attempt. Returns how that changed the circuit breaker.
    pub(super) fn end(self, end: End, now: Timestamp) -> Option<Turn> {
        let mut known = self.slot.gates.known();
        let state = known.destinations.get_mut(&self.destination)?;
        state.breaker.note(end, self.began, now)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let gates = &self.slot.gates;
        if let Entry::Occupied(mut entry) =
            gates.known().destinations.entry(self.destination.clone())
        {
            let state = entry.get_mut();
            state.running = state.running.saturating_sub(1);
            // If the attempt was a probe without result, the next attempt may probe.
            state.breaker.note(End::Unknown, self.began, self.began);
            if state.running == 0 && state.breaker == Breaker::default() {
                entry.remove();
            }
        }
        gates.ended.notify_waiters();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut known = self.gates.known();
        if let Entry::Occupied(mut entry) = known.slots.entry(self.project.clone()) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn endpoint(project: &str, name: usize) -> Destination {
        Destination::endpoint(project, &name.to_string())
    }

    async fn admitted(gates: &Gates, project: &str, names: std::ops::Range<usize>) -> Vec<Permit> {
        let mut permits = Vec::new();
        for name in names {
            permits.push(gates.admit(endpoint(project, name), NOW).await.unwrap());
        }
        permits
    }

    #[tokio::test]
    async fn no_project_takes_all_slots() {
        let gates = Gates::new(2);
        let mut permits = admitted(&gates, "a", 0..PROJECT_SHARE).await;
        assert_eq!(gates.admit(endpoint("a", 9), NOW).await.unwrap_err(), NOW.plus(NO_SLOT));
        assert!(gates.admit(endpoint("b", 0), NOW).await.is_ok());
        permits.pop();
        assert!(gates.admit(endpoint("a", 9), NOW).await.is_ok());
        drop(permits);
        assert!(gates.known().slots.is_empty() && gates.known().destinations.is_empty());
        assert_eq!(
            admitted(&Gates::new(1), "a", 0..100).await.len(),
            100,
            "a single project has no limit"
        );
    }

    #[tokio::test]
    async fn no_destination_takes_all_slots_and_an_attempt_waits_for_a_quick_one() {
        let gates = Gates::new(1);
        let mut permits = Vec::new();
        for _ in 0..DESTINATION_SHARE {
            permits.push(gates.admit(endpoint("a", 0), NOW).await.unwrap());
        }
        assert!(gates.admit(endpoint("a", 0), NOW).await.is_err());
        assert!(gates.admit(endpoint("a", 1), NOW).await.is_ok());
        let (admitted, ()) =
            tokio::join!(gates.admit(endpoint("a", 0), NOW), async { drop(permits.pop()) });
        assert!(admitted.is_ok());
    }

    #[tokio::test]
    async fn only_a_destination_that_times_out_is_paused() {
        let executor = |name: &str| Destination {
            project: "a".to_owned(),
            name: Name::Executor(name.to_owned()),
        };
        let gates = Gates::new(1);
        let mut turns = Vec::new();
        for _ in 0..3 {
            let permit = gates.admit(executor("slow"), NOW).await.unwrap();
            turns.push(permit.end(End::TimedOut, NOW));
        }
        let [None, None, Some(Turn::Opened(pause))] = turns[..] else { panic!("{turns:?}") };
        assert_eq!(gates.admit(executor("slow"), NOW).await.unwrap_err(), pause.until);
        assert!(gates.admit(executor("quick"), NOW).await.is_ok());
        // Dropping a permit allows another probe.
        drop(gates.admit(executor("slow"), pause.until).await.unwrap());
        let probe = gates.admit(executor("slow"), pause.until).await.unwrap();
        assert_eq!(probe.end(End::Answered, pause.until), Some(Turn::Closed));
    }
}

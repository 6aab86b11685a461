//! A kind of item for tests only: an alarm clock. It waits, rings on the lane `calls` under a lease, then
//! creates a smaller alarm.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use placet_core::Timestamp;
use placet_core::item::{Change, Child, Item, Job, Kind, Lane, Next, Write};
use placet_runtime::engine::{Context, Work, WorkError};
use placet_worker::Worker;
use serde::{Deserialize, Serialize};

const LEASE: Duration = Duration::from_secs(60);

/// The number of rings of each alarm, by its id. The ids of the tests are unique.
static RUNG: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The number of smaller alarms that follow.
    pub followers: u32,
    /// The number of attempts to ring that fail.
    pub failures: u32,
    pub state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Waits until this time.
    Set(Timestamp),
    /// Has to ring.
    Due,
    /// A worker rings it; its lease ends at this time.
    Ringing(Timestamp),
    /// Has rung.
    Rung,
    /// Can never ring.
    Broken,
}

#[derive(Clone, Debug)]
pub enum Command {
    Wake,
    Lease(Timestamp),
    Rang,
    LeaseExpired,
    Break,
}

impl Alarm {
    pub fn set(at: Timestamp) -> Self {
        Self { followers: 0, failures: 0, state: State::Set(at) }
    }

    pub fn ended(&self) -> bool {
        matches!(self.state, State::Rung | State::Broken)
    }
}

/// The number of rings of the alarm with this id.
pub fn rung(id: &str) -> u32 {
    RUNG.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied().unwrap_or_default()
}

impl Kind for Alarm {
    const NAME: &'static str = "alarm";
    type Command = Command;
    type Refusal = &'static str;
    type Work = ();

    fn apply(
        item: &Item<Self>,
        command: &Command,
        write: &Write<'_>,
    ) -> Result<Change<Self>, &'static str> {
        let state = match (item.state, command) {
            (State::Set(at), Command::Wake) if at <= write.at => State::Due,
            (State::Due, Command::Lease(until)) => State::Ringing(*until),
            (State::Ringing(_), Command::Rang) => State::Rung,
            (State::Ringing(until), Command::LeaseExpired) if until <= write.at => State::Due,
            (State::Due | State::Ringing(_), Command::Break) => State::Broken,
            _ => return Err("the alarm is in another state"),
        };
        let body = Self { state, ..item.body.clone() };
        let follower = (state == State::Rung && item.followers > 0).then(|| {
            let id = format!("{}+", item.header.id);
            let smaller = Self { followers: item.followers - 1, ..Self::set(write.at) };
            Child::new(id, smaller, write.at)
        });
        Ok(Change { body, children: follower.into_iter().collect() })
    }

    fn next(item: &Item<Self>, now: Timestamp) -> Next<Self> {
        match item.state {
            State::Set(at) if at > now => Next::Wait(at),
            State::Set(_) => Next::Transition(Command::Wake),
            State::Due => Next::Work(Job { lane: Lane::Calls, at: now, work: () }),
            State::Ringing(until) if until > now => Next::Lease(until),
            State::Ringing(_) => Next::Transition(Command::LeaseExpired),
            State::Rung | State::Broken => Next::Nothing,
        }
    }

    fn failed(_: String) -> Command {
        Command::Break
    }
}

impl Work<Alarm> for Worker {
    fn lease(&self, item: &Item<Alarm>, (): &()) -> Option<Command> {
        Some(Command::Lease(item.header.changed_at.plus(LEASE)))
    }

    async fn perform(&self, _: Context, item: Item<Alarm>, (): ()) -> Result<Command, WorkError> {
        let id = item.header.id.clone();
        let mut rung = RUNG.lock().unwrap_or_else(PoisonError::into_inner);
        let count = rung.entry(id).or_default();
        *count += 1;
        if *count <= item.failures {
            return Err(WorkError::retryable("the spring is stuck"));
        }
        Ok(Command::Rang)
    }

    fn log(&self, _: &Item<Alarm>, _: &Command) {}

    fn log_refusal(&self, _: &Item<Alarm>, _: &Command, _: &&'static str) {}
}

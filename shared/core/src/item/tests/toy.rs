//! A kind of item for tests, whose body says what the item needs.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::item::{Change, Child, Item, Job, Kind, Lane, Need, Next, Write};

/// What the state needs. A state that waits for a moment needs a transition after that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Needs {
    Nothing,
    Wait(Timestamp),
    Person { until: Timestamp, work: Option<(Lane, Timestamp)> },
    Lease(Timestamp),
    Transition,
    Work(Lane, Timestamp),
}

/// A toy. Transitions of a `SLOW` toy use the lane `calls`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Toy<const SLOW: bool = false> {
    pub(super) needs: Needs,
}

/// A command that changes a toy.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Command {
    /// The toy now needs something else, and these children.
    Need(Needs, Vec<Child>),
    /// The awaited moment has passed.
    Go,
    /// The work of the toy can never be done.
    Fail,
}

impl<const SLOW: bool> Kind for Toy<SLOW> {
    const NAME: &'static str = "toy";
    const HOME: Lane = if SLOW { Lane::Calls } else { Lane::Work };

    type Command = Command;
    type Refusal = Infallible;
    type Work = ();

    fn apply(
        _item: &Item<Self>,
        command: &Command,
        _write: &Write<'_>,
    ) -> Result<Change<Self>, Infallible> {
        Ok(match command {
            Command::Need(needs, children) => {
                Change { body: Self { needs: *needs }, children: children.clone() }
            }
            Command::Go | Command::Fail => Self { needs: Needs::Nothing }.into(),
        })
    }

    fn next(item: &Item<Self>, now: Timestamp) -> Next<Self> {
        let job = |(lane, at)| Job { lane, at, work: () };
        match item.needs {
            Needs::Nothing => Next::Nothing,
            Needs::Wait(until) if now < until => Next::Wait(until),
            Needs::Person { until, work } if now < until => {
                Next::Person { need: Need::Decision, until, meanwhile: work.map(job) }
            }
            Needs::Lease(until) if now < until => Next::Lease(until),
            Needs::Work(lane, at) => Next::Work(job((lane, at))),
            _ => Next::Transition(Command::Go),
        }
    }

    fn failed(_reason: String) -> Command {
        Command::Fail
    }
}

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// The moment this many seconds after now; before now if negative.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW.millis() + seconds * 1000)
}

/// The first version of a toy, with these pending children.
pub(super) fn toy<const SLOW: bool>(needs: Needs, children: &[Lane]) -> Item<Toy<SLOW>> {
    let mut item = Item::new("default", "toy-1", Toy { needs }, &Write::new("write-1", NOW));
    item.header.children = children.iter().map(|lane| child(*lane)).collect();
    item
}

/// A child whose first work is on this lane.
pub(super) fn child(lane: Lane) -> Child {
    let body = Toy::<false> { needs: Needs::Work(lane, NOW) };
    Child::new(format!("child-{}", lane.as_str()), body, NOW)
}

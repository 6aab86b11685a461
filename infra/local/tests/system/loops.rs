//! Items whose work never succeeds, and items that wait.

use std::sync::Mutex;
use std::time::Duration;

use placet_core::Timestamp;
use placet_core::item::{Change, Item, Job, Kind, Lane, Next, Pointer, Write};
use placet_core::operation::State;
use placet_local::event_source::EventSourceError;
use placet_local::faults::Plan;
use placet_runtime::engine::{Context, Work, WorkError};
use placet_worker::{Shipped, Worker};
use serde::{Deserialize, Serialize};

use crate::world::{PROJECT, World};

const MINUTE: Duration = Duration::from_secs(60);

/// How often the work of each kind of stone was tried.
static DONE: Mutex<[u32; 2]> = Mutex::new([0; 2]);

fn done(stone: Stone) -> u32 {
    DONE.lock().unwrap()[usize::from(stone == Stone::Refuses)]
}

/// An item that never reaches another state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Stone {
    /// Its work fails each time with a retryable error.
    Fails,
    /// Its work succeeds each time, and the state machine refuses its report.
    Refuses,
}

impl Kind for Stone {
    const NAME: &'static str = "stone";
    type Command = ();
    type Refusal = &'static str;
    type Work = ();

    fn apply(_: &Item<Self>, (): &(), _: &Write<'_>) -> Result<Change<Self>, &'static str> {
        Err("a stone does not move")
    }

    fn next(item: &Item<Self>, _: Timestamp) -> Next<Self> {
        Next::Work(Job { lane: Lane::Work, at: item.header.created_at, work: () })
    }

    fn failed(_: String) {}
}

impl Work<Stone> for Worker {
    async fn perform(&self, _: Context, item: Item<Stone>, (): ()) -> Result<(), WorkError> {
        DONE.lock().unwrap()[usize::from(item.body == Stone::Refuses)] += 1;
        match item.body {
            Stone::Fails => Err(WorkError::retryable("it is heavy")),
            Stone::Refuses => Ok(()),
        }
    }

    fn log(&self, _: &Item<Stone>, (): &()) {}

    fn log_refusal(&self, _: &Item<Stone>, (): &(), _: &&'static str) {}
}

async fn with(stone: Stone) -> World {
    let world = World::building().start_with::<(Stone, Shipped)>().await;
    let new = |write: &Write<'_>| Item::new(PROJECT, "s", stone, write);
    world.system.runtime.engine.create(new).await.unwrap();
    world
}

/// The worker reschedules the item at growing intervals: 2 minutes, doubling to an hour.
#[tokio::test]
async fn an_item_that_always_fails_is_rescheduled_at_growing_intervals() {
    let world = with(Stone::Fails).await;
    for _ in 0..10 * 30 {
        world.work().await;
        world.later(2 * MINUTE).await;
    }
    // After 2, 4, 8, 16, 32 and then every 60 minutes, with two attempts each time.
    assert!((20..60).contains(&done(Stone::Fails)), "{} in ten hours", done(Stone::Fails));
    world.nothing_is_forgotten().await;
    world.abandon();
}

/// An operation waits for its deadline. Failed messages have rescheduled it. Afterwards it still waits for
/// its deadline.
#[tokio::test]
async fn an_operation_that_was_rescheduled_while_it_waited_waits_for_its_deadline_again() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let deadline = world.operation("call-1").await.header.due;
    let pointer = Pointer::new("operation", PROJECT, "function_call/call-1").to_body();
    world.send_raw(Lane::Work, &pointer).await;
    for _ in 0..2 {
        world.faults.arm(Plan::Outage("DynamoDB"));
        world.work().await;
        world.faults.reset();
        world.advance(MINUTE);
    }
    for _ in 0..20 {
        world.later(MINUTE).await;
    }
    assert_eq!(world.operation("call-1").await.header.due, deadline);
    world.advance(Duration::from_secs(3600));
    world.tick().await;
    world.work().await;
    assert_eq!(world.state("call-1").await, State::Expired);
    world.finish().await;
}

/// The state machine refuses the report of the item's work although no other writer was faster. The worker
/// must not retry at once.
#[tokio::test]
async fn an_item_whose_report_is_always_refused_makes_no_hot_loop() {
    let world = with(Stone::Refuses).await;
    let drained = world.system.event_sources[0].drain().await;
    assert!(!matches!(drained, Err(EventSourceError::Endless)), "{} at once", done(Stone::Refuses));
    for _ in 0..60 {
        world.later(MINUTE).await;
    }
    assert!(done(Stone::Refuses) < 40, "{} in an hour", done(Stone::Refuses));
    world.nothing_is_forgotten().await;
    world.abandon();
}

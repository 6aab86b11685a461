//! Tests of a new kind of item. The store, the queues, the timer and this harness work with it unchanged,
//! because they know items, not kinds.

pub mod kind;

use std::time::Duration;

use placet_core::item::{Item, Lane};
use placet_local::chaos::Chaos;
use placet_runtime::Created;
use placet_worker::Shipped;
use uuid::Uuid;

use crate::crash::{at_every_call, with_lost_replies};
use crate::toy::kind::{Alarm, State, rung};
use crate::world::{PROJECT, START, World};

/// The shipped kinds and the alarm.
pub type WithAlarms = (Alarm, Shipped);

const MINUTE: Duration = Duration::from_secs(60);

pub async fn world() -> World {
    World::building().start_with::<WithAlarms>().await
}

fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

/// Creates an alarm. After a crash the caller calls this again.
pub async fn create(world: &World, id: &str, alarm: Alarm) -> Option<Item<Alarm>> {
    let created = world.system.runtime.engine.create(|write| Item::new(PROJECT, id, alarm, write));
    created.await.ok().map(Created::into_item)
}

pub async fn find(world: &World, id: &str) -> Option<Item<Alarm>> {
    world.system.runtime.engine.store.item(PROJECT, id, true).await.unwrap()
}

async fn state(world: &World, id: &str) -> State {
    find(world, id).await.unwrap().state
}

/// Checks that this alarm and its followers have rung.
pub async fn all_rang(world: &World, id: &str, followers: usize) {
    for n in 0..=followers {
        let id = format!("{id}{}", "+".repeat(n));
        assert_eq!(state(world, &id).await, State::Rung, "{id}");
        assert!(rung(&id) >= 1, "{id}");
    }
}

#[tokio::test]
async fn an_alarm_is_created_and_processed() {
    let world = world().await;
    let id = new_id();
    create(&world, &id, Alarm { followers: 2, ..Alarm::set(START.plus(MINUTE)) }).await.unwrap();
    world.work().await;
    assert_eq!(state(&world, &id).await, State::Set(START.plus(MINUTE)));
    world.later(MINUTE).await;
    all_rang(&world, &id, 2).await;
    assert_eq!((0..3).map(|n| rung(&format!("{id}{}", "+".repeat(n)))).sum::<u32>(), 3);
    world.finish().await;
}

#[tokio::test]
async fn a_second_creation_finds_the_first() {
    let world = world().await;
    let id = new_id();
    let first = create(&world, &id, Alarm::set(START)).await.unwrap();
    let second = create(&world, &id, Alarm { followers: 9, ..Alarm::set(START) }).await.unwrap();
    assert_eq!(first, second);
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn an_alarm_rings_after_any_crash() {
    at_every_call(async |plan| {
        let world = world().await;
        let id = new_id();
        let alarm = Alarm { followers: 1, ..Alarm::set(START.plus(MINUTE)) };
        let everything = async {
            create(&world, &id, alarm.clone()).await.unwrap();
            world.later(MINUTE).await;
        };
        let crashed = world.crashes(plan, everything).await;
        world.nothing_is_forgotten().await;
        create(&world, &id, alarm).await.unwrap();
        world.settle().await;
        all_rang(&world, &id, 1).await;
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn an_alarm_rings_in_chaos() {
    for seed in 0..24 {
        let mut chaos = Chaos::from_seed(seed);
        eprintln!("{chaos}");
        let world = world().await;
        let ids: Vec<String> = (0..6).map(|_| new_id()).collect();
        for id in &ids {
            create(&world, id, Alarm { followers: 1, ..Alarm::set(START) }).await.unwrap();
        }
        for _ in 0..4 {
            for source in &world.system.event_sources {
                source.drain_with(&mut chaos).await.unwrap();
            }
            world.nothing_is_forgotten().await;
            world.advance(MINUTE);
        }
        world.settle().await;
        for id in &ids {
            all_rang(&world, id, 1).await;
        }
        world.finish().await;
    }
}

#[tokio::test]
async fn the_timer_enqueues_an_alarm_that_waits_longer_than_the_delay_of_a_message() {
    let world = world().await;
    let id = new_id();
    create(&world, &id, Alarm::set(START.plus(60 * MINUTE))).await.unwrap();
    assert!(world.system.engines.messages(Lane::Work).is_empty());
    world.later(59 * MINUTE).await;
    assert_eq!(rung(&id), 0);
    world.later(MINUTE).await;
    assert_eq!((state(&world, &id).await, rung(&id)), (State::Rung, 1));
    world.finish().await;
}

/// The third receive of the message gives the alarm a due time. The timer then enqueues the alarm.
#[tokio::test]
async fn an_alarm_that_fails_again_and_again_is_rescheduled_until_it_rings() {
    let world = world().await;
    let id = new_id();
    create(&world, &id, Alarm { failures: 8, ..Alarm::set(START) }).await.unwrap();
    let mut rescheduled = 0;
    for _ in 0..100 {
        world.work().await;
        rescheduled = rescheduled.max(find(&world, &id).await.unwrap().header.rescheduled);
        world.nothing_is_forgotten().await;
        world.later(MINUTE).await;
    }
    assert_eq!((state(&world, &id).await, rung(&id)), (State::Rung, 9));
    assert!(rescheduled >= 1);
    assert_eq!(world.dead_letters().await, 0);
    world.finish().await;
}

#[tokio::test]
async fn the_drop_guard_reports_an_alarm_whose_message_is_lost() {
    let world = world().await;
    let id = new_id();
    create(&world, &id, Alarm::set(START)).await.unwrap();
    world.nothing_is_forgotten().await;
    let sqs = world.system.engines.sqs_client(placet_local::engines::http_client());
    sqs.purge_queue().queue_url(world.system.engines.queue_url(Lane::Work)).send().await.unwrap();
    let forgotten = world.system.forgotten().await.unwrap();
    assert_eq!(forgotten, [format!("alarm {id} of default, version 1, rests on Message")]);
    world.abandon();
}

#[tokio::test]
async fn every_lost_reply_is_recognised() {
    with_lost_replies(async |plan| {
        let world = world().await;
        let first = new_id();
        let second = format!("{first}+");
        let everything = async {
            create(&world, &first, Alarm { followers: 1, ..Alarm::set(START) }).await.unwrap();
            world.work().await;
        };
        let ((), calls) = world.traced(plan, everything).await;
        // The writes: set, woken, leased, rung. The first alarm has one more write after its follower exists.
        for (id, version) in [(&first, 5), (&second, 4)] {
            let alarm = find(&world, id).await.unwrap();
            assert_eq!((alarm.state, alarm.header.version), (State::Rung, version), "{plan:?}");
            assert_eq!(rung(id), 1, "{plan:?}");
        }
        world.finish().await;
        calls
    })
    .await;
}

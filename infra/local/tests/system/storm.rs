//! Several workers at the same time, each with its own chaos.

use std::time::Duration;

use futures_util::future::join_all;
use placet_core::operation::State;
use placet_local::chaos::Chaos;

use crate::receiver::{Receiver, Reply};
use crate::toy::kind::Alarm;
use crate::toy::{WithAlarms, all_rang, create};
use crate::world::{START, World};

#[tokio::test]
async fn several_workers_in_chaos_forget_nothing_and_repeat_nothing() {
    for seed in 0..24 {
        let receiver = Receiver::start().await;
        receiver.answers((0..9).map(|n| Reply::Status(if n % 3 == 0 { 503 } else { 200 })));
        let events = "events: [function_call.completed]";
        let building = World::building().endpoint("app", &receiver, events);
        let world = building.start_with::<WithAlarms>().await;
        let alarm = uuid::Uuid::new_v4().simple().to_string();
        create(&world, &alarm, Alarm { followers: 2, ..Alarm::set(START) }).await.unwrap();
        for n in 0..5 {
            world.approved(&format!("idempotent-{n}"), "charge").await;
            world.approved(&format!("once-{n}"), "charge_once").await;
        }
        let mut chaos: Vec<Chaos> = (0..3).map(|n| Chaos::from_seed(seed * 3 + n)).collect();
        for round in 0..12 {
            let drains = chaos.iter_mut().map(async |chaos| {
                for source in &world.system.event_sources {
                    source.drain_with(chaos).await.unwrap();
                }
            });
            join_all(drains).await;
            world.nothing_is_forgotten().await;
            world.advance(Duration::from_secs(if round % 3 == 0 { 190 } else { 40 }));
            if round % 4 == 1 {
                world.tick().await;
            }
        }
        world.settle().await;
        all_rang(&world, &alarm, 2).await;
        for n in 0..5 {
            let ended = world.ended(&format!("idempotent-{n}")).await;
            assert_eq!(ended, (State::Succeeded, 1), "seed {seed}");
            let ended = world.ended(&format!("once-{n}")).await;
            let honest = [(State::Succeeded, 1), (State::Unknown, 0), (State::Unknown, 1)];
            assert!(honest.contains(&ended), "seed {seed}: {ended:?}");
        }
        world.finish().await;
    }
}

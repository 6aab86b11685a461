//! The queue: poison, duplicates, chaos.

use std::time::Duration;

use placet_core::{Job, Message, State};
use placet_local::chaos::Chaos;

use crate::world::World;

#[tokio::test]
async fn nine_good_records_are_done_and_the_poison_ends_in_the_dead_letter_queue() {
    for poison in ["{", "", "{}", r#"{"v":9,"job":"execute","tenant":"default","id":"x"}"#] {
        let world = World::start().await;
        for n in 0..9 {
            world.approved(&format!("call-{n}"), "charge_once").await;
        }
        if poison.is_empty() {
            world.send_raw(" ").await;
        } else {
            world.send_raw(poison).await;
        }
        let report = world.work().await;
        assert_eq!((report.deleted, report.failed), (9, 5), "five receives of the one: {report:?}");
        for n in 0..9 {
            assert_eq!(world.state(&format!("call-{n}")).await, State::Succeeded);
            assert_eq!(world.effects(&format!("call-{n}")).await, 1);
        }
        assert_eq!(world.dead_letters().await, 1);
        world.finish().await;
    }
}

#[tokio::test]
async fn messages_about_nothing_are_done_with() {
    let world = World::start().await;
    for job in [Job::Execute, Job::Process] {
        world.send_raw(&Message::new(job, "default", "no-such-item").to_body()).await;
        world.send_raw(&Message::new(job, "no-such-tenant", "x#y").to_body()).await;
    }
    let report = world.work().await;
    assert_eq!((report.deleted, report.failed), (4, 0));
    world.finish().await;
}

/// Duplicates, delays, reorderings, lost replies and kills, from forty seeds.
#[tokio::test]
async fn chaos_changes_nothing_about_what_happens() {
    for seed in 0..40 {
        let world = World::start().await;
        for n in 0..6 {
            world.approved(&format!("idem-{n}"), "charge").await;
            world.approved(&format!("once-{n}"), "charge_once").await;
        }
        let mut chaos = Chaos::from_seed(seed);
        println!("{chaos}");
        for _ in 0..10 {
            world.system.event_source.drain_with(&mut chaos).await.unwrap();
            world.advance(Duration::from_secs(200));
            world.tick().await;
        }
        world.settle().await;
        for n in 0..6 {
            let (idempotent, once) = (format!("idem-{n}"), format!("once-{n}"));
            let ended = world.ended(&idempotent).await;
            assert_eq!(ended, (State::Succeeded, 1), "seed {seed}");
            let ended = world.ended(&once).await;
            let honest = [(State::Succeeded, 1), (State::Unknown, 0), (State::Unknown, 1)];
            assert!(honest.contains(&ended), "seed {seed}: {ended:?}");
        }
        world.finish().await;
    }
}

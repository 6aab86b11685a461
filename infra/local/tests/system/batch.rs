//! The queues: messages that cannot be read, messages that point to nothing, duplicates, chaos.

use std::time::Duration;

use http::StatusCode;
use placet_core::item::{Lane, Pointer};
use placet_core::operation::State;
use placet_local::chaos::Chaos;
use serde_json::json;

use crate::client::call;
use crate::world::{PROJECT, World};

const MINUTE: Duration = Duration::from_secs(60);

/// Creates a call and approves it by a webhook.
async fn approved_by_webhook(world: &World, call_id: &str) {
    world.create(call_id, "charge_once").await;
    let mut body = call(call_id, "charge_once").humanlayer();
    body["status"] = json!({"approved": true});
    assert_eq!(world.deliver(&format!("msg_{call_id}"), &body).await.status, StatusCode::OK);
}

/// The lane `work` holds nine receipts. The operations that they approve go to the lane `calls`.
#[tokio::test]
async fn a_message_that_cannot_be_read_is_moved_to_the_dead_letter_queue_and_holds_nothing_up() {
    let poison = ["{", " ", "{}", r#"{"v":2,"item":"operation","project":"default"}"#];
    for lane in Lane::ALL {
        let world = World::start().await;
        for n in 0..9 {
            approved_by_webhook(&world, &format!("call-{n}")).await;
        }
        for body in poison {
            world.send_raw(lane, body).await;
        }
        let report = world.work().await;
        assert_eq!((report.deleted, report.failed), (9 + 9 + 4, 0), "{report:?}");
        for n in 0..9 {
            assert_eq!(world.ended(&format!("call-{n}")).await, (State::Succeeded, 1));
        }
        assert_eq!(world.dead_letters().await, 4);
        world.finish().await;
    }
}

/// The write that a pointer announces may still come. After 30 s it never comes.
#[tokio::test]
async fn a_pointer_to_nothing_is_retried_for_half_a_minute_and_dropped() {
    let world = World::start().await;
    for kind in ["operation", "receipt", "delivery"] {
        for project in [PROJECT, "no-such-project"] {
            let pointer = Pointer::new(kind, project, "function_call/nobody").to_body();
            for lane in Lane::ALL {
                world.send_raw(lane, &pointer).await;
            }
        }
    }
    for _ in 0..4 {
        let retried = world.work().await;
        assert_eq!((retried.deleted, retried.failed), (0, 12));
        world.advance(MINUTE);
    }
    let dropped = world.work().await;
    assert_eq!((dropped.deleted, dropped.failed), (12, 0));
    assert_eq!(world.dead_letters().await, 0);
    world.finish().await;
}

/// The number of receives of the only message before the worker moves or drops it.
async fn receives(world: &World) -> usize {
    let mut failed = 0;
    loop {
        let report = world.work().await;
        if report.deleted == 1 {
            return failed + 1;
        }
        assert_eq!(report.failed, 1);
        failed += 1;
        world.advance(16 * MINUTE);
    }
}

/// Another release may know the kind. If no release knows it, a person has to see the message.
#[tokio::test]
async fn a_pointer_to_an_unknown_kind_is_retried_and_moved_to_the_dead_letter_queue() {
    let world = World::start().await;
    world.send_raw(Lane::Work, &Pointer::new("dance", PROJECT, "x").to_body()).await;
    assert_eq!((receives(&world).await, world.dead_letters().await), (16, 1));
    world.finish().await;
}

/// During a deployment, a worker of the old release may get a message of the new release.
#[tokio::test]
async fn a_pointer_of_another_format_is_retried_and_moved_to_the_dead_letter_queue() {
    let world = World::start().await;
    let body = r#"{"v":9,"item":"operation","project":"default","id":"x"}"#;
    world.send_raw(Lane::Work, body).await;
    assert_eq!((receives(&world).await, world.dead_letters().await), (16, 1));
    world.finish().await;
}

#[tokio::test]
async fn an_item_that_cannot_be_read_ends_in_the_dead_letter_queue_if_nothing_else_points_to_it() {
    let world = World::start().await;
    world.approved("call-1", "charge").await;
    world.tamper("call-1", |body| body["state"] = json!("dancing")).await;
    assert_eq!((receives(&world).await, world.dead_letters().await), (16, 1));
    world.abandon();
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_left_to_the_timer_if_it_is_due() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    world.tamper("call-1", |body| body["state"] = json!("dancing")).await;
    world.advance(61 * MINUTE);
    assert_eq!(world.tick().await.enqueued, 1);
    assert_eq!((receives(&world).await, world.dead_letters().await), (3, 0));
    assert_eq!(world.tick().await.again, 1);
    world.abandon();
}

/// Duplicates, delays, reorderings, lost replies and kills, from two dozen seeds.
#[tokio::test]
async fn chaos_runs_an_idempotent_operation_once_and_any_other_at_most_once() {
    for seed in 0..24 {
        let world = World::start().await;
        for n in 0..6 {
            world.approved(&format!("idempotent-{n}"), "charge").await;
            world.approved(&format!("once-{n}"), "charge_once").await;
        }
        live_through(Chaos::from_seed(seed), &world).await;
        for n in 0..6 {
            let ended = world.ended(&format!("idempotent-{n}")).await;
            assert_eq!(ended, (State::Succeeded, 1), "seed {seed}");
            let ended = world.ended(&format!("once-{n}")).await;
            let honest = [(State::Succeeded, 1), (State::Unknown, 0), (State::Unknown, 1)];
            assert!(honest.contains(&ended), "seed {seed}: {ended:?}");
        }
        world.finish().await;
    }
}

/// Half an hour with chaos, then time without chaos.
async fn live_through(mut chaos: Chaos, world: &World) {
    println!("{chaos}");
    for round in 0..10 {
        for source in &world.system.event_sources {
            source.drain_with(&mut chaos).await.unwrap();
        }
        world.nothing_is_forgotten().await;
        world.advance(Duration::from_secs(200));
        if round == 5 {
            world.tick().await;
        }
    }
    world.settle().await;
}

//! A process that freezes between its announcement and its write, for longer than a worker waits for the
//! announced write.

use std::pin::pin;
use std::time::Duration;

use placet_core::operation::State;
use placet_local::faults::Plan;
use serde_json::json;

use crate::crash::with_faults;
use crate::receiver::Receiver;
use crate::world::World;

/// Runs `work`. If it freezes, runs `meanwhile`, then lets `work` continue.
async fn while_frozen(world: &World, work: impl Future, meanwhile: impl Future) {
    let mut work = pin!(work);
    tokio::select! {
        _ = &mut work => return,
        () = world.faults.reached() => {}
    }
    let thaws = async {
        meanwhile.await;
        world.faults.thaw();
    };
    tokio::join!(work, thaws);
}

/// Waits until the worker drops the announced pointer, because its write does not come.
async fn drop_pointers(world: &World) {
    for _ in 0..6 {
        world.work().await;
        world.advance(Duration::from_secs(40));
    }
}

#[tokio::test]
async fn a_late_write_is_announced_again_also_if_its_reply_is_lost() {
    with_faults(&[Plan::Freeze, Plan::FreezeAndRepeat], async |plan| {
        let world = World::start().await;
        world.create("call-1", "charge").await;
        world.faults.arm(plan);
        let body = json!({"run_id": "run", "call_id": "call-1",
            "spec": {"fn": "charge", "kwargs": {"amount": 7}}, "status": {"approved": true}});
        let decided = async {
            world.deliver("msg_1", &body).await;
            world.respond("call-1", true).await;
        };
        while_frozen(&world, decided, drop_pointers(&world)).await;
        let reached = world.faults.was_reached();
        world.faults.reset();
        world.nothing_is_forgotten().await;
        world.settle().await;
        assert_eq!(world.ended("call-1").await, (State::Succeeded, 1), "{plan:?}");
        world.finish().await;
        reached
    })
    .await;
}

/// A worker freezes for longer than the visibility timeout of its message. Another worker gets the message.
#[tokio::test]
async fn a_frozen_worker_neither_repeats_nor_forgets_anything() {
    for function in ["charge", "charge_once"] {
        with_faults(&[Plan::Freeze, Plan::FreezeAndRepeat], async |plan| {
            let receiver = Receiver::start().await;
            let events = "events: [function_call.completed]";
            let world = World::building().endpoint("app", &receiver, events).start().await;
            world.approved("call-1", function).await;
            world.faults.arm(plan);
            let another_worker = async {
                for _ in 0..4 {
                    world.advance(Duration::from_secs(190));
                    world.work().await;
                    world.tick().await;
                }
            };
            while_frozen(&world, world.work(), another_worker).await;
            let reached = world.faults.was_reached();
            world.faults.reset();
            world.nothing_is_forgotten().await;
            world.settle().await;
            let (state, effects) = world.ended("call-1").await;
            match function {
                "charge" => assert_eq!((state, effects), (State::Succeeded, 1), "{plan:?}"),
                _ => assert!(
                    effects <= 1
                        && (state == State::Unknown || (state, effects) == (State::Succeeded, 1)),
                    "{plan:?}: {state:?} {effects}"
                ),
            }
            let mut ids: Vec<_> = receiver
                .received()
                .iter()
                .map(|one| one.header("webhook-id").map(str::to_owned))
                .collect();
            ids.dedup();
            assert_eq!(ids.len(), 1, "{plan:?}");
            world.finish().await;
            reached
        })
        .await;
    }
}

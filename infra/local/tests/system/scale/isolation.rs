//! A slow destination delays only the items that wait for its answer.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::SqsBatchResponse;
use placet_core::delivery::{Delivery, State};
use placet_core::item::{Lane, Pointer};
use placet_core::limits::PROJECT_SHARE;
use placet_core::operation::{self, OperationId};
use placet_runtime::engine::Gates;
use placet_runtime::{EndpointState, NewDelivery};
use placet_worker::{Functions, Shipped, Worker};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::crash::at_every_call;
use crate::receiver::{Receiver, Reply};
use crate::world::{Building, OTHER, PROJECT, World};

/// More items than the queue `calls` has slots.
const HUNG: usize = 3 * PROJECT_SHARE;

const QUICK: usize = 30;

/// Polls every queue as in `placet dev` until the returned guard is dropped.
fn run(world: &World) -> (watch::Sender<()>, JoinSet<()>) {
    let (stop, stopped) = watch::channel(());
    let mut running = JoinSet::new();
    for source in &world.system.event_sources {
        let (source, mut stopped) = (Arc::clone(source), stopped.clone());
        running.spawn(source.run(async move {
            let _ = stopped.changed().await;
        }));
    }
    (stop, running)
}

async fn send(world: &World, project: &str, endpoint: &str, key: &str) -> String {
    let new = NewDelivery {
        project: project.to_owned(),
        endpoint: endpoint.to_owned(),
        key: key.to_owned(),
        event_type: "order.paid".to_owned(),
        content_type: "application/json".to_owned(),
        body: r#"{"amount":7}"#.into(),
    };
    world.system.runtime.send_webhook(new).await.unwrap().header.id
}

/// Half of the destinations are endpoints, half are executors.
fn hung(receiver: &Receiver) -> Building {
    let url = format!("http://127.0.0.1:{}/run", receiver.port);
    (0..HUNG).fold(World::building(), |building, n| {
        let executor = format!("{{executor: {{http: {{url: '{url}'}}}}, idempotent: true}}");
        building
            .endpoint(&format!("hung-{n}"), receiver, "")
            .operation(&format!("hung_{n}"), &executor)
    })
}

/// No hung attempt ends before the test releases it. The other project always has at least half of the slots,
/// so it waits at most twice as long as alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_hung_destinations_than_slots_leave_half_of_them_to_another_project() {
    let (silent, quick) = (Receiver::start().await, Receiver::start().await);
    silent.answers(vec![Reply::Held(200); 4 * HUNG]);
    let world = hung(&silent).endpoint("quick", &quick, "project: other").start().await;
    for n in 0..HUNG {
        send(&world, PROJECT, &format!("hung-{n}"), "one").await;
        world.approved(&format!("call-{n}"), &format!("hung_{n}")).await;
    }
    for n in 0..QUICK {
        send(&world, OTHER, "quick", &n.to_string()).await;
    }
    world.approved("quick-work", "charge").await;

    let (stop, mut running) = run(&world);
    tokio::join!(silent.reached(PROJECT_SHARE), quick.reached(QUICK));
    assert_eq!(silent.received().len(), PROJECT_SHARE, "the first attempts still wait");

    silent.release();
    drop(stop);
    while running.join_next().await.is_some() {}
    world.settle().await;
    for n in 0..HUNG {
        let id = OperationId::call(PROJECT, format!("call-{n}"));
        assert_eq!(world.stored(&id).await.state, operation::State::Succeeded);
    }
    assert_eq!(silent.received().len(), 2 * HUNG, "each of them ran once");
    world.finish().await;
}

/// A world with an endpoint that never answers and an endpoint that answers.
async fn with_silent(silent: &Receiver, quick: &Receiver) -> World {
    let building = World::building().endpoint("silent", silent, "timeout: 1s");
    building.endpoint("quick", quick, "").start().await
}

/// Lets three attempts time out and returns the ids of their deliveries.
async fn three_timeouts(world: &World, silent: &Receiver) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(send(world, PROJECT, "silent", &n.to_string()).await);
    }
    world.work().await;
    assert_eq!(silent.received().len(), 3);
    ids
}

#[tokio::test]
async fn an_endpoint_that_times_out_again_and_again_is_paused() {
    let (silent, quick) = (Receiver::start().await, Receiver::start().await);
    silent.answers(vec![Reply::Silence; 4]);
    let world = with_silent(&silent, &quick).await;
    let mut ids = three_timeouts(&world, &silent).await;
    let state = || async { world.client().endpoints().await.items[1].clone() };
    let paused = state().await;
    assert_eq!((paused.name.as_str(), paused.state.as_str()), ("silent", "paused"));
    let until = world.clock.now().plus(Duration::from_secs(30)).to_string();
    assert_eq!(paused.other["paused_until"], json!(until));

    ids.push(send(&world, PROJECT, "silent", "four").await);
    let before = world.delivery(&ids[3]).await;
    send(&world, PROJECT, "quick", "one").await;
    world.work().await;
    assert_eq!((silent.received().len(), quick.received().len()), (3, 1));
    let after = world.delivery(&ids[3]).await;
    assert_eq!(after.header.version, before.header.version, "a refused attempt writes nothing");
    world.nothing_is_forgotten().await;

    // The pause ends with a probe. The probe times out, too.
    world.later(Duration::from_secs(40)).await;
    assert_eq!(silent.received().len(), 4);
    assert_eq!(state().await.state, "paused");
    // The endpoint answers from now on.
    world.later(Duration::from_secs(70)).await;
    assert_eq!(state().await.state, "enabled");
    world.settle().await;
    for id in ids {
        assert_eq!(world.delivery(&id).await.state, State::Delivered);
    }
    world.finish().await;
}

#[tokio::test]
async fn a_person_ends_the_pause_of_an_endpoint() {
    let (silent, quick) = (Receiver::start().await, Receiver::start().await);
    silent.answers(vec![Reply::Silence; 3]);
    let world = with_silent(&silent, &quick).await;
    three_timeouts(&world, &silent).await;
    let enabled = world.client().enable_endpoint("silent").await.ok();
    assert_eq!(enabled.state, "enabled");
    let id = send(&world, PROJECT, "silent", "at once").await;
    world.work().await;
    assert_eq!(world.delivery(&id).await.state, State::Delivered, "no process keeps the pause");
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn an_executor_that_times_out_again_and_again_is_not_started() {
    let silent = Receiver::start().await;
    silent.answers(vec![Reply::Silence; 3]);
    let url = format!("http://127.0.0.1:{}/run", silent.port);
    let members =
        format!("{{executor: {{http: {{url: '{url}', timeout: 1s}}}}, idempotent: false}}");
    let world = World::building().operation("slow", &members).start().await;
    for n in 0..4 {
        world.approved(&format!("call-{n}"), "slow").await;
        world.work().await;
    }
    assert_eq!(silent.received().len(), 3);
    let fourth = world.operation("call-3").await;
    assert_eq!((fourth.state, fourth.attempts), (operation::State::Queued, 0));
    world.later(Duration::from_secs(40)).await;
    assert_eq!(world.state("call-3").await, operation::State::Succeeded);
    world.abandon();
}

/// The endpoint has timed out twice. The worker crashes at any call of the third attempt, and nothing is
/// lost.
#[tokio::test]
async fn a_crash_at_any_call_while_an_endpoint_is_paused_loses_nothing() {
    at_every_call(async |plan| {
        let silent = Receiver::start().await;
        silent.answers(vec![Reply::Silence; 3]);
        let world = World::building().endpoint("silent", &silent, "timeout: 50ms").start().await;
        let mut ids = Vec::new();
        for n in 0..2 {
            ids.push(send(&world, PROJECT, "silent", &n.to_string()).await);
        }
        world.work().await;
        ids.push(send(&world, PROJECT, "silent", "three").await);
        let crashed = world.crashes(plan, world.work()).await;
        world.settle().await;
        for id in ids {
            assert_eq!(world.delivery(&id).await.state, State::Delivered, "{plan:?}");
        }
        let endpoint = world.system.runtime.engine.store.endpoint(PROJECT, "silent").await;
        assert_eq!(
            endpoint.unwrap(),
            EndpointState::default(),
            "{plan:?}: the endpoint answers again"
        );
        world.finish().await;
        crashed
    })
    .await;
}

/// Passes a message to a worker with its own gates, as Lambda does with another process.
async fn another_process(world: &World, delivery: &str) -> SqsBatchResponse {
    let mut runtime = world.system.runtime.clone();
    runtime.engine.gates = Gates::new(2);
    let item = world.delivery(delivery).await;
    let body = Pointer::to::<Delivery>(&item.header).to_body();
    let record = json!({"messageId": "m", "body": body, "attributes": {}, "messageAttributes": {}});
    let event = serde_json::from_value(json!({"Records": [record]})).unwrap();
    Worker::new(runtime, Functions::shipped()).handle::<Shipped>(Lane::Calls, event).await
}

#[tokio::test]
async fn other_processes_respect_the_pause_of_an_endpoint() {
    let (silent, quick) = (Receiver::start().await, Receiver::start().await);
    silent.answers(vec![Reply::Silence; 4]);
    let world = with_silent(&silent, &quick).await;
    let ids = three_timeouts(&world, &silent).await;
    world.advance(Duration::from_secs(10));
    assert!(another_process(&world, &ids[0]).await.batch_item_failures.is_empty());
    assert_eq!(silent.received().len(), 3, "no attempt during the pause");

    world.advance(Duration::from_secs(30));
    let processes = [&ids[0], &ids[1], &ids[2]].map(|id| another_process(&world, id));
    futures_util::future::join_all(processes).await;
    assert_eq!(silent.received().len(), 4, "one probe of all processes");
    let endpoint = world.system.runtime.engine.store.endpoint(PROJECT, "silent").await.unwrap();
    assert_eq!(
        endpoint.paused.map(|pause| pause.number),
        Some(2),
        "one timeout of a probe starts the next pause"
    );
    world.settle().await;
    world.finish().await;
}

//! A call takes effect, its reply is lost, and the SDK sends the call again. The engine recognises every
//! repeated write as our own.

use http::StatusCode;
use placet_core::receipt::{Replays, State};
use placet_core::webhook::{Documents, Incoming};
use placet_runtime::Received;

use super::{SECRET, building, event, generic};
use crate::crash::with_lost_replies;
use crate::webhooks::hex_mac;
use crate::world::World;

/// The receipt did not exist before, so it is not a duplicate.
#[tokio::test]
async fn a_receipt_whose_creation_was_repeated_is_new() {
    with_lost_replies(async |plan| {
        let world = building().start().await;
        let runtime = &world.system.runtime;
        let source = runtime.config.source("github").unwrap();
        let verifier = source.open("github", &runtime.environment).unwrap();
        let signature = format!("sha256={}", hex_mac(SECRET, &[b"{}"]));
        let mut request = Incoming::post("/webhooks/github", b"{}");
        request.headers =
            vec![("x-hub-signature-256", &signature), ("x-github-delivery", "guid-1")];
        let verified = verifier.verify(request, &Documents::default(), world.clock.now());
        let verified = verified.ok().unwrap();

        let (received, calls) = world.traced(plan, runtime.receive(&verified)).await;

        assert!(matches!(received, Ok(Received::New(_))), "{plan:?}: {received:?}");
        assert_eq!(world.the_receipt().await.header.version, 1, "{plan:?}");
        world.settle().await;
        world.finish().await;
        calls
    })
    .await;
}

#[tokio::test]
async fn a_webhook_is_acknowledged_and_stored_once() {
    with_lost_replies(async |plan| {
        let world = building().start().await;
        let body = event("1", "charge.wanted", 150);

        let sent = generic(&world, "requests", &body);
        let (reply, calls) = world.traced(plan, sent).await;

        assert_eq!(reply.status, StatusCode::OK, "{plan:?}");
        let receipt = world.the_receipt().await;
        assert_eq!((receipt.header.version, receipt.state), (1, State::Received), "{plan:?}");
        world.settle().await;
        assert_eq!(world.the_receipt().await.header.version, 2, "{plan:?}");
        world.finish().await;
        calls
    })
    .await;
}

#[tokio::test]
async fn a_worker_processes_a_receipt_once() {
    with_lost_replies(async |plan| {
        let world = building().start().await;
        generic(&world, "requests", &event("1", "charge.wanted", 150)).await;

        let (report, calls) = world.traced(plan, world.work()).await;

        assert_eq!(report.failed, 0, "{plan:?}");
        let receipt = world.the_receipt().await;
        assert_eq!((receipt.header.version, receipt.state), (2, State::Processed), "{plan:?}");
        let requested = world.open_operations().await;
        assert_eq!(requested.len(), 1, "{plan:?}");
        assert_eq!(requested[0].header.version, 1, "{plan:?}");
        world.finish().await;
        calls
    })
    .await;
}

/// The caller gets 202, not the error that a replay is already in progress.
#[tokio::test]
async fn a_replay_is_accepted_and_counted_once() {
    with_lost_replies(async |plan| {
        let world = processed().await;
        let receipt = world.the_receipt().await;
        let (client, id) = (world.client(), receipt.header.id.as_str());

        let (replayed, calls) = world.traced(plan, client.replay(id)).await;

        replayed.is(StatusCode::ACCEPTED);
        let receipt = world.the_receipt().await;
        let once = Replays { count: 1, last_at: world.clock.now() };
        assert_eq!((receipt.header.version, receipt.replays), (3, Some(once)), "{plan:?}");
        world.settle().await;
        assert_eq!(world.the_receipt().await.header.version, 4, "{plan:?}");
        world.finish().await;
        calls
    })
    .await;
}

/// A world with one processed receipt.
async fn processed() -> World {
    let world = building().start().await;
    generic(&world, "requests", &event("1", "charge.wanted", 150)).await;
    world.work().await;
    world
}

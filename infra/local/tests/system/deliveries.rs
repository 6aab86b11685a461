//! Signed webhooks to endpoints: sent once they are taken, again by schedule, never lost.

mod api;

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use placet_core::delivery::{Delivery, LARGEST_ANSWER, NewDelivery, State};
use placet_core::webhook::{parse_secret, sign};
use serde_json::{Value, json};

use crate::crash::at_every_call;
use crate::receiver::{Received, Receiver, Reply};
use crate::world::{KEY, TENANT, World};

const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn world(receiver: &Receiver) -> World {
    let port = receiver.port;
    let config = format!(
        "
endpoints:
  billing: {{url: 'http://127.0.0.1:{port}/hooks', secrets: [env:NEW, env:OLD]}}
  shipping: {{url: 'http://127.0.0.1:{port}/hooks', secrets: [env:NEW]}}
  hasty: {{url: 'http://127.0.0.1:{port}/hooks', secrets: [env:NEW], timeout: 200ms}}
  inside: {{url: 'https://localhost:{port}/hooks', secrets: [env:NEW]}}
  unsigned: {{url: 'http://127.0.0.1:{port}/hooks', secrets: [env:NEW, env:NOT_SET]}}
outbound: {{allow_hosts: [127.0.0.1]}}
"
    );
    World::with(&config, &[("NEW", NEW), ("OLD", OLD)]).await
}

fn new(endpoint: &str, key: &str) -> NewDelivery {
    NewDelivery {
        tenant: TENANT.to_owned(),
        endpoint: endpoint.to_owned(),
        key: key.to_owned(),
        event_type: "order.paid".to_owned(),
        content_type: "application/json".to_owned(),
    }
}

/// Takes a webhook for delivery and hands back its id.
async fn send(world: &World, endpoint: &str, key: &str) -> String {
    let body = Bytes::from_static(br#"{"amount":7}"#);
    world.system.runtime.send_webhook(new(endpoint, key), body).await.unwrap().id
}

async fn delivery(world: &World, id: &str) -> Delivery {
    world.system.runtime.store.delivery(TENANT, id).await.unwrap().unwrap().delivery
}

/// Lets time pass until the timer looks at the delivery, and everything happen that follows.
async fn later(world: &World, id: &str) {
    let due = delivery(world, id).await.due.unwrap();
    world.advance(due.since(world.clock.now()));
    world.tick().await;
    world.work().await;
}

async fn read(world: &World, path: &str) -> Value {
    let answer = world.get(path).key(KEY).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.json()
}

async fn post(world: &World, path: &str) -> (StatusCode, Value) {
    let answer = world.post(path).key(KEY).send().await;
    (answer.status, answer.json())
}

/// The id this request is signed with now, by this secret, under either name.
fn signed_id(world: &World, request: &Received, secret: &str) -> String {
    let (secret, now) = (parse_secret(secret).unwrap(), world.clock.now());
    let ids = ["webhook", "svix"].map(|set| {
        let header = |name: &str| request.header(&format!("{set}-{name}")).unwrap();
        assert_eq!(header("timestamp"), now.seconds().to_string());
        let signature = sign(&secret, header("id"), now, &request.body);
        assert!(header("signature").split(' ').any(|one| one == signature), "{request:?}");
        header("id").to_owned()
    });
    assert_eq!(ids[0], ids[1]);
    ids[0].clone()
}

#[tokio::test]
async fn a_webhook_arrives_signed_with_each_secret_in_both_header_sets() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Body(202, b"thanks".to_vec())]);
    let id = send(&world, "billing", "one").await;
    assert_eq!(receiver.received().len(), 0, "all work is behind the queue");
    world.work().await;

    let received = receiver.received();
    assert_eq!((received.len(), received[0].path.as_str()), (1, "/hooks"));
    assert_eq!(received[0].body, r#"{"amount":7}"#);
    assert_eq!(received[0].header("content-type"), Some("application/json"));
    for secret in [NEW, OLD] {
        assert_eq!(signed_id(&world, &received[0], secret), id);
    }
    let described = read(&world, &format!("/v1/deliveries/{id}")).await;
    assert_eq!((&described["state"], &described["attempts"]), (&json!("delivered"), &json!(1)));
    assert_eq!(described["next_attempt_at"], Value::Null);
    let log = &described["log"][0];
    assert_eq!((&log["status"], &log["answer"]), (&json!(202), &json!("thanks")));
    world.finish().await;
}

#[tokio::test]
async fn the_same_key_is_one_delivery_and_another_endpoint_is_another() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let first = send(&world, "billing", "one").await;
    assert_eq!(send(&world, "billing", "one").await, first);
    let other = send(&world, "shipping", "one").await;
    assert_ne!(other, first);
    world.work().await;
    assert_eq!(send(&world, "billing", "one").await, first);
    world.settle().await;
    assert_eq!(receiver.received().len(), 2);
    let unknown = world.system.runtime.send_webhook(new("nowhere", "one"), Bytes::new()).await;
    assert!(unknown.unwrap_err().to_string().contains("nowhere"));
    world.finish().await;
}

#[tokio::test]
async fn a_payload_of_any_size_arrives_byte_for_byte() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    // The second does not compress and is too large for an item of the table.
    let noise: Vec<u8> = (0..20_000_u32)
        .flat_map(|block| *placet_core::Digest::of_bytes(&block.to_be_bytes()).as_bytes())
        .collect();
    let payloads = [Bytes::new(), Bytes::from(noise), Bytes::from(vec![b'a'; 1_000_000])];
    for (n, payload) in payloads.iter().enumerate() {
        let new = new("billing", &n.to_string());
        world.system.runtime.send_webhook(new, payload.clone()).await.unwrap();
        world.work().await;
    }
    let received: Vec<Bytes> = receiver.received().into_iter().map(|one| one.body).collect();
    assert!(received == payloads, "a payload has changed");
    world.finish().await;
}

#[tokio::test]
async fn after_an_error_it_is_tried_again_by_schedule_under_the_same_id() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Status(500), Reply::Status(404)]);
    let id = send(&world, "billing", "one").await;
    for attempt in 1..=3 {
        world.work().await;
        assert_eq!(receiver.received().len(), attempt);
        // Nothing happens before its time, whoever asks.
        world.tick().await;
        world.work().await;
        assert_eq!(receiver.received().len(), attempt);
        if attempt < 3 {
            assert_eq!(delivery(&world, &id).await.state, State::Pending);
            let wait = delivery(&world, &id).await.not_before.since(world.clock.now());
            let expected = Duration::from_secs([5, 300][attempt - 1]);
            assert!(wait * 5 >= expected * 4 && wait * 5 <= expected * 6, "{wait:?}");
            let due = delivery(&world, &id).await.due.unwrap();
            world.advance(due.since(world.clock.now()));
            world.tick().await;
        }
    }
    let received = receiver.received();
    let ids: Vec<_> = received.iter().map(|one| one.header("webhook-id").unwrap()).collect();
    assert_eq!(ids, [&id, &id, &id]);
    assert_ne!(received[0].header("webhook-timestamp"), received[2].header("webhook-timestamp"));
    assert_eq!(delivery(&world, &id).await.state, State::Delivered);
    world.finish().await;
}

#[tokio::test]
async fn at_the_end_of_the_schedule_it_has_failed_and_can_be_sent_again_by_hand() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers(vec![Reply::Status(503); 8]);
    let id = send(&world, "billing", "one").await;
    world.work().await;
    let begun = world.clock.now();
    while delivery(&world, &id).await.state == State::Pending {
        later(&world, &id).await;
    }
    let hours = world.clock.now().since(begun).as_secs() / 3600;
    assert!((22..=34).contains(&hours), "{hours}");
    assert_eq!((delivery(&world, &id).await.state, receiver.received().len()), (State::Failed, 8));

    let path = format!("/v1/deliveries/{id}/redeliver");
    let (status, again) = post(&world, &path).await;
    assert_eq!((status, &again["state"]), (StatusCode::ACCEPTED, &json!("pending")));
    world.work().await;
    let received = receiver.received();
    assert_eq!((received.len(), signed_id(&world, &received[8], NEW)), (9, id.clone()));
    assert_eq!(delivery(&world, &id).await.state, State::Delivered);
    // What was delivered can be sent again, too.
    assert_eq!(post(&world, &path).await.0, StatusCode::ACCEPTED);
    world.work().await;
    assert_eq!(receiver.received().len(), 10);
    world.finish().await;
}

#[tokio::test]
async fn a_silent_endpoint_is_given_up_in_time_and_tried_again() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Silence]);
    let id = send(&world, "hasty", "one").await;
    world.work().await;
    let waiting = delivery(&world, &id).await;
    assert_eq!((waiting.state, waiting.log[0].status), (State::Pending, None));
    assert!(waiting.log[0].duration_ms >= 200 && waiting.log[0].error.is_some());
    later(&world, &id).await;
    world.settle().await;
    assert!(receiver.received().len() >= 2);
    world.finish().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    for status in [301, 302, 303, 307, 308] {
        let before = receiver.received().len();
        receiver.answers([Reply::Header(status, "location", "/elsewhere")]);
        let id = send(&world, "billing", &status.to_string()).await;
        world.work().await;
        assert_eq!(receiver.received().len(), before + 1);
        let waiting = delivery(&world, &id).await;
        assert_eq!((waiting.state, waiting.log[0].status), (State::Pending, Some(status)));
        later(&world, &id).await;
    }
    assert!(receiver.received().iter().all(|one| one.path == "/hooks"));
    world.finish().await;
}

#[tokio::test]
async fn an_endpoint_that_asks_for_time_gets_it() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    for (status, asked, hours) in [(429, "7200", 2), (503, "999999999", 24)] {
        receiver.answers([Reply::Header(status, "retry-after", asked)]);
        let id = send(&world, "billing", asked).await;
        world.work().await;
        let wait = delivery(&world, &id).await.not_before.since(world.clock.now());
        assert_eq!(wait, Duration::from_secs(hours * 3600));
        let before = receiver.received().len();
        world.advance(wait - Duration::from_millis(1));
        world.tick().await;
        world.work().await;
        assert_eq!(receiver.received().len(), before);
        later(&world, &id).await;
        assert_eq!(delivery(&world, &id).await.state, State::Delivered);
    }
    world.finish().await;
}

#[tokio::test]
async fn a_name_of_this_machine_is_not_called_unless_it_is_allowed() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let id = send(&world, "inside", "one").await;
    world.work().await;
    let waiting = delivery(&world, &id).await;
    let error = waiting.log[0].error.as_ref().unwrap();
    assert!(error.contains("outbound.allow_hosts"), "{error}");
    assert_eq!((waiting.state, receiver.connections()), (State::Pending, 0));
    world.abandon();
}

#[tokio::test]
async fn what_can_not_be_signed_with_every_secret_is_not_sent() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let id = send(&world, "unsigned", "one").await;
    world.work().await;
    let waiting = delivery(&world, &id).await;
    assert!(waiting.log[0].error.as_ref().unwrap().contains("NOT_SET"));
    assert_eq!((waiting.state, receiver.connections()), (State::Pending, 0));
    world.abandon();
}

#[tokio::test]
async fn of_a_large_answer_only_the_beginning_is_kept() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Body(200, vec![b'x'; 5_000_000])]);
    let id = send(&world, "billing", "one").await;
    world.work().await;
    let delivered = delivery(&world, &id).await;
    assert_eq!(delivered.state, State::Delivered);
    assert_eq!(delivered.log[0].answer, "x".repeat(LARGEST_ANSWER));
    world.finish().await;
}

#[tokio::test]
async fn a_crash_anywhere_loses_no_delivery() {
    at_every_call(async |plan| {
        let receiver = Receiver::start().await;
        let world = world(&receiver).await;
        receiver.answers([Reply::Status(500)]);
        let whole = async {
            let id = send(&world, "billing", "one").await;
            world.work().await;
            later(&world, &id).await;
        };
        let crashed = world.crashes(plan, whole).await;
        // Whoever asked for it asks again, as the queue will make it.
        let id = send(&world, "billing", "one").await;
        world.settle().await;
        let ended = delivery(&world, &id).await;
        assert_eq!(ended.state, State::Delivered, "{plan:?}: {:?}", ended.log);
        assert!(receiver.received().iter().all(|one| one.header("webhook-id") == Some(&id)));
        assert!(receiver.received().len() <= 4, "{plan:?}");
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn a_crash_after_gone_still_disables_the_endpoint_or_asks_again() {
    at_every_call(async |plan| {
        let receiver = Receiver::start().await;
        let world = world(&receiver).await;
        receiver.answers(vec![Reply::Status(410); 9]);
        let id = send(&world, "billing", "one").await;
        let crashed = world.crashes(plan, world.work()).await;
        world.settle().await;
        assert_eq!(delivery(&world, &id).await.state, State::Failed, "{plan:?}");
        let disabled = world.system.runtime.store.disabled_endpoint(TENANT, "billing").await;
        assert!(disabled.unwrap().is_some(), "{plan:?}");
        world.finish().await;
        crashed
    })
    .await;
}

#[tokio::test]
async fn a_restart_puts_on_the_queue_what_was_to_be_sent() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    // Stored; the message is lost with the queue.
    world.faults.arm(placet_local::faults::Plan::Fail(1));
    let id = send(&world, "billing", "one").await;
    world.faults.reset();
    assert_eq!(world.work().await.delivered, 0);
    world.system.resume().await.unwrap();
    world.work().await;
    assert_eq!(delivery(&world, &id).await.state, State::Delivered);
    world.finish().await;
}

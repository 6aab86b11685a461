//! Events that are sent on: the bytes as they came, signed by us, once under one id.

use placet_core::webhook::{parse_secret, sign};
use placet_runtime::ReceiptState;
use serde_json::json;

use crate::receiver::{Receiver, Reply};
use crate::world::{WEBHOOK_SECRET, World};

async fn world(receiver: &Receiver) -> World {
    let config = format!(
        "
  shop:
    preset: standard
    secret: env:SHOP
    targets:
      - forward: {{endpoint: billing}}
        types: [\"invoice.*\"]
      - log
endpoints:
  billing: {{url: 'http://127.0.0.1:{}/hooks', secrets: [env:BILLING]}}
outbound: {{allow_hosts: [127.0.0.1]}}
",
        receiver.port
    );
    World::with(&config, &[("SHOP", WEBHOOK_SECRET), ("BILLING", WEBHOOK_SECRET)]).await
}

async fn deliver(world: &World, id: &str, body: &str) {
    let now = world.clock.now();
    let signature = sign(&parse_secret(WEBHOOK_SECRET).unwrap(), id, now, body.as_bytes());
    let post = world.post("/webhooks/shop").header("content-type", "application/json");
    let post =
        post.header("webhook-id", id).header("webhook-timestamp", &now.seconds().to_string());
    let answer = post.header("webhook-signature", &signature).body(body.to_owned()).send().await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
}

#[tokio::test]
async fn an_event_is_sent_on_as_it_came_and_once() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    let body = "{ \"type\": \"invoice.paid\",  \"amount\": 1.10, \"note\": \"\u{2665}\" }";
    deliver(&world, "msg_1", body).await;
    deliver(&world, "msg_1", body).await;
    deliver(&world, "msg_2", &json!({"type": "order.paid"}).to_string()).await;
    assert_eq!(receiver.received().len(), 0, "all work is behind the queue");
    world.settle().await;
    let received = receiver.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].body, body.as_bytes());
    assert_eq!(received[0].header("content-type"), Some("application/json"));
    assert_eq!(received[0].header("placet-event-type"), Some("invoice.paid"));
    let id = received[0].header("webhook-id").unwrap();
    let ours = sign(&parse_secret(WEBHOOK_SECRET).unwrap(), id, world.clock.now(), body.as_bytes());
    assert_eq!(received[0].header("webhook-signature"), Some(ours.as_str()));
    let states: Vec<_> = world.receipts().await.into_iter().map(|one| one.state).collect();
    assert_eq!(states, [ReceiptState::Done; 2]);
    // Working it off again does not send it again: that is what redelivering is for.
    let receipt =
        world.receipts().await.into_iter().find(|one| one.note.contains("sent on")).unwrap();
    world.system.runtime.replay("default", &receipt.about.id).await.unwrap();
    world.settle().await;
    assert_eq!(receiver.received().len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_receiver_that_is_down_gets_it_later_under_the_same_id() {
    let receiver = Receiver::start().await;
    let world = world(&receiver).await;
    receiver.answers([Reply::Status(503), Reply::Status(503), Reply::Status(204)]);
    deliver(&world, "msg_1", r#"{"type":"invoice.paid"}"#).await;
    world.settle().await;
    for _ in 0..20 {
        world.advance(std::time::Duration::from_secs(20 * 60));
        world.tick().await;
        world.work().await;
    }
    let received = receiver.received();
    assert_eq!(received.len(), 3);
    assert!(
        received.iter().all(|one| one.header("webhook-id") == received[0].header("webhook-id"))
    );
    world.finish().await;
}

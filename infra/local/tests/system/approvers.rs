//! Who may decide: the whole way, from the key or the webhook to the stored decision.

use http::StatusCode;
use placet_core::operation::{Actor, State};
use placet_core::receipt;
use placet_runtime::{ApiKey, key_digest, key_id};
use serde_json::{Value, json};

use crate::client::{Client, Decision, call};
use crate::webhooks::completed;
use crate::world::{PROJECT, World};

/// Stores an admin key that is no self-approval key.
async fn admin<'a>(world: &'a World, key: &'a str, name: &str) -> Client<'a> {
    world.store_key(key, &ApiKey::new(PROJECT, name, world.clock.now())).await;
    world.client_with(key)
}

#[tokio::test]
async fn a_key_does_not_decide_what_it_created() {
    let world = World::start().await;
    let own = admin(&world, "key-1", "bot").await;
    let created = own.created(&call("c", "charge")).await;
    assert_eq!(created.other["approvers"]["except_key"], key_id(key_digest("key-1")));
    let approve = Decision::approve().seen(&created.digest);

    let refused = own.decide("function_call/c", &approve).await;
    let problem = refused.refused(StatusCode::FORBIDDEN, "own_operation");
    assert!(problem.detail.contains("--self-approval"), "{problem:?}");
    let refused = own.respond("c", true).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{refused:?}");
    assert!(refused.json()["detail"].is_string(), "{refused:?}");
    let again = own.create(&call("c", "charge")).await.ok();
    assert_eq!((again.state.as_str(), again.history.len()), ("pending", 1));

    // The other key has the same name, so the history tells them apart by their ids.
    let other = admin(&world, "key-2", "bot").await;
    let decided = other.decide("function_call/c", &approve).await.ok();
    let by = |key: &str| Actor::api(key_id(key_digest(key)), "bot");
    assert_eq!(decided.decision.unwrap().by, by("key-2"));
    assert_eq!(decided.history[0].by, Some(by("key-1")));
    world.settle().await;
    assert_eq!(world.ended("c").await, (State::Succeeded, 1));
    world.finish().await;
}

#[tokio::test]
async fn a_self_approval_key_decides_what_it_created() {
    let world = World::start().await;
    let key = ApiKey { self_approval: true, ..ApiKey::new(PROJECT, "solo", world.clock.now()) };
    world.store_key("solo-key", &key).await;
    let client = world.client_with("solo-key");
    let created = client.created(&call("c", "charge")).await;
    assert_eq!(created.other["approvers"]["except_key"], Value::Null);
    client.decide("function_call/c", &Decision::approve().seen(&created.digest)).await.ok();
    world.settle().await;
    world.finish().await;
}

/// The demo is no way around the rule.
#[tokio::test]
async fn a_key_does_not_decide_the_purchase_that_it_requested() {
    let world = World::start().await;
    let own = admin(&world, "key-1", "bot").await;
    let request = world.post("/purchase-materials").key("key-1");
    let request = request.header("origin", "https://elsewhere.example");
    let requested = request.header("idempotency-key", "p").send().await;
    assert_eq!(requested.status, StatusCode::OK, "{requested:?}");
    assert_eq!(own.respond("p", true).await.status, StatusCode::FORBIDDEN);
    world.finish().await;
}

/// The case of the review: a signed completion of an operation that only the inbox decides.
#[tokio::test]
async fn a_webhook_decides_only_operations_that_name_its_source() {
    let world = World::building()
        .operation("wipe_disk", "{approver: inbox, executor: {function: charge}}")
        .start()
        .await;
    for function in ["wipe_disk", "charge"] {
        world.client().created(&call(function, function)).await;
        let event = completed(&call(function, function), true);
        assert_eq!(world.deliver(function, &event).await.status, StatusCode::OK);
    }
    world.settle().await;

    assert_eq!(world.ended("wipe_disk").await, (State::Pending, 0));
    assert_eq!(world.ended("charge").await, (State::Succeeded, 1));
    let mut receipts = world.receipts().await;
    receipts.sort_by_key(|receipt| receipt.state == receipt::State::Processed);
    assert_eq!(receipts[0].state, receipt::State::Failed);
    assert!(receipts[0].note.contains("placet.yaml"), "{}", receipts[0].note);
    let by = Actor::Webhook {
        source: "humanlayer".to_owned(),
        receipt: receipts[1].header.id.clone(),
        event: Some("charge".to_owned()),
    };
    assert_eq!(world.operation("charge").await.body.decision.unwrap().by, by);
    world.finish().await;
}

/// An operation keeps the approver that it had when it was created, whatever `placet.yaml` says later.
#[tokio::test]
async fn the_approver_is_stored_at_the_creation() {
    let world = World::start().await;
    let created = world.client().created(&call("c", "charge")).await;
    assert_eq!(
        created.other["approvers"],
        json!({"people": [], "upstream": null, "webhook": "humanlayer", "except_key": null})
    );
    assert_eq!(world.operation("c").await.approvers.webhook.as_deref(), Some("humanlayer"));
    world.finish().await;
}

#[tokio::test]
async fn a_source_does_not_decide_what_it_requested() {
    let target = "{operation: {fn: refund, kwargs: {amount: {at: /amount}}}}";
    let secret = "secret: env:PLACET_SECRET_HUMANLAYER";
    let source = format!("{{preset: svix, {secret}, targets: [decide, {target}]}}");
    let world = World::building()
        .source("both", &source)
        .operation("refund", "{approver: {webhook: both}}")
        .start()
        .await;
    world.receive("both", "msg_1", &json!({"amount": 7})).await;
    world.work().await;
    world.client().created(&call("c", "refund")).await;

    let requested = world.the_receipt().await.header.id.clone() + "-2";
    assert_eq!(world.operation(&requested).await.approvers.webhook, None);
    assert_eq!(world.operation("c").await.approvers.webhook.as_deref(), Some("both"));
    world.finish().await;
}

/// The ids of two keys never meet, and nobody can compute the id of another key's request.
#[tokio::test]
async fn an_idempotency_key_belongs_to_its_api_key() {
    let world = World::start().await;
    let (one, other) = (admin(&world, "key-1", "one").await, admin(&world, "key-2", "two").await);
    let draft = call("", "f").without_id();
    let first = one.create_under("order-7", &draft).await.is(StatusCode::CREATED);
    let second = other.create_under("order-7", &draft).await.is(StatusCode::CREATED);
    assert_ne!(first.call_id, second.call_id);
    let changed = call("", "g").without_id();
    let reused = other.create_under("order-7", &changed).await;
    reused.refused(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
    assert_eq!(one.create_under("order-7", &draft).await.ok().call_id, first.call_id);
    world.finish().await;
}

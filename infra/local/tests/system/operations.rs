//! Our own API: create, get, decide, cancel.

mod list;

use std::time::Duration;

use http::StatusCode;
use placet_runtime::Role;
use serde_json::{Value, json};

use crate::client::{Decision, Draft, List, OperationReply, OperationSummary, call, question};
use crate::world::{OTHER, World};

const PATH: &str = "/v1/operations";

/// A call with the reason "not now" for a denial.
fn with_reasons(call_id: &str, function: &str) -> Draft {
    call(call_id, function)
        .with("reject_options", json!([{"name": "later", "prompt_fill": "not now"}]))
}

/// A question with the option "Oak".
fn with_answers(call_id: &str) -> Draft {
    question(call_id, "Oak or pine?")
        .with("response_options", json!([{"name": "oak", "title": "Oak"}]))
}

/// The value with the text "a digest" in place of each SHA-256.
fn without_digests(value: Value) -> Value {
    let is_digest = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    match value {
        Value::String(text) if is_digest(&text) => "a digest".into(),
        Value::Array(items) => items.into_iter().map(without_digests).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, without_digests(value))).collect()
        }
        other => other,
    }
}

#[tokio::test]
async fn a_repeated_creation_finds_the_operation() {
    let world = World::start().await;
    let client = world.client();
    let draft = with_reasons("a call-1", "f");

    let first = client.create(&draft).await;
    first.is(StatusCode::CREATED);
    assert_eq!(first.reply.location, "/v1/operations/function_call/a%20call-1");
    let found = client.get::<OperationReply>(&first.reply.location).await;
    assert_eq!(found.reply.text, first.reply.text);

    world.advance(Duration::from_secs(1));
    let again = client.create(&draft).await;
    again.ok();
    assert_eq!(again.reply.text, first.reply.text);
    assert_eq!(again.reply.location, first.reply.location);
    world.finish().await;
}

#[tokio::test]
async fn an_id_belongs_to_one_operation_of_its_kind() {
    let world = World::start().await;
    let client = world.client();
    client.created(&call("one", "f")).await;
    client.create(&call("one", "g")).await.refused(StatusCode::CONFLICT, "id_taken");
    client.created(&question("one", "Why?")).await;
    let call = client.function_call("one").await;
    assert_eq!(call["spec"]["fn"], "f", "HumanLayer's API has the same ids");
    world.finish().await;
}

#[tokio::test]
async fn an_idempotency_key_identifies_an_operation_without_an_id() {
    let world = World::start().await;
    let client = world.client();
    let draft = call("", "f").without_id();

    let first = client.create_under("order-7", &draft).await.is(StatusCode::CREATED);
    assert_eq!((first.call_id.len(), first.call_id.starts_with("op-")), (35, true));
    let again = client.create_under("order-7", &draft).await.ok();
    assert_eq!(again.call_id, first.call_id);
    let other_key = client.create_under("order-8", &draft).await.is(StatusCode::CREATED);
    assert_ne!(other_key.call_id, first.call_id);
    let other_kind = question("", "Why?").without_id();
    client.create_under("order-7", &other_kind).await.is(StatusCode::CREATED);

    let named = client.create_under("order-7", &call("mine", "g")).await.is(StatusCode::CREATED);
    assert_eq!(named.call_id, "mine", "an id takes precedence over an idempotency key");
    world.finish().await;
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_one_request() {
    let world = World::start().await;
    let client = world.client();
    client.create_under("order-7", &call("", "f").without_id()).await.is(StatusCode::CREATED);
    let reused = client.create_under("order-7", &call("", "g").without_id()).await;
    reused.refused(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
    for wrong in ["", "two words", &"x".repeat(256)] {
        let refused = client.create_under(wrong, &call("mine", "g")).await;
        refused.refused(StatusCode::BAD_REQUEST, "invalid_idempotency_key");
    }
    world.finish().await;
}

#[tokio::test]
async fn the_refusal_of_a_body_names_the_wrong_member_and_stores_nothing() {
    let world = World::start().await;
    let before = world.contents().await;
    for (member, value, pointer) in [
        ("kind", json!("dance"), "/kind"),
        ("run_id", Value::Null, "/run_id"),
        ("call_id", json!("a/b"), "/call_id"),
        ("kwargs", json!([]), "/kwargs"),
        ("state", json!({}), "/state"),
        ("a/b~c", json!(1), "/a~1b~0c"),
        ("channel", json!({"email": {}}), "/channel/email/address"),
        ("channel", json!({"channel_id": 9}), "/channel/channel_id"),
    ] {
        let mut body = with_reasons("c", "f").native();
        body[member] = value;
        let refused = world.client().post::<OperationReply>(PATH, &body).await;
        let problem = refused.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body");
        assert_eq!(problem.pointer(), pointer);
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_body_that_is_not_an_object_of_at_most_200_kb_stores_nothing() {
    let world = World::start().await;
    let client = world.client();
    let before = world.contents().await;

    let list = client.post::<OperationReply>(PATH, &json!([])).await;
    assert_eq!(list.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body").pointer(), "");
    let broken = world.post(PATH).key(crate::world::KEY).body("{").send().await;
    assert_eq!(
        (broken.status, &broken.json()["code"]),
        (StatusCode::BAD_REQUEST, &json!("malformed_json"))
    );
    let large = call("c", "f").with("kwargs", json!({"text": "x".repeat(210 * 1024)}));
    client.create(&large).await.refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large");

    assert_eq!(world.contents().await, before);
    world.finish().await;
}

/// Creates, approves and runs a call, and returns it as its requester reads it.
async fn after_running(world: &World) -> Value {
    let client = world.client();
    let seen = client.created(&with_reasons("c", "charge")).await;
    assert_eq!(seen.state, "pending");
    let approve = Decision::approve().comment("go").seen(&seen.digest);
    let decided = client.decide("function_call/c", &approve).await.ok();
    assert_eq!(decided.state, "queued");
    world.work().await;
    without_digests(client.get::<Value>("/v1/operations/function_call/c").await.ok())
}

#[tokio::test]
async fn an_approved_call_runs_and_shows_its_outcome() {
    let world = World::start().await;
    let mut operation = after_running(&world).await;
    operation.as_object_mut().unwrap().remove("history");
    insta::assert_json_snapshot!(operation, @r#"
    {
      "kind": "function_call",
      "fn": "charge",
      "kwargs": {
        "amount": 7
      },
      "reject_options": [
        {
          "name": "later",
          "title": null,
          "description": null,
          "prompt_fill": "not now",
          "interactive": false
        }
      ],
      "call_id": "c",
      "run_id": "run",
      "state": "succeeded",
      "digest": "a digest",
      "created_at": "2026-11-18T11:06:40.000Z",
      "deadline": "2026-11-18T12:06:40.000Z",
      "attempts": 1,
      "channel": null,
      "requester_state": null,
      "executor": "function charge",
      "approvers": {
        "people": [],
        "upstream": null,
        "webhook": "humanlayer",
        "except_key": null
      },
      "decision": {
        "verdict": "approve",
        "comment": "go",
        "option": null,
        "by": {
          "channel": "api",
          "key": "62af8704764f",
          "name": "local"
        },
        "at": "2026-11-18T11:06:40.000Z"
      },
      "outcome": {
        "result": {
          "charged": 7
        }
      },
      "webhooks": [],
      "inbox": "/inbox/c"
    }
    "#);
    world.finish().await;
}

#[tokio::test]
async fn an_operation_shows_its_history() {
    let world = World::start().await;
    let operation = after_running(&world).await;
    let entries = operation["history"].as_array().unwrap().iter();
    let lines = entries.map(|entry| {
        assert_eq!((&entry["at"], &entry["hash"]), (&operation["created_at"], &json!("a digest")));
        format!("{} by {}: {}", entry["event"], entry["by"], entry["detail"])
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    "created" by {"channel":"api","key":"62af8704764f","name":"local"}: {"digest":"a digest","deadline":1795003600000}
    "approved" by {"channel":"api","key":"62af8704764f","name":"local"}: {"comment":"go","option":null,"digest":"a digest"}
    "started" by {"channel":"worker"}: {"attempt":1,"until":1795000030000}
    "succeeded" by {"channel":"worker"}: {"attempt":1}
    "#);
    world.finish().await;
}

#[tokio::test]
async fn a_decision_needs_the_digest_that_the_approver_saw() {
    let world = World::start().await;
    let client = world.client();
    client.created(&call("c", "charge")).await;

    let other = Decision::approve().seen(&"0".repeat(64));
    let refused = client.decide("function_call/c", &other).await;
    refused.refused(StatusCode::CONFLICT, "digest_mismatch");
    let blind = client.decide("function_call/c", &Decision::approve()).await;
    let problem = blind.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body");
    assert_eq!(problem.pointer(), "/digest");

    assert_eq!(client.operation("function_call/c").await.state, "pending");
    world.finish().await;
}

#[tokio::test]
async fn a_call_cannot_be_answered_or_decided_twice() {
    let world = World::start().await;
    let client = world.client();
    let seen = client.created(&call("c", "charge")).await.digest;
    let decide =
        async |decision: Decision| client.decide("function_call/c", &decision.seen(&seen)).await;

    decide(Decision::answer("yes")).await.refused(StatusCode::CONFLICT, "wrong_verdict");
    assert_eq!(client.operation("function_call/c").await.state, "pending");
    decide(Decision::deny()).await.ok();
    decide(Decision::approve()).await.refused(StatusCode::CONFLICT, "already_decided");
    assert_eq!(client.operation("function_call/c").await.state, "denied");
    world.finish().await;
}

#[tokio::test]
async fn a_chosen_option_must_be_offered_and_gives_the_comment() {
    let world = World::start().await;
    let client = world.client();
    let of_call = client.created(&with_reasons("c", "f")).await.digest;
    let of_question = client.created(&with_answers("q")).await.digest;
    let deny = |option: &str| Decision::deny().with("option", option).seen(&of_call);
    let answer = |option: &str| Decision::answer("").with("option", option).seen(&of_question);

    for unknown in [
        client.decide("function_call/c", &deny("oak")).await,
        client.decide("human_contact/q", &answer("later")).await,
    ] {
        let problem = unknown.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body");
        assert_eq!(problem.pointer(), "/option");
    }
    let denied = client.decide("function_call/c", &deny("later")).await.ok().decision.unwrap();
    assert_eq!((denied.option.as_deref(), denied.comment.as_str()), (Some("later"), "not now"));
    let answered = client.decide("human_contact/q", &answer("oak")).await.ok().decision.unwrap();
    assert_eq!((answered.option.as_deref(), answered.answer.as_str()), (Some("oak"), "Oak"));
    world.finish().await;
}

#[tokio::test]
async fn a_cancelled_operation_stays_cancelled() {
    let world = World::start().await;
    let client = world.client();
    let seen = client.created(&call("c", "charge")).await.digest;

    let cancelled = client.cancel("function_call/c", "sold").await;
    let operation = cancelled.ok();
    assert_eq!(operation.state, "cancelled");
    assert_eq!(operation.history[1].detail, Some(json!({"reason": "sold"})));
    let call = client.function_call("c").await;
    assert_eq!(call["status"]["comment"], "cancelled: sold");

    let again = client.command::<OperationReply>("/v1/operations/function_call/c/cancel").await;
    again.ok();
    assert_eq!(again.reply.text, cancelled.reply.text);
    let late = client.decide("function_call/c", &Decision::approve().seen(&seen)).await;
    late.refused(StatusCode::CONFLICT, "already_decided");
    world.finish().await;
}

#[tokio::test]
async fn a_decided_or_expired_operation_cannot_be_cancelled() {
    let world = World::start().await;
    let client = world.client();
    let seen = client.created(&call("denied", "f")).await.digest;
    client.decide("function_call/denied", &Decision::deny().seen(&seen)).await.ok();
    client.created(&call("expired", "charge")).await;
    world.advance(Duration::from_secs(3601));

    let late = client.cancel("function_call/denied", "").await;
    late.refused(StatusCode::CONFLICT, "already_decided");
    let late = client.cancel("function_call/expired", "").await;
    late.refused(StatusCode::CONFLICT, "expired");

    assert_eq!(client.operation("function_call/expired").await.state, "expired");
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn another_project_does_not_find_an_operation() {
    let world = World::start().await;
    let seen = world.client().created(&call("c", "f")).await.digest;
    let key = world.key(Role::Admin, OTHER).await;
    let other = world.client_with(&key);

    for path in ["function_call/c", "human_contact/c", "dance/c"] {
        let found = other.get::<OperationReply>(&format!("{PATH}/{path}")).await;
        found.refused(StatusCode::NOT_FOUND, "not_found");
    }
    let decided = other.decide("function_call/c", &Decision::approve().seen(&seen)).await;
    decided.refused(StatusCode::NOT_FOUND, "not_found");
    other.cancel("function_call/c", "").await.refused(StatusCode::NOT_FOUND, "not_found");
    let listed = other.get::<List<OperationSummary>>(PATH).await.ok();
    assert_eq!((listed.items, listed.next), (vec![], None));

    assert_eq!(world.client().operation("function_call/c").await.state, "pending");
    world.finish().await;
}

#[tokio::test]
async fn a_poll_is_held_until_the_decision_only_if_the_client_requests_it() {
    let world = World::building().secret("PLACET_LONG_POLL", "8s").start().await;
    let client = world.client();
    client.created(&call("c", "f")).await;
    assert_eq!(client.operation("function_call/c").await.state, "pending");
    let (held, _) =
        tokio::join!(client.operation("function_call/c?wait=25"), world.respond("c", false));
    assert_eq!(held.state, "denied");
    world.finish().await;
}

//! Cases in which two rules meet: many operations, nulls and absent members, other projects, upstream
//! approvers.

use aws_sdk_dynamodb::types::AttributeValue;
use http::StatusCode;
use placet_core::operation::OperationId;
use placet_core::{Digest, Timestamp};
use placet_runtime::{Role, key};
use serde_json::{Value, json};

use crate::client::{Draft, WebhookReply, call, question};
use crate::receiver::{Receiver, Reply};
use crate::request;
use crate::world::{KEY, OTHER, PROJECT, World};

async fn create(world: &World, draft: &Draft) -> request::Reply {
    let created = world.client().request_approval(draft).await;
    assert_eq!(created.status, StatusCode::OK, "{}", created.text);
    created
}

/// The pending operations in HumanLayer's API.
async fn pending(world: &World, kinds: &str, query: &str) -> Value {
    let path = format!("/humanlayer/v1/agent/{kinds}/pending{query}");
    world.get(&path).key(KEY).send().await.json()
}

#[tokio::test]
async fn a_pending_question_is_listed_also_when_many_calls_wait() {
    let world = World::building().secret("PLACET_WRITES_PER_SECOND", "1000").start().await;
    for n in 0..260 {
        world.create(&format!("c{n}"), "charge").await;
    }
    create(&world, &question("q", "m")).await;
    for n in 0..60 {
        world.create(&format!("d{n}"), "other").await;
    }
    let questions = pending(&world, "human_contacts", "").await;
    assert_eq!((&questions["total"], &questions["items"][0]["call_id"]), (&json!(1), &json!("q")));
    let calls = pending(&world, "function_calls", "?limit=100&offset=200").await;
    assert_eq!((&calls["total"], &calls["has_more"]), (&json!(320), &json!(true)));
    let inbox = world.page("/inbox").await.text;
    let (_, more) = inbox.split_once("<p class=\"more\"><a href=\"").unwrap();
    let (more, _) = more.split_once('"').unwrap();
    let more = world.page(&more.replace("&#38;", "&")).await.text;
    assert_eq!((inbox.matches("<li>").count(), more.matches("<li>").count()), (100, 100));
    assert!(inbox.contains("(321) For you") && more.contains("(100+) For you"), "{more}");
    world.finish().await;
}

/// A response of Lambda has 6 MB at most.
#[tokio::test]
async fn a_page_of_pending_calls_fits_into_a_lambda_response() {
    let world = World::start().await;
    let text = "x".repeat(180_000);
    for n in 0..40 {
        let large = call(&format!("c{n}"), "f").with("kwargs", json!({"text": text}));
        create(&world, &large).await;
    }
    let page = pending(&world, "function_calls", "").await;
    let shown = page["items"].as_array().unwrap().len();
    assert!((20..30).contains(&shown), "{shown}");
    assert_eq!((&page["total"], &page["has_more"]), (&json!(40), &json!(true)));
    world.finish().await;
}

/// HumanLayer's TypeScript client leaves out what its Python client sends as null.
#[tokio::test]
async fn a_null_in_a_creation_equals_an_absent_member() {
    let world = World::start().await;
    let create = async |body: Value| {
        let created = world.post("/humanlayer/v1/function_calls").key(KEY).json(&body).send().await;
        assert_eq!(created.status, StatusCode::OK, "{}", created.text);
    };
    let spec = json!({"fn": "f", "kwargs": {}, "reject_options": [{"name": "later"}]});
    create(json!({"run_id": "r", "call_id": "c", "spec": spec})).await;
    let option = json!({"name": "later", "title": null, "description": null, "prompt_fill": null,
        "interactive": false});
    let spec = json!({"fn": "f", "kwargs": {}, "reject_options": [option], "channel": null,
        "state": null});
    create(json!({"run_id": "r", "call_id": "c", "spec": spec, "status": null})).await;
    assert_eq!(world.operation("c").await.header.version, 1);
    world.finish().await;
}

#[tokio::test]
async fn an_approver_can_choose_an_offered_option() {
    let world = World::start().await;
    let offering = |length: usize| {
        question("q", "m").with("response_options", json!([{"name": "n".repeat(length)}]))
    };
    let refused = world.client().request_approval(&offering(256)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    create(&world, &offering(255)).await;
    let chosen = json!({"response_option_name": "n".repeat(255)});
    assert_eq!(world.client().answer("q", &chosen).await.status, StatusCode::OK);
    world.finish().await;
}

/// The options of a call are reasons for a denial.
#[tokio::test]
async fn an_approval_takes_no_comment_from_an_option() {
    let world = World::start().await;
    let options = json!([{"name": "later", "prompt_fill": "do not do this now"}]);
    create(&world, &call("c", "f").with("reject_options", options)).await;
    let path = "/humanlayer/v1/agent/function_calls/c/respond";
    let approve = json!({"approved": true, "reject_option_name": "later"});
    let status = world.post(path).key(KEY).json(&approve).send().await.json()["status"].clone();
    assert_eq!((&status["approved"], &status["comment"]), (&json!(true), &json!("")));
    assert_eq!(status["reject_option_name"], Value::Null);
    world.finish().await;
}

/// The condition of every write would fail, so the read must find the change.
#[tokio::test]
async fn an_operation_whose_digest_was_changed_is_refused_after_one_read() {
    let world = World::start().await;
    world.create("c", "f").await;
    let pk = key::operation_pk(&OperationId::call(PROJECT, "c"));
    let mut row = world.row(&pk, "item").await.unwrap();
    row.insert("digest".to_owned(), AttributeValue::B(vec![0; 32].into()));
    world.put_row(row).await;
    world.faults.reset();
    let refused = world.respond("c", true).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(world.faults.calls().len(), 1);
    world.abandon();
}

#[tokio::test]
async fn the_inbox_address_of_an_operation_leads_to_it() {
    let world = World::start().await;
    let key = world.key(Role::Admin, OTHER).await;
    world.create("same", "harmless").await;
    let created = world.client_with(&key).created(&call("same", "wipe_disk")).await;
    let page = world.page(&created.inbox).await;
    assert!(page.text.contains("wipe_disk"), "{}", page.text);
    world.finish().await;
}

#[tokio::test]
async fn the_inbox_address_of_a_purchase_is_encoded_and_names_its_project() {
    let world = World::start().await;
    let other = world.key(Role::Admin, OTHER).await;
    let purchase = world
        .post("/purchase-materials")
        .key(&other)
        .header("origin", "https://elsewhere.example")
        .header("idempotency-key", "p;\"1")
        .json(&json!({}))
        .send()
        .await;
    let address = purchase.json()["inbox"].as_str().unwrap().to_owned();
    assert!(address.ends_with("?project=other") && !address.contains('"'), "{address}");
    assert_eq!(world.page(&address).await.status, StatusCode::OK);
    world.finish().await;
}

/// A world with this server as upstream approver of every operation.
async fn with_upstream(server: &Receiver) -> World {
    let base_url = format!("http://127.0.0.1:{}/humanlayer/v1", server.port);
    let approver =
        format!("approver: {{humanlayer: {{base_url: '{base_url}', api_key: env:THEIRS}}}}");
    let channels = "channels: {17: {email: {address: a@example.com}}}";
    World::building().defaults(&approver).sections(channels).secret("THEIRS", "k").start().await
}

#[tokio::test]
async fn an_upstream_approver_gets_the_channel_and_not_its_local_id() {
    let server = Receiver::start().await;
    let world = with_upstream(&server).await;
    server.answers([Reply::Status(404), Reply::Status(422)]);
    create(&world, &call("c", "f").with("channel", json!({"channel_id": 17}))).await;
    world.work().await;
    let sent: Value = serde_json::from_slice(&server.received()[1].body).unwrap();
    assert_eq!(sent["spec"]["channel"], json!({"email": {"address": "a@example.com"}}));
    world.finish().await;
}

#[tokio::test]
async fn a_question_that_expired_upstream_is_not_answered_here() {
    let server = Receiver::start().await;
    let world = with_upstream(&server).await;
    let mut expired = question("q", "m").humanlayer();
    expired["status"] = json!({
        "requested_at": "2026-11-18T11:06:40.000Z",
        "responded_at": "2026-11-18T11:06:41.000Z",
        "response": "expired: nobody answered before 2026-11-18T11:06:41.000Z",
        "response_option_name": null,
        "unanswered": "expired",
    });
    server.answers([Reply::Body(200, expired.to_string().into_bytes())]);
    create(&world, &question("q", "m")).await;
    world.work().await;
    assert_eq!(server.received().len(), 1);
    assert_eq!(world.client().operation("human_contact/q").await.state, "pending");
    world.finish().await;
}

#[tokio::test]
async fn an_operation_shows_whether_its_notification_was_delivered() {
    let receiver = Receiver::start().await;
    let events = "events: [function_call.completed]";
    let world = World::building().endpoint("app", &receiver, events).start().await;
    world.create("c", "f").await;
    let webhook = async || -> WebhookReply {
        world.client().operation("function_call/c").await.webhooks.remove(0)
    };
    assert_eq!(webhook().await.state, None);
    world.respond("c", false).await;
    assert_eq!(webhook().await.state, None);
    world.work().await;
    let WebhookReply { state, delivery_id, .. } = webhook().await;
    assert_eq!(state.as_deref(), Some("delivered"));
    world.forget(&format!("delivery#{PROJECT}#{delivery_id}"), "item").await;
    assert_eq!(webhook().await.state.as_deref(), Some("no_longer_kept"));
    world.finish().await;
}

/// As docs/API.md says: anyone who has the last hash can check all entries before it.
#[tokio::test]
async fn the_hashes_of_a_shown_history_can_be_checked() {
    let world = World::start().await;
    world.approved("c", "charge").await;
    world.settle().await;
    let read = world.client().get::<Value>("/v1/operations/function_call/c").await.ok();
    let history = read["history"].as_array().unwrap();
    assert_eq!(history.len(), 4);
    let mut before = json!(Digest::of_json(&json!([PROJECT, "function_call", "c"])));
    for entry in history {
        let at = Timestamp::parse(entry["at"].as_str().unwrap()).unwrap().millis();
        let chained = json!({"before": before, "at": at, "event": entry["event"],
            "by": entry["by"], "detail": entry["detail"]});
        before = json!(Digest::of_json(&chained));
        assert_eq!(before, entry["hash"]);
    }
    world.finish().await;
}

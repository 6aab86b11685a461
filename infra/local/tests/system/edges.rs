//! Where two rules meet: many operations at once, nulls and absence, other projects, other servers, what
//! was stored before.

use aws_sdk_dynamodb::types::AttributeValue;
use http::StatusCode;
use placet_core::{Digest, State, Timestamp};
use placet_local::engines::{TABLE, http_client};
use placet_runtime::{ApiKey, Role, key_digest};
use serde_json::{Value, json};

use crate::receiver::{Receiver, Reply};
use crate::world::{KEY, TENANT, WEBHOOK_SECRET, World};

const CALLS: &str = "/humanlayer/v1/function_calls";
const CONTACTS: &str = "/humanlayer/v1/contact_requests";

async fn ask(world: &World, path: &str, key: &str, body: &Value) -> crate::ask::Answer {
    world.post(path).key(key).json(body).send().await
}

#[tokio::test]
async fn pending_questions_are_listed_however_many_calls_wait() {
    let world = World::start().await;
    for n in 0..260 {
        world.create(&format!("c{n}"), "charge").await;
    }
    let q = json!({"run_id": "r", "call_id": "q", "spec": {"msg": "m"}});
    assert_eq!(ask(&world, CONTACTS, KEY, &q).await.status, StatusCode::OK);
    for n in 0..60 {
        world.create(&format!("d{n}"), "other").await;
    }
    let list = |name: &'static str| world.get(name).key(KEY).send();
    let calls =
        list("/humanlayer/v1/agent/function_calls/pending?limit=100&offset=200").await.json();
    let contacts = list("/humanlayer/v1/agent/human_contacts/pending").await.json();
    let page = world.get("/inbox").page().send().await;
    assert_eq!((&contacts["total"], &contacts["items"][0]["call_id"]), (&json!(1), &json!("q")));
    assert_eq!((&calls["total"], &calls["has_more"]), (&json!(320), &json!(true)));
    assert!(page.text.contains("121 more wait"), "{}", page.text);
    world.finish().await;
}

#[tokio::test]
async fn four_nulls_get_the_channel_of_the_key() {
    let world = World::with("channels: {17: {email: {address: a@example.com}}}", &[]).await;
    let api_key = ApiKey { channel: Some(17), ..ApiKey::new(TENANT, "k", world.clock.now()) };
    world.system.runtime.store.put_api_key(key_digest("k"), &api_key).await.unwrap();
    let nulls = json!({"slack": null, "sms": null, "whatsapp": null, "email": null});
    let body =
        json!({"run_id": "r", "call_id": "c", "spec": {"fn": "f", "kwargs": {}, "channel": nulls}});
    let made = ask(&world, CALLS, "k", &body).await.json();
    assert_eq!(made["spec"]["channel"], json!({"channel_id": 17}));
    world.finish().await;
}

#[tokio::test]
async fn nulls_in_options_are_absence() {
    let world = World::start().await;
    let ts = json!({"run_id": "r", "call_id": "c", "spec": {"fn": "f", "kwargs": {}, "reject_options": [{"name": "later"}]}});
    let python = json!({"run_id": "r", "call_id": "c", "status": null, "spec": {"fn": "f", "kwargs": {}, "channel": null, "state": null,
        "reject_options": [{"name": "later", "title": null, "description": null, "prompt_fill": null, "interactive": false}]}});
    assert_eq!(ask(&world, CALLS, KEY, &ts).await.status, StatusCode::OK);
    let again = ask(&world, CALLS, KEY, &python).await;
    assert_eq!(again.status, StatusCode::OK);
    world.finish().await;
}

#[tokio::test]
async fn a_stored_channel_is_not_asked_for_elsewhere_by_our_number() {
    let server = Receiver::start().await;
    let config = format!("
channels: {{17: {{email: {{address: a@example.com}}}}}}
defaults: {{approver: {{humanlayer: {{base_url: 'http://127.0.0.1:{}/humanlayer/v1', api_key: env:THEIRS}}}}}}
outbound: {{allow_hosts: [127.0.0.1]}}", server.port);
    let world = World::with(&config, &[("THEIRS", "k")]).await;
    server.answers([Reply::Status(404), Reply::Status(422)]);
    let body = json!({"run_id": "r", "call_id": "c", "spec": {"fn": "f", "kwargs": {}, "channel": {"channel_id": 17}}});
    assert_eq!(ask(&world, CALLS, KEY, &body).await.status, StatusCode::OK);
    world.work().await;
    let sent: Value = serde_json::from_slice(&server.received()[1].body).unwrap();
    assert_eq!(sent["spec"]["channel"], json!({"email": {"address": "a@example.com"}}));
    world.finish().await;
}

#[tokio::test]
async fn a_page_of_pending_calls_fits_into_an_answer_of_lambda() {
    let world = World::start().await;
    let text = "x".repeat(180_000);
    for n in 0..40 {
        let body = json!({"run_id": "r", "call_id": format!("c{n}"), "spec": {"fn": "f", "kwargs": {"text": text}}});
        assert_eq!(ask(&world, CALLS, KEY, &body).await.status, StatusCode::OK);
    }
    let page = world.get("/humanlayer/v1/agent/function_calls/pending").key(KEY).send().await;
    let page = page.json();
    let shown = page["items"].as_array().unwrap().len();
    assert!((20..30).contains(&shown), "{shown}");
    assert_eq!((&page["total"], &page["has_more"]), (&json!(40), &json!(true)));
    world.finish().await;
}

#[tokio::test]
async fn every_option_that_is_offered_can_be_chosen() {
    let world = World::start().await;
    for (length, status) in [(255, StatusCode::OK), (256, StatusCode::UNPROCESSABLE_ENTITY)] {
        let (id, name) = (format!("q{length}"), "n".repeat(length));
        let spec = json!({"msg": "m", "response_options": [{"name": name}]});
        let body = json!({"run_id": "r", "call_id": id, "spec": spec});
        assert_eq!(ask(&world, CONTACTS, KEY, &body).await.status, status);
    }
    let path = "/humanlayer/v1/agent/human_contacts/q255/respond";
    let said = json!({"response_option_name": "n".repeat(255)});
    assert_eq!(ask(&world, path, KEY, &said).await.status, StatusCode::OK);
    world.finish().await;
}

#[tokio::test]
async fn an_approval_does_not_say_what_a_denial_would() {
    let world = World::start().await;
    let body = json!({"run_id": "r", "call_id": "c", "spec": {"fn": "f", "kwargs": {}, "reject_options": [{"name": "later", "prompt_fill": "do not do this now"}]}});
    ask(&world, CALLS, KEY, &body).await;
    let path = "/humanlayer/v1/agent/function_calls/c/respond";
    let said =
        ask(&world, path, KEY, &json!({"approved": true, "reject_option_name": "later"})).await;
    let status = said.json()["status"].clone();
    assert_eq!((&status["approved"], &status["comment"]), (&json!(true), &json!("")));
    assert_eq!(status["reject_option_name"], Value::Null);
    world.finish().await;
}

#[tokio::test]
async fn a_changed_digest_is_refused_at_once() {
    let world = World::start().await;
    world.create("c", "f").await;
    let client = world.system.engines.dynamodb_client(http_client());
    let pk = AttributeValue::S(format!("T#{TENANT}#OP#function_call#c"));
    let sk = AttributeValue::S("OP".to_owned());
    let item =
        client.get_item().table_name(TABLE).key("pk", pk).key("sk", sk).send().await.unwrap();
    let mut item = item.item.unwrap();
    item.insert("digest".to_owned(), AttributeValue::B(vec![0; 32].into()));
    client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    let before = world.faults.calls().len();
    let refused = world.respond("c", true).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(world.faults.calls().len() - before, 1, "one read");
    world.finish().await;
}

#[tokio::test]
async fn the_inbox_address_of_an_operation_leads_to_it() {
    let world = World::start().await;
    let other = world.key(Role::Both, crate::world::OTHER).await;
    world.create("same", "harmless").await;
    let body =
        json!({"kind": "function_call", "run_id": "r", "call_id": "same", "fn": "wipe_disk"});
    let made = world.post("/v1/operations").key(&other).json(&body).send().await.json();
    let page = world.get(made["inbox"].as_str().unwrap()).page().send().await;
    assert!(page.text.contains("wipe_disk"));
    world.finish().await;
}

#[tokio::test]
async fn the_inbox_address_of_a_purchase_leads_to_it() {
    let world = World::start().await;
    let other = world.key(Role::Both, crate::world::OTHER).await;
    let made = world
        .post("/purchase-materials")
        .key(&other)
        .header("origin", "https://elsewhere.example")
        .header("idempotency-key", "p;\"1")
        .json(&json!({}))
        .send()
        .await;
    let made = made.json();
    let address = made["inbox"].as_str().unwrap().to_owned();
    assert!(address.ends_with("?project=other") && !address.contains('"'), "{address}");
    world.finish().await;
}

#[tokio::test]
async fn nobody_is_said_to_have_answered_who_did_not() {
    let server = Receiver::start().await;
    let config = format!("
defaults: {{approver: {{humanlayer: {{base_url: 'http://127.0.0.1:{}/humanlayer/v1', api_key: env:THEIRS}}}}}}
outbound: {{allow_hosts: [127.0.0.1]}}", server.port);
    let world = World::with(&config, &[("THEIRS", "k")]).await;
    let expired = json!({"run_id": "r", "call_id": "q", "spec": {"msg": "m"},
        "status": {"requested_at": "2026-11-18T11:06:40.000Z", "responded_at": "2026-11-18T11:06:41.000Z",
                   "response": "expired: nobody answered before 2026-11-18T11:06:41.000Z", "response_option_name": null, "unanswered": "expired"}});
    server.answers([Reply::Body(200, expired.to_string().into_bytes())]);
    let body = json!({"run_id": "r", "call_id": "q", "spec": {"msg": "m"}});
    ask(&world, CONTACTS, KEY, &body).await;
    world.work().await;
    let read = world.get("/v1/operations/human_contact/q").key(KEY).send().await.json();
    assert_ne!(read["state"], "answered");
    world.finish().await;
}

#[tokio::test]
async fn a_webhook_that_was_delivered_does_not_read_as_never_sent() {
    let receiver = Receiver::start().await;
    let config = format!(
        "
endpoints: {{app: {{url: 'http://127.0.0.1:{}/app', secrets: [env:S], events: [function_call.completed]}}}}
outbound: {{allow_hosts: [127.0.0.1]}}",
        receiver.port
    );
    let world = World::with(&config, &[("S", WEBHOOK_SECRET)]).await;
    world.create("c", "f").await;
    let look = async || {
        let read = world.get("/v1/operations/function_call/c").key(KEY).send().await.json();
        read["webhooks"][0].clone()
    };
    assert_eq!(look().await["state"], Value::Null);
    world.respond("c", false).await;
    assert_eq!(look().await["state"], Value::Null);
    world.work().await;
    let told = look().await;
    assert_eq!(told["state"], "delivered");
    let id = told["delivery_id"].as_str().unwrap();
    world.forget(&format!("T#{TENANT}#DL#{id}"), "DL").await;
    assert_eq!(look().await["state"], "no_longer_kept");
    world.finish().await;
}

/// As release 0.1 stored an approved call: an attribute for each field, the digest as text.
#[tokio::test]
async fn what_was_stored_before_operations_were_compressed_goes_on() {
    let world = World::start().await;
    world.approved("c", "charge").await;
    let operation = world.operation("c").await;
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let json = |value: Value| AttributeValue::S(value.to_string());
    let number = |value: String| AttributeValue::N(value);
    let due = format!("{:015}", operation.due.unwrap().millis());
    let item = [
        ("pk", text(&format!("T#{TENANT}#OP#function_call#c"))),
        ("sk", text("OP")),
        ("list_pk", text(&format!("T#{TENANT}#LIST#function_call"))),
        ("list_sk", text(&format!("{:015}#c", operation.created_at.millis()))),
        ("due_pk", text(&format!("T#{TENANT}#DUE"))),
        ("due_sk", text(&due)),
        ("tenant", text(TENANT)),
        ("kind", text("function_call")),
        ("call_id", text("c")),
        ("run_id", text("run")),
        ("fn", text("charge")),
        ("kwargs", text(r#"{"amount":7}"#)),
        ("extras", text("{}")),
        ("plan", json(json!(operation.plan))),
        ("digest", text(&operation.digest.to_string())),
        ("created_at", number(operation.created_at.millis().to_string())),
        ("deadline", number(operation.deadline.millis().to_string())),
        ("state", text("queued")),
        ("version", number("2".to_owned())),
        ("last_write", text(&operation.last_write)),
        ("decision", json(json!(operation.decision))),
        ("attempts", number("0".to_owned())),
        ("attempt_limit", number("5".to_owned())),
        ("unclear", text("false")),
        ("history", json(json!(operation.history))),
    ];
    world.put(item).await;
    assert_eq!(world.operation("c").await, operation);
    world.settle().await;
    assert_eq!(world.ended("c").await, (State::Succeeded, 1));
    world.finish().await;
}

/// As docs/API.md says: whoever has the last hash can check everything before it.
#[tokio::test]
async fn the_history_that_is_shown_proves_itself() {
    let world = World::start().await;
    world.approved("c", "charge").await;
    world.settle().await;
    let read = world.get("/v1/operations/function_call/c").key(KEY).send().await.json();
    let history = read["history"].as_array().unwrap();
    assert_eq!(history.len(), 4);
    let mut before = json!(Digest::of_json(&json!([TENANT, "function_call", "c"])));
    for entry in history {
        let at = Timestamp::parse(entry["at"].as_str().unwrap()).unwrap().millis();
        let chained = json!({"before": before, "at": at, "event": entry["event"], "by": entry["by"],
            "detail": entry["detail"], "write": entry["write"]});
        before = json!(Digest::of_json(&chained));
        assert_eq!(before, entry["hash"]);
    }
    world.finish().await;
}

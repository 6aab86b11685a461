//! HumanLayer's API beyond what the foreign clients show: channels, escalations, held polls.

use http::StatusCode;
use placet_runtime::{ApiKey, Role, key_digest};
use serde_json::{Value, json};

use crate::world::{KEY, OTHER, TENANT, World};

const CHANNELS: &str = "
channels:
  17: {slack: {channel_or_user_id: C1}}
  18: {project: other, email: {address: a@example.com}}
";

async fn create(world: &World, key: &str, call_id: &str, channel: Value) -> (StatusCode, Value) {
    let body =
        json!({"run_id": "run", "call_id": call_id, "spec": {"msg": "Which?", "channel": channel}});
    let sent = world.post("/humanlayer/v1/human_contacts").key(key).json(&body).send().await;
    (sent.status, sent.json())
}

#[tokio::test]
async fn a_stored_channel_is_named_by_number_and_belongs_to_a_project() {
    assert_eq!(OTHER, "other");
    let world = World::with(CHANNELS, &[]).await;
    let channel = async |id: &str| {
        world.get(&format!("/humanlayer/v1/contact_channel/{id}")).key(KEY).send().await
    };
    let found = channel("17").await.json();
    assert_eq!(found, json!({"id": 17, "org_slug": "placet", "project_slug": TENANT}));
    for other in ["18", "19", "x", "-1"] {
        assert_eq!(channel(other).await.status, StatusCode::NOT_FOUND, "{other}");
    }
    let (status, asked) = create(&world, KEY, "a", json!({"channel_id": 17})).await;
    assert_eq!((status, &asked["spec"]["channel"]), (StatusCode::OK, &json!({"channel_id": 17})));
    for id in [18, 19] {
        let (status, refused) = create(&world, KEY, "b", json!({"channel_id": id})).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused["detail"][0]["loc"], json!(["body", "spec", "channel", "channel_id"]));
    }
    world.finish().await;
}

#[tokio::test]
async fn what_a_key_with_a_channel_asks_goes_there_unless_it_says_otherwise() {
    let world = World::with(CHANNELS, &[]).await;
    let key = ApiKey {
        channel: Some(17),
        role: Role::Agent,
        ..ApiKey::new(TENANT, "k", world.clock.now())
    };
    world.system.runtime.store.put_api_key(key_digest("channel-key"), &key).await.unwrap();
    let (_, own) = create(&world, "channel-key", "a", Value::Null).await;
    assert_eq!(own["spec"]["channel"], json!({"channel_id": 17}));
    let email = json!({"email": {"address": "b@example.com"}});
    let (_, other) = create(&world, "channel-key", "b", email.clone()).await;
    assert_eq!(other["spec"]["channel"], email);
    world.finish().await;
}

#[tokio::test]
async fn an_escalation_is_written_down_with_all_who_are_to_be_told() {
    let world = World::start().await;
    let own = json!({"email": {"address": "ops@example.com", "additional_recipients": [{"address": "duty@example.com"}]}});
    create(&world, KEY, "a", own).await;
    let escalate = async |body: Value| {
        let path = "/humanlayer/v1/agent/human_contacts/a/escalate_email";
        world.post(path).key(KEY).json(&body).send().await
    };
    let more = json!([{"address": "boss@example.com", "field": "cc"}]);
    let ceo = json!({"email": {"address": "ceo@example.com"}});
    let both = json!({"escalation_msg": "hurry", "additional_recipients": more, "channel": ceo});
    for body in [json!({"escalation_msg": "still waiting"}), both] {
        let escalated = escalate(body).await;
        assert_eq!(escalated.status, StatusCode::OK, "{}", escalated.text);
        assert_eq!(escalated.json()["status"].get("response"), None);
    }
    let id = placet_core::OperationId::new(TENANT, placet_core::Kind::HumanContact, "a");
    let operation = world.system.runtime.store.operation(&id, true).await.unwrap().unwrap();
    let escalations: Vec<_> = operation
        .history
        .entries()
        .iter()
        .filter(|entry| entry.event == "escalated")
        .map(|entry| entry.detail["recipients"].clone())
        .collect();
    assert_eq!(
        escalations,
        [
            json!(["ops@example.com", "duty@example.com"]),
            json!(["ceo@example.com", "boss@example.com", "duty@example.com"]),
        ]
    );
    for number in 0..8 {
        assert_eq!(
            escalate(json!({"escalation_msg": "x"})).await.status,
            StatusCode::OK,
            "{number}"
        );
    }
    let enough = escalate(json!({"escalation_msg": "x"})).await;
    assert_eq!(enough.status, StatusCode::CONFLICT, "{}", enough.text);
    let answer = world.post("/humanlayer/v1/agent/human_contacts/a/respond").key(KEY);
    assert_eq!(answer.json(&json!({"response": "sdb"})).send().await.status, StatusCode::OK);
    let late = escalate(json!({"escalation_msg": "x"})).await;
    assert_eq!((late.status, &late.json()["status"]["response"]), (StatusCode::OK, &json!("sdb")));
    world.finish().await;
}

#[tokio::test]
async fn a_held_client_is_answered_when_there_is_a_decision_or_the_process_ends() {
    let world = World::with_environment(&[("PLACET_LONG_POLL", "25s")]).await;
    let get = async |call_id: &str, query: &str| {
        let path = format!("/humanlayer/v1/function_calls/{call_id}{query}");
        world.get(&path).key(KEY).send().await
    };
    world.create("call-1", "nothing_runs_this").await;
    assert_eq!(get("call-1", "?wait=0").await.json()["status"].get("approved"), None);
    let (held, _) = tokio::join!(get("call-1", ""), world.respond("call-1", false));
    assert_eq!(held.json()["status"]["approved"], false);
    world.create("call-2", "nothing_runs_this").await;
    let (held, ()) = tokio::join!(get("call-2", "?wait=25"), async {
        tokio::task::yield_now().await;
        world.system.approval.end_polls();
    });
    assert_eq!((held.status, held.json()["status"].get("approved")), (StatusCode::OK, None));
    assert_eq!(get("call-2", "").await.status, StatusCode::OK, "nobody is held any more");
    for wrong in ["?wait=26", "?wait=-1", "?wait=x", "?wait=NaN", "?weight=1", "?wait=1&wait=2"] {
        let refused = get("call-2", wrong).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert!(refused.json()["detail"].is_string());
    }
    world.finish().await;
}

#[tokio::test]
async fn where_polls_are_not_held_asking_for_it_changes_nothing() {
    let world = World::start().await;
    world.create("call-1", "nothing_runs_this").await;
    let read = world.get("/humanlayer/v1/function_calls/call-1?wait=25").key(KEY).send().await;
    assert_eq!(read.json()["status"].get("approved"), None);
    world.finish().await;
}

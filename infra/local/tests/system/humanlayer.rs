//! HumanLayer's API where the foreign clients do not test it: channels, escalations, held polls.

use http::StatusCode;
use placet_runtime::{ApiKey, Role};
use serde_json::{Value, json};

use crate::client::{Draft, question};
use crate::request::Reply;
use crate::world::{KEY, PROJECT, World};

const CHANNELS: &str = "
channels:
  17: {slack: {channel_or_user_id: C1}}
  18: {project: other, email: {address: a@example.com}}
";

/// A question on this channel.
fn question_to(call_id: &str, channel: Value) -> Draft {
    question(call_id, "Which?").with("channel", channel)
}

#[tokio::test]
async fn a_stored_channel_is_found_by_its_id_in_its_project() {
    let world = World::building().sections(CHANNELS).start().await;
    let channel = async |id: &str| {
        world.get(&format!("/humanlayer/v1/contact_channel/{id}")).key(KEY).send().await
    };
    let expected = json!({"id": 17, "org_slug": "placet", "project_slug": PROJECT});
    assert_eq!(channel("17").await.json(), expected);
    for other in ["18", "19", "x", "-1"] {
        assert_eq!(channel(other).await.status, StatusCode::NOT_FOUND, "{other}");
    }
    world.finish().await;
}

#[tokio::test]
async fn an_operation_names_a_stored_channel_of_its_project() {
    let world = World::building().sections(CHANNELS).start().await;
    let client = world.client();
    let own = client.request_approval(&question_to("a", json!({"channel_id": 17}))).await.json();
    assert_eq!(own["spec"]["channel"], json!({"channel_id": 17}));
    for id in [18, 19] {
        let refused = client.request_approval(&question_to("b", json!({"channel_id": id}))).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let wrong = &refused.json()["detail"][0]["loc"];
        assert_eq!(wrong, &json!(["body", "spec", "channel", "channel_id"]));
    }
    world.finish().await;
}

#[tokio::test]
async fn an_operation_goes_to_the_channel_of_its_key_unless_it_names_another() {
    let world = World::building().sections(CHANNELS).start().await;
    let now = world.clock.now();
    let of_channel =
        ApiKey { channel: Some(17), role: Role::Agent, ..ApiKey::new(PROJECT, "k", now) };
    world.store_key("channel-key", &of_channel).await;
    let client = world.client_with("channel-key");
    let email = json!({"email": {"address": "b@example.com"}});
    let nothing = json!({"slack": null, "sms": null, "whatsapp": null, "email": null});
    for (call_id, named, expected) in [
        ("none", Value::Null, json!({"channel_id": 17})),
        ("nulls", nothing, json!({"channel_id": 17})),
        ("other", email.clone(), email),
    ] {
        let created = client.request_approval(&question_to(call_id, named)).await.json();
        assert_eq!(created["spec"]["channel"], expected, "{call_id}");
    }
    world.finish().await;
}

#[tokio::test]
async fn an_escalation_is_recorded_with_all_recipients() {
    let world = World::start().await;
    let own = json!({"email": {
        "address": "ops@example.com",
        "additional_recipients": [{"address": "duty@example.com"}],
    }});
    let create = world.post("/humanlayer/v1/human_contacts").key(KEY);
    create.json(&question_to("a", own).humanlayer()).send().await;
    for body in [
        json!({"escalation_msg": "still waiting"}),
        json!({
            "escalation_msg": "hurry",
            "additional_recipients": [{"address": "boss@example.com", "field": "cc"}],
            "channel": {"email": {"address": "ceo@example.com"}},
        }),
    ] {
        let escalated = world.client().escalate("a", &body).await;
        assert_eq!(escalated.status, StatusCode::OK, "{}", escalated.text);
        assert_eq!(escalated.json()["status"].get("response"), None);
    }
    let question = world.question("a").await;
    let details: Vec<&Value> =
        question.history.of("escalated").map(|entry| &entry.detail).collect();
    insta::assert_json_snapshot!(details, @r#"
    [
      {
        "message": "still waiting",
        "recipients": [
          "ops@example.com",
          "duty@example.com"
        ]
      },
      {
        "message": "hurry",
        "recipients": [
          "ceo@example.com",
          "boss@example.com",
          "duty@example.com"
        ]
      }
    ]
    "#);
    world.finish().await;
}

#[tokio::test]
async fn a_requester_can_escalate_ten_times_and_not_after_the_answer() {
    let world = World::start().await;
    let client = world.client();
    client.request_approval(&question("a", "Which?")).await;
    let escalate = async || client.escalate("a", &json!({"escalation_msg": "x"})).await;
    for number in 0..10 {
        assert_eq!(escalate().await.status, StatusCode::OK, "{number}");
    }
    assert_eq!(escalate().await.status, StatusCode::CONFLICT);

    client.answer("a", &json!({"response": "sdb"})).await;
    let late = escalate().await;
    assert_eq!((late.status, &late.json()["status"]["response"]), (StatusCode::OK, &json!("sdb")));
    assert_eq!(world.question("a").await.history.of("escalated").count(), 10);
    world.finish().await;
}

/// A world with long polling, and with a pending call that has no executor.
async fn with_long_polling() -> World {
    let world = World::building().secret("PLACET_LONG_POLL", "25s").start().await;
    world.create("call-1", "f").await;
    world
}

async fn poll(world: &World, query: &str) -> Reply {
    world.get(&format!("/humanlayer/v1/function_calls/call-1{query}")).key(KEY).send().await
}

/// Whether the answer to a poll has no decision.
fn is_pending(poll: &Reply) -> bool {
    poll.json()["status"].get("approved").is_none()
}

#[tokio::test]
async fn the_decision_answers_a_held_poll() {
    let world = with_long_polling().await;
    assert!(is_pending(&poll(&world, "?wait=0").await));
    let (held, _) = tokio::join!(poll(&world, ""), world.respond("call-1", false));
    assert_eq!(held.json()["status"]["approved"], false);
    world.finish().await;
}

#[tokio::test]
async fn a_held_poll_is_answered_when_the_process_ends() {
    let world = with_long_polling().await;
    let (held, ()) = tokio::join!(poll(&world, "?wait=25"), async {
        tokio::task::yield_now().await;
        world.system.approval.end_polls();
    });
    assert!(is_pending(&held));
    assert!(is_pending(&poll(&world, "").await), "the server no longer holds polls");
    world.finish().await;
}

#[tokio::test]
async fn a_poll_is_held_for_0_to_25_seconds() {
    let world = with_long_polling().await;
    for wrong in ["?wait=26", "?wait=-1", "?wait=x", "?wait=NaN", "?weight=1", "?wait=1&wait=2"] {
        let refused = poll(&world, wrong).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert!(refused.json()["detail"].is_string());
    }
    world.finish().await;
}

#[tokio::test]
async fn no_poll_is_held_if_long_polling_is_off() {
    let world = World::start().await;
    world.create("call-1", "f").await;
    assert!(is_pending(&poll(&world, "?wait=25").await));
    world.finish().await;
}

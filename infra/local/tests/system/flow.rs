//! The main job: request, decide, run once.

use std::time::Duration;

use http::{Method, StatusCode};
use placet_core::operation::State;
use placet_local::faults::Plan;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::call;
use crate::world::{KEY, World};

/// A purchase in a reply of the demo.
#[derive(Debug, Deserialize)]
struct Purchase {
    material: String,
    quantity: u32,
    state: String,
    status: String,
    inbox: String,
    comment: Option<String>,
    result: Option<Value>,
}

async fn request_purchase(world: &World, order: Value) -> Purchase {
    let reply = world.post("/purchase-materials").json(&order).send().await;
    serde_json::from_value(reply.json()).unwrap()
}

async fn purchases(world: &World) -> Vec<Purchase> {
    let list = world.get("/purchases").send().await.json();
    serde_json::from_value(list["purchases"].clone()).unwrap()
}

#[tokio::test]
async fn an_approved_purchase_is_finalised() {
    let world = World::start().await;
    let requested = request_purchase(&world, json!({})).await;
    assert_eq!((requested.material.as_str(), requested.quantity), ("wood", 10));
    assert_eq!((requested.state.as_str(), requested.result), ("pending", None));

    let decided = world.submit(&requested.inbox, "comment=go+ahead&verdict=approve").await;
    assert_eq!((decided.status, decided.location), (StatusCode::SEE_OTHER, requested.inbox));
    world.work().await;

    let purchase = purchases(&world).await.remove(0);
    assert_eq!((purchase.state.as_str(), purchase.status.as_str()), ("succeeded", "finalised"));
    assert_eq!(purchase.comment.as_deref(), Some("go ahead"));
    assert_eq!(purchase.result.unwrap()["material"], "wood");
    world.finish().await;
}

#[tokio::test]
async fn a_denied_purchase_shows_the_comment_and_does_not_run() {
    let world = World::start().await;
    let requested = request_purchase(&world, json!({"material": "oak", "quantity": 2})).await;
    world.submit(&requested.inbox, "comment=too+dear&verdict=deny").await;
    assert_eq!(world.work().await.delivered, 0);
    let purchase = purchases(&world).await.remove(0);
    assert_eq!(
        (purchase.state.as_str(), purchase.comment.as_deref()),
        ("denied", Some("too dear"))
    );
    assert_eq!(purchase.result, None);
    world.finish().await;
}

#[tokio::test]
async fn a_second_click_on_the_button_requests_nothing_new() {
    let world = World::start().await;
    let page = world.page("/purchase-materials").await;
    let form = format!("call_id={}&material=wood&quantity=10", page.hidden("call_id"));
    for _ in 0..2 {
        let clicked = world.send_form("/purchase-materials", &form).await;
        assert_eq!(
            (clicked.status, clicked.location.as_str()),
            (StatusCode::SEE_OTHER, "/purchases")
        );
    }
    assert_eq!(purchases(&world).await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn reading_changes_nothing() {
    let world = World::start().await;
    let purchase = request_purchase(&world, json!({})).await;
    let before = world.contents().await;
    for path in [
        "/",
        "/inbox",
        &purchase.inbox,
        "/purchases",
        "/purchase-materials",
        "/healthz",
        "/inbox?list=decided",
        "/inbox?list=problems",
        "/inbox/assets/app.js",
        "/inbox/assets/icon.svg",
        "/inbox/assets/style.css",
    ] {
        for method in [Method::GET, Method::HEAD] {
            world.request(method.clone(), path).page().send().await;
            world.request(method, path).send().await;
        }
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn the_requester_runs_an_approved_call_without_an_executor() {
    let world = World::start().await;
    world.create("call-1", "anything").await;
    let decided = world.respond("call-1", true).await.json();
    assert_eq!(decided["status"]["approved"], true);
    assert_eq!(world.state("call-1").await, State::Approved);
    assert_eq!(world.work().await.delivered, 0);
    world.finish().await;
}

#[tokio::test]
async fn a_pending_call_has_no_approved_member_and_a_denied_call_has_a_comment() {
    let world = World::start().await;
    let created = world.create("call-1", "f").await.json();
    assert_eq!(created["status"].get("approved"), None);
    let path = "/humanlayer/v1/agent/function_calls/call-1/respond";
    let deny = json!({"approved": false, "comment": null});
    let denied = world.post(path).key(KEY).json(&deny).send().await.json();
    assert_eq!(denied["status"]["comment"], "");
    let read = world.get("//humanlayer//v1/function_calls/call-1/").key(KEY).send().await.json();
    assert_eq!(read["status"]["approved"], false);
    world.finish().await;
}

#[tokio::test]
async fn a_call_is_decided_in_the_last_millisecond_before_its_deadline() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    world.advance(Duration::from_secs(3600));
    assert_eq!(world.respond("call-1", true).await.status, StatusCode::OK);
    world.settle().await;
    assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
    world.finish().await;
}

#[tokio::test]
async fn a_call_is_expired_from_its_deadline_on_also_before_the_timer_runs() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    world.advance(Duration::from_millis(3_600_001));
    let refused = world.respond("call-1", true).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("deadline"), "{}", refused.text);

    assert_eq!(world.state("call-1").await, State::Pending, "the timer has not run");
    let read = world.client().function_call("call-1").await;
    assert_eq!(read["status"]["approved"], false, "a client must stop polling");
    assert!(!world.page("/inbox").await.text.contains("call-1"));

    assert_eq!(world.tick().await.enqueued, 1);
    world.work().await;
    assert_eq!(world.ended("call-1").await, (State::Expired, 0));
    world.finish().await;
}

#[tokio::test]
async fn the_timer_enqueues_an_operation_whose_pointer_was_not_sent() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    // A decision reads the item, sends the pointer and writes the item.
    let (decided, reached) = world.survives(Plan::Fail(1), world.respond("call-1", true)).await;
    assert_eq!((decided.status, reached), (StatusCode::OK, true));
    assert_eq!(world.work().await.delivered, 0);
    assert_eq!(world.state("call-1").await, State::Queued);

    world.advance(Duration::from_secs(120));
    assert_eq!(world.tick().await.enqueued, 1);
    world.work().await;
    assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
    world.finish().await;
}

#[tokio::test]
async fn a_panic_in_a_function_is_an_unknown_outcome_that_a_person_settles() {
    let world = World::start().await;
    world.approved("call-1", "panics").await;
    assert_eq!(world.work().await.failed, 0, "a panic does not fail the message");
    assert_eq!(world.state("call-1").await, State::Unknown);
    assert!(world.page("/inbox?list=problems").await.text.contains("/inbox/call-1"));
    let inbox = world.page("/inbox").await.text;
    assert!(inbox.contains("<bdi>Problems</bdi> <span class=\"count\">1</span>"), "{inbox}");

    let attempt = world.page("/inbox/call-1").await.hidden("attempt");
    let fields = format!("attempt={attempt}&comment=looked&settlement=did_not_happen");
    world.submit("/inbox/call-1", &fields).await;
    assert_eq!(world.state("call-1").await, State::Failed);
    world.finish().await;
}

#[tokio::test]
async fn a_restarted_agent_finds_its_call_under_a_new_run() {
    let world = World::start().await;
    world.create("call-1", "f").await;
    let again = world.client().request_approval(&call("call-1", "f").run("another run")).await;
    assert_eq!((again.status, &again.json()["run_id"]), (StatusCode::OK, &json!("run")));
    world.finish().await;
}

#[tokio::test]
async fn a_key_does_not_help_a_site_whose_name_resolves_to_this_machine() {
    let world = World::start().await;
    let body = call("call-1", "f").humanlayer().to_string();
    let request = http::Request::post("/humanlayer/v1/function_calls")
        .header("host", "rebound.example:8000")
        .header("authorization", format!("Bearer {KEY}"))
        .body(body.into())
        .unwrap();
    let reply = world.system.front_door.call(request).await;
    assert_eq!(reply.status(), StatusCode::FORBIDDEN);
    world.finish().await;
}

/// The queues of `placet dev` are in memory: a restart loses their messages and keeps the table.
#[tokio::test]
async fn a_restart_sends_the_messages_of_items_that_rest_on_one() {
    let world = World::start().await;
    world.create("in-a-webhook", "charge").await;
    world.approved("approved", "charge").await;
    let mut body = call("in-a-webhook", "charge").humanlayer();
    body["status"] = json!({"approved": true});
    assert_eq!(world.deliver("msg_1", &body).await.status, StatusCode::OK);
    world.lose_messages().await;
    assert_eq!(world.work().await.delivered, 0);

    world.system.resume().await.unwrap();
    world.work().await;
    for call_id in ["in-a-webhook", "approved"] {
        assert_eq!(world.ended(call_id).await, (State::Succeeded, 1), "{call_id}");
    }
    world.finish().await;
}

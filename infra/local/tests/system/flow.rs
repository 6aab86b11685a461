//! The main job: ask, decide, run once.

use std::time::Duration;

use http::{Method, StatusCode};
use placet_core::State;
use serde_json::{Value, json};

use crate::world::{KEY, World};

async fn purchases(world: &World) -> Vec<Value> {
    let list = world.get("/purchases").send().await.json();
    list["purchases"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_approved_purchase_is_finalised() {
    let world = World::start().await;
    let asked = world.post("/purchase-materials").send().await.json();
    assert_eq!((&asked["material"], &asked["quantity"]), (&json!("wood"), &json!(10)));
    assert_eq!(asked["state"], "pending");

    let path = asked["inbox"].as_str().unwrap();
    let page = world.get(path).page().send().await;
    let form = format!("digest={}&comment=go+ahead&verdict=approve", page.hidden("digest"));
    let decided = world.post(path).page().form(&form).send().await;
    assert_eq!((decided.status, decided.location.as_str()), (StatusCode::SEE_OTHER, path));

    world.work().await;
    let purchase = &purchases(&world).await[0];
    assert_eq!(
        (&purchase["state"], &purchase["status"]),
        (&json!("succeeded"), &json!("finalised"))
    );
    assert_eq!(purchase["comment"], "go ahead");
    assert_eq!(purchase["result"]["material"], "wood");
    world.finish().await;
}

#[tokio::test]
async fn a_denied_purchase_shows_the_comment_and_nothing_runs() {
    let world = World::start().await;
    let order = json!({"material": "oak", "quantity": 2});
    let asked = world.post("/purchase-materials").json(&order).send().await.json();
    let path = asked["inbox"].as_str().unwrap();
    let page = world.get(path).page().send().await;
    let form = format!("digest={}&comment=too+dear&verdict=deny", page.hidden("digest"));
    world.post(path).page().form(&form).send().await;

    assert_eq!(world.work().await.delivered, 0);
    let purchase = &purchases(&world).await[0];
    assert_eq!((&purchase["state"], &purchase["comment"]), (&json!("denied"), &json!("too dear")));
    assert_eq!(purchase.get("result"), None);
    world.finish().await;
}

#[tokio::test]
async fn reading_never_changes_anything() {
    let world = World::start().await;
    let asked = world.post("/purchase-materials").send().await.json();
    let before = world.contents().await;
    let inbox = asked["inbox"].as_str().unwrap();
    for path in
        ["/", "/inbox", inbox, "/purchases", "/purchase-materials", "/healthz", "/inbox/style.css"]
    {
        for method in [Method::GET, Method::HEAD] {
            world.ask(method.clone(), path).page().send().await;
            world.ask(method, path).send().await;
        }
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_second_click_on_the_button_asks_for_nothing_new() {
    let world = World::start().await;
    let page = world.get("/purchase-materials").page().send().await;
    let form = format!("call_id={}&material=wood&quantity=10", page.hidden("call_id"));
    for _ in 0..2 {
        let clicked = world.post("/purchase-materials").page().form(&form).send().await;
        assert_eq!(
            (clicked.status, clicked.location.as_str()),
            (StatusCode::SEE_OTHER, "/purchases")
        );
    }
    assert_eq!(purchases(&world).await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_call_without_executor_is_decided_and_left_to_the_asker() {
    let world = World::start().await;
    world.create("call-1", "anything").await;
    let answered = world.respond("call-1", true).await.json();
    assert_eq!(answered["status"]["approved"], true);
    assert_eq!(world.state("call-1").await, State::Approved);
    assert_eq!(world.work().await.delivered, 0);
    world.finish().await;
}

#[tokio::test]
async fn pending_is_not_false_and_a_denial_has_a_comment() {
    let world = World::start().await;
    let created = world.create("call-1", "f").await.json();
    assert_eq!(created["status"].get("approved"), None);
    let path = "/humanlayer/v1/agent/function_calls/call-1/respond";
    let denied =
        world.post(path).key(KEY).json(&json!({"approved": false, "comment": null})).send().await;
    assert_eq!(denied.json()["status"]["comment"], "");
    let read = world.get("//humanlayer//v1/function_calls/call-1/").key(KEY).send().await.json();
    assert_eq!(read["status"]["approved"], false);
    world.finish().await;
}

#[tokio::test]
async fn one_millisecond_after_the_deadline_nothing_can_be_decided() {
    let world = World::start().await;
    for call_id in ["in-time", "too-late"] {
        world.create(call_id, "charge").await;
    }
    world.advance(Duration::from_secs(3600));
    assert_eq!(world.respond("in-time", true).await.status, StatusCode::OK);
    world.advance(Duration::from_millis(1));
    let refused = world.respond("too-late", true).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("deadline"), "{}", refused.text);
    assert_eq!(world.state("too-late").await, State::Pending, "the timer has not run");

    let read = world.get("/humanlayer/v1/function_calls/too-late").key(KEY).send().await.json();
    assert_eq!(read["status"]["approved"], false, "a poller must not wait for ever");
    let inbox = world.get("/inbox").page().send().await;
    assert!(!inbox.text.contains("too-late"));

    assert_eq!(world.tick().await.expired, 1);
    assert_eq!(world.state("too-late").await, State::Expired);
    world.settle().await;
    assert_eq!(world.effects("too-late").await, 0);
    assert_eq!(world.effects("in-time").await, 1);
    world.finish().await;
}

#[tokio::test]
async fn a_lost_message_is_made_good_by_the_timer() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    // The third call of a decision (read, write, send) is the message.
    world.faults.arm(placet_local::faults::Plan::Fail(2));
    let answered = world.respond("call-1", true).await;
    assert_eq!(answered.status, StatusCode::OK, "the decision is stored: {}", answered.text);
    assert!(world.faults.was_reached());
    world.faults.reset();
    assert_eq!(world.work().await.delivered, 0);
    assert_eq!(world.state("call-1").await, State::Queued);
    world.advance(Duration::from_secs(120));
    assert_eq!(world.tick().await.driven, 1);
    world.settle().await;
    assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
    world.finish().await;
}

#[tokio::test]
async fn a_panic_in_a_function_is_an_unknown_outcome_a_person_settles() {
    let world = World::start().await;
    world.approved("call-1", "panics").await;
    assert_eq!(world.work().await.failed, 0, "the panic is the operation's, not the message's");
    assert_eq!(world.state("call-1").await, State::Unknown);
    let inbox = world.get("/inbox").page().send().await;
    assert!(inbox.text.contains("/inbox/call-1"));

    let page = world.get("/inbox/call-1").page().send().await;
    let (digest, attempt) = (page.hidden("digest"), page.hidden("attempt"));
    let form =
        format!("digest={digest}&attempt={attempt}&comment=looked&settlement=did_not_happen");
    world.post("/inbox/call-1").page().form(&form).send().await;
    assert_eq!(world.state("call-1").await, State::Failed);
    world.finish().await;
}

#[tokio::test]
async fn a_restarted_agent_finds_its_call_under_a_new_run() {
    let world = World::start().await;
    world.create("call-1", "f").await;
    let body = json!({"run_id": "another run", "call_id": "call-1", "spec": {"fn": "f", "kwargs": {"amount": 7}}});
    let again = world.post("/humanlayer/v1/function_calls").key(KEY).json(&body).send().await;
    assert_eq!((again.status, &again.json()["run_id"]), (StatusCode::OK, &json!("run")));
    world.finish().await;
}

#[tokio::test]
async fn a_key_does_not_help_a_site_whose_name_resolves_to_this_machine() {
    let world = World::start().await;
    let body = json!({"run_id": "r", "spec": {"fn": "f"}});
    let ask =
        http::Request::post("/humanlayer/v1/function_calls").header("host", "rebound.example:8000");
    let ask =
        ask.header("authorization", format!("Bearer {KEY}")).body(body.to_string().into()).unwrap();
    assert_eq!(world.system.front_door.call(ask).await.status(), StatusCode::FORBIDDEN);
    world.finish().await;
}

#[tokio::test]
async fn a_restart_puts_on_the_queue_what_was_on_it() {
    let world = World::start().await;
    world.create("asked", "charge").await;
    world.create("approved", "charge").await;
    // The message of the decision is lost with the queue, and that of the webhook.
    world.faults.arm(placet_local::faults::Plan::Fail(2));
    world.respond("approved", true).await;
    let spec = json!({"fn": "charge", "kwargs": {"amount": 7}});
    let body = json!({"call_id": "asked", "spec": spec, "status": {"approved": true}});
    world.faults.arm(placet_local::faults::Plan::Fail(1));
    world.deliver("msg_1", &body).await;
    world.faults.reset();
    assert_eq!(world.work().await.delivered, 0);

    world.system.resume().await.unwrap();
    world.work().await;
    for call_id in ["asked", "approved"] {
        let ended = world.ended(call_id).await;
        assert_eq!(ended, (State::Succeeded, 1));
    }
    world.finish().await;
}

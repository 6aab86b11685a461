//! Whoever wants to know of a decision is told, through whatever door it came, whatever crashes.

use std::time::Duration;

use http::StatusCode;
use placet_core::delivery::{Delivery, State};
use placet_core::webhook::{parse_secret, sign};
use placet_core::{Kind, OperationId};
use serde_json::{Value, json};

use crate::crash::at_every_call;
use crate::receiver::{Received, Receiver, Reply};
use crate::world::{KEY, OTHER, TENANT, WEBHOOK_SECRET, World};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A world with an endpoint `app` that is told of these events.
async fn world(receiver: &Receiver, events: &str) -> World {
    let port = receiver.port;
    let config = format!(
        "
endpoints:
  app: {{url: 'http://127.0.0.1:{port}/app', secrets: [env:NEW], events: [{events}]}}
  theirs: {{url: 'http://127.0.0.1:{port}/theirs', secrets: [env:NEW], project: {OTHER}, events: [function_call.completed]}}
outbound: {{allow_hosts: [127.0.0.1]}}
"
    );
    World::with(&config, &[("NEW", SECRET), ("PLACET_SECRET_HUMANLAYER", WEBHOOK_SECRET)]).await
}

const BOTH: &str = "v1beta2.function_call.completed, v1beta2.human_contact.completed";

async fn ask(world: &World, call_id: &str) {
    let body = json!({"run_id": "run", "call_id": call_id, "spec": {"msg": "Which disk?", "state": {"n": 1},
        "response_options": [{"name": "b", "title": "sdb"}]}});
    let created = world.post("/humanlayer/v1/contact_requests").key(KEY).json(&body).send().await;
    assert_eq!(created.status, StatusCode::OK, "{}", created.text);
}

async fn item(world: &World, collection: &str, call_id: &str) -> Value {
    let path = format!("/humanlayer/v1/{collection}/{call_id}");
    world.get(&path).key(KEY).send().await.json()
}

/// The one event that came, its signature checked.
fn event(world: &World, receiver: &Receiver) -> Value {
    let received = receiver.received();
    assert_eq!(received.len(), 1, "{received:?}");
    verify(world, &received[0]);
    serde_json::from_slice(&received[0].body).unwrap()
}

fn verify(world: &World, request: &Received) {
    let (secret, now) = (parse_secret(SECRET).unwrap(), world.clock.now());
    for set in ["webhook", "svix"] {
        let header = |name: &str| request.header(&format!("{set}-{name}")).unwrap();
        let signature = sign(&secret, header("id"), now, &request.body);
        assert_eq!(header("signature"), signature, "{request:?}");
    }
}

async fn delivery_of(world: &World, id: &OperationId) -> Option<Delivery> {
    let id = Delivery::id_of("app", &Delivery::key_of(id));
    let found = world.system.runtime.store.delivery(TENANT, &id).await.unwrap();
    found.map(|stored| stored.delivery)
}

#[tokio::test]
async fn each_format_is_as_humanlayers_cloud_sent_it() {
    for (events, enveloped, beta3) in [
        ("function_call.completed", false, false),
        ("v1beta2.function_call.completed", true, false),
        ("v1beta3.function_call.completed", true, true),
    ] {
        let receiver = Receiver::start().await;
        let world = world(&receiver, events).await;
        world.create("call-1", "nothing_runs_this").await;
        world.respond("call-1", false).await;
        assert_eq!(receiver.received().len(), 0, "all work is behind the queue");
        world.work().await;
        let got = event(&world, &receiver);
        let mut shown = item(&world, "function_calls", "call-1").await;
        if beta3 {
            shown["contact_channel_id"] = Value::Null;
        }
        let expected = match enveloped {
            false => shown,
            true => json!({"is_test": false, "type": "function_call.completed", "event": shown}),
        };
        assert_eq!(got, expected, "{events}");
        world.finish().await;
    }
}

#[tokio::test]
async fn a_question_is_told_of_with_its_state() {
    let receiver = Receiver::start().await;
    let world = world(&receiver, BOTH).await;
    ask(&world, "q-1").await;
    let path = "/humanlayer/v1/agent/human_contacts/q-1/respond";
    let answer = json!({"response_option_name": "b"});
    assert_eq!(world.post(path).key(KEY).json(&answer).send().await.status, StatusCode::OK);
    world.work().await;
    let event = event(&world, &receiver);
    assert_eq!(event["type"], "human_contact.completed");
    assert_eq!(event["event"], item(&world, "contact_requests", "q-1").await);
    assert_eq!(event["event"]["status"]["response"], "sdb");
    assert_eq!(event["event"]["spec"]["state"], json!({"n": 1}));
    world.finish().await;
}

#[tokio::test]
async fn every_door_tells_once() {
    for door in ["api", "inbox", "webhook", "deadline"] {
        let receiver = Receiver::start().await;
        let world = world(&receiver, BOTH).await;
        world.create("call-1", "nothing_runs_this").await;
        match door {
            "api" => drop(world.respond("call-1", true).await),
            "inbox" => {
                let page = world.get("/inbox/call-1").page().send().await;
                let form = format!("digest={}&verdict=deny", page.hidden("digest"));
                world.post("/inbox/call-1").page().form(&form).send().await;
            }
            "webhook" => {
                let body = json!({"run_id": "run", "call_id": "call-1", "status": {"approved": true},
                    "spec": {"fn": "nothing_runs_this", "kwargs": {"amount": 7}}});
                world.deliver("msg_1", &body).await;
                world.work().await;
            }
            _ => {
                world.advance(Duration::from_secs(25 * 3600));
                world.tick().await;
            }
        }
        world.work().await;
        let told = event(&world, &receiver);
        let shown = item(&world, "function_calls", "call-1").await;
        assert_eq!(told["event"], shown, "{door}");
        assert!(shown["status"]["approved"].is_boolean(), "{door}");
        let operation = world.operation("call-1").await;
        assert_eq!((operation.untold, operation.due), (false, None), "{door}");
        world.settle().await;
        assert_eq!(receiver.received().len(), 1, "{door}");
        world.finish().await;
    }
}

#[tokio::test]
async fn nobody_is_told_before_there_is_a_decision_and_nobody_of_anothers() {
    let receiver = Receiver::start().await;
    let world = world(&receiver, "human_contact.completed").await;
    world.create("call-1", "nothing_runs_this").await;
    world.respond("call-1", true).await;
    ask(&world, "q-1").await;
    world.settle().await;
    assert_eq!(receiver.received().len(), 0);
    let operation = world.operation("call-1").await;
    assert_eq!((operation.version, operation.due), (2, None), "nothing is written for nobody");
    world.finish().await;
}

#[tokio::test]
async fn whoever_crashes_anywhere_the_endpoint_is_told_and_the_operation_runs_once() {
    at_every_call(async |plan| {
        let receiver = Receiver::start().await;
        let world = world(&receiver, BOTH).await;
        world.create("call-1", "charge").await;
        world.create("call-2", "nothing_runs_this").await;
        let work = async {
            world.respond("call-1", true).await;
            world.respond("call-2", false).await;
            world.work().await;
        };
        let crashed = world.crashes(plan, work).await;
        for (call_id, approved) in [("call-1", true), ("call-2", false)] {
            world.respond(call_id, approved).await;
        }
        world.settle().await;
        world.advance(Duration::from_secs(600));
        world.tick().await;
        world.settle().await;
        assert_eq!(world.effects("call-1").await, 1, "{plan:?}");
        for call_id in ["call-1", "call-2"] {
            let told = delivery_of(&world, &OperationId::call(TENANT, call_id)).await.unwrap();
            assert_eq!(told.state, State::Delivered, "{plan:?} {call_id}");
            assert_eq!(world.operation(call_id).await.due, None, "{plan:?} {call_id}");
        }
        let mut ids: Vec<_> = receiver.received().iter().map(id_of).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 2, "{plan:?}: a copy has the id of the first");
        world.finish().await;
        crashed
    })
    .await;
}

fn id_of(request: &Received) -> String {
    request.header("webhook-id").unwrap().to_owned()
}

#[tokio::test]
async fn a_receiver_that_fails_redirects_or_hangs_holds_nothing_up_and_gets_it_by_the_schedule() {
    let moved = Reply::Header(302, "location", "/elsewhere");
    for reply in [Reply::Status(500), moved, Reply::Status(404), Reply::Silence] {
        let receiver = Receiver::start().await;
        let world = world(&receiver, BOTH).await;
        receiver.answers([reply.clone()]);
        world.approved("call-1", "charge").await;
        let hangs = matches!(reply, Reply::Silence);
        if hangs {
            hang(&world).await;
        } else {
            world.work().await;
        }
        assert_eq!(world.effects("call-1").await, 1, "{reply:?}");
        let id = OperationId::call(TENANT, "call-1");
        let told = delivery_of(&world, &id).await.unwrap();
        assert_eq!((told.state, told.attempts), (State::Pending, 1), "{reply:?}");
        let listed = world.get("/v1/deliveries").key(KEY).send().await.json();
        assert_eq!(listed["items"][0]["id"], told.id.as_str(), "{reply:?}");
        assert_eq!(listed["items"][0]["event_type"], "v1beta2.function_call.completed");
        world.advance(told.due.unwrap().since(world.clock.now()));
        world.tick().await;
        world.advance(Duration::from_secs(3600));
        world.tick().await;
        world.work().await;
        let told = delivery_of(&world, &id).await.unwrap();
        assert_eq!((told.state, told.attempts), (State::Delivered, 2), "{reply:?}");
        let received = receiver.received();
        assert_eq!(received.len(), 2);
        assert_eq!(received[0].body, received[1].body);
        assert_eq!(id_of(&received[0]), id_of(&received[1]));
        assert!(received.iter().all(|one| one.path == "/app"));
        world.finish().await;
    }
}

/// Works on until the operation has run, and then no longer waits for the endpoint: it is as if the
/// worker was stopped.
async fn hang(world: &World) {
    tokio::select! {
        _ = world.work() => panic!("the endpoint never answers"),
        () = async {
            while world.effects("call-1").await == 0 || !world.operation("call-1").await.state.is_terminal() {
                tokio::task::yield_now().await;
            }
        } => {}
    }
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_and_told_nothing_more() {
    let receiver = Receiver::start().await;
    let world = world(&receiver, BOTH).await;
    receiver.answers([Reply::Status(410)]);
    for call_id in ["call-1", "call-2"] {
        world.create(call_id, "nothing_runs_this").await;
        world.respond(call_id, true).await;
        world.work().await;
        let told = delivery_of(&world, &OperationId::call(TENANT, call_id)).await.unwrap();
        assert_eq!(told.state, State::Failed, "{call_id}");
    }
    assert_eq!(receiver.received().len(), 1);
    let enabled = world.post("/v1/endpoints/app/enable").key(KEY).send().await;
    assert_eq!(enabled.json()["state"], "enabled");
    let id = delivery_of(&world, &OperationId::call(TENANT, "call-2")).await.unwrap().id;
    let path = format!("/v1/deliveries/{id}/redeliver");
    assert_eq!(world.post(&path).key(KEY).send().await.status, StatusCode::ACCEPTED);
    world.work().await;
    assert_eq!(receiver.received().len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn what_was_accepted_at_once_is_not_listed_but_found_and_sent_again() {
    let receiver = Receiver::start().await;
    let world = world(&receiver, BOTH).await;
    world.create("call-1", "nothing_runs_this").await;
    world.respond("call-1", true).await;
    world.work().await;
    let id = delivery_of(&world, &OperationId::call(TENANT, "call-1")).await.unwrap().id;
    let list =
        || async { world.get("/v1/deliveries").key(KEY).send().await.json()["items"].clone() };
    assert_eq!(list().await, json!([]));
    let described = world.get(&format!("/v1/deliveries/{id}")).key(KEY).send().await.json();
    assert_eq!(described["state"], "delivered");
    assert_eq!(described["decision_of"], "function_call/call-1");
    let path = format!("/v1/deliveries/{id}/redeliver");
    assert_eq!(world.post(&path).key(KEY).send().await.status, StatusCode::ACCEPTED);
    world.work().await;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(list().await[0]["id"], id.as_str());
    world.finish().await;
}

#[tokio::test]
async fn a_call_and_a_question_of_the_same_id_are_two() {
    let receiver = Receiver::start().await;
    let world = world(&receiver, BOTH).await;
    world.create("x", "nothing_runs_this").await;
    ask(&world, "x").await;
    world.respond("x", true).await;
    let path = "/humanlayer/v1/agent/human_contacts/x/respond";
    world.post(path).key(KEY).json(&json!({"response": "sdb"})).send().await;
    world.work().await;
    let mut types: Vec<_> = receiver
        .received()
        .iter()
        .map(|one| serde_json::from_slice::<Value>(&one.body).unwrap()["type"].clone().to_string())
        .collect();
    types.sort();
    assert_eq!(types, [r#""function_call.completed""#, r#""human_contact.completed""#]);
    for kind in Kind::ALL {
        let told = delivery_of(&world, &OperationId::new(TENANT, kind, "x")).await;
        assert_eq!(told.unwrap().state, State::Delivered);
    }
    world.finish().await;
}

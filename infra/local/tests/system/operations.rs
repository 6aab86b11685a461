//! Our own API: ask, look, list, decide, cancel.

use std::time::Duration;

use http::StatusCode;
use placet_runtime::Role;
use serde_json::{Value, json};

use crate::ask::Answer;
use crate::world::{KEY, OTHER, World};

const PATH: &str = "/v1/operations";

fn call(call_id: &str, function: &str) -> Value {
    json!({"kind": "function_call", "run_id": "run", "call_id": call_id, "fn": function,
           "kwargs": {"amount": 7}, "reject_options": [{"name": "later", "prompt_fill": "not now"}]})
}

fn question(call_id: &str) -> Value {
    json!({"kind": "human_contact", "run_id": "run", "call_id": call_id, "msg": "Oak or pine?",
           "response_options": [{"name": "oak", "title": "Oak"}]})
}

async fn ask(world: &World, body: &Value) -> Answer {
    world.post(PATH).key(KEY).json(body).send().await
}

/// Asks, and hands back what was made of it.
async fn asked(world: &World, body: &Value) -> Value {
    let answer = ask(world, body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json()
}

async fn look(world: &World, path: &str) -> Value {
    let answer = world.get(&format!("{PATH}/{path}")).key(KEY).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

async fn post(world: &World, path: &str, body: &Value) -> Answer {
    world.post(&format!("{PATH}/{path}")).key(KEY).json(body).send().await
}

#[track_caller]
fn is_problem(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)), "{answer:?}");
    assert_eq!(answer.content_type, "application/problem+json");
}

#[tokio::test]
async fn what_was_asked_before_is_found_and_nothing_else_takes_its_id() {
    let world = World::start().await;
    let first = ask(&world, &call("a call-1", "f")).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(first.location, "/v1/operations/function_call/a%20call-1");
    let at = world.get(&first.location).key(KEY).send().await;
    assert_eq!(at.json(), first.json());
    world.advance(Duration::from_secs(1));
    let again = ask(&world, &call("a call-1", "f")).await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, first.json()));
    assert_eq!(again.location, first.location);
    let other = ask(&world, &call("a call-1", "g")).await;
    is_problem(&other, StatusCode::CONFLICT, "id_taken");
    // The other kind has ids of its own, and HumanLayer's API the same.
    asked(&world, &question("a call-1")).await;
    let theirs = world.get("/humanlayer/v1/function_calls/a%20call-1").key(KEY).send().await;
    assert_eq!(theirs.json()["spec"]["fn"], "f");
    world.finish().await;
}

#[tokio::test]
async fn an_idempotency_key_makes_the_id_where_none_is_given() {
    let world = World::start().await;
    let with_key = |key: &'static str, body: Value| {
        world.post(PATH).key(KEY).header("idempotency-key", key).json(&body).send()
    };
    let without_id = |mut body: Value| {
        body["call_id"] = Value::Null;
        body
    };
    let first = with_key("order-7", without_id(call("", "f"))).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    let call_id = first.json()["call_id"].as_str().unwrap().to_owned();
    assert_eq!((call_id.len(), call_id.starts_with("op-")), (35, true));
    let again = with_key("order-7", without_id(call("", "f"))).await;
    assert_eq!((again.status, &again.json()["call_id"]), (StatusCode::OK, &json!(call_id)));
    let reused = with_key("order-7", without_id(call("", "g"))).await;
    is_problem(&reused, StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
    let named = with_key("order-7", call("mine", "g")).await;
    assert_eq!((named.status, &named.json()["call_id"]), (StatusCode::CREATED, &json!("mine")));
    let other_kind = with_key("order-7", without_id(question(""))).await;
    assert_eq!(other_kind.status, StatusCode::CREATED);
    let other_key = with_key("order-8", without_id(call("", "f"))).await;
    assert_ne!(other_key.json()["call_id"], json!(call_id));
    for wrong in ["", "two words", "x".repeat(256).leak()] {
        let refused = with_key(wrong, call("mine", "g")).await;
        is_problem(&refused, StatusCode::BAD_REQUEST, "invalid_idempotency_key");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_body_that_does_not_fit_names_the_member_and_leaves_nothing() {
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
        let mut body = call("c", "f");
        body[member] = value;
        let refused = ask(&world, &body).await;
        is_problem(&refused, StatusCode::UNPROCESSABLE_ENTITY, "invalid_body");
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
    let list = ask(&world, &json!([])).await;
    assert_eq!(list.json()["errors"][0]["pointer"], "");
    let broken = world.post(PATH).key(KEY).body("{").send().await;
    is_problem(&broken, StatusCode::BAD_REQUEST, "malformed_json");
    let mut large = call("c", "f");
    large["kwargs"]["text"] = "x".repeat(210 * 1024).into();
    is_problem(&ask(&world, &large).await, StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_call_is_decided_by_who_saw_it_and_shows_what_came_of_it() {
    let world = World::start().await;
    let seen = asked(&world, &call("c", "charge")).await;
    let pending = (&json!("pending"), &json!("function charge"), &json!("/inbox/c"));
    assert_eq!((&seen["state"], &seen["executor"], &seen["inbox"]), pending);
    let path = "function_call/c/decision";
    let decision =
        |digest: &Value| json!({"verdict": "approve", "comment": "go", "digest": digest});
    let wrong = post(&world, path, &decision(&json!("0".repeat(64)))).await;
    is_problem(&wrong, StatusCode::CONFLICT, "digest_mismatch");
    let none = post(&world, path, &json!({"verdict": "approve"})).await;
    assert_eq!(none.json()["errors"][0]["pointer"], "/digest");
    let answer = json!({"verdict": "answer", "answer": "yes", "digest": seen["digest"]});
    is_problem(&post(&world, path, &answer).await, StatusCode::CONFLICT, "wrong_verdict");
    assert_eq!(look(&world, "function_call/c").await["state"], "pending");

    let decided = post(&world, path, &decision(&seen["digest"])).await;
    assert_eq!(decided.status, StatusCode::OK, "{decided:?}");
    assert_eq!(decided.json()["state"], "queued");
    let second = post(&world, path, &decision(&seen["digest"])).await;
    is_problem(&second, StatusCode::CONFLICT, "already_decided");
    world.work().await;
    let ended = look(&world, "function_call/c").await;
    assert_eq!((&ended["state"], &ended["attempts"]), (&json!("succeeded"), &json!(1)));
    assert!(ended["outcome"]["result"].is_object(), "{ended}");
    assert_eq!(
        (&ended["decision"]["comment"], &ended["decision"]["by"]),
        (&json!("go"), &json!("api local"))
    );
    let events: Vec<&Value> =
        ended["history"].as_array().unwrap().iter().map(|entry| &entry["event"]).collect();
    assert_eq!(events, ["created", "approved", "started", "succeeded"]);
    world.finish().await;
}

#[tokio::test]
async fn an_option_says_what_it_says_and_must_be_offered() {
    let world = World::start().await;
    let (denied, answered) =
        (asked(&world, &call("c", "f")).await, asked(&world, &question("q")).await);
    for (path, verdict, seen, option, words) in [
        ("function_call/c", "deny", &denied, "later", ("comment", "not now")),
        ("human_contact/q", "answer", &answered, "oak", ("answer", "Oak")),
    ] {
        let body =
            |option: &str| json!({"verdict": verdict, "option": option, "digest": seen["digest"]});
        let path = format!("{path}/decision");
        let unknown = post(&world, &path, &body("other")).await;
        is_problem(&unknown, StatusCode::UNPROCESSABLE_ENTITY, "invalid_body");
        assert_eq!(unknown.json()["errors"][0]["pointer"], "/option");
        let decided = post(&world, &path, &body(option)).await.json();
        let decision = (&decided["decision"]["option"], &decided["decision"][words.0]);
        assert_eq!(decision, (&json!(option), &json!(words.1)), "{decided}");
    }
    world.finish().await;
}

#[tokio::test]
async fn what_is_cancelled_stays_so_and_nobody_decides_any_more() {
    let world = World::start().await;
    let seen = asked(&world, &call("c", "charge")).await;
    let cancelled = post(&world, "function_call/c/cancel", &json!({"reason": "sold"})).await;
    assert_eq!(
        (cancelled.status, &cancelled.json()["state"]),
        (StatusCode::OK, &json!("cancelled"))
    );
    let again = world.post(&format!("{PATH}/function_call/c/cancel")).key(KEY).send().await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, cancelled.json()));
    let late = json!({"verdict": "approve", "digest": seen["digest"]});
    let late = post(&world, "function_call/c/decision", &late).await;
    is_problem(&late, StatusCode::CONFLICT, "already_decided");
    let theirs = world.get("/humanlayer/v1/function_calls/c").key(KEY).send().await.json();
    assert_eq!(theirs["status"]["comment"], "cancelled: sold");
    assert_eq!(cancelled.json()["history"][1]["detail"]["reason"], "sold");

    let seen = asked(&world, &call("d", "f")).await;
    post(&world, "function_call/d/decision", &json!({"verdict": "deny", "digest": seen["digest"]}))
        .await;
    let late = post(&world, "function_call/d/cancel", &json!({})).await;
    is_problem(&late, StatusCode::CONFLICT, "already_decided");
    asked(&world, &call("e", "charge")).await;
    world.advance(Duration::from_secs(3601));
    is_problem(
        &post(&world, "function_call/e/cancel", &json!({})).await,
        StatusCode::CONFLICT,
        "expired",
    );
    assert_eq!(look(&world, "function_call/e").await["state"], "expired");
    world.finish().await;
}

#[tokio::test]
async fn another_projects_operations_are_not_there() {
    let world = World::start().await;
    let other = world.key(Role::Both, OTHER).await;
    let seen = asked(&world, &call("c", "f")).await;
    let decision = json!({"verdict": "approve", "digest": seen["digest"]});
    for (path, body) in [
        ("function_call/c", None),
        ("function_call/c/decision", Some(decision)),
        ("function_call/c/cancel", Some(json!({}))),
        ("human_contact/c", None),
        ("dance/c", None),
    ] {
        let path = format!("{PATH}/{path}");
        let ask = match body {
            Some(body) => world.post(&path).json(&body),
            None => world.get(&path),
        };
        is_problem(&ask.key(&other).send().await, StatusCode::NOT_FOUND, "not_found");
    }
    let listed = world.get(PATH).key(&other).send().await.json();
    assert_eq!(listed, json!({"items": [], "next": null}));
    assert_eq!(look(&world, "function_call/c").await["state"], "pending");
    world.finish().await;
}

#[tokio::test]
async fn who_asks_to_be_held_learns_of_the_decision_and_nobody_else_is_held() {
    let world = World::with_environment(&[("PLACET_LONG_POLL", "8s")]).await;
    asked(&world, &call("c", "f")).await;
    assert_eq!(look(&world, "function_call/c").await["state"], "pending");
    let (held, _) =
        tokio::join!(look(&world, "function_call/c?wait=25"), world.respond("c", false));
    assert_eq!(held["state"], "denied");
    world.finish().await;
}

async fn listed(world: &World, query: &str) -> (Vec<String>, Value) {
    let answer = world.get(&format!("{PATH}?{query}")).key(KEY).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {answer:?}");
    let page = answer.json();
    let ids = page["items"].as_array().unwrap().iter().map(|one| one["call_id"].as_str().unwrap());
    (ids.map(str::to_owned).collect(), page["next"].clone())
}

#[tokio::test]
async fn a_list_holds_what_is_asked_for_newest_first() {
    let world = World::start().await;
    let mut moments = Vec::new();
    for (call_id, function) in [("c1", "charge"), ("c2", "f"), ("c3", "charge")] {
        asked(&world, &call(call_id, function)).await;
        moments.push(world.clock.now().to_string());
        world.advance(Duration::from_secs(60));
    }
    let mut other_run = question("q1");
    other_run["run_id"] = "other".into();
    other_run["msg"] = "ä".repeat(300).into();
    asked(&world, &other_run).await;
    world.respond("c2", false).await;
    world.advance(Duration::from_secs(3600));
    for (query, expected) in [
        ("", vec!["q1", "c3", "c2", "c1"]),
        ("kind=human_contact", vec!["q1"]),
        ("fn=charge", vec!["c3", "c1"]),
        ("run_id=other", vec!["q1"]),
        ("state=denied", vec!["c2"]),
        ("state=pending", vec!["q1"]),
        ("state=expired&fn=charge", vec!["c3", "c1"]),
        (&format!("since={}", moments[1]), vec!["q1", "c3", "c2"]),
        (&format!("until={}", moments[1]), vec!["c2", "c1"]),
        (&format!("since={0}&until={0}", moments[1]), vec!["c2"]),
        ("since=1h", vec!["q1"]),
        ("state=running", vec![]),
    ] {
        assert_eq!(listed(&world, query).await.0, expected, "{query}");
    }
    let page = world.get(&format!("{PATH}?limit=1")).key(KEY).send().await.json();
    let summary = &page["items"][0];
    assert_eq!(summary["msg"].as_str().unwrap().chars().count(), 201);
    assert!(summary.get("history").is_none());

    let (mut cursor, mut pages) = (String::new(), Vec::new());
    loop {
        let (ids, next) = listed(&world, &format!("limit=1{cursor}")).await;
        pages.extend(ids);
        let Some(next) = next.as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(pages, ["q1", "c3", "c2", "c1"]);
    for wrong in [
        "state=done",
        "kind=dance",
        "since=soon",
        "limit=101",
        "cursor=x",
        "colour=red",
        "since=1h&until=2h",
        "kind=human_contact&kind=human_contact",
    ] {
        let refused = world.get(&format!("{PATH}?{wrong}")).key(KEY).send().await;
        is_problem(&refused, StatusCode::BAD_REQUEST, "invalid_query");
    }
    world.finish().await;
}

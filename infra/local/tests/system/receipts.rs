//! Received webhooks as an operator sees them: listed, read, handed out byte for byte, replayed.

use std::time::Duration;

use http::StatusCode;
use placet_core::webhook::Draft;
use placet_runtime::Role;
use serde_json::{Value, json};

use crate::ask::Answer;
use crate::world::{KEY, OTHER, START, World};

const SOURCES: &str = "  hooks: {preset: hmac, secret: env:HOOKS, targets: [log]}
  hooks.eu: {preset: bearer, secret: env:HOOKS, targets: [log]}
  asks: {preset: hmac, secret: env:HOOKS, targets: [{operation: {fn: charge, kwargs: {amount: /amount}}}]}
";
const SECRET: &str = "a-secret-of-thirty-two-bytes-long";

async fn world() -> World {
    World::with(SOURCES, &[("HOOKS", SECRET)]).await
}

/// Sends a webhook as its sender does.
async fn send(world: &World, source: &str, id: &str, content_type: &str, body: &[u8]) {
    let runtime = &world.system.runtime;
    let verifier = runtime.config.source(source).unwrap().open(&runtime.environment).unwrap();
    let path = format!("/webhooks/{source}");
    let draft = Draft { path: &path, content_type, id, body, at: world.clock.now() };
    let Ok(signed) = verifier.sign(&draft) else { panic!("{source} can not be signed") };
    let mut ask = world.post(&path);
    for (name, value) in &signed.headers {
        ask = ask.header(name, value);
    }
    let answer = ask.body(body.to_vec()).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

async fn send_json(world: &World, source: &str, id: &str) {
    send(world, source, id, "application/json", json!({"id": id}).to_string().as_bytes()).await;
}

async fn get(world: &World, path: &str) -> Answer {
    world.get(path).key(KEY).send().await
}

async fn read(world: &World, path: &str) -> Value {
    let answer = get(world, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.json()
}

fn members(page: &Value, name: &str) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item[name].as_str().unwrap_or_default().to_owned()).collect()
}

/// The id of the newest receipt.
async fn newest(world: &World) -> String {
    members(&read(world, "/v1/receipts?limit=1").await, "id").pop().unwrap()
}

#[tokio::test]
async fn receipts_are_listed_newest_first_page_by_page() {
    let world = world().await;
    for n in 0..7 {
        send_json(&world, if n % 2 == 0 { "hooks" } else { "hooks.eu" }, &format!("e{n}")).await;
        if n < 5 {
            world.work().await;
        }
        world.advance(Duration::from_secs(60));
    }
    for limit in [1, 2, 3, 7, 100] {
        let mut found = Vec::new();
        let mut path = format!("/v1/receipts?limit={limit}");
        loop {
            let page = read(&world, &path).await;
            let ids = members(&page, "delivery_id");
            assert!((1..=limit).contains(&ids.len()), "{page}");
            found.extend(ids);
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/v1/receipts?limit={limit}&cursor={next}");
        }
        assert_eq!(found, ["e6", "e5", "e4", "e3", "e2", "e1", "e0"], "{limit}");
    }
    let third = START.plus(Duration::from_secs(120)).to_string();
    for (query, expected) in [
        ("source=hooks".to_owned(), vec!["e6", "e4", "e2", "e0"]),
        ("source=hooks.eu".to_owned(), vec!["e5", "e3", "e1"]),
        ("source=hook".to_owned(), vec![]),
        ("state=received".to_owned(), vec!["e6", "e5"]),
        ("state=done&source=hooks.eu".to_owned(), vec!["e3", "e1"]),
        ("state=failed".to_owned(), vec![]),
        ("since=3m".to_owned(), vec!["e6", "e5", "e4"]),
        (format!("since={third}"), vec!["e6", "e5", "e4", "e3", "e2"]),
        ("since=1d&state=done&limit=5".to_owned(), vec!["e4", "e3", "e2", "e1", "e0"]),
    ] {
        let page = read(&world, &format!("/v1/receipts?{query}")).await;
        assert_eq!(members(&page, "delivery_id"), expected, "{query}");
        assert_eq!(page["next"], Value::Null, "{query}");
    }
    // A page whose last item has left the period meanwhile is the last.
    let page = read(&world, "/v1/receipts?since=2m&limit=1").await;
    let next = page["next"].as_str().unwrap();
    world.advance(Duration::from_secs(3600));
    let rest = read(&world, &format!("/v1/receipts?since=2m&cursor={next}")).await;
    assert_eq!(rest, json!({"items": [], "next": null}));
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_list_goes_on_however_rare_what_is_looked_for() {
    let world = world().await;
    send_json(&world, "hooks", "rare").await;
    world.work().await;
    for n in 0..1020 {
        world.advance(Duration::from_millis(1));
        send_json(&world, "hooks.eu", &format!("common-{n}")).await;
    }
    let mut found = Vec::new();
    let mut path = "/v1/receipts?source=hooks".to_owned();
    let mut pages = 0;
    loop {
        let page = read(&world, &path).await;
        found.extend(members(&page, "delivery_id"));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/receipts?source=hooks&cursor={next}");
    }
    assert_eq!((found, pages), (vec!["rare".to_owned()], 2));
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let world = world().await;
    send_json(&world, "hooks", "a").await;
    send_json(&world, "hooks", "b").await;
    let page = read(&world, "/v1/receipts?limit=1").await;
    let cursor = page["next"].as_str().unwrap();
    let tampered = format!("cursor={}", cursor.chars().rev().collect::<String>());
    for (name, query) in [
        ("state", "state=lost"),
        ("since", "since=yesterday"),
        ("since", "since="),
        ("since", "since=0h"),
        ("limit", "limit=0"),
        ("limit", "limit=101"),
        ("limit", "limit=x"),
        ("limit", "limit=1&limit=2"),
        ("cursor", "cursor=x"),
        ("cursor", "cursor="),
        ("cursor", &tampered),
        ("colour", "colour=red"),
    ] {
        let answer = get(&world, &format!("/v1/receipts?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        let problem = answer.json();
        assert_eq!(problem["code"], "invalid_query");
        assert!(problem["detail"].as_str().unwrap().contains(name), "{query}: {problem}");
    }
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn all_that_is_known_about_a_receipt_is_shown() {
    let world = world().await;
    let body = br#"{"id": "e1", "type": "order.paid", "text": "\u00e9 <b>"}"#;
    send(&world, "hooks", "x1", "application/json; charset=utf-8", body).await;
    world.work().await;
    let id = newest(&world).await;
    let found = read(&world, &format!("/v1/receipts/{id}")).await;
    let headers = found["headers"].as_object().unwrap();
    assert_eq!(headers["x-webhook-id"], "x1");
    assert!(found["body_url"].as_str().unwrap().ends_with(&format!("/v1/receipts/{id}/body")));
    let expected = json!({
        "id": id, "source": "hooks", "delivery_id": "x1", "type": "order.paid", "state": "done",
        "received_at": START.to_string(), "size": body.len(),
        "method": "POST", "path": "/webhooks/hooks", "query": "",
        "content_type": "application/json; charset=utf-8", "replays": null,
        "body": std::str::from_utf8(body).unwrap(),
        "verified": {"check": "hmac-sha256", "key": 1, "signed_at": null,
            "covers": {"body": true, "identity": false, "type": true, "time": false, "url": false}},
    });
    for (name, value) in expected.as_object().unwrap() {
        if name != "verified" {
            assert_eq!(found[name], *value, "{name}");
        }
    }
    let verified = &found["verified"];
    for name in ["check", "key", "signed_at"] {
        assert_eq!(verified[name], expected["verified"][name], "{name}");
    }
    for name in ["body", "time", "url"] {
        assert_eq!(verified["covers"][name], expected["verified"]["covers"][name], "{name}");
    }
    assert_eq!(verified["covers"].as_object().unwrap().len(), 5);
    let listed = read(&world, "/v1/receipts").await;
    assert!(listed["items"][0].get("body").is_none());
    assert_eq!(listed["items"][0]["size"], body.len());
    world.finish().await;
}

#[tokio::test]
async fn a_body_comes_back_byte_for_byte_and_as_no_page() {
    let world = world().await;
    let noise: Vec<u8> = (0..400_000_u32)
        .flat_map(|n| placet_core::Digest::of_bytes(&n.to_le_bytes()).as_bytes()[..1].to_vec())
        .collect();
    let cases: [(&str, &[u8], &str); 6] = [
        ("application/json; charset=utf-8", b"{\"a\": \"b\"}\r\n\r\n", "application/json"),
        ("text/html", b"<script>alert(1)</script>", "application/octet-stream"),
        ("image/svg+xml", b"<svg onload='x'/>", "application/octet-stream"),
        ("application/x-www-form-urlencoded", b"a=1&b=%ff", "application/x-www-form-urlencoded"),
        ("application/octet-stream", &[0, 255, 13, 10, 0], "application/octet-stream"),
        ("application/cloudevents+json", &noise, "application/json"),
    ];
    for (n, (content_type, body, expected)) in cases.into_iter().enumerate() {
        send(&world, "hooks", &format!("x{n}"), content_type, body).await;
        world.work().await;
        world.advance(Duration::from_millis(1));
        let id = newest(&world).await;
        let answer = get(&world, &format!("/v1/receipts/{id}/body")).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (StatusCode::OK, expected));
        assert!(answer.bytes == body, "{content_type}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
        let found = read(&world, &format!("/v1/receipts/{id}")).await;
        assert_eq!(found["size"], body.len());
        assert_eq!(found["content_type"], content_type);
        let text = std::str::from_utf8(body).ok();
        let small = body.len() <= 256 * 1024;
        assert_eq!(found["body"].as_str(), text, "{content_type}");
        assert_eq!(found.get("body_base64").is_some(), text.is_none() && small, "{content_type}");
        if found.get("body_base64").is_some() {
            assert_eq!(found["body_base64"], "AP8NCgA=");
        }
    }
    world.finish().await;
}

#[tokio::test]
async fn a_replay_is_worked_off_again_without_a_second_effect() {
    let world = world().await;
    let body = json!({"id": "e1", "amount": 7}).to_string();
    send(&world, "asks", "x", "application/json", body.as_bytes()).await;
    let id = newest(&world).await;
    let path = format!("/v1/receipts/{id}/replay");
    let early = world.post(&path).key(KEY).send().await;
    assert_eq!(
        (early.status, early.json()["code"].clone()),
        (StatusCode::CONFLICT, json!("under_way"))
    );
    world.work().await;
    let open = || async { world.open_operations().await.len() };
    assert_eq!(open().await, 1);
    world.advance(Duration::from_secs(5));
    let answer = world.post(&path).key(KEY).send().await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let now = START.plus(Duration::from_secs(5)).to_string();
    assert_eq!(answer.json()["replays"], json!({"count": 1, "last_at": now}));
    assert_eq!((&answer.json()["state"], &answer.json()["id"]), (&json!("received"), &json!(id)));
    world.work().await;
    let found = read(&world, &format!("/v1/receipts/{id}")).await;
    assert_eq!((&found["state"], &found["replays"]["count"]), (&json!("done"), &json!(1)));
    assert_eq!(open().await, 1);
    world.finish().await;
}

#[tokio::test]
async fn only_the_tenant_sees_its_receipts() {
    let world = world().await;
    send_json(&world, "hooks", "a").await;
    world.work().await;
    let id = newest(&world).await;
    let other = world.key(Role::Both, OTHER).await;
    let before = world.contents().await;
    let (one, raw) = (format!("/v1/receipts/{id}"), format!("/v1/receipts/{id}/body"));
    let replay = format!("{one}/replay");
    for path in ["/v1/receipts", &one, &raw] {
        assert_eq!(world.get(path).send().await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(world.post(&replay).send().await.status, StatusCode::UNAUTHORIZED);
    let list = world.get("/v1/receipts").key(&other).send().await.json();
    assert_eq!(list, json!({"items": [], "next": null}));
    for path in [&one, &raw] {
        assert_eq!(world.get(path).key(&other).send().await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.post(&replay).key(&other).send().await.status, StatusCode::NOT_FOUND);
    let long = "x".repeat(4000);
    for id in ["nothing", "hooks.00", "hooks.zz", "%2e%2e", &long] {
        assert_eq!(get(&world, &format!("/v1/receipts/{id}")).await.status, StatusCode::NOT_FOUND);
        let replayed = world.post(&format!("/v1/receipts/{id}/replay")).key(KEY).send().await;
        assert_eq!(replayed.status, StatusCode::NOT_FOUND);
    }
    for path in ["/v1/receipts", &one, &raw] {
        assert_eq!(world.post(path).key(KEY).send().await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(get(&world, &replay).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

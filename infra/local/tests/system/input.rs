//! Bad input causes a clear error and nothing else (law 10).

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::call;
use crate::request::Reply;
use crate::world::{KEY, World};

const CALLS: &str = "/humanlayer/v1/function_calls";

/// The error text of a reply of HumanLayer's API.
fn detail(reply: &Reply) -> String {
    assert!(reply.content_type.contains("json"), "{reply:?}");
    let detail = &reply.json()["detail"];
    detail.as_str().map_or_else(|| detail.to_string(), str::to_owned)
}

async fn create(world: &World, body: impl Into<bytes::Bytes>) -> Reply {
    world.post(CALLS).key(KEY).header("content-type", "application/json").body(body).send().await
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let world = World::start().await;
    let before = world.contents().await;
    let kwargs = |kwargs: &str| {
        format!(r#"{{"run_id":"r","spec":{{"fn":"f","kwargs":{kwargs}}}}}"#).into_bytes()
    };
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (body, reason) in [
        (Vec::new(), "JSON"),
        (b"{".to_vec(), "JSON"),
        (b"\xff\xfe".to_vec(), "JSON"),
        (kwargs(&deep), "recursion"),
        (kwargs(r#"{"n":1e999}"#), "number out of range"),
    ] {
        let refused = create(&world, body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{reason}: {}", refused.text);
        assert!(detail(&refused).contains(reason), "{reason}: {}", refused.text);
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn the_error_of_a_wrong_body_names_the_wrong_member() {
    let world = World::start().await;
    let before = world.contents().await;
    let spec = json!({"fn": "f"});
    for (body, member) in [
        (json!([]), "dictionary"),
        (json!({"spec": spec}), "run_id"),
        (json!({"run_id": 1, "spec": spec}), "run_id"),
        (json!({"run_id": "r", "spec": {"fn": 7}}), "fn"),
        (json!({"run_id": "r", "call_id": "a/b", "spec": spec}), "call_id"),
        (json!({"run_id": "r", "call_id": "x".repeat(300), "spec": spec}), "call_id"),
        (json!({"run_id": "r", "spec": {"fn": "f", "kwargs": {"n": 1}, "state": "s"}}), "state"),
    ] {
        let refused = create(&world, body.to_string()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{member}: {}", refused.text);
        assert!(detail(&refused).contains(member), "{member}: {}", refused.text);
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let world = World::start().await;
    let before = world.contents().await;
    let of_size = |bytes: usize| call("c", "f").with("kwargs", json!({"x": "y".repeat(bytes)}));
    for bytes in [300_000, 7_000_000] {
        let refused = world.client().request_approval(&of_size(bytes)).await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(refused.content_type.contains("json"));
    }
    let refused = world.post("/webhook/inbound").body(vec![b'x'; 4_800_000]).send().await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.contents().await, before);

    let created = world.client().request_approval(&of_size(200_000)).await;
    assert_eq!(created.status, StatusCode::OK);
    world.finish().await;
}

#[tokio::test]
async fn every_request_without_a_good_key_gets_the_same_answer() {
    let world = World::start().await;
    world.create("call-1", "f").await;
    let before = world.contents().await;
    let keys = [None, Some("Bearer wrong"), Some("Bearer "), Some("Basic dGVzdC1rZXk6"), Some(KEY)];
    let mut replies = Vec::new();
    for key in keys {
        for (method, path) in [
            (Method::POST, CALLS),
            (Method::GET, "/humanlayer/v1/function_calls/call-1"),
            (Method::POST, "/humanlayer/v1/agent/function_calls/call-1/respond"),
            (Method::GET, "/v1/operations"),
        ] {
            let request = world.request(method, path).body(r#"{"approved": true}"#);
            let request = match key {
                Some(value) => request.header("authorization", value),
                None => request,
            };
            replies.push(request.send().await);
        }
    }
    for reply in &replies {
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert_eq!(detail(reply), detail(&replies[0]));
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_status_in_a_creation_approves_nothing() {
    let world = World::start().await;
    let mut body = call("c", "charge").humanlayer();
    body["status"] = json!({"approved": true, "responded_at": "2026-01-01T00:00:00Z"});
    let created = create(&world, body.to_string()).await;
    assert_eq!(created.json()["status"].get("approved"), None);
    assert_eq!(world.work().await.delivered, 0);
    world.finish().await;
}

#[tokio::test]
async fn an_unknown_path_is_not_found_and_a_wrong_method_is_not_allowed() {
    let world = World::start().await;
    let long = format!("{CALLS}/{}", "x".repeat(3000));
    for (method, path, status) in [
        (Method::GET, long.as_str(), StatusCode::NOT_FOUND),
        (Method::GET, "/humanlayer/v1/function_calls/a%23b", StatusCode::NOT_FOUND),
        (Method::GET, "/humanlayer/v1/function_calls/nobody", StatusCode::NOT_FOUND),
        (Method::POST, "/humanlayer/v1/agent/function_calls/nobody/respond", StatusCode::NOT_FOUND),
        (Method::GET, "/humanlayer/v1/nonsense", StatusCode::NOT_FOUND),
        (Method::DELETE, "/humanlayer/v1/function_calls/nobody", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, CALLS, StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/v1/nonsense", StatusCode::NOT_FOUND),
        (Method::DELETE, "/purchases", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/nonsense", StatusCode::NOT_FOUND),
        (Method::DELETE, "/webhook/inbound", StatusCode::METHOD_NOT_ALLOWED),
        (Method::POST, "/webhooks/nobody", StatusCode::NOT_FOUND),
        (Method::GET, "/inbox/nobody", StatusCode::NOT_FOUND),
        (Method::PUT, "/inbox", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/%ff", StatusCode::NOT_FOUND),
    ] {
        let request = world.request(method.clone(), path).key(KEY).body(r#"{"approved": true}"#);
        let reply = request.send().await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text);
        assert!(!reply.text.is_empty(), "{method} {path}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_purchase_that_is_not_exact_is_refused() {
    let world = World::start().await;
    let before = world.contents().await;
    for (body, status) in [
        ("{", 400),
        ("[]", 422),
        (r#"["wood", 10]"#, 422),
        (r#"{"material": 1}"#, 422),
        (r#"{"material": ""}"#, 422),
        (r#"{"quantity": 0}"#, 422),
        (r#"{"quantity": -1}"#, 422),
        (r#"{"quantity": 1.5}"#, 422),
        (r#"{"quantity": "10"}"#, 422),
        (r#"{"quantity": 99999999999}"#, 422),
        (r#"{"colour": "red"}"#, 422),
    ] {
        let post = world.post("/purchase-materials").header("content-type", "application/json");
        let refused = post.body(body).send().await;
        assert_eq!(refused.status.as_u16(), status, "{body}: {}", refused.text);
        assert_eq!(refused.content_type, "application/problem+json");
        let problem: Value = refused.json();
        assert!(problem["code"].is_string() && problem["detail"].is_string(), "{problem}");
    }
    for form in ["quantity=many", "material=&quantity=1", "quantity=1&colour=red", "material=%zz"] {
        let refused = world.post("/purchase-materials").form(form).send().await;
        assert!(refused.status.is_client_error(), "{form}: {}", refused.text);
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

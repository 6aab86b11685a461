//! Bad input costs a clear error and nothing else.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::ask::Answer;
use crate::world::{KEY, World};

const CALLS: &str = "/humanlayer/v1/function_calls";

fn detail(answer: &Answer) -> String {
    let json = answer.json();
    assert!(answer.content_type.contains("json"), "{answer:?}");
    json["detail"].as_str().map_or_else(|| json["detail"].to_string(), str::to_owned)
}

#[tokio::test]
async fn bodies_that_make_no_sense_are_refused_with_a_reason() {
    let world = World::start().await;
    let before = world.contents().await;
    let deep = format!(
        "{{\"run_id\":\"r\",\"spec\":{{\"fn\":\"f\",\"kwargs\":{}{}}}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let spec = json!({"fn": "f"});
    let bodies: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "JSON"),
        (b"{".to_vec(), "JSON"),
        (b"\xff\xfe".to_vec(), "JSON"),
        (deep.into_bytes(), "recursion"),
        (b"[]".to_vec(), "dictionary"),
        (json!({"spec": spec}).to_string().into_bytes(), "run_id"),
        (json!({"run_id": 1, "spec": spec}).to_string().into_bytes(), "run_id"),
        (json!({"run_id": "r", "spec": {"fn": 7}}).to_string().into_bytes(), "fn"),
        (
            json!({"run_id": "r", "call_id": "a/b", "spec": spec}).to_string().into_bytes(),
            "call_id",
        ),
        (
            json!({"run_id": "r", "call_id": "x".repeat(300), "spec": spec})
                .to_string()
                .into_bytes(),
            "call_id",
        ),
        (
            json!({"run_id": "r", "spec": {"fn": "f", "kwargs": {"n": 1}, "state": "s"}})
                .to_string()
                .into_bytes(),
            "state",
        ),
        (
            b"{\"run_id\":\"r\",\"spec\":{\"fn\":\"f\",\"kwargs\":{\"n\":1e999}}}".to_vec(),
            "number out of range",
        ),
    ];
    for (body, part) in bodies {
        let refused = world
            .post(CALLS)
            .key(KEY)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{part}: {}", refused.text);
        assert!(detail(&refused).contains(part), "{part}: {}", refused.text);
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn too_much_is_too_much() {
    let world = World::start().await;
    let before = world.contents().await;
    let body = |bytes: usize| json!({"run_id": "r", "call_id": "c", "spec": {"fn": "f", "kwargs": {"x": "y".repeat(bytes)}}});
    for bytes in [300_000, 7_000_000] {
        let refused = world.post(CALLS).key(KEY).json(&body(bytes)).send().await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(refused.content_type.contains("json"));
    }
    let refused = world.post("/webhook/inbound").body(vec![b'x'; 4_800_000]).send().await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.contents().await, before);
    assert_eq!(world.post(CALLS).key(KEY).json(&body(200_000)).send().await.status, StatusCode::OK);
    world.finish().await;
}

#[tokio::test]
async fn without_the_right_key_there_is_one_answer() {
    let world = World::start().await;
    world.create("call-1", "f").await;
    let before = world.contents().await;
    let mut answers = Vec::new();
    for header in
        [None, Some("Bearer wrong"), Some("Bearer "), Some("Basic dGVzdC1rZXk6"), Some(KEY)]
    {
        for (method, path) in [
            (Method::POST, CALLS),
            (Method::GET, "/humanlayer/v1/function_calls/call-1"),
            (Method::POST, "/humanlayer/v1/agent/function_calls/call-1/respond"),
            (Method::GET, "/v1/operations"),
        ] {
            let ask = world.ask(method, path).body(r#"{"approved": true}"#);
            let ask = match header {
                Some(value) => ask.header("authorization", value),
                None => ask,
            };
            answers.push(ask.send().await);
        }
    }
    for answer in &answers {
        assert_eq!(
            (answer.status, detail(answer)),
            (StatusCode::UNAUTHORIZED, detail(&answers[0]))
        );
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_status_in_the_creation_approves_nothing() {
    let world = World::start().await;
    let body = json!({"run_id": "r", "call_id": "c", "spec": {"fn": "charge"},
                      "status": {"approved": true, "responded_at": "2026-01-01T00:00:00Z"}});
    let created = world.post(CALLS).key(KEY).json(&body).send().await;
    assert_eq!(created.json()["status"].get("approved"), None);
    assert_eq!(world.work().await.delivered, 0);
    world.finish().await;
}

#[tokio::test]
async fn unknown_things_and_wrong_methods_are_told_apart() {
    let world = World::start().await;
    let long = format!("/humanlayer/v1/function_calls/{}", "x".repeat(3000));
    let cases = [
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
        (Method::GET, "/webhook/inbound", StatusCode::METHOD_NOT_ALLOWED),
        (Method::POST, "/webhooks/nobody", StatusCode::NOT_FOUND),
        (Method::GET, "/inbox/nobody", StatusCode::NOT_FOUND),
        (Method::PUT, "/inbox", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/%ff", StatusCode::NOT_FOUND),
    ];
    for (method, path, status) in cases {
        let answer =
            world.ask(method.clone(), path).key(KEY).body(r#"{"approved": true}"#).send().await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        assert!(!answer.text.is_empty(), "{method} {path}");
    }
    world.finish().await;
}

#[tokio::test]
async fn purchases_are_strict() {
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
        let refused = world
            .post("/purchase-materials")
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await;
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

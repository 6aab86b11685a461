//! Numbers keep their value from the request to the executor, or they are refused. They are never rounded silently.

use http::StatusCode;
use placet_core::operation::State;
use placet_core::receipt;
use serde_json::Value;

use crate::receiver::{Receiver, Reply};
use crate::request::Reply as Answer;
use crate::world::{KEY, World};

/// Neither a 64-bit integer nor the shortest text of a double has the value of these.
const ROUNDED: [&str; 5] = [
    "9007199254740993.0",
    "1.123456789012345678",
    "1e-400",
    "1234567890123456789e0",
    "18446744073709551616",
];

const KEPT: [&str; 6] =
    ["100000000000000000000", "1.0", "1e2", "0.1", "9007199254740993", "-0.5e-7"];

/// Creates an operation with this argument.
async fn create(world: &World, call_id: &str, amount: &str) -> Answer {
    let body = format!(
        r#"{{"kind":"function_call","run_id":"r","call_id":"{call_id}","fn":"pay","kwargs":{{"amount":{amount}}}}}"#
    );
    world.post("/v1/operations").key(KEY).body(body).send().await
}

#[tokio::test]
async fn a_number_that_would_be_rounded_is_refused_with_its_place() {
    let world = World::start().await;
    for number in ROUNDED {
        let refused = create(&world, "call-1", number).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{number}");
        let reason = format!("the number {number} at line 1 column 87 would be rounded");
        assert!(refused.text.contains(&reason), "{}", refused.text);
    }
    assert!(world.open_operations().await.is_empty());
    world.finish().await;
}

#[tokio::test]
async fn a_number_that_is_kept_reaches_page_and_executor() {
    let server = Receiver::start().await;
    let world = World::building().executor("pay", &server).start().await;
    for (n, number) in KEPT.into_iter().enumerate() {
        let call_id = format!("call-{n}");
        assert_eq!(create(&world, &call_id, number).await.status, StatusCode::CREATED, "{number}");
        let expected: Value = serde_json::from_str(number).unwrap();
        let page = world.get(&format!("/inbox/{call_id}")).page().send().await;
        assert!(page.text.contains(&expected.to_string()), "{number}");
        world.decide_in_inbox(&call_id, "approve").await;
        world.work().await;
        let received = server.received().pop().unwrap();
        let sent: Value = serde_json::from_slice(&received.body).unwrap();
        assert_eq!(sent["kwargs"]["amount"].to_string(), expected.to_string());
    }
    world.finish().await;
}

/// `1.0` and `1` are the same value. So the same call may be created again with the other text.
#[tokio::test]
async fn two_texts_of_one_value_are_one_call() {
    let world = World::start().await;
    assert_eq!(create(&world, "call-1", "1").await.status, StatusCode::CREATED);
    for (number, expected) in
        [("1.0", StatusCode::OK), ("10e-1", StatusCode::OK), ("1.1", StatusCode::CONFLICT)]
    {
        assert_eq!(create(&world, "call-1", number).await.status, expected, "{number}");
    }
    world.finish().await;
}

/// Creates a receipt of this body for a target. Returns its state and note, and the number of open operations.
async fn receipt_of(target: &str, body: &str) -> (receipt::State, String, usize) {
    let source = format!("{{preset: hmac, secret: env:HOOKS, targets: [{target}]}}");
    let building = World::building().source("hooks", &source);
    let world = building.secret("HOOKS", "a-secret-of-thirty-two-bytes-long").start().await;
    world.signed("hooks", "e1", "application/json", body.as_bytes()).send().await;
    world.work().await;
    let receipt = world.the_receipt().await;
    let requested = world.open_operations().await.len();
    world.abandon();
    (receipt.state, receipt.note.clone(), requested)
}

#[tokio::test]
async fn an_argument_of_an_event_is_never_rounded() {
    let target = "{operation: {fn: pay, kwargs: {amount: {at: /amount, default: 1}}}}";
    for number in ROUNDED {
        let body = format!(r#"{{"amount":{number}}}"#);
        let (state, note, requested) = receipt_of(target, &body).await;
        assert_eq!((state, requested), (receipt::State::Failed, 0), "{number}");
        let reason =
            format!("the number {number} at /amount would be rounded: send it as a string");
        assert_eq!(note, reason);
    }
    for number in KEPT {
        // A number that no argument needs may have any value.
        let body = format!(r#"{{"amount":{number},"other":{}}}"#, ROUNDED[0]);
        let (state, note, requested) = receipt_of(target, &body).await;
        assert_eq!((state, requested), (receipt::State::Processed, 1), "{number}: {note}");
    }
}

#[tokio::test]
async fn a_comparison_does_not_round() {
    for (comparison, body, taken) in [
        ("/a == 100", r#"{"a":100.0}"#, true),
        ("/a == 100.0", r#"{"a":100}"#, true),
        ("/a != 100", r#"{"a":1e2}"#, false),
        ("/a == 9007199254740992", r#"{"a":9007199254740993}"#, false),
        ("/a > 9007199254740992", r#"{"a":9007199254740993.0}"#, true),
        ("/a > 0", r#"{"a":1e-300}"#, true),
    ] {
        let (_, note, _) =
            receipt_of(&format!("{{log: {{}}, where: ['{comparison}']}}"), body).await;
        let missed = format!(
            "no target takes this event without a type: target 1 takes events with {comparison}"
        );
        let expected = if taken { "logged" } else { missed.as_str() };
        assert_eq!(note, expected, "{comparison} {body}");
    }
}

/// The result of an executor is kept as text if a tree would round it, and its absence has a reason.
#[tokio::test]
async fn a_result_is_never_rounded_and_never_silently_empty() {
    let server = Receiver::start().await;
    let world = World::building().executor("pay", &server).start().await;
    let large = "x".repeat(64 * 1024 + 1).into_bytes();
    for (n, (body, expected)) in [
        (br#"{"paid":9007199254740993.0}"#.to_vec(), r#""{\"paid\":9007199254740993.0}""#),
        (br#"{"paid":1,"paid":2}"#.to_vec(), r#""{\"paid\":1,\"paid\":2}""#),
        (b"\xe9".to_vec(), r#"{"result_left_out":"it is not UTF-8"}"#),
        (large, r#"{"result_left_out":"it has more than 64 KB"}"#),
        (Vec::new(), "null"),
        (br#"{"paid":1.0}"#.to_vec(), r#"{"paid":1.0}"#),
    ]
    .into_iter()
    .enumerate()
    {
        let call_id = format!("call-{n}");
        server.answers([Reply::Body(200, body)]);
        create(&world, &call_id, "1").await;
        world.decide_in_inbox(&call_id, "approve").await;
        world.work().await;
        let operation = world.operation(&call_id).await;
        assert_eq!(operation.state, State::Succeeded);
        let reply = world.get(&format!("/v1/operations/function_call/{call_id}")).key(KEY);
        assert_eq!(reply.send().await.json()["outcome"]["result"].to_string(), expected);
    }
    world.finish().await;
}

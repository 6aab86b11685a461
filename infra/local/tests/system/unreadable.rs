//! A body that cannot be read is an error that a person sees. Placet never treats it as empty, and a default
//! never replaces a field that could not be read (law 7).

use http::StatusCode;
use placet_core::receipt::State;

use crate::world::World;

/// A body that parsers read differently, an incomplete body, and a body that is nested too deep.
fn unreadable() -> [String; 3] {
    let deep = format!(r#"{{"type":"refund","data":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let twice = r#"{"type":"refund","data":{"amount":5,"amount":5000}}"#;
    [twice.to_owned(), r#"{"type":"refund","data":{"amount":5000}"#.to_owned(), deep]
}

/// Sends a webhook with this body to a source with this target. Returns the state and the note of the receipt
/// and the number of open operations.
async fn receipt_of(target: &str, content_type: &str, body: &str) -> (State, String, usize) {
    let source = format!("{{preset: hmac, secret: env:HOOKS, targets: [{target}]}}");
    let building = World::building().source("hooks", &source);
    let world = building.secret("HOOKS", "a-secret-of-thirty-two-bytes-long").start().await;
    let signed = world.signed("hooks", "e1", content_type, body.as_bytes()).send().await;
    assert_eq!(signed.status, StatusCode::OK);
    world.work().await;
    let receipt = world.the_receipt().await;
    let requested = world.open_operations().await.len();
    world.abandon();
    (receipt.state, receipt.body.note.clone(), requested)
}

#[tokio::test]
async fn no_default_replaces_a_field_that_cannot_be_read() {
    let target = "{operation: {fn: charge, kwargs: {amount: {at: /data/amount, default: 1}}}}";
    for body in unreadable() {
        for content_type in ["application/json", "text/plain"] {
            let (state, note, requested) = receipt_of(target, content_type, &body).await;
            assert_eq!((state, requested), (State::Failed, 0), "{content_type}: {note}");
        }
    }
}

#[tokio::test]
async fn an_unreadable_event_does_not_count_as_an_unwanted_event() {
    let target =
        "{operation: {fn: charge, kwargs: {amount: /data/amount}}, where: ['/data/amount > 100']}";
    for body in unreadable() {
        let (state, note, _) = receipt_of(target, "application/json", &body).await;
        assert_eq!(state, State::Failed, "{note}");
    }
}

/// A comparison with "not equal" does not hold for a field that cannot be read.
#[tokio::test]
async fn a_comparison_fails_if_the_body_cannot_be_read() {
    for body in unreadable() {
        let target = "{log: {}, where: ['/data/amount != 5']}";
        let (state, note, _) = receipt_of(target, "application/json", &body).await;
        assert_eq!(state, State::Failed, "{note}");
    }
}

#[tokio::test]
async fn a_target_that_reads_no_field_accepts_an_unreadable_body() {
    for body in unreadable() {
        let (state, note, _) = receipt_of("log", "application/json", &body).await;
        assert_eq!((state, note.as_str()), (State::Processed, "logged"));
    }
}

/// Slack sends JSON in a field of a form.
#[tokio::test]
async fn no_default_replaces_a_payload_that_cannot_be_read() {
    let target = "{operation: {fn: charge, kwargs: {amount: {at: /data/amount, default: 1}}}}";
    let source = format!("{{preset: slack, secret: env:HOOKS, targets: [{target}]}}");
    let form = "application/x-www-form-urlencoded";
    for (payload, expected) in
        [(r#"{"data":{"amount":5,"amount":6}}"#, State::Failed), ("{}", State::Processed)]
    {
        let building = World::building().source("hooks", &source);
        let world = building.secret("HOOKS", "a-secret-of-thirty-two-bytes-long").start().await;
        let body = format!("payload={payload}");
        let signed = world.signed("hooks", "e1", form, body.as_bytes()).send().await;
        assert_eq!(signed.status, StatusCode::OK, "{}", signed.text);
        world.work().await;
        let receipt = world.the_receipt().await;
        assert_eq!(receipt.state, expected, "{}", receipt.note);
        world.abandon();
    }
}

/// Not every sender sends JSON.
#[tokio::test]
async fn a_body_that_is_not_json_is_accepted_unchanged() {
    let target = "{operation: {fn: charge, kwargs: {amount: {value: 1}}}}";
    for (content_type, body) in [("text/plain", "hello"), ("application/octet-stream", "\u{1}")] {
        let (state, note, requested) = receipt_of(target, content_type, body).await;
        assert_eq!((state, requested), (State::Processed, 1), "{note}");
    }
}

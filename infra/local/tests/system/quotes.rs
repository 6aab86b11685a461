//! Texts that quote a part of the input.

use http::StatusCode;
use placet_core::receipt;

use crate::world::{KEY, World};

/// Digits that do not compress.
fn digits(count: usize) -> String {
    let mut state = 1_u64;
    let mut digit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'0' + u8::try_from((state >> 33) % 10).unwrap())
    };
    let mut text = String::from("1");
    text.extend((1..count).map(|_| digit()));
    text
}

/// The note quotes the wrong part of the body. The worker writes the note into the row.
#[tokio::test]
async fn a_webhook_that_cannot_be_processed_gets_a_short_note_and_fails() {
    let world = World::start().await;
    let member = format!("m{}", digits(1_200_000));
    let body = format!(r#"{{"{member}":1,"{member}":1}}"#);
    let signed = world.signed("humanlayer", "msg_1", "application/json", body.as_bytes());
    assert_eq!(signed.send().await.status, StatusCode::OK);
    let report = world.work().await;
    assert_eq!(report.failed, 0, "{report:?}");
    let receipt = world.the_receipt().await;
    assert_eq!(receipt.state, receipt::State::Failed);
    assert!(receipt.note.len() < 10_000, "{}", receipt.note.len());
    world.finish().await;
}

/// The response to a request quotes its wrong part; a response of Lambda has 6 MB at most.
#[tokio::test]
async fn an_error_is_short_for_input_of_any_length() {
    let world = World::start().await;
    let long = digits(1_000_000);
    for (path, body) in [
        ("/v1/operations", format!(r#"{{"kind":"function_call","a{long}":1,"a{long}":1}}"#)),
        ("/v1/operations", format!(r#"{{"kind":"function_call","run_id":"r","a{long}":1}}"#)),
        ("/humanlayer/v1/function_calls", format!(r#"{{"a{long}":1,"a{long}":1}}"#)),
    ] {
        let refused = world.post(path).key(KEY).body(body).send().await;
        assert!(refused.status.is_client_error(), "{}", refused.status);
        assert!(refused.text.len() < 10_000, "{path}: {} bytes", refused.text.len());
    }
    world.finish().await;
}

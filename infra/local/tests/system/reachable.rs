//! What a person gets who checks an address before sending anything: one line that says what to send, and a
//! page in a browser.

use http::{Method, StatusCode};
use serde_json::json;

use crate::webhooks::hex_mac;
use crate::world::World;

const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

const SECRET: &str = "a secret of more than twenty-four bytes";

async fn world() -> World {
    World::building()
        .source(
            "generic",
            "{preset: hmac, secret: env:SECRET, paths: [/webhooks/generic/v2], targets: [log]}",
        )
        .source("slash", "{preset: hmac, secret: env:SECRET, paths: [/hook/], targets: [log]}")
        .source(
            "meta",
            "{preset: meta, secret: env:SECRET, verify_token: env:SECRET, targets: [log]}",
        )
        .secret("SECRET", SECRET)
        .start()
        .await
}

#[tokio::test]
async fn the_root_says_hello_to_programs_and_shows_the_inbox_to_browsers() {
    let world = world().await;
    let program = world.get("/").header("accept", "*/*").send().await;
    assert_eq!((program.status, program.text.as_str()), (StatusCode::OK, "hello!"));
    let browser = world.get("/").header("accept", BROWSER).send().await;
    assert_eq!((browser.status, browser.location.as_str()), (StatusCode::SEE_OTHER, "/inbox"));
    world.finish().await;
}

#[tokio::test]
async fn a_get_of_a_source_says_what_to_send() {
    let world = world().await;
    let before = world.contents().await;
    for path in ["/webhooks/generic", "/webhooks/generic/", "/webhooks/generic/v2/"] {
        for accept in ["*/*", BROWSER] {
            let reply = world.get(path).header("accept", accept).send().await;
            assert_eq!(reply.status, StatusCode::OK, "{path}");
            let detail = "this is the webhook source generic: send its webhooks here with POST";
            let expected = json!({"detail": detail, "methods": ["POST"], "signed": true});
            assert_eq!(reply.json(), expected, "{path}");
        }
    }
    let other = world.request(Method::PUT, "/webhooks/generic").send().await;
    assert_eq!(other.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_webhook_is_received_with_and_without_a_trailing_slash() {
    let world = world().await;
    let paths =
        ["/webhooks/generic", "/webhooks/generic/", "/webhooks/generic/v2/", "/hook", "/hook/"];
    for (n, path) in paths.into_iter().enumerate() {
        let body = format!("{{\"id\":\"{n}\"}}");
        let signed =
            world.post(path).header("x-webhook-signature", &hex_mac(SECRET, &[body.as_bytes()]));
        let reply = signed.header("content-type", "application/json").body(body).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
    }
    assert_eq!(world.receipts().await.len(), paths.len());
    world.settle().await;
    world.finish().await;
}

/// A handshake with GET is answered without a signature; every other GET is a person who checks the address.
#[tokio::test]
async fn a_source_with_a_handshake_says_what_to_send_too() {
    let world = world().await;
    let plain = world.get("/webhooks/meta").send().await;
    assert_eq!(plain.status, StatusCode::OK, "{}", plain.text);
    assert_eq!(plain.json()["methods"], json!(["POST"]));
    let wrong = "/webhooks/meta?hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=x";
    assert_eq!(world.get(wrong).send().await.status, StatusCode::FORBIDDEN);
    world.finish().await;
}

#[tokio::test]
async fn a_browser_at_an_unknown_address_gets_the_page_that_says_so() {
    let world = world().await;
    for path in ["/nothing", "/webhooks/nobody", "/v1/nothing", "/humanlayer/v1/nothing", "/%ff"] {
        let page = world.get(path).header("accept", BROWSER).send().await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.text.contains("<h1>Not found</h1>"), "{path}: {}", page.text);
        let program = world.get(path).header("accept", "*/*").send().await;
        assert!(!program.text.contains("<html"), "{path}: {}", program.text);
    }
    world.finish().await;
}

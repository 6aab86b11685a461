//! Arguments keep the order in which the requester wrote them: on the page, in the API and for the executor.

use http::StatusCode;
use placet_core::operation::State;

use crate::receiver::Receiver;
use crate::request::Reply;
use crate::webhooks::hex_mac;
use crate::world::{KEY, World};

const ARGUMENTS: &str =
    r#"{"to":"DE89","amount":10,"note":{"zeta":1,"alpha":[{"y":1,"b":2}]},"at":null}"#;
/// A source whose mapping names the arguments in an order of its own.
const SOURCE: &str = "{preset: hmac, secret: env:SECRET, targets: \
    [{operation: {fn: pay, kwargs: {to: /to, amount: /amount, at: {value: today}}}}]}";

/// The same value, so it has the same digest.
const SORTED: &str =
    r#"{"amount":10,"at":null,"note":{"alpha":[{"b":2,"y":1}],"zeta":1},"to":"DE89"}"#;

#[tokio::test]
async fn the_arguments_of_a_webhook_stay_in_the_order_of_the_mapping() {
    let secret = "a secret of more than twenty-four bytes";
    let building = World::building().source("shop", SOURCE).secret("SECRET", secret);
    let world = building.start().await;
    let body = r#"{"id":"1","amount":10,"to":"DE89"}"#;
    let signature = hex_mac(secret, &[body.as_bytes()]);
    let post = world.post("/webhooks/shop").header("x-webhook-signature", &signature);
    post.header("content-type", "application/json").body(body).send().await;
    world.settle().await;
    let [operation] = world.open_operations().await.try_into().unwrap();
    let path = format!("/v1/operations/function_call/{}", operation.call_id());
    let read = world.get(&path).key(KEY).send().await.text;
    assert!(read.contains(r#""kwargs":{"to":"DE89","amount":10,"at":"today"}"#), "{read}");
    world.finish().await;
}

async fn create(world: &World, kwargs: &str) -> Reply {
    let body = format!(
        r#"{{"kind":"function_call","run_id":"r","call_id":"c","fn":"pay","kwargs":{kwargs}}}"#
    );
    world.post("/v1/operations").key(KEY).body(body).send().await
}

/// Where each of these texts begins; they must follow each other.
fn follow_each_other(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part);
        let at = at.unwrap_or_else(|| panic!("{part} does not follow in {text}"));
        rest = &rest[at + part.len()..];
    }
}

#[tokio::test]
async fn arguments_stay_in_the_requesters_order() {
    let server = Receiver::start().await;
    let world = World::building().executor("pay", &server).start().await;
    assert_eq!(create(&world, ARGUMENTS).await.status, StatusCode::CREATED);

    let page = world.page("/inbox/c").await.text;
    follow_each_other(
        &page,
        &[">to<", ">amount<", ">note<", "zeta", "alpha", ">y<", ">b<", ">at<"],
    );
    let list = world.page("/inbox").await.text;
    follow_each_other(&list, &["class=\"arguments\"", "to", "amount", "note"]);
    for path in ["/v1/operations/function_call/c", "/humanlayer/v1/function_calls/c"] {
        let read = world.get(path).key(KEY).send().await.text;
        assert!(read.contains(&format!(r#""kwargs":{ARGUMENTS}"#)), "{path}: {read}");
    }
    assert_eq!(create(&world, SORTED).await.status, StatusCode::OK, "the same call");

    world.decide_in_inbox("c", "approve").await;
    world.work().await;
    assert_eq!(world.state("c").await, State::Succeeded);
    let received = server.received().pop().unwrap();
    let sent = String::from_utf8(received.body.to_vec()).unwrap();
    assert!(sent.contains(&format!(r#""kwargs":{ARGUMENTS}"#)), "{sent}");
    world.finish().await;
}

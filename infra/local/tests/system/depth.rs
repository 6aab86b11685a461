//! Deeply nested input is refused, or its row can be read again. An item whose row cannot be read is stuck.

use http::StatusCode;
use placet_core::operation::State;
use placet_core::receipt;
use serde_json::{Value, json};

use crate::client::call;
use crate::receiver::{Receiver, Reply};
use crate::world::{KEY, World};

/// `{"a":{"a":…}}` with this depth.
fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({}), |inner, _| json!({"a": inner}))
}

/// An accepted operation can be read again and decided, and it expires.
#[tokio::test]
async fn an_accepted_operation_of_any_depth_can_be_read_again() {
    for depth in (90..130).step_by(2) {
        let world = World::start().await;
        let draft = call("call-1", "charge").with("kwargs", nested(depth));
        let native = world.post("/v1/operations").key(KEY).json(&draft.native()).send().await;
        let call_2 = call("call-2", "charge").with("kwargs", nested(depth));
        let humanlayer = world.client().request_approval(&call_2).await;
        for (id, created) in [("call-1", native), ("call-2", humanlayer)] {
            if created.status.is_client_error() {
                continue;
            }
            assert!(created.status.is_success(), "{depth} {id}: {created:?}");
            let read = world.get(&format!("/humanlayer/v1/function_calls/{id}")).key(KEY);
            let read = read.send().await;
            assert_eq!(read.status, StatusCode::OK, "{depth} {id}: {}", read.text);
            let decided = world.respond(id, false).await;
            assert_eq!(decided.status, StatusCode::OK, "{depth} {id}: {}", decided.text);
        }
        world.abandon();
    }
}

/// A webhook requests an approval.
#[tokio::test]
async fn an_operation_of_any_depth_from_a_webhook_can_be_read_again() {
    const SHOP: &str = "{preset: standard, secret: env:PLACET_SECRET_HUMANLAYER, \
        targets: [{operation: {fn: charge, kwargs: {data: /data}}}]}";
    for depth in 118..128 {
        let world = World::building().source("shop", SHOP).start().await;
        world.receive("shop", "msg_1", &json!({"type": "x", "data": nested(depth)})).await;
        world.work().await;
        let receipt = world.the_receipt().await;
        if receipt.state == receipt::State::Processed {
            let call_id = receipt.note.rsplit(' ').next().unwrap().to_owned();
            let path = format!("/humanlayer/v1/function_calls/{call_id}");
            let read = world.get(&path).key(KEY).send().await;
            assert_eq!(read.status, StatusCode::OK, "{depth}: {}", read.text);
        }
        world.abandon();
    }
}

/// The worker records a result in a form that can be read again.
#[tokio::test]
async fn a_result_of_any_depth_can_be_read_again() {
    let server = Receiver::start().await;
    for depth in [100, 110, 120, 125, 127, 200] {
        let world = World::building().executor("deep", &server).start().await;
        server.answers([Reply::Body(200, nested(depth).to_string().into_bytes())]);
        world.approved("call-1", "deep").await;
        world.work().await;
        assert_eq!(world.state("call-1").await, State::Succeeded, "{depth}");
        world.finish().await;
    }
}

//! Small input that could be expensive to process.

use std::time::{Duration, Instant};

use http::StatusCode;
use placet_core::receipt;
use serde_json::{Value, json};

use crate::client::{List, OperationSummary, call};
use crate::world::{KEY, World};

/// To compare each of so many with each other would take more than a minute.
const MANY: usize = 60_000;
const SOON: Duration = Duration::from_secs(20);

/// A person reads the options, and each takes room on the page.
#[tokio::test]
async fn an_operation_has_at_most_fifty_options() {
    let world = World::start().await;
    for (count, accepted) in [(50, true), (51, false), (1_000, false)] {
        let options: Vec<Value> = (0..count).map(|n| json!({"name": format!("{n:06}")})).collect();
        let native =
            call(&format!("n{count}"), "f").with("reject_options", options.clone()).native();
        let native = world.post("/v1/operations").key(KEY).json(&native).send().await;
        let draft = call(&format!("h{count}"), "f").with("reject_options", options);
        let humanlayer = world.client().request_approval(&draft).await;
        for answer in [native, humanlayer] {
            let expected = if accepted { answer.status } else { StatusCode::UNPROCESSABLE_ENTITY };
            assert_eq!((answer.status, answer.status.is_success()), (expected, accepted));
        }
    }
    world.finish().await;
}

/// A target reads a form field by field.
#[tokio::test]
async fn a_form_of_many_fields_is_refused_if_a_target_reads_it() {
    let hooks = "{preset: hmac, secret: env:HOOKS, \
        targets: [{operation: {fn: f}, where: ['/000001 != \"x\"']}]}";
    for (fields, expected) in [(1_000, receipt::State::Processed), (MANY, receipt::State::Failed)] {
        let building = World::building().source("hooks", hooks);
        let world = building.secret("HOOKS", "a-secret-of-thirty-two-bytes-long").start().await;
        let fields: Vec<String> = (0..fields).map(|n| format!("{n:06}=x")).collect();
        let (form, body) = ("application/x-www-form-urlencoded", fields.join("&"));
        let signed = world.signed("hooks", "e1", form, body.as_bytes()).send().await;
        assert_eq!(signed.status, StatusCode::OK);
        let begun = Instant::now();
        world.work().await;
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        let receipt = world.the_receipt().await;
        assert_eq!(receipt.state, expected, "{}", receipt.note);
        world.finish().await;
    }
}

/// Each API limits the number of JSON values in a specification.
#[tokio::test]
async fn an_operation_of_too_many_values_is_refused() {
    let shop =
        "{preset: hmac, secret: env:HOOKS, targets: [{operation: {fn: f, kwargs: {data: /data}}}]}";
    let building = World::building().source("hooks", shop);
    let world = building.secret("HOOKS", "a-secret-of-thirty-two-bytes-long").start().await;
    let (few, many) = (vec![json!({"a": 0}); 4_900], vec![json!({"a": 0}); 5_000]);
    for (list, expected) in [(few, StatusCode::OK), (many, StatusCode::PAYLOAD_TOO_LARGE)] {
        let draft = call(&format!("c{}", list.len()), "f").with("kwargs", json!({"list": list}));
        let humanlayer = world.client().request_approval(&draft).await;
        assert_eq!(humanlayer.status, expected, "{}", humanlayer.text);
        let draft = call(&format!("n{}", list.len()), "f").with("kwargs", json!({"list": list}));
        let native = world.post("/v1/operations").key(KEY).json(&draft.native()).send().await;
        assert_eq!(native.status == StatusCode::PAYLOAD_TOO_LARGE, expected != StatusCode::OK);
        let body = json!({"data": list}).to_string();
        world
            .signed("hooks", &expected.to_string(), "application/json", body.as_bytes())
            .send()
            .await;
    }
    world.work().await;
    assert_eq!(world.open_operations().await.len(), 3);
    world.finish().await;
}

/// A page of a list reads a limited number of bytes before compression.
#[tokio::test]
async fn a_page_of_large_operations_that_compress_well_is_bounded() {
    let world = World::start().await;
    let zeros = "0".repeat(180_000);
    for n in 0..20 {
        let large = call(&format!("c{n}"), "f").with("kwargs", json!({"zeros": zeros}));
        assert_eq!(world.client().request_approval(&large).await.status, StatusCode::OK);
    }
    let page: List<OperationSummary> = world.client().get("/v1/operations?limit=100").await.ok();
    assert!(page.items.len() < 10, "{} of 180 KB each were read at once", page.items.len());
    let pages: Vec<Vec<OperationSummary>> = world.client().pages("/v1/operations?limit=100").await;
    assert_eq!(pages.concat().len(), 20);
    world.finish().await;
}

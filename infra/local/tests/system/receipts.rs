//! Receipts for an operator: list, read, download byte for byte, replay.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use http::StatusCode;
use placet_runtime::Role;
use serde_json::{Value, json};

use crate::client::{List, ReceiptReply};
use crate::webhooks::noise;
use crate::world::{Building, KEY, OTHER, PROJECT, START, World};

const SECRET: &str = "a-secret-of-thirty-two-bytes-long";

fn building() -> Building {
    World::building()
        .secret("HOOKS", SECRET)
        .source("hooks", "{preset: hmac, secret: env:HOOKS, targets: [log]}")
        .source("hooks.eu", "{preset: bearer, secret: env:HOOKS, targets: [log]}")
}

/// Sends a JSON webhook that holds its id.
async fn send(world: &World, source: &str, id: &str) {
    world.receive(source, id, &json!({"id": id})).await;
}

/// The newest receipt of the list.
async fn newest(world: &World) -> ReceiptReply {
    world.client().receipts("limit=1").await.items.remove(0)
}

fn delivery_ids(receipts: &[ReceiptReply]) -> Vec<&str> {
    receipts.iter().map(|receipt| receipt.delivery_id.as_deref().unwrap()).collect()
}

/// A world with seven receipts, one a minute. The worker has not processed two of them.
async fn seven() -> World {
    let world = building().start().await;
    for n in 0..7 {
        send(&world, if n % 2 == 0 { "hooks" } else { "hooks.eu" }, &format!("e{n}")).await;
        if n < 5 {
            world.work().await;
        }
        world.advance(Duration::from_secs(60));
    }
    world
}

#[tokio::test]
async fn receipts_are_listed_newest_first_page_by_page() {
    let world = seven().await;
    for limit in [1, 2, 3, 7, 100] {
        let path = format!("/v1/receipts?limit={limit}");
        let pages: Vec<Vec<ReceiptReply>> = world.client().pages(&path).await;
        assert!(pages.iter().all(|page| (1..=limit).contains(&page.len())), "{pages:?}");
        let found = pages.concat();
        assert_eq!(delivery_ids(&found), ["e6", "e5", "e4", "e3", "e2", "e1", "e0"], "{limit}");
    }
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn receipts_are_listed_by_source_state_and_time() {
    let world = seven().await;
    let third = START.plus(Duration::from_secs(120)).to_string();
    for (query, expected) in [
        ("source=hooks".to_owned(), vec!["e6", "e4", "e2", "e0"]),
        ("source=hooks.eu".to_owned(), vec!["e5", "e3", "e1"]),
        ("source=hook".to_owned(), vec![]),
        ("state=received".to_owned(), vec!["e6", "e5"]),
        ("state=processed&source=hooks.eu".to_owned(), vec!["e3", "e1"]),
        ("state=failed".to_owned(), vec![]),
        ("since=3m".to_owned(), vec!["e6", "e5", "e4"]),
        (format!("since={third}"), vec!["e6", "e5", "e4", "e3", "e2"]),
        ("since=1d&state=processed&limit=5".to_owned(), vec!["e4", "e3", "e2", "e1", "e0"]),
    ] {
        let page = world.client().receipts(&query).await;
        assert_eq!(delivery_ids(&page.items), expected, "{query}");
        assert_eq!(page.next, None, "{query}");
    }
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn the_page_after_the_requested_time_is_empty_and_the_last() {
    let world = seven().await;
    let cursor = world.client().receipts("since=2m&limit=1").await.next.unwrap();
    world.advance(Duration::from_secs(3600));

    let rest = world.client().receipts(&format!("since=2m&cursor={cursor}")).await;

    assert_eq!((rest.items, rest.next), (vec![], None));
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_list_continues_also_if_matching_receipts_are_rare() {
    let world = building().start().await;
    send(&world, "hooks", "rare").await;
    world.advance(Duration::from_secs(1));
    send(&world, "hooks.eu", "common").await;
    world.work().await;
    let id = newest(&world).await.id;
    let common = world.row(&format!("receipt#{PROJECT}#{id}"), "item").await.unwrap();
    let created_at = common["list_sk"].as_s().unwrap()[..15].to_owned();
    let copies = (0..1020).map(|n| {
        let mut copy = common.clone();
        let pk = format!("receipt#{PROJECT}#hooks.eu.{n:040x}");
        copy.insert("pk".to_owned(), AttributeValue::S(pk));
        copy.insert("list_sk".to_owned(), AttributeValue::S(format!("{created_at}{n:016x}")));
        copy
    });
    world.put_all(copies.collect()).await;

    let pages: Vec<Vec<ReceiptReply>> = world.client().pages("/v1/receipts?source=hooks").await;

    let found: Vec<_> = pages.iter().map(|page| delivery_ids(page)).collect();
    assert_eq!(found, [vec![], vec!["rare"]]);
    world.finish().await;
}

#[tokio::test]
async fn the_error_names_a_wrong_parameter() {
    let world = building().start().await;
    send(&world, "hooks", "a").await;
    send(&world, "hooks", "b").await;
    let cursor = world.client().receipts("limit=1").await.next.unwrap();
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
        let path = format!("/v1/receipts?{query}");
        let reply = world.client().get::<List<ReceiptReply>>(&path).await;
        let problem = reply.refused(StatusCode::BAD_REQUEST, "invalid_query");
        assert!(problem.detail.contains(name), "{query}: {problem:?}");
    }
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn a_receipt_is_shown_with_all_its_members() {
    let world = building().start().await;
    let body = br#"{"id": "e1", "type": "order.paid", "text": "\u00e9 <b>"}"#;
    let signed = world.signed("hooks", "x1", "application/json; charset=utf-8", body);
    assert_eq!(signed.send().await.status, StatusCode::OK);
    world.work().await;
    let receipt = newest(&world).await;

    let shown = world.client().get::<Value>(&format!("/v1/receipts/{}", receipt.id)).await.ok();

    insta::assert_json_snapshot!(shown, @r#"
    {
      "id": "hooks.b964c3fb1e891d9cbc6473d17092e19693ae08df",
      "source": "hooks",
      "delivery_id": "x1",
      "type": "order.paid",
      "state": "processed",
      "note": "logged",
      "received_at": "2026-11-18T11:06:40.000Z",
      "size": 56,
      "verified": {
        "check": "hmac-sha256",
        "key": 1,
        "signed_at": null,
        "covers": {
          "body": true,
          "identity": false,
          "type": true,
          "time": false,
          "url": false
        }
      },
      "replays": null,
      "method": "POST",
      "path": "/webhooks/hooks",
      "query": "",
      "headers": {
        "content-type": "application/json; charset=utf-8",
        "host": "127.0.0.1:8000",
        "x-webhook-id": "x1",
        "x-webhook-signature": "sha256=f5c78368a8d10cbe15440a06403c5b5d456d13038bb1988afa093c80647c7cf0"
      },
      "content_type": "application/json; charset=utf-8",
      "body_url": "/v1/receipts/hooks.b964c3fb1e891d9cbc6473d17092e19693ae08df/body",
      "body": "{\"id\": \"e1\", \"type\": \"order.paid\", \"text\": \"\\u00e9 <b>\"}"
    }
    "#);
    world.finish().await;
}

#[tokio::test]
async fn a_list_shows_receipts_without_their_requests() {
    let (world, [path, _], _) = one().await;
    let list: List<Value> = world.client().get("/v1/receipts").await.ok();
    let mut shown: Value = world.client().get(&path).await.ok();

    for request in ["method", "path", "query", "headers", "content_type", "body_url", "body"] {
        assert!(shown.as_object_mut().unwrap().remove(request).is_some(), "{request}");
    }

    assert_eq!(list.items, [shown]);
    world.finish().await;
}

#[tokio::test]
async fn a_body_is_downloaded_byte_for_byte_and_never_shown_as_a_page() {
    let world = building().start().await;
    let noise = noise(400_000);
    let cases: [(&str, &[u8], &str); 6] = [
        ("application/json; charset=utf-8", b"{\"a\": \"b\"}\r\n\r\n", "application/json"),
        ("text/html", b"<script>alert(1)</script>", "application/octet-stream"),
        ("image/svg+xml", b"<svg onload='x'/>", "application/octet-stream"),
        ("application/x-www-form-urlencoded", b"a=1&b=%ff", "application/x-www-form-urlencoded"),
        ("application/octet-stream", &[0, 255, 13, 10, 0], "application/octet-stream"),
        ("application/cloudevents+json", &noise, "application/json"),
    ];
    for (n, (content_type, body, expected)) in cases.into_iter().enumerate() {
        let signed = world.signed("hooks", &format!("x{n}"), content_type, body);
        assert_eq!(signed.send().await.status, StatusCode::OK);
        world.work().await;
        world.advance(Duration::from_millis(1));
        let id = newest(&world).await.id;

        let raw = world.get(&format!("/v1/receipts/{id}/body")).key(KEY).send().await;

        assert_eq!((raw.status, raw.content_type.as_str()), (StatusCode::OK, expected));
        assert!(raw.bytes == body, "{content_type}");
        assert_eq!(raw.headers["x-content-type-options"], "nosniff");
        assert_eq!(raw.headers["content-disposition"], "attachment");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_receipt_shows_its_small_body() {
    let world = building().start().await;
    let noise = noise(400_000);
    for (n, (body, text, base64)) in [
        (&b"<b>\r\n"[..], Some("<b>\r\n"), None),
        (&[0, 255, 13, 10, 0], None, Some("AP8NCgA=")),
        (&noise, None, None),
    ]
    .into_iter()
    .enumerate()
    {
        let signed = world.signed("hooks", &n.to_string(), "text/html", body);
        assert_eq!(signed.send().await.status, StatusCode::OK);
        world.work().await;
        world.advance(Duration::from_millis(1));
        let id = newest(&world).await.id;

        let shown = world.client().receipt(&id).await.other;

        assert_eq!(shown["size"], body.len());
        assert_eq!(shown["content_type"], "text/html");
        assert_eq!(shown.get("body").and_then(Value::as_str), text);
        assert_eq!(shown.get("body_base64").and_then(Value::as_str), base64);
    }
    world.finish().await;
}

#[tokio::test]
async fn a_replayed_receipt_is_processed_again_without_a_second_effect() {
    let request = "{preset: hmac, secret: env:HOOKS, targets: [{operation: {fn: charge, kwargs: {amount: /amount}}}]}";
    let world = building().source("requests", request).start().await;
    world.receive("requests", "x", &json!({"id": "e1", "amount": 7})).await;
    let (client, id) = (world.client(), newest(&world).await.id);
    client.replay(&id).await.refused(StatusCode::CONFLICT, "under_way");
    world.work().await;
    world.advance(Duration::from_secs(5));

    let replayed = client.replay(&id).await.is(StatusCode::ACCEPTED);
    world.work().await;

    let now = START.plus(Duration::from_secs(5)).to_string();
    assert_eq!(replayed.replays, Some(json!({"count": 1, "last_at": now})));
    assert_eq!((replayed.id.as_str(), replayed.state.as_str()), (id.as_str(), "received"));
    let processed = client.receipt(&id).await;
    assert_eq!((processed.state.as_str(), processed.replays), ("processed", replayed.replays));
    assert_eq!(world.open_operations().await.len(), 1);
    world.finish().await;
}

/// A world with one receipt, the two paths of the receipt, and the path of its replay.
async fn one() -> (World, [String; 2], String) {
    let world = building().start().await;
    send(&world, "hooks", "a").await;
    world.work().await;
    let receipt = format!("/v1/receipts/{}", newest(&world).await.id);
    let (body, replay) = (format!("{receipt}/body"), format!("{receipt}/replay"));
    (world, [receipt, body], replay)
}

#[tokio::test]
async fn only_its_project_sees_a_receipt() {
    let (world, paths, replay) = one().await;
    let other = world.key(Role::Admin, OTHER).await;
    let before = world.contents().await;

    let list = world.client_with(&other).receipts("").await;
    assert_eq!((list.items, list.next), (vec![], None));
    for path in &paths {
        let reply = world.get(path).key(&other).send().await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
    }
    let replayed = world.post(&replay).key(&other).send().await;
    assert_eq!(replayed.status, StatusCode::NOT_FOUND);

    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn receipts_need_a_key_and_the_right_method() {
    let (world, [receipt, body], replay) = one().await;
    let before = world.contents().await;

    for path in ["/v1/receipts", &receipt, &body] {
        assert_eq!(world.get(path).send().await.status, StatusCode::UNAUTHORIZED, "{path}");
        let posted = world.post(path).key(KEY).send().await;
        assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    assert_eq!(world.post(&replay).send().await.status, StatusCode::UNAUTHORIZED);
    let read = world.get(&replay).key(KEY).send().await;
    assert_eq!(read.status, StatusCode::METHOD_NOT_ALLOWED);

    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn an_unknown_receipt_id_is_not_found() {
    let world = building().start().await;
    let long = "x".repeat(4000);
    for id in ["nothing", "hooks.00", "hooks.zz", "%2e%2e", &long] {
        let path = format!("/v1/receipts/{id}");
        let read = world.client().get::<ReceiptReply>(&path).await;
        read.refused(StatusCode::NOT_FOUND, "not_found");
        world.client().replay(id).await.refused(StatusCode::NOT_FOUND, "not_found");
    }
    world.finish().await;
}

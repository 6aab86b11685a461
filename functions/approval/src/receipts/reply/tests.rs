use placet_core::Payload;
use placet_core::item::Write;
use placet_core::receipt::{Command, Record};
use placet_core::webhook::Verification;

use super::*;
use crate::testing::NOW;

fn receipt() -> Item<Receipt> {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let record = Record {
        source: "github".to_owned(),
        delivery_id: Some("guid-1".to_owned()),
        method: "POST".to_owned(),
        path: "/webhooks/github".to_owned(),
        rest: String::new(),
        query: "a=1".to_owned(),
        headers: vec![
            header("content-type", "application/json; charset=utf-8"),
            header("x-one", "1"),
            header("x-one", "2"),
        ],
        received_at: NOW,
    };
    let coverage = Coverage { body: true, ..Coverage::default() };
    let receipt = Receipt {
        record,
        verified: Verification {
            check: "hmac-sha256".to_owned(),
            key: Some(1),
            signed_at: Some(NOW),
            coverage,
        },
        remembered_until: NOW,
        state: State::Received,
        event_type: None,
        note: String::new(),
        replays: None,
        body: Payload::Plain(b"{}".to_vec()),
    };
    let received = Item::new("default", "github.00", receipt, &Write::new("1", NOW));
    let processed = Command::Processed {
        event_type: Some("issues.opened".to_owned()),
        note: "logged".to_owned(),
        replay: 0,
    };
    let commands = [processed, Command::Replay];
    commands
        .iter()
        .fold(received, |item, command| item.apply(command, &Write::new("2", NOW)).unwrap())
}

#[test]
fn a_receipt_shows_its_request_verification_and_state() {
    let receipt = receipt();
    let reply = ReceiptReply::new(&receipt, ShownBody::of(b"{}".to_vec()));
    insta::assert_json_snapshot!(serde_json::to_value(reply).unwrap(), @r#"
    {
      "id": "github.00",
      "source": "github",
      "delivery_id": "guid-1",
      "type": "issues.opened",
      "state": "received",
      "note": "logged",
      "received_at": "2026-11-20T09:00:00.000Z",
      "size": 2,
      "verified": {
        "check": "hmac-sha256",
        "key": 1,
        "signed_at": "2026-11-20T09:00:00.000Z",
        "covers": {
          "body": true,
          "identity": false,
          "type": false,
          "time": false,
          "url": false
        }
      },
      "replays": {
        "count": 1,
        "last_at": "2026-11-20T09:00:00.000Z"
      },
      "method": "POST",
      "path": "/webhooks/github",
      "query": "a=1",
      "headers": {
        "content-type": "application/json; charset=utf-8",
        "x-one": "1, 2"
      },
      "content_type": "application/json; charset=utf-8",
      "body_url": "/v1/receipts/github.00/body",
      "body": "{}"
    }
    "#);
}

#[test]
fn a_binary_body_is_shown_as_base64_and_a_large_body_is_left_out() {
    let members = |body: Vec<u8>| {
        let receipt = receipt();
        let reply = ReceiptReply::new(&receipt, ShownBody::of(body));
        let reply = serde_json::to_value(reply).unwrap();
        (reply.get("body").cloned(), reply.get("body_base64").cloned())
    };
    assert_eq!(members(vec![0, 255]), (None, Some("AP8=".into())));
    assert_eq!(members(vec![b'a'; 256 * 1024 + 1]), (None, None));
}

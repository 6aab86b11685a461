//! Senders without a preset, described in the grammar.

use placet_core::webhook::Unverified;
use serde_json::{Value, json};

use crate::crypto::{base64, hmac_sha1, hmac_sha256};
use crate::request::{Request, open_scheme, written};

const BODY: &str = r#"{"id":"evt_1","type":"ping"}"#;

fn mac(check: Value) -> Value {
    json!({"checks": {"mac": check}})
}

fn hook0(tag: &str, signed: Value) -> Value {
    mac(json!({
        "algorithm": "hmac-sha256",
        "signed": signed,
        "signature": {
            "at": "header:x-hook0-signature",
            "list": {"separator": ",", "pair": "=", "tag": tag},
            "encoding": "hex"
        },
        "time": {"tag": "t"}
    }))
}

#[test]
fn both_versions_of_hook0_can_be_described() {
    let (first, second) = (
        "d17d66b66fca89390c5b967c45e8928fc732db07a0aabe8167b1e98213081ffe",
        "19a6fb8f6581715b241a93af02a58611c3b0ac7b747a8d2a5b120ee418d0c347",
    );
    let header = format!("t=1800000000,v0={first},h=x-event-id x-delivery-id,v1={second}");
    let request = Request::post(r#"{"event":"user.created"}"#)
        .add("x-hook0-signature", &header)
        .add("x-event-id", "evt-1")
        .add("x-delivery-id", "dlv-1");
    let secret = &["a-subscription-secret"];
    let v0 = open_scheme(written(hook0("v0", json!(["time", ".", "body"]))), secret);
    assert!(request.judged(&v0, 1_800_000_000).is_ok());

    let signed = json!(["time", ".", "header_list:h", ".", "body"]);
    let mut scheme = hook0("v1", signed);
    scheme["identity"] = json!("header:x-event-id");
    let v1 = open_scheme(written(scheme), secret);
    let verified = request.judged(&v1, 1_800_000_000).unwrap();
    assert_eq!(verified.identity.as_deref(), Some("evt-1"));
    assert!(!verified.proven.coverage.identity, "values joined by full stops are ambiguous");

    let other_id = request.clone().set("x-event-id", "evt-2");
    assert_eq!(other_id.judged(&v1, 1_800_000_000), Err(Unverified::Signature));
    let no_id = request.clone().without("x-event-id");
    assert_eq!(no_id.judged(&v1, 1_800_000_000), Err(Unverified::Missing));
    let two_lists = format!("{header},h=x-event-id");
    let request = request.set("x-hook0-signature", &two_lists);
    assert_eq!(request.judged(&v1, 1_800_000_000), Err(Unverified::Ambiguous));
}

#[test]
fn xero_can_be_described() {
    let scheme = mac(json!({
        "algorithm": "hmac-sha256",
        "signed": ["body"],
        "signature": {"at": "header:X-Xero-Signature", "encoding": "base64"}
    }));
    let request =
        Request::post(BODY).add("x-xero-signature", "RLPqXerY1gP6FbZ4LZErsGHj6rkzwJK8VBKGOQPTWzU=");
    assert!(request.judged(&open_scheme(written(scheme), &["s3cr3t"]), 0).is_ok());
}

#[test]
fn paystack_can_be_described() {
    let scheme = mac(json!({
        "algorithm": "hmac-sha512",
        "signed": ["body"],
        "signature": {"at": "header:x-paystack-signature", "encoding": "hex"}
    }));
    let signature = "b8fc80dd3b568512fecd2ecdfb31e1b8ddd2e923793929b89d23a1608d9d703364c0cad578e60645f7fd1fb88677dab40fb5a517bc13f183e5da7f49903a023f";
    let verifier = open_scheme(written(scheme), &["s3cr3t"]);
    let request = Request::post(BODY).add("x-paystack-signature", signature);
    assert!(request.judged(&verifier, 0).is_ok());
    let half = request.set("x-paystack-signature", &signature[..64]);
    assert_eq!(half.judged(&verifier, 0), Err(Unverified::Signature));
}

#[test]
fn the_key_of_adyen_is_hexadecimal() {
    let scheme = mac(json!({
        "algorithm": "hmac-sha256", "key": "hex",
        "signed": ["body"],
        "signature": {"at": "header:hmacsignature", "encoding": "base64"}
    }));
    let verifier = open_scheme(written(scheme), &["44782DEF547AAA06C910C43932B1EB0C"]);
    let key = [0x44, 0x78, 0x2d, 0xef, 0x54, 0x7a, 0xaa, 0x06, 0xc9, 0x10, 0xc4, 0x39, 0x32, 0xb1];
    let key = [key.as_slice(), &[0xeb, 0x0c]].concat();
    let signed = |key: &[u8]| {
        let signature = base64(&hmac_sha256(key, BODY.as_bytes()));
        Request::post(BODY).add("hmacsignature", &signature).judged(&verifier, 0)
    };
    assert!(signed(&key).is_ok());
    assert_eq!(signed(b"44782DEF547AAA06C910C43932B1EB0C"), Err(Unverified::Signature));
}

#[test]
fn klaviyo_sends_an_http_date() {
    let scheme = mac(json!({
        "algorithm": "hmac-sha256",
        "signed": ["body", "time"],
        "signature": {"at": "header:klaviyo-signature", "encoding": "base64"},
        "time": {"at": "header:klaviyo-timestamp", "unit": "http_date"}
    }));
    let verifier = open_scheme(written(scheme), &["s3cr3t"]);
    let signed = |date: &str, at| {
        let signature = base64(&hmac_sha256(b"s3cr3t", format!("{BODY}{date}").as_bytes()));
        Request::post(BODY)
            .add("klaviyo-timestamp", date)
            .add("klaviyo-signature", &signature)
            .judged(&verifier, at)
    };
    let date = "Tue, 14 Nov 2023 22:13:20 GMT";
    assert!(signed(date, 1_700_000_300).is_ok());
    assert!(matches!(signed(date, 1_700_000_301), Err(Unverified::Skew { skew: 301, .. })));
    for wrong in ["1700000000", "Tue, 14 Nov 2023 22:13:20 +0000", "2023-11-14T22:13:20Z"] {
        assert_eq!(signed(wrong, 1_700_000_000), Err(Unverified::Time), "{wrong}");
    }
}

#[test]
fn trello_signs_the_url_after_the_body() {
    let mut scheme = mac(json!({
        "algorithm": "hmac-sha1",
        "signed": ["body", "url"],
        "signature": {"at": "header:x-trello-webhook", "encoding": "base64url"}
    }));
    scheme["accept_sha1"] = json!(true);
    let verifier = open_scheme(written(scheme), &["s3cr3t"]);
    let request = Request::post(BODY);
    let message = format!("{BODY}{}", request.url());
    let signature = base64(&hmac_sha1(b"s3cr3t", message.as_bytes()));
    let signature = signature.replace('+', "-").replace('/', "_");
    let request = request.add("x-trello-webhook", &signature);
    assert!(request.judged(&verifier, 0).is_ok());
    let other_address = request.with_query("x=2");
    assert_eq!(other_address.judged(&verifier, 0), Err(Unverified::Signature));
}

/// This sender has a time in milliseconds in a list element, and its own tolerance.
#[test]
fn workos_can_be_described() {
    let scheme = mac(json!({
        "algorithm": "hmac-sha256",
        "signed": ["time", ".", "body"],
        "signature": {
            "at": "header:workos-signature",
            "list": {"separator": ",", "pair": "=", "tag": "v1"},
            "encoding": "hex"
        },
        "time": {"tag": "t", "unit": "ms", "past": "180s", "future": "10s"}
    }));
    let verifier = open_scheme(written(scheme), &["s3cr3t"]);
    let time = "1700000000000";
    let signature =
        crate::crypto::hex(&hmac_sha256(b"s3cr3t", format!("{time}.{BODY}").as_bytes()));
    let request = Request::post(BODY).add("workos-signature", &format!("t={time}, v1={signature}"));
    for (at, fine) in [(180, true), (181, false), (-10, true), (-11, false)] {
        assert_eq!(request.judged(&verifier, 1_700_000_000 + at).is_ok(), fine, "{at}");
    }
}

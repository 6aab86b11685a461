//! Bodies that cannot be read exactly. The type, a time, a token and a handshake are read as far as they can be; what
//! cannot be read is never a missing value.

use placet_core::strict_json::Unreadable;
use placet_core::webhook::Answer;
use serde_json::json;

use crate::request::{Judged, Request, open, scheme};
use crate::sender::{NOW, Sender};
use crate::senders::SENDERS;
use crate::sns;

const FORM: &str = "application/x-www-form-urlencoded";

fn sender(name: &str) -> &'static Sender {
    SENDERS.iter().find(|sender| sender.name == name).unwrap()
}

/// A request of a sender that signs the body, with this body.
fn signed(name: &str, body: &[u8]) -> Request {
    let sender = sender(name);
    let time = sender.time_text(NOW);
    let request = sender.unsigned(&time, b"").with_body(body);
    let signature = sender.written.text(&sender.signature_of(&request, &time));
    sender.with_signatures(request, &time, &[signature])
}

/// The member `a` of the data is damaged in each of these.
fn damaged(text: &str) -> [Vec<u8>; 6] {
    let with = |value: &str| text.replace("DAMAGE", value).into_bytes();
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let latin = with("\"#\"").into_iter().map(|byte| if byte == b'#' { 0xe9 } else { byte });
    let utf16 = text.replace("DAMAGE", "1").encode_utf16().flat_map(u16::to_le_bytes).collect();
    [with(r#""late \ud83d""#), with("1e400"), with("NaN"), with(&deep), latin.collect(), utf16]
}

fn event_type(preset: &str, request: &Request) -> Result<Option<String>, Unreadable> {
    scheme(preset, json!({})).event_type(&request.incoming())
}

#[test]
fn damage_beside_the_time_is_no_reason_to_refuse() {
    let text = format!(
        r#"{{"webhookTimestamp":{NOW}000,"type":"Issue","action":"create","data":{{"title":DAMAGE}}}}"#
    );
    for body in damaged(&text) {
        let request = signed("linear", &body);
        let judged = sender("linear").judge(&request);
        assert!(judged.is_ok(), "{judged:?} {}", String::from_utf8_lossy(&body));
        assert_eq!(event_type("linear", &request), Ok(Some("Issue.create".to_owned())));
    }
    let twice = text.replace("DAMAGE", r#"1,"webhookTimestamp":1"#);
    assert!(sender("linear").judge(&signed("linear", twice.as_bytes())).is_ok(), "another object");
    let twice = text.replace(r#""type""#, r#""webhookTimestamp":1,"type""#).replace("DAMAGE", "1");
    assert!(sender("linear").judge(&signed("linear", twice.as_bytes())).is_err(), "two times");
}

#[test]
fn damage_beside_the_token_is_no_reason_to_refuse() {
    let verifier = open("microsoft-graph", &["state one"]);
    let judged = |body: &[u8]| -> Judged { Request::post(body).judged(&verifier, NOW) };
    let text = r#"{"value":[{"clientState":"state one","changeType":"updated","resourceData":{"a":DAMAGE}}]}"#;
    for body in damaged(text) {
        assert!(judged(&body).is_ok(), "{}", String::from_utf8_lossy(&body));
        let kind = event_type("microsoft-graph", &Request::post(body));
        assert_eq!(kind, Ok(Some("updated".to_owned())));
    }
    let foreign = text.replace("state one", "foreign");
    assert!(damaged(&foreign).iter().all(|body| judged(body).is_err()));
}

#[test]
fn damage_beside_the_type_of_a_handshake_does_no_harm() {
    let pong = Answer {
        status: 200,
        content_type: "application/json".to_owned(),
        headers: Vec::new(),
        body: r#"{"type":1}"#.to_owned(),
    };
    for body in damaged(r#"{"type":1,"id":"1","user":{"name":DAMAGE}}"#) {
        let request = signed("discord", &body);
        assert!(sender("discord").judge(&request).is_ok());
        let verifier = sender("discord").verifier();
        assert_eq!(verifier.verified_handshake(&request.incoming()), Some(pong.clone()));
    }
}

/// Amazon signs members, not the body. A signed member must be readable exactly and once; the others do not matter.
#[test]
fn signed_members_are_read_exactly_and_the_others_do_not_matter() {
    let judged = |change: fn(String) -> String| {
        let request = sns_request();
        let body = change(String::from_utf8(request.body.clone()).unwrap());
        sender("sns").judge(&request.with_body(body)).is_ok()
    };
    assert!(judged(|body| body));
    assert!(judged(|body| format!("\u{feff}{body}")));
    assert!(judged(|body| body.replacen('{', r#"{"MessageAttributes":"\ud83d","x":1e400,"#, 1)));
    assert!(judged(|body| body.replacen('{', r#"{"x":1,"x":2,"#, 1)));
    for member in [r#""Message":"other""#, r#""Signature":"AAAA""#, r#""Token":"\ud83d""#] {
        let body = String::from_utf8(sns_request().body).unwrap();
        let body = body.replacen('{', &format!("{{{member},"), 1);
        assert!(sender("sns").judge(&sns_request().with_body(body)).is_err(), "{member}");
    }
}

fn sns_request() -> Request {
    let sender = sender("sns");
    let time = sender.time_text(NOW);
    let request = Request::post(sns::notification("hello", &time).to_string());
    let signature = sender.written.text(&sender.signature_of(&request, &time));
    sender.with_signatures(request, &time, &[signature])
}

#[test]
fn an_identity_that_was_replaced_is_no_identity() {
    let identity =
        |body: &str| sender("stripe").judge(&signed("stripe", body.as_bytes())).unwrap().identity;
    assert_eq!(identity(r#"{"id":"evt_1","x":"\ud83d"}"#).as_deref(), Some("evt_1"));
    assert_eq!(identity(r#"{"id":"evt_\ud83d"}"#), None);
    assert_eq!(identity(r#"{"id":"evt_1","id":"evt_2"}"#), None);
}

/// GitHub sends the same event as JSON or as a form.
#[test]
fn a_form_of_github_has_the_type_of_the_json() {
    let github = |content_type: &str, event: &str, body: &str| {
        let request = Request::post(body).set("content-type", content_type);
        event_type("github", &request.set("x-github-event", event))
    };
    let json = "application/json";
    for (content_type, event, body, expected) in [
        (json, "issues", r#"{"action":"opened"}"#, "issues.opened"),
        (FORM, "issues", "payload=%7B%22action%22%3A%22opened%22%7D", "issues.opened"),
        (FORM, "issues", r#"{"action":"opened"}"#, "issues.opened"),
        (FORM, "push", "payload=%7B%7D", "push"),
        (json, "push", "{}", "push"),
    ] {
        assert_eq!(github(content_type, event, body), Ok(Some(expected.to_owned())), "{body}");
    }
    for (content_type, body) in [
        (json, r#"{"action":"opened""#),
        (json, r#"{"action":"opened","action":"closed"}"#),
        (json, "action=opened"),
        (FORM, "payload=%7B"),
        (FORM, "payload=%7B%7D&payload=%7B%7D"),
        (FORM, "payload=%zz"),
    ] {
        assert_eq!(github(content_type, "issues", body), Err(Unreadable), "{body}");
    }
}

/// A later alternative never stands in for a type that cannot be read.
#[test]
fn no_alternative_stands_in_for_a_type_that_cannot_be_read() {
    let gitlab = |body: &str| event_type("gitlab", &Request::post(body));
    assert_eq!(gitlab(r#"{"object_kind":"push"}"#), Ok(Some("push".to_owned())));
    assert_eq!(gitlab(r#"{"event_name":"push"}"#), Ok(Some("push".to_owned())));
    assert_eq!(gitlab("{}"), Ok(None));
    assert_eq!(gitlab(""), Ok(None), "there is no body to read");
    assert_eq!(gitlab(r#"{"object_kind":NaN,"event_name":"push"}"#), Err(Unreadable));
    assert_eq!(gitlab("hello"), Err(Unreadable));
}

/// In every preset: a body that can be read exactly has a type that can be read, and a type that cannot be read
/// belongs to a body with a reason.
#[test]
fn what_can_be_read_exactly_can_be_read_leniently() {
    let texts = [
        r#"{"a":1}"#,
        r#"{"type":{},"event":[],"action":null}"#,
        "[]",
        "[[{}]]",
        "7",
        "a=1",
        "",
        "x",
    ];
    let bodies = texts.iter().map(|text| text.as_bytes().to_vec());
    let bodies: Vec<_> = bodies.chain(damaged(r#"{"type":DAMAGE,"event":DAMAGE}"#)).collect();
    for preset in placet_core::webhook::presets::names() {
        let scheme = scheme(preset, json!({}));
        for (body, content_type) in
            bodies.iter().flat_map(|body| [(body, "application/json"), (body, FORM)])
        {
            let request = Request::post(body.clone()).set("content-type", content_type);
            let request = request.incoming();
            if scheme.event_type(&request).is_err() {
                let exact = scheme.exact_json(&request);
                assert!(
                    exact.is_err(),
                    "{preset} {content_type} {}",
                    String::from_utf8_lossy(body)
                );
            }
        }
    }
}

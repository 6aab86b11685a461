//! The record of a verified request has everything except its secrets.

use placet_core::Timestamp;
use placet_core::receipt::{Record, beginning};
use placet_core::webhook::{Documents, Verifier};
use serde_json::{Value, json};

use crate::request::{Request, open_scheme, scheme, written};
use crate::sender::NOW;
use crate::senders::SENDERS;
use crate::{sns, tokens};

const TOKEN: &str = "a token of more than sixteen bytes";
const IN_PATH: &str = "another-of-more-than-sixteen-bytes";

fn record_with(verifier: &Verifier, request: &Request, documents: &Documents) -> Record {
    let verified = request.verified(verifier, documents, NOW).unwrap();
    Record::of(&verified, Timestamp::from_millis(NOW * 1000))
}

fn record(verifier: &Verifier, request: &Request) -> Record {
    record_with(verifier, request, &Documents::default())
}

/// A source whose sender sends a token at this location.
fn token_at(location: &str, secret: &str) -> Verifier {
    let check = json!({"token": {"at": location}});
    open_scheme(written(json!({"checks": check, "identity": "json:/id"})), &[secret])
}

/// A source without checks, for tests of the values that a scheme reads.
fn open(more: Value) -> Verifier {
    let mut data = json!({"checks": {"none": "for a test"}});
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    open_scheme(serde_json::from_value(data).unwrap(), &[])
}

fn names(record: &Record) -> Vec<&str> {
    record.headers.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_record_holds_the_request_as_received() {
    let mut request = Request::post("{}").add("content-type", "text/plain").add("x-own", "a");
    request = request.add("x-own", "b").with_query("b=2&a=%20");
    request.rest = "/abc".to_owned();
    let kept = record(&open(json!({})), &request);
    assert_eq!(kept.source, "source");
    assert_eq!(kept.received_at, Timestamp::from_millis(NOW * 1000));
    assert_eq!(kept.content_type(), Some("text/plain"));
    let again = kept.request(&request.body);
    assert_eq!((again.method, again.path, again.rest), ("POST", "/in/abc", "/abc"));
    assert_eq!((again.query, again.body), ("b=2&a=%20", &request.body[..]));
    assert_eq!(again.headers, request.incoming().headers);
}

/// A worker reads the same type and identity from the record as the webhook function from the request.
#[test]
fn the_record_of_any_sender_reads_as_its_request() {
    for sender in SENDERS {
        let (verifier, request) = (sender.verifier(), sender.request());
        let kept = record_with(&verifier, &request, &sns::documents());
        let event_type = |request| verifier.scheme().event_type(request);
        let again = kept.request(&request.body);
        assert_eq!(event_type(&again), event_type(&request.incoming()), "{}", sender.name);
        let verified = request.verified(&verifier, &sns::documents(), NOW).unwrap();
        assert_eq!(kept.delivery_id, verified.identity, "{}", sender.name);
        let stored: Record = serde_json::from_value(json!(kept)).unwrap();
        assert_eq!(stored, kept, "{}", sender.name);
    }
}

#[test]
fn no_record_contains_a_token() {
    for sender in tokens::SENDERS.iter().filter(|sender| sender.preset != "microsoft-graph") {
        let request = sender.request();
        let kept = json!(record(&sender.verifier(), &request)).to_string();
        let token = request.header(sender.header);
        assert!(!kept.contains(&token), "{}: {kept}", sender.preset);
        assert!(!kept.contains(sender.header), "{}: {kept}", sender.preset);
    }
}

#[test]
fn stars_replace_a_token_in_the_query() {
    let verifier = token_at("query:token", TOKEN);
    let escaped = TOKEN.replace(' ', "%20");
    for (query, expected) in [
        (format!("a=1&token={escaped}&b=2"), "a=1&token=***&b=2"),
        (format!("token={escaped}"), "token=***"),
        (format!("%74oken={escaped}&mytoken=1"), "token=***&mytoken=1"),
    ] {
        let request = Request::post(r#"{"id":1}"#).with_query(&query);
        let kept = record(&verifier, &request);
        assert_eq!(kept.query, expected, "{query}");
        assert_eq!(kept.path, "/in/abc");
    }
}

#[test]
fn stars_replace_a_token_in_the_path() {
    let verifier = token_at("path:1", IN_PATH);
    let mut request = Request::post(r#"{"id":1}"#);
    for (rest, expected) in
        [(format!("/{IN_PATH}"), "/***"), (format!("//{IN_PATH}/orders/"), "/***/orders")]
    {
        request.path = format!("/webhooks/own{rest}");
        request.rest = rest;
        let kept = record(&verifier, &request);
        assert!(!json!(kept).to_string().contains("sixteen"), "no part of the token is kept");
        assert_eq!(
            (kept.path, kept.rest),
            (format!("/webhooks/own{expected}"), expected.to_owned())
        );
    }
}

#[test]
fn headers_with_secrets_and_headers_of_proxies_are_not_kept() {
    let request = Request::post("{}")
        .add("authorization", "Bearer x")
        .add("cookie", "session=x")
        .add("proxy-authorization", "Basic x")
        .add("x-api-key", "x")
        .add("x-forwarded-for", "192.0.2.1")
        .add("x-amzn-trace-id", "Root=1")
        .add("x-own", "kept");
    assert_eq!(names(&record(&open(json!({})), &request)), ["x-own"]);
    let token = request.add("x-token", TOKEN);
    assert_eq!(names(&record(&token_at("header:x-token", TOKEN), &token)), ["x-own"]);
}

#[test]
fn sixteen_kilobytes_of_headers_are_kept_with_those_of_the_scheme_first() {
    let reads = json!({"identity": "header:x-id", "type": "header:x-type"});
    let verifier = open(reads);
    let mut request = Request::post("{}");
    for number in 10..50 {
        request = request.add(&format!("x-{number}"), &"v".repeat(1020));
    }
    request = request.add("x-type", "t").add("content-type", "text/plain").add("x-id", "i");
    let kept = record(&verifier, &request);
    assert_eq!(names(&kept)[..4], ["x-type", "content-type", "x-id", "x-10"]);
    let size = |(name, value): &(String, String)| name.len() + value.len();
    let total: usize = kept.headers.iter().map(size).sum();
    assert!((15 * 1024..=16 * 1024).contains(&total), "{total}");
    assert_eq!(kept.delivery_id.as_deref(), Some("i"));
}

#[test]
fn a_header_that_is_too_large_ends_the_kept_headers() {
    let request = Request::post("{}")
        .add("x-small", "1")
        .add("x-huge", &"v".repeat(16 * 1024))
        .add("x-last", "2");
    assert_eq!(names(&record(&open(json!({})), &request)), ["x-small"]);
    let exact = Request::post("{}").add("x-fits", &"v".repeat(16 * 1024 - "x-fits".len()));
    assert_eq!(names(&record(&open(json!({})), &exact)), ["x-fits"]);
}

#[test]
fn a_long_identity_is_cut() {
    let sender = tokens::SENDERS.iter().find(|sender| sender.preset == "bearer").unwrap();
    let request = sender.request().add("idempotency-key", &"é".repeat(300));
    let kept = record(&sender.verifier(), &request).delivery_id.unwrap();
    assert_eq!(kept, "é".repeat(128));
}

#[test]
fn a_beginning_ends_where_a_character_ends() {
    for (text, most, expected) in [
        ("abc", 5, "abc"),
        ("abc", 3, "abc"),
        ("abc", 2, "ab"),
        ("é", 1, ""),
        ("aé", 2, "a"),
        ("aé", 3, "aé"),
        ("", 0, ""),
    ] {
        assert_eq!(beginning(text, most), expected, "{text} {most}");
    }
}

#[test]
fn the_stored_form_of_a_record() {
    let github = SENDERS.iter().find(|sender| sender.name == "github").unwrap();
    let request = github.send(1, "", b"{}").add("x-github-delivery", "72d3162e");
    let verifier =
        crate::request::open_scheme(scheme("github", json!({})), &[&github.keys.secret(1)]);
    let mut kept = record(&verifier, &request);
    kept.headers.retain(|(name, _)| name != "x-hub-signature-256");
    insta::assert_json_snapshot!(kept, @r#"
    {
      "source": "source",
      "delivery_id": "72d3162e",
      "method": "POST",
      "path": "/in/abc",
      "query": "x=1",
      "headers": [
        [
          "x-github-delivery",
          "72d3162e"
        ]
      ],
      "received_at": 1800000000000
    }
    "#);
}

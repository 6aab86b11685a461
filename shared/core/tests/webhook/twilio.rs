//! Twilio signs the URL and the form fields of the body, or a body digest in the URL.

use placet_core::webhook::{Unverified, Verifier};
use serde_json::json;

use crate::crypto::{base64, hmac_sha1, hmac_sha256, sha256_hex};
use crate::request::{Judged, Request, scheme};
use crate::sender::NOW;

const FORM: &str = "application/x-www-form-urlencoded";

fn judged(origin: &str, request: &Request) -> Judged {
    let secrets = ["12345".to_owned()];
    let verifier = Verifier::open(
        "twilio",
        scheme("twilio", json!({"shortest_secret": 1})),
        &secrets,
        &[],
        Some(origin),
    )
    .unwrap();
    request.judged(&verifier, NOW)
}

fn signed(request: Request, text: &str) -> Request {
    request.set("x-twilio-signature", &base64(&hmac_sha1(b"12345", text.as_bytes())))
}

fn form(body: &str, fields: &str) -> Request {
    let request = Request::post(body).with_query("").add("content-type", FORM);
    signed(request, &format!("https://hooks.example.com/in/abc{fields}"))
}

fn at_home(request: &Request) -> Judged {
    judged("https://hooks.example.com", request)
}

#[test]
fn fields_are_sorted_by_name_and_repeated_ones_by_value() {
    for (body, fields) in [
        ("b=2&a=1", "a1b2"),
        ("B=2&a=1&A=3", "A3B2a1"),
        ("a=2&a=1&a=2", "a1a2"),
        ("a=+x+&b=", "a x b"),
        ("a=%C3%A9&%61b=%26", "aéab&"),
        ("a=1&ab=2&a=0", "a0a1ab2"),
    ] {
        let verified = at_home(&form(body, fields));
        assert!(verified.unwrap().proven.coverage.body, "{body}");
    }
    for (body, fields) in
        [("b=2&a=1", "b2a1"), ("a=1&a=1", "a1a1"), ("a=+x+", "ax"), ("a=%26", "a%26")]
    {
        assert_eq!(at_home(&form(body, fields)), Err(Unverified::Signature), "{body}");
    }
    for broken in ["a=%", "a=%zz", "a=%ff"] {
        assert_eq!(at_home(&form(broken, "a")), Err(Unverified::Unreadable), "{broken}");
    }
}

#[test]
fn a_content_type_is_read_in_any_spelling() {
    let body = form("a=1", "a1");
    let kind = |kind: &str| at_home(&body.clone().set("content-type", kind)).is_ok();
    assert!(kind("application/x-www-form-urlencoded; charset=UTF-8"));
    assert!(kind("Application/X-WWW-Form-Urlencoded"));
    for other in ["application/json", "", "text/plain", "application/x-www-form-urlencodedx"] {
        assert!(!kind(other), "{other}");
    }
    assert!(at_home(&body.add("content-type", FORM)).is_err());
}

fn json_post(body: &str) -> Request {
    let query = format!("foo=1&bodySHA256={}", sha256_hex(body.as_bytes()));
    let request = Request::post(body).with_query(&query).add("content-type", "application/json");
    signed(request.clone(), &request.url())
}

#[test]
fn a_json_body_is_covered_by_its_digest() {
    let request = json_post(r#"{"a":1}"#);
    let verified = at_home(&request).unwrap();
    assert!(verified.proven.coverage.body && verified.proven.coverage.url);
    for other in [r#"{"a":2}"#, "", r#"{"a": 1}"#] {
        let changed = request.clone().with_body(other);
        assert_eq!(at_home(&changed), Err(Unverified::BodyHash), "{other}");
    }
    let as_form = request.clone().with_body("a=1").set("content-type", FORM);
    assert_eq!(at_home(&as_form), Err(Unverified::BodyHash));
    let without = request.clone().with_query("foo=1");
    assert!(at_home(&without).is_err());
    let twice = request.clone().with_query(&format!("{0}&{0}", request.query));
    assert!(at_home(&signed(twice.clone(), &twice.url())).is_err());
    let unreadable = request.with_query("bodySHA256=zz");
    assert_eq!(at_home(&signed(unreadable.clone(), &unreadable.url())), Err(Unverified::BodyHash));
}

/// A signature of the URL alone does not cover the body.
#[test]
fn an_unsigned_body_is_refused() {
    let get = Request::get("foo=1");
    let get = signed(get.clone(), &get.url());
    let verified = at_home(&get).unwrap();
    assert!(
        verified.proven.coverage.url && verified.proven.coverage.body,
        "there is no body, and any body is refused"
    );
    let post = Request { method: "POST".to_owned(), ..get };
    assert!(at_home(&post).is_ok(), "an empty body");
    assert_eq!(at_home(&post.clone().with_body("{}")), Err(Unverified::BodyHash));
    let json = post.clone().with_body("{}").add("content-type", "application/json");
    assert_eq!(at_home(&json), Err(Unverified::BodyHash));
    let form = post.with_body("a=1").add("content-type", FORM);
    assert_eq!(at_home(&form), Err(Unverified::Signature));
}

#[test]
fn the_default_port_may_be_written_out_or_left_out() {
    let sent_to = |origin: &str| {
        let request = Request::post("a=1").with_query("").add("content-type", FORM);
        signed(request, &format!("{origin}/in/abca1"))
    };
    for (ours, theirs, fine) in [
        ("https://h.example", "https://h.example", true),
        ("https://h.example", "https://h.example:443", true),
        ("https://h.example:443", "https://h.example", true),
        ("https://h.example:443", "https://h.example:443", true),
        ("http://h.example", "http://h.example:80", true),
        ("http://h.example:80", "http://h.example", true),
        ("https://u:p@h.example", "https://u:p@h.example", true),
        ("https://u:p@h.example", "https://u:p@h.example:443", true),
        ("http://h.example:8080", "http://h.example:8080", true),
        ("http://h.example:8080", "http://h.example", false),
        ("https://h.example", "https://h.example:80", false),
        ("https://h.example", "http://h.example", false),
        ("https://h.example", "https://other.example", false),
    ] {
        assert_eq!(judged(ours, &sent_to(theirs)).is_ok(), fine, "{ours} {theirs}");
    }
    let with_path = Request::post("a=1").with_query("").add("content-type", FORM);
    let with_path = signed(with_path, "https://h.example:443/stage/in/abca1");
    assert!(judged("https://h.example/stage/", &with_path).is_ok());
}

/// Twilio signs some characters of the query with an escape and sends them without one, or the reverse.
#[test]
fn safe_characters_of_the_query_may_be_escaped_or_not() {
    let sent = |query: &str, signed_query: &str| {
        let request = Request::post("a=1").with_query(query).add("content-type", FORM);
        at_home(&signed(request, &format!("https://hooks.example.com/in/abc?{signed_query}a1")))
    };
    for (wire, theirs) in [
        ("FromCity=Sull%27Adda", "FromCity=Sull'Adda"),
        ("FromCity=Sull'Adda", "FromCity=Sull%27Adda"),
        ("a=%21%27%28%29%2a&b=(", "a=!'()*&b=("),
        ("a=!'()*&b=%28", "a=%21%27%28%29%2A&b=%28"),
        ("a=%27", "a=%27"),
    ] {
        assert!(sent(wire, theirs).is_ok(), "{wire} {theirs}");
    }
    for (wire, theirs) in [
        ("a=%26b", "a=&b"),
        ("a&b=1", "a%26b=1"),
        ("a=%3D", "a=="),
        ("a=+", "a=%2B"),
        ("a=%2B", "a=+"),
        ("a=%20", "a= "),
        ("a=%41", "a=A"),
    ] {
        assert_eq!(sent(wire, theirs), Err(Unverified::Signature), "{wire} {theirs}");
    }
    let square = Request::post("{}").with_query("a=%27");
    let signature = base64(&hmac_sha256(b"12345", b"https://hooks.example.com/in/abc?a='{}"));
    let square = square.add("x-square-hmacsha256-signature", &signature);
    assert!(square.judged(&crate::request::open("square", &["12345"]), NOW).is_err());
}

/// With a shared key Twilio names the key and the algorithm in a header. Only the hash differs.
#[test]
fn a_shared_key_signs_with_sha_256() {
    const SETTINGS: &str = "x-twilio-webhooks-signature-settings";
    let request = Request::post("a=1").with_query("").add("content-type", FORM);
    let message = format!("{}a1", request.url());
    let sha256 = base64(&hmac_sha256(b"12345", message.as_bytes()));
    let sha256 = request.clone().set("x-twilio-signature", &sha256);
    for settings in
        ["key=k,algorithm=HMAC_SHA256", "algorithm=HMAC_SHA256", "key=k, algorithm=HMAC_SHA256"]
    {
        let verified = at_home(&sha256.clone().add(SETTINGS, settings)).unwrap();
        assert_eq!(verified.proven.check, "hmac-sha256", "{settings}");
    }
    let sha1 = signed(request, &message);
    assert!(at_home(&sha1.clone().add(SETTINGS, "key=k,algorithm=HMAC_SHA1")).is_ok());
    for (request, settings) in [
        (&sha256, "key=k,algorithm=HMAC_SHA1"),
        (&sha1, "key=k,algorithm=HMAC_SHA256"),
        (&sha256, "key=k,algorithm=HMAC_SHA512"),
        (&sha256, "key=k,algorithm=HMAC_SHA256,algorithm=HMAC_SHA256"),
        (&sha1, "key=k"),
        (&sha1, ""),
    ] {
        assert!(at_home(&request.clone().add(SETTINGS, settings)).is_err(), "{settings}");
    }
    assert_eq!(at_home(&sha256), Err(Unverified::Signature), "without the header it is SHA-1");
    let twice = sha1.add(SETTINGS, "algorithm=HMAC_SHA1").add(SETTINGS, "algorithm=HMAC_SHA1");
    assert_eq!(at_home(&twice), Err(Unverified::Missing));
}

/// Only Twilio signs URLs with or without the default port.
#[test]
fn other_senders_sign_the_configured_url() {
    let square = |origin: &str| {
        let message = format!("{origin}/in/abc?x=1{{}}");
        let signature = base64(&crate::crypto::hmac_sha256(b"12345", message.as_bytes()));
        let request = Request::post("{}").add("x-square-hmacsha256-signature", &signature);
        request.judged(&crate::request::open("square", &["12345"]), NOW)
    };
    assert!(square("https://hooks.example.com").is_ok());
    assert_eq!(square("https://hooks.example.com:443"), Err(Unverified::Signature));
}

/// The sorted fields are joined without separators, so the signature does not prove which field a value
/// belongs to. An identity in such a field is unverified.
#[test]
fn fields_joined_without_separators_are_not_covered() {
    let post = Request::post("MessageSid=SM1&MessageStatus=sent").add("content-type", FORM);
    let verified =
        at_home(&signed(post.clone(), &format!("{}MessageSidSM1MessageStatussent", post.url())));
    let verified = verified.unwrap();
    assert!(verified.proven.coverage.body && verified.identity.is_some());
    assert!(!verified.proven.coverage.identity);
}

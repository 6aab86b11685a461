//! Handshakes: every handshake of a preset, and the limits that keep a handshake from being abused.

use placet_core::webhook::{Answer, Scheme, Verifier};
use serde_json::{Value, json};

use crate::crypto::Keys;
use crate::request::{ORIGIN, Request, open, open_scheme, scheme, written};
use crate::sender::{NOW, Sender};
use crate::senders::SENDERS;

fn plain(body: &str) -> Option<Answer> {
    answer(200, "text/plain; charset=utf-8", body)
}

fn answer(status: u16, content_type: &str, body: &str) -> Option<Answer> {
    let (content_type, body) = (content_type.to_owned(), body.to_owned());
    Some(Answer { status, content_type, headers: Vec::new(), body })
}

fn status(answer: Option<Answer>) -> Option<u16> {
    answer.map(|answer| answer.status)
}

fn sender(name: &str) -> &'static Sender {
    SENDERS.iter().find(|sender| sender.name == name).unwrap()
}

/// A verifier, and a request with a valid signature of the preset's sender.
fn verified(preset: &str, body: &str) -> (Verifier, Request) {
    let sender = sender(preset);
    let request = sender.send(1, &sender.time_text(NOW), body.as_bytes());
    sender.judge(&request).unwrap();
    (sender.verifier(), request)
}

/// The answer to a signed request, if the request is a handshake.
fn answered(preset: &str, body: &str) -> Option<Answer> {
    let (verifier, request) = verified(preset, body);
    assert_eq!(request.greeted(&verifier), None, "no answer before the request is verified");
    verifier.verified_handshake(&request.incoming())
}

#[test]
fn slack_verifies_an_address() {
    let body = r#"{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;
    let echo = plain("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P");
    assert_eq!(answered("slack", body), echo);
    assert_eq!(answered("slack", r#"{"type":"event_callback","challenge":"x"}"#), None);
    assert_eq!(status(answered("slack", r#"{"type":"url_verification"}"#)), Some(400));
}

#[test]
fn slack_checks_a_certificate_without_signing() {
    let verifier = open("slack", &["secret"]);
    let form =
        |body: &str| Request::post(body).add("content-type", "application/x-www-form-urlencoded");
    assert_eq!(form("ssl_check=1&token=t").greeted(&verifier), plain(""));
    for other in ["ssl_check=0", "ssl_check=1&ssl_check=1", "a=ssl_check%3D1", ""] {
        assert_eq!(form(other).greeted(&verifier), None, "{other}");
    }
    assert_eq!(Request::post("ssl_check=1").greeted(&verifier), None, "the body is not a form");
}

#[test]
fn discord_pings_are_answered() {
    let pong = answer(200, "application/json", r#"{"type":1}"#);
    assert_eq!(answered("discord", r#"{"type":1,"id":"1"}"#), pong);
    assert_eq!(answered("discord", r#"{"type":2,"id":"1"}"#), None);
    let nothing = answer(204, "application/json", "");
    assert_eq!(answered("discord-events", r#"{"type":0}"#), nothing);
    assert_eq!(answered("discord-events", r#"{"type":1,"event":{}}"#), None);
}

#[test]
fn a_token_of_zoom_is_signed_after_verification() {
    let body =
        r#"{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event":"endpoint.url_validation"}"#;
    let zoom = sender("zoom");
    let verifier = open("zoom", &["s3cr3t"]);
    let request = zoom.unsigned("1800000000", body.as_bytes());
    let message = (zoom.message)(&request, "1800000000");
    let mac = crate::crypto::hmac_sha256(b"s3cr3t", &message);
    let request = zoom.with_signatures(request, "1800000000", &[crate::crypto::hex(&mac)]);
    assert!(request.judged(&verifier, NOW).is_ok());
    let expected = r#"{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"86b565e97036973cc44c3b3f24af76cabe70c2cbf5554c32419d44ecf6c0f2ca"}"#;
    let answered = verifier.verified_handshake(&request.incoming());
    assert_eq!(answered, answer(200, "application/json", expected));
    assert_eq!(request.greeted(&verifier), None, "an unverified request gets no signature");
}

#[test]
fn a_value_in_a_json_answer_is_escaped() {
    let token = "\"},\"x\":\"\\\u{1}{json:/event}é";
    let body = json!({"event": "endpoint.url_validation", "payload": {"plainToken": token}});
    let answer = answered("zoom", &body.to_string()).unwrap();
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answer["plainToken"], token);
    assert_eq!(answer.as_object().unwrap().len(), 2);
}

fn crc(query: &str) -> Option<Answer> {
    Request::get(query).greeted(&open("x", &["s3cr3t"]))
}

#[test]
fn a_token_of_x_is_signed() {
    let expected = r#"{"response_token":"sha256=57gJGcUThbnobDNjxz+FzQFSIuTU65RQgtYdeyHrgkE="}"#;
    assert_eq!(crc("crc_token=abc&nonce=def"), answer(200, "application/json", expected));
    assert_eq!(status(crc(&format!("crc_token={}", "a".repeat(128)))), Some(200));
    let post = Request { method: "POST".to_owned(), ..Request::get("crc_token=abc") };
    assert_eq!(post.greeted(&open("x", &["s3cr3t"])), None);
    assert_eq!(crc("other=abc"), None);
}

/// The key that signs the tokens of X also signs bodies.
#[test]
fn no_possible_body_of_x_is_signed_as_a_token() {
    for body in ["{\"a\":1}", "a b", "a.b", "[1]", "\"a\"", "1.5", "a\n", "é", "a,b", "a/b", "a+b"]
    {
        let query: String = body.bytes().map(|byte| format!("%{byte:02x}")).collect();
        assert_eq!(status(crc(&format!("crc_token={query}"))), Some(400), "{body}");
    }
    assert_eq!(status(crc(&format!("crc_token={}", "a".repeat(129)))), Some(400));
    assert_eq!(status(crc("crc_token=")), Some(400));
    let verifier = open("x", &["s3cr3t"]);
    for token in ["abc", "1234", "true", "a".repeat(128).as_str()] {
        let got = crc(&format!("crc_token={token}")).unwrap();
        let got: Value = serde_json::from_str(&got.body).unwrap();
        let signature = got["response_token"].as_str().unwrap();
        let forged = Request::post(token).add("x-twitter-webhooks-signature", signature);
        assert!(forged.judged(&verifier, NOW).is_err(), "{token:?}");
    }
}

#[test]
fn meta_needs_the_verify_token() {
    let secrets = ["the app secret".to_owned()];
    for preset in ["meta", "whatsapp"] {
        let with = |tokens: &[String]| {
            Verifier::open(
                preset,
                scheme(preset, json!({"shortest_secret": 1})),
                &secrets,
                tokens,
                Some(ORIGIN),
            )
            .unwrap()
        };
        let verifier = with(&["first".to_owned(), "second".to_owned()]);
        let greeted = |verifier: &Verifier, token: &str| {
            let query = format!("hub.mode=subscribe&hub.challenge=1158201444{token}");
            Request::get(&query).greeted(verifier)
        };
        for right in ["first", "second"] {
            let token = format!("&hub.verify_token={right}");
            assert_eq!(greeted(&verifier, &token), plain("1158201444"), "{right}");
        }
        let own = "&hub.verify_token=the+app+secret";
        let wrong = ["", "&hub.verify_token=", "&hub.verify_token=First", own];
        for wrong in wrong {
            assert_eq!(status(greeted(&verifier, wrong)), Some(403), "{wrong}");
            assert_eq!(greeted(&verifier, wrong).unwrap().body, "");
        }
        let twice = "&hub.verify_token=first&hub.verify_token=first";
        assert_eq!(status(greeted(&verifier, twice)), Some(403));
        for none in [with(&[]), with(&[String::new(), " ".to_owned()])] {
            for token in ["", "&hub.verify_token=", "&hub.verify_token=+"] {
                assert_eq!(status(greeted(&none, token)), Some(403), "{token}");
            }
        }
        let no_challenge = Request::get("hub.mode=subscribe&hub.verify_token=first");
        assert_eq!(status(no_challenge.greeted(&verifier)), Some(400));
        assert_eq!(Request::get("hub.mode=unsubscribe").greeted(&verifier), None);
        let post = Request::post("{}").with_query("hub.mode=subscribe&hub.verify_token=first");
        assert_eq!(post.greeted(&verifier), None);
    }
}

#[test]
fn challenges_of_dropbox_and_graph_are_echoed() {
    let dropbox = open("dropbox", &["secret"]);
    assert_eq!(Request::get("challenge=a%2Bb%20c%3C").greeted(&dropbox), plain("a+b c<"));
    assert_eq!(Request::post("{}").with_query("challenge=a").greeted(&dropbox), None);
    assert_eq!(Request::get("challenge=a&challenge=a").greeted(&dropbox), None);
    let graph = open("microsoft-graph", &["state"]);
    let token = "Validation%3A+Testing+client+application+reachability+for+subscription";
    for method in ["POST", "GET"] {
        let request = Request::post("").with_query(&format!("validationToken={token}"));
        let request = Request { method: method.to_owned(), ..request };
        let decoded = "Validation: Testing client application reachability for subscription";
        assert_eq!(request.greeted(&graph), plain(decoded));
    }
    assert_eq!(Request::post("{}").greeted(&graph), None);
}

#[test]
fn an_echo_of_unverified_input_is_limited() {
    for (preset, name) in [("dropbox", "challenge"), ("microsoft-graph", "validationToken")] {
        let verifier = open(preset, &["secret"]);
        let echoed = |length: usize| {
            let query = format!("{name}={}", "a".repeat(length));
            status(Request::get(&query).greeted(&verifier))
        };
        assert_eq!(echoed(1024), Some(200), "{preset}");
        assert_eq!(echoed(1025), Some(400), "{preset}");
        let wide = "%C3%A9".repeat(513);
        let request = Request::get(&format!("{name}={wide}"));
        assert_eq!(status(request.greeted(&verifier)), Some(400), "the limit is in bytes");
    }
}

#[test]
fn an_event_is_not_a_handshake() {
    for sender in SENDERS {
        let request = sender.request();
        assert_eq!(request.greeted(&sender.verifier()), None, "{}", sender.name);
        let handshake = sender.verifier().verified_handshake(&request.incoming());
        assert_eq!(handshake, None, "{}", sender.name);
    }
}

fn with_rule(rule: &Value) -> Verifier {
    let scheme: Scheme = written(json!({"checks": {"none": "for a test"}, "handshakes": [rule]}));
    open_scheme(scheme, &[])
}

#[test]
fn a_cloud_events_handshake_is_answered_with_a_header() {
    let verifier = with_rule(&json!({
        "when": {"method": "OPTIONS", "has": "header:webhook-request-origin"},
        "verify": "nothing",
        "respond": {"headers": {
            "webhook-allowed-origin": "{header:webhook-request-origin}",
            "x-query": "{query:q}"
        }}
    }));
    let options = |query: &str| {
        let request = Request { method: "OPTIONS".to_owned(), ..Request::get(query) };
        request.add("webhook-request-origin", "eventgrid.azure.net").greeted(&verifier)
    };
    let headers = options("q=1").unwrap().headers;
    let origin = ("webhook-allowed-origin".to_owned(), "eventgrid.azure.net".to_owned());
    assert_eq!(headers[0], origin);
    assert_eq!(
        status(options("q=1%0d%0aset-cookie:a")),
        Some(400),
        "the sender cannot inject a header"
    );
    assert_eq!(status(options("q=")), Some(200));
}

#[test]
fn a_rule_can_require_a_missing_value() {
    let verifier = with_rule(&json!({
        "when": {"lacks": "json:/data", "equals": {"json:/type": "ping"}},
        "verify": "nothing",
        "respond": {"status": 202, "body": "{not a place} {json:/type} {"}
    }));
    let greeted = |body: &str| Request::post(body).greeted(&verifier);
    let text = "text/plain; charset=utf-8";
    assert_eq!(greeted(r#"{"type":"ping"}"#), answer(202, text, "{not a place} ping {"));
    for other in
        [r#"{"type":"ping","data":1}"#, r#"{"type":"ping","data":{}}"#, r#"{"type":"x"}"#, "ping"]
    {
        assert_eq!(greeted(other), None, "{other}");
    }
}

/// A source with only a public key has no secret that could sign an answer.
#[test]
fn a_handshake_needs_a_secret_to_sign_with() {
    let rule = json!({
        "when": {"has": "query:t"}, "verify": "nothing",
        "respond": {"body": "{mac:hmac-sha256:hex:query:t}"}
    });
    assert_eq!(status(Request::get("t=a").greeted(&with_rule(&rule))), Some(400));
    for wrong in [
        "{mac:ed25519:hex:query:t}",
        "{mac:hmac-sha256:x:query:t}",
        "{mac:x}",
        "{mac:hmac-sha256:hex:t}",
    ] {
        let mut rule = rule.clone();
        rule["respond"]["body"] = json!(wrong);
        let changes = json!({"handshakes": [rule]});
        let verifier = open_scheme(scheme("github", changes), &[&Keys::Text.secret(1)]);
        assert_eq!(status(Request::get("t=a").greeted(&verifier)), Some(400), "{wrong}");
    }
}

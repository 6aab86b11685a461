use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::webhook::presets;

const AT: Timestamp = Timestamp::from_millis(1_795_000_000_000);
/// The presets whose private key only the sender has.
const UNSIGNABLE: [&str; 4] = ["discord", "discord-events", "sendgrid", "sns"];

fn open(preset: &str, changes: &serde_json::Value) -> Verifier {
    let data = crate::webhook::merged(presets::preset(preset).unwrap(), changes);
    let scheme: Scheme = serde_json::from_value(data).unwrap();
    let secret = match preset {
        "standard" | "svix" | "humanlayer" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "discord" | "discord-events" => {
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        }
        "sendgrid" => {
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
        }
        "sns" => "arn:aws:sns:eu-central-1:123456789012:orders",
        "basic" => "user:a long password",
        _ => "a-secret-of-thirty-two-bytes-long",
    };
    let url = Some("https://hooks.example.com");
    Verifier::open(preset, scheme, &[secret.to_owned()], &[], url).unwrap()
}

fn draft<'a>(content_type: &'a str, body: &'a [u8]) -> Draft<'a> {
    Draft { path: "/webhooks/x", content_type, id: "msg_1", body, at: AT }
}

/// A body in the sender's form that contains `noise`.
fn body(preset: &str, noise: &[u8], form: bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(noise);
    match preset {
        "linear" => json!({"webhookTimestamp": AT.millis(), "data": text}).to_string().into(),
        "microsoft-graph" => {
            let secret = "a-secret-of-thirty-two-bytes-long";
            json!({"value": [{"clientState": secret, "id": text}]}).to_string().into()
        }
        // A body that a handshake would sign for anybody is refused.
        "x" if !form => [b"{".as_slice(), noise].concat(),
        _ if form => format!("b={}&a={}", percent::encode(&text), text.len()).into(),
        _ => noise.to_vec(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_signed_request_verifies_and_a_changed_request_does_not(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        form in any::<bool>(),
    ) {
        let mut signable = 0;
        for preset in presets::names() {
            let verifier = open(preset, &json!({}));
            let body = body(preset, &noise, form);
            let content_type =
                if form { "application/x-www-form-urlencoded" } else { "application/json" };
            let draft = draft(content_type, &body);
            let signed = match verifier.sign(&draft) {
                Ok(signed) => signed,
                Err(CannotSign::PrivateKey(_)) => continue,
                Err(other) => return Err(TestCaseError::fail(format!("{preset}: {other}"))),
            };
            signable += 1;
            let judge = |body: &[u8], headers: &[(String, String)], at| {
                let mut request = Incoming::post(draft.path, body);
                request.method = &signed.method;
                request.query = &signed.query;
                let headers = headers.iter();
                request.headers = headers.map(|(a, b)| (a.as_str(), b.as_str())).collect();
                let verified = verifier.verify(request, &Documents::default(), at);
                verified.map(|verified| verified.proven).map_err(|rejected| rejected.reason)
            };
            let proven = judge(&body, &signed.headers, AT);
            prop_assert!(proven.is_ok(), "{preset}: {proven:?}");
            let coverage = proven.unwrap().coverage;
            if coverage.body {
                let longer = [body.as_slice(), b"&x=y"].concat();
                prop_assert!(judge(&longer, &signed.headers, AT).is_err(), "{preset}");
            }
            if coverage.time {
                let later = AT.plus(std::time::Duration::from_secs(100_000));
                prop_assert!(judge(&body, &signed.headers, later).is_err(), "{preset}");
            }
            if preset != "microsoft-graph" {
                prop_assert!(judge(&body, &signed.headers[..1], AT).is_err(), "{preset}");
            }
        }
        prop_assert_eq!(signable, presets::names().count() - UNSIGNABLE.len());
    }
}

#[test]
fn the_error_says_why_a_request_cannot_be_signed() {
    let reason = |preset: &str, changes: serde_json::Value, body: &[u8]| {
        let signed = open(preset, &changes).sign(&draft("application/json", body));
        signed.err().unwrap().to_string()
    };
    for preset in UNSIGNABLE {
        assert!(reason(preset, json!({}), b"{}").contains("private key"), "{preset}");
    }
    assert!(reason("linear", json!({}), b"{}").contains("json:/webhookTimestamp"));
    let old = br#"{"webhookTimestamp": 1}"#;
    assert!(reason("linear", json!({}), old).contains("behind our clock"));
    assert!(reason("microsoft-graph", json!({}), b"{}").contains("clientState"));
    let nowhere = json!({"checks": {"mac": {"signature": {"at": "json:/signature"}}}});
    assert!(reason("dropbox", nowhere, b"{}").contains("json:/signature"));
}

#[test]
fn every_part_of_the_grammar_can_be_signed() {
    let schemes = [
        json!({"checks": {"mac": {
            "algorithm": {"at": "header:x-algorithm", "values": {"sha1": "hmac-sha1", "sha512": "hmac-sha512"}},
            "signed": ["method", ".", "header:x-nonce", ".", "time", ".", "header_list:h", ".", "body"],
            "signature": {"at": "header:x-signature", "list": {"separator": ",", "pair": "=", "tag": "s"}, "encoding": "base64url"},
            "time": {"tag": "t", "unit": "ms"}
        }}, "methods": ["PUT"]}),
        json!({"checks": {"mac": {
            "algorithm": "hmac-sha256", "signed": ["time", "query:hash"],
            "signature": {"at": "query:signature", "encoding": "base64"},
            "time": {"at": "query:at", "unit": "http_date"},
            "body_hash": {"at": "query:hash", "encoding": "base64"}
        }}}),
        json!({"checks": {"token": {"at": "query:token"}, "ip": {"allow": ["192.0.2.1"]}}}),
        json!({"checks": {"none": "for a test"}}),
    ];
    for data in schemes {
        let scheme: Scheme = serde_json::from_value(data.clone()).unwrap();
        let verifier = Verifier::open("own", scheme, &["a&b=c/d e".to_owned()], &[], None).unwrap();
        let signed = verifier.sign(&draft("text/plain", b"x"));
        assert!(signed.is_ok(), "{data}: {:?}", signed.err());
    }
}

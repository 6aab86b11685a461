//! Invalid and insecure settings are reported before a source opens.

use placet_core::webhook::{Scheme, merged, presets};
use serde_json::{Value, json};

use crate::request::scheme;

#[test]
fn no_preset_is_weak() {
    for name in presets::names() {
        assert_eq!(scheme(name, json!({})).validate(), Ok(()), "{name}");
    }
    assert!(presets::names().count() >= 34, "a preset is missing");
}

fn weak_at(preset: &str, changes: &Value) -> Option<&'static str> {
    let weakness = scheme(preset, changes.clone()).validate().err();
    if let Some(weakness) = &weakness {
        assert!(weakness.to_string().starts_with(weakness.path));
    }
    weakness.map(|weakness| weakness.path)
}

fn each_is_weak(all: &[(&str, Value, &str)]) {
    for (preset, changes, path) in all {
        assert_eq!(weak_at(preset, changes), Some(*path), "{preset} {changes}");
    }
}

#[test]
fn weak_settings_of_a_source_are_named() {
    let html = json!({"handshakes": [{
        "when": {"has": "query:x"}, "verify": "nothing",
        "respond": {"content_type": "text/html", "body": "{query:x}"}
    }]});
    each_is_weak(&[
        ("github", json!({"methods": []}), "methods"),
        ("github", json!({"methods": ["POST", "TRACE"]}), "methods"),
        ("github", json!({"methods": ["post"]}), "methods"),
        ("stripe", json!({"remember": "5m"}), "remember"),
        ("stripe", json!({"remember_body": "599s"}), "remember"),
        ("sns", json!({"remember": "2h"}), "remember"),
        ("github", json!({"ack": {"status": 302}}), "ack.status"),
        ("github", json!({"ack": {"status": 500}}), "ack.status"),
        ("github", json!({"limit": 0}), "limit"),
        ("github", json!({"limit": 4_700_001}), "limit"),
        ("github", html, "handshakes"),
    ]);
    for fine in [json!({"remember": "10m", "remember_body": "10m"}), json!({"limit": 1})] {
        assert_eq!(weak_at("stripe", &fine), None, "{fine}");
    }
}

#[test]
fn weak_settings_of_checks_are_named() {
    let jwt = |changes: Value| {
        let check = json!({
            "at": "header:authorization", "jwks": "https://keys.example.com/",
            "algorithms": ["RS256"], "issuer": "i", "audience": "a"
        });
        json!({"checks": {"mac": null, "jwt": merged(check, &changes)}})
    };
    each_is_weak(&[
        ("github", json!({"checks": {"mac": null}}), "checks"),
        ("github", json!({"checks": {"mac": null, "ip": {"allow": ["::1"]}}}), "checks"),
        ("github", json!({"checks": {"none": "tests"}}), "checks.none"),
        ("github", json!({"checks": {"mac": null, "none": " "}}), "checks.none"),
        ("bearer", json!({"checks": {"token": {"at": "form:token"}}}), "checks.token.at"),
        ("github", jwt(json!({"algorithms": []})), "checks.jwt.algorithms"),
        ("github", jwt(json!({"jwks": "http://keys.example.com/"})), "checks.jwt.jwks"),
        ("github", json!({"checks": {"ip": {"allow": []}}}), "checks.ip.allow"),
    ]);
    assert_eq!(weak_at("github", &jwt(json!({}))), None);
    let open = json!({"checks": {"mac": null, "none": "only for tests"}});
    assert_eq!(weak_at("github", &open), None);
}

#[test]
fn weak_settings_of_a_signature_are_named() {
    let mac = |changes: Value| json!({"checks": {"mac": changes}});
    let sign = |changes: Value| json!({"checks": {"sign": changes}});
    let list = json!({"separator": ",", "pair": "=", "tag": "v1"});
    let hash = |at: &str| json!({"signed": ["time"], "time": {"at": "header:t"}, "body_hash": {"at": at, "encoding": "hex"}});
    each_is_weak(&[
        ("github", mac(json!({"algorithm": "ed25519"})), "checks.mac.algorithm"),
        ("discord", sign(json!({"algorithm": "hmac-sha256"})), "checks.sign.algorithm"),
        (
            "sns",
            sign(json!({"algorithm": {"values": {"1": null, "2": null}}})),
            "checks.sign.algorithm",
        ),
        ("github", mac(json!({"algorithm": "hmac-sha1"})), "checks.mac.algorithm"),
        ("twilio", json!({"accept_sha1": false}), "checks.mac.algorithm"),
        ("sns", json!({"accept_sha1": null}), "checks.sign.algorithm"),
        ("github", mac(json!({"signed": ["header:x"]})), "checks.mac.signed"),
        ("discord", sign(json!({"signed": ["time"]})), "checks.sign.signed"),
        ("twilio", mac(json!({"body_hash": null})), "checks.mac.signed"),
        ("github", mac(hash("header:x-digest")), "checks.mac.signed"),
        ("github", mac(hash("query:digest")), "checks.mac.signed"),
        ("stripe", mac(json!({"signed": ["body"]})), "checks.mac.time"),
        ("stripe", mac(json!({"time": null})), "checks.mac.time"),
        ("stripe", mac(json!({"time": {"at": "header:x"}})), "checks.mac.time"),
        ("slack", mac(json!({"time": {"at": null}})), "checks.mac.time"),
        ("slack", mac(json!({"time": {"past": "25h"}})), "checks.mac.time"),
        ("slack", mac(json!({"time": {"future": "86401s"}})), "checks.mac.time"),
        ("discord", sign(json!({"time": {"past": "2d"}})), "checks.sign.time"),
        ("sns", sign(json!({"time": {"at": "json:/UnsubscribeURL"}})), "checks.sign.time"),
        ("github", mac(json!({"signature": {"list": list}})), "checks.mac.signature"),
    ]);
    let only_2 = json!({"algorithm": {"values": {"1": null}}});
    let fine = json!({"checks": {"sign": only_2}, "accept_sha1": null});
    assert_eq!(weak_at("sns", &fine), None);
    let signed_hash = mac(json!({
        "signed": ["header:x-digest"], "body_hash": {"at": "header:x-digest", "encoding": "hex"}
    }));
    assert_eq!(weak_at("github", &signed_hash), None);
}

#[test]
fn a_setting_outside_the_grammar_is_an_error() {
    for wrong in [
        json!({"secrt": "x"}),
        json!({"checks": {"macs": {}}}),
        json!({"checks": {"mac": {"tolerance": "1h"}}}),
        json!({"checks": {"mac": {"algorithm": "md5"}}}),
        json!({"checks": {"mac": {"signed": ["bdy"]}}}),
        json!({"checks": {"mac": {"signed": ["lit:"]}}}),
        json!({"checks": {"mac": {"signed": [""]}}}),
        json!({"checks": {"mac": {"signature": {"at": "cookie:x"}}}}),
        json!({"checks": {"mac": {"time": {"at": "header:t", "past": "0s"}}}}),
        json!({"checks": {"mac": {"time": {"at": "header:t", "unit": "us"}}}}),
        json!({"checks": {"require": "any"}}),
        json!({"checks": {"none": true}}),
        json!({"checks": {"ip": {"allow": ["anywhere"]}}}),
        json!({"handshakes": [{"when": {}, "verify": "sometimes", "respond": {}}]}),
        json!({"identity": "id"}),
        json!({"remember": 5}),
    ] {
        let changed = merged(presets::preset("github").unwrap(), &wrong);
        assert!(serde_json::from_value::<Scheme>(changed).is_err(), "{wrong}");
    }
}

/// The text form of a part is the same after reading and writing.
#[test]
fn signed_parts_are_the_same_after_reading_and_writing() {
    for preset in presets::names() {
        let data = presets::preset(preset).unwrap();
        let scheme = scheme(preset, json!({}));
        for (kind, check) in [("mac", &scheme.checks.mac), ("sign", &scheme.checks.sign)] {
            let Some(check) = check else { continue };
            let written: Vec<String> = check.signed.iter().map(ToString::to_string).collect();
            let plain = |part: &Value| {
                let text = part.as_str().unwrap();
                let literal = text.strip_prefix("lit:").unwrap_or(text);
                let mark = text.bytes().all(|byte| byte.is_ascii_punctuation());
                if mark || literal != text { format!("{literal:?}") } else { text.to_owned() }
            };
            let parts = data["checks"][kind]["signed"].as_array().unwrap();
            assert_eq!(written, parts.iter().map(plain).collect::<Vec<_>>(), "{preset}");
        }
    }
}

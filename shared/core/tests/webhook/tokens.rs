//! Tokens, sender addresses, and sources that are open to anyone.

use std::net::IpAddr;

use placet_core::webhook::{OpenError, Unverified, Verifier};
use serde_json::json;

use crate::crypto::base64;
use crate::request::{Request, open, open_scheme, scheme, try_open, written};
use crate::sender::NOW;

/// A sender that sends a token in a header.
pub struct TokenSender {
    pub preset: &'static str,
    pub header: &'static str,
    pub present: fn(&str) -> String,
}

const SECRET: &str = "placet:pass:word:1 of the test";

pub const SENDERS: &[TokenSender] = &[
    TokenSender { preset: "gitlab", header: "x-gitlab-token", present: str::to_owned },
    TokenSender {
        preset: "telegram",
        header: "x-telegram-bot-api-secret-token",
        present: str::to_owned,
    },
    TokenSender {
        preset: "bearer",
        header: "authorization",
        present: |token| format!("Bearer {}", token.replace(' ', "_")),
    },
    TokenSender {
        preset: "huma",
        header: "authorization",
        present: |token| format!("Huma {}", token.replace(' ', "_")),
    },
    TokenSender {
        preset: "basic",
        header: "authorization",
        present: |token| format!("Basic {}", base64(token.as_bytes())),
    },
    TokenSender { preset: "api-key", header: "x-api-key", present: str::to_owned },
    TokenSender { preset: "microsoft-graph", header: "", present: str::to_owned },
];

impl TokenSender {
    fn secret(&self, text: &str) -> String {
        match self.preset {
            "bearer" | "huma" => text.replace(' ', "_"),
            _ => text.to_owned(),
        }
    }

    pub fn verifier(&self) -> Verifier {
        open(self.preset, &[&self.secret(SECRET)])
    }

    /// A request that presents this token.
    fn with(&self, presented: &str) -> Request {
        match self.header {
            "" => Request::post(json!({"value": [{"clientState": presented}]}).to_string()),
            header => Request::post(r#"{"id":"evt_1"}"#).add(header, presented),
        }
    }

    pub fn request(&self) -> Request {
        self.with(&(self.present)(SECRET))
    }
}

#[test]
fn the_right_token_passes_and_covers_nothing() {
    for sender in SENDERS {
        let verified = sender.request().judged(&sender.verifier(), NOW).unwrap();
        assert_eq!(
            (verified.proven.check.as_str(), verified.proven.key),
            ("token", Some(1)),
            "{}",
            sender.preset
        );
        assert_eq!(verified.proven.coverage, placet_core::webhook::Coverage::default());
        assert_eq!(verified.signed, None);
    }
}

#[test]
fn any_other_token_is_refused() {
    for sender in SENDERS {
        let right = (sender.present)(SECRET);
        let present = |token: &str| (sender.present)(token);
        for wrong in [
            String::new(),
            " ".to_owned(),
            present(""),
            present("placet:pass:word:1 of the tes"),
            present("placet:pass:word:1 of the test2"),
            present("User:pass:word of the test"),
            present("user:pass"),
            format!("{right},{right}"),
            format!("{right}\0"),
            present(&format!("x{SECRET}")),
            right.replace(' ', "  ") + " ",
        ] {
            let judged = sender.with(&wrong).judged(&sender.verifier(), NOW);
            assert!(judged.is_err(), "{} {wrong:?}: {judged:?}", sender.preset);
        }
    }
}

#[test]
fn no_token_and_two_tokens_are_refused() {
    for sender in SENDERS {
        let request = sender.request();
        for wrong in [
            request.clone().without(sender.header).with_body("{}"),
            request.clone().add(sender.header, &(sender.present)(SECRET)),
            request.clone().add(sender.header, "other"),
        ] {
            if sender.header.is_empty() && wrong.body == request.body {
                continue;
            }
            assert!(wrong.judged(&sender.verifier(), NOW).is_err(), "{}", sender.preset);
        }
    }
}

#[test]
fn a_token_needs_its_scheme_word() {
    let judged = |preset: &str, secret: &str, value: &str| {
        let request = Request::post("{}").add("authorization", value);
        request.judged(&open(preset, &[secret]), NOW).is_ok()
    };
    let token = "a-token-of-16-bytes";
    for (value, fine) in [
        ("Bearer {}", true),
        ("bearer {}", true),
        ("BEARER {}", true),
        ("Bearer  {}", false),
        ("Bearer\t{}", false),
        (" Bearer {}", false),
        ("Bearer {} ", false),
        ("Bearer {} {}", false),
        ("Basic {}", false),
        ("{}", false),
        (" {}", false),
    ] {
        let value = value.replace("{}", token);
        assert_eq!(judged("bearer", token, &value), fine, "{value:?}");
    }
    for (value, fine) in [
        ("Bearer {}", true),
        ("token {}", true),
        ("{}", false),
        (" {}", false),
        ("Bearer  {}", false),
    ] {
        let value = value.replace("{}", token);
        assert_eq!(judged("huma", token, &value), fine, "{value:?}");
    }
    assert!(judged("basic", "placet:pass:word:1", "Basic cGxhY2V0OnBhc3M6d29yZDox"));
    for wrong in [
        "Basic placet:pass:word:1",
        "Basic cGxhY2V0OnBhc3M6d29yZDox=",
        "Bearer cGxhY2V0OnBhc3M6d29yZDox",
    ] {
        assert!(!judged("basic", "placet:pass:word:1", wrong), "{wrong}");
    }
}

#[test]
fn graph_needs_the_right_state_in_every_element() {
    let verifier = open("microsoft-graph", &["state one", "state two"]);
    let judged = |body: &str| Request::post(body).judged(&verifier, NOW);
    let own = r#"{"clientState":"state one"}"#;
    for (body, fine) in [
        (format!(r#"{{"value":[{own}]}}"#), true),
        (format!(r#"{{"value":[{own},{{"clientState":"state two"}},{own}]}}"#), true),
        (format!(r#"{{"value":[{own},{{"clientState":"foreign"}}]}}"#), false),
        (format!(r#"{{"value":[{{"clientState":"foreign"}},{own}]}}"#), false),
        (format!(r#"{{"value":[{own},{{}}]}}"#), false),
        (format!(r#"{{"value":[{{}},{own}]}}"#), false),
        (format!(r#"{{"value":[{own},{{"clientState":null}}]}}"#), false),
        (format!(r#"{{"value":[{own},{{"clientState":["state one"]}}]}}"#), false),
        (format!(r#"{{"value":[{own},[{own}]]}}"#), false),
        (format!(r#"{{"value":[{own},null]}}"#), false),
        (r#"{"value":[]}"#.to_owned(), false),
        (r#"{"value":null}"#.to_owned(), false),
        (r#"{"value":"state one"}"#.to_owned(), false),
        (format!(r#"{{"value":{own}}}"#), false),
        (format!(r#"{{"value":{{"0":{own}}}}}"#), false),
        (format!("[{own}]"), false),
        (own.to_owned(), false),
        (format!(r#"{{"value":[{own}],"value":[{{"clientState":"foreign"}}]}}"#), false),
        (r#"{"value":[{"clientState":"foreign","clientState":"state one"}]}"#.to_owned(), false),
        (String::new(), false),
    ] {
        assert_eq!(judged(&body).is_ok(), fine, "{body}");
    }
    let header =
        Request::post("{}").add("clientstate", "state one").with_query("clientState=state+one");
    assert!(header.judged(&verifier, NOW).is_err());
}

#[test]
fn a_token_may_be_in_the_path_or_the_query() {
    let of = |at: &str| {
        let scheme = written(json!({"checks": {"token": {"at": at}}}));
        open_scheme(scheme, &["tok en"])
    };
    let path = |rest: &str| {
        let request = Request { rest: rest.to_owned(), ..Request::post("{}") };
        request.judged(&of("path:1"), NOW)
    };
    assert!(path("/tok en").is_ok());
    assert!(path("/tok en/more").is_ok());
    for wrong in ["", "/", "/other", "/more/tok en", "/tok%20en"] {
        assert!(path(wrong).is_err(), "{wrong}");
    }
    let query = |query: &str| Request::post("{}").with_query(query).judged(&of("query:key"), NOW);
    for right in ["key=tok+en", "a=1&key=tok%20en"] {
        assert!(query(right).is_ok(), "{right}");
    }
    for wrong in [
        "",
        "key",
        "key=",
        "key=x",
        "key=tok+en&key=tok+en",
        "Key=tok+en",
        "key=tok%2",
        "key=tok+en&a=%f",
    ] {
        assert!(query(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn only_listed_addresses_are_allowed() {
    let ip = |hops: usize| {
        let allow = ["149.154.160.0/20", "2001:db8::/32", "203.0.113.7"];
        let changes = json!({"checks": {"ip": {"allow": allow, "hops": hops}}});
        open_scheme(scheme("telegram", changes), &["secret"])
    };
    let request = Request::post("{}").add("x-telegram-bot-api-secret-token", "secret");
    let from = |address: Option<&str>| Request {
        ip: address.map(|address| address.parse::<IpAddr>().unwrap()),
        ..request.clone()
    };
    for right in
        ["149.154.160.0", "149.154.175.255", "2001:db8::1", "203.0.113.7", "::ffff:149.154.160.1"]
    {
        assert!(from(Some(right)).judged(&ip(0), NOW).is_ok(), "{right}");
    }
    for wrong in ["149.154.176.0", "203.0.113.8", "2001:db9::1", "::ffff:10.0.0.1", "::1"] {
        assert_eq!(from(Some(wrong)).judged(&ip(0), NOW), Err(Unverified::Address), "{wrong}");
    }
    assert_eq!(from(None).judged(&ip(0), NOW), Err(Unverified::Address));
    let wrong_token = from(Some("203.0.113.7")).set("x-telegram-bot-api-secret-token", "x");
    assert_eq!(
        wrong_token.judged(&ip(0), NOW),
        Err(Unverified::Token),
        "a listed address is not enough"
    );
}

#[test]
fn addresses_behind_proxies_are_counted_from_the_right() {
    let ip = |hops: usize| {
        let changes = json!({"checks": {"ip": {"allow": ["203.0.113.7"], "hops": hops}}});
        open_scheme(scheme("telegram", changes), &["secret"])
    };
    let peer = Some("10.0.0.1".parse().unwrap());
    let request = Request { ip: peer, ..Request::post("{}") };
    let request = request.add("x-telegram-bot-api-secret-token", "secret");
    let forwarded = |list: &str, hops| {
        request.clone().add("x-forwarded-for", list).judged(&ip(hops), NOW).is_ok()
    };
    assert!(forwarded("10.9.9.9, 203.0.113.7", 1));
    assert!(forwarded("203.0.113.7 ,10.9.9.9", 2));
    assert!(!forwarded("203.0.113.7, 10.9.9.9", 1), "the client wrote this address");
    assert!(!forwarded("203.0.113.7", 2));
    assert!(!forwarded("203.0.113.7", 0), "there is no trusted proxy");
    for list in ["", "unknown", "203.0.113.7:80", "203.0.113.7,"] {
        assert!(!forwarded(list, 1), "{list}");
    }
    assert!(request.judged(&ip(1), NOW).is_err());
    let twice = request.add("x-forwarded-for", "203.0.113.7").add("x-forwarded-for", "203.0.113.7");
    assert!(twice.judged(&ip(1), NOW).is_err());
}

#[test]
fn a_source_is_open_to_anyone_only_if_configured_explicitly() {
    let open_to_all = written(json!({"checks": {"none": "only for tests"}}));
    let verified = Request::post("x").judged(&open_scheme(open_to_all, &[]), NOW).unwrap();
    assert_eq!((verified.proven.check.as_str(), verified.proven.key), ("none", None));
    assert_eq!(verified.proven.coverage, placet_core::webhook::Coverage::default());
    for forgotten in [json!({"checks": {}}), json!({"checks": {"require": "first"}})] {
        let scheme: placet_core::webhook::Scheme = serde_json::from_value(forgotten).unwrap();
        assert!(scheme.validate().is_err());
        let judged = Request::post("x").judged(&open_scheme(scheme, &[]), NOW);
        assert_eq!(judged, Err(Unverified::NoCheck));
    }
    let address = json!({"checks": {"ip": {"allow": ["203.0.113.7"]}}});
    let scheme: placet_core::webhook::Scheme = serde_json::from_value(address).unwrap();
    assert!(scheme.validate().is_err());
    let known = Request { ip: Some("203.0.113.7".parse().unwrap()), ..Request::post("x") };
    assert_eq!(known.judged(&open_scheme(scheme, &[]), NOW), Err(Unverified::NoCheck));
}

#[test]
fn a_source_without_secret_does_not_open() {
    for name in placet_core::webhook::presets::names() {
        let none = try_open(scheme(name, json!({})), &[]);
        assert_eq!(none.err(), Some(OpenError::NoSecret), "{name}");
        for empty in ["", " ", "\n"] {
            let opened = try_open(scheme(name, json!({})), &[empty]);
            assert!(matches!(opened, Err(OpenError::Secret { number: 1, .. })), "{name} {empty:?}");
        }
    }
}

//! The URLs that Placet calls, and those at which it is reached.

use super::*;

#[test]
fn executors_endpoints_and_upstream_approvers_have_one_rule_for_their_urls() {
    let sections = |url: &str| {
        [
            format!("operations: {{f: {{executor: {{http: {{url: '{url}'}}}}}}}}"),
            format!("endpoints: {{f: {{url: '{url}', secrets: [env:S]}}}}"),
            format!(
                "defaults: {{approver: {{humanlayer: {{base_url: '{url}', api_key: env:S}}}}}}"
            ),
        ]
    };
    let parse = |section: &str, outbound: &str| {
        Config::parse(&format!("project: x\n{section}\noutbound: {{allow_hosts: [{outbound}]}}"))
    };
    for (url, host) in [
        ("http://127.0.0.1:9000/", "127.0.0.1"),
        ("http://localhost/", "localhost"),
        ("https://10.0.0.8/", "10.0.0.8"),
        ("https://[::1]/", "::1"),
        ("http://pay.example/", "pay.example"),
    ] {
        for section in sections(url) {
            let is_local = url.starts_with("http://127") || url.starts_with("http://localhost");
            if is_local && section.starts_with("operations") {
                assert!(parse(&section, "").is_ok(), "an executor on this machine");
                continue;
            }
            let error = parse(&section, "").unwrap_err();
            assert!(error.ends_with(&format!("add {host} to outbound.allow_hosts")), "{error}");
            assert!(parse(&section, &format!("'{host}'")).is_ok(), "{section}");
        }
    }
    for url in [
        "https://me:pass@pay.example/",
        "http://localhost:80@evil.example/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.0.0.1./",
        "https://pay.example:99999/",
        "https://pay.example:0/",
        "ftp://pay.example/",
        "pay.example/run",
        "/run",
    ] {
        for section in sections(url) {
            let error = parse(&section, "127.0.0.1").unwrap_err();
            assert!(error.contains("line 2") && !error.contains("me:"), "{section}: {error}");
        }
    }
}

#[test]
fn an_executor_is_not_at_a_name_of_this_machine_over_https() {
    for host in ["localhost", "pay.localhost"] {
        let operations = format!("f: {{executor: {{http: {{url: 'https://{host}:9200/run'}}}}}}");
        let text = format!("project: x\noperations:\n  {operations}\n");
        let error = Config::parse(&text).unwrap_err();
        assert!(error.contains("line 3") && error.contains("outbound.allow_hosts"), "{error}");
        assert!(Config::parse(&format!("{text}outbound: {{allow_hosts: [{host}]}}")).is_ok());
    }
}

#[test]
fn a_public_url_does_not_end_with_a_path_of_its_source() {
    let source = |url: &str| {
        Source::expand("twilio", serde_json::json!({"public_url": url, "paths": ["/calls/"]}))
    };
    for (wrong, origin) in [
        ("https://hooks.example.com/webhooks/twilio", "https://hooks.example.com"),
        ("https://hooks.example.com/webhooks/twilio/", "https://hooks.example.com"),
        ("https://hooks.example.com/base/calls", "https://hooks.example.com/base"),
    ] {
        let error = source(wrong).unwrap_err();
        assert_eq!(error.path, ["public_url"], "{wrong}");
        assert!(error.problem.ends_with(&format!(": write {origin}")), "{}", error.problem);
        let variables = [("PLACET_SECRET_TWILIO", "a token of Twilio"), ("URL", wrong)];
        let closed = source("env:URL").unwrap().open("twilio", &variables.into_iter().collect());
        let closed = closed.unwrap_err().to_string();
        assert!(closed.starts_with("URL ends with /"), "{closed}");
    }
    for right in ["https://hooks.example.com", "https://hooks.example.com/base/", "https://calls"] {
        assert!(source(right).is_ok(), "{right}");
    }
    for wrong in ["https://hooks.example.com?a=b", "https://hooks.example.com/#a"] {
        assert!(source(wrong).is_err(), "{wrong}");
    }
}

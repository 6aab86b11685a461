use std::time::Duration;

use super::*;
use crate::Environment;

mod urls;

const SHIPPED: &str = include_str!("../../../../placet.yaml");

#[test]
fn the_shipped_file_agrees_with_the_readme() {
    let config = Config::parse(SHIPPED).unwrap();
    assert_eq!(config.project.as_str(), "default");
    let plan = config.plan("purchase_materials").unwrap();
    assert_eq!(plan.executor, "function purchase_materials");
    assert!(plan.idempotent);
    assert_eq!(config.time_to_decide(Some("purchase_materials")), Period::seconds(86_400));
    assert_eq!(config.plan("anything_else"), None);
    let SourceAt { name, source, .. } = config.source_at("/webhook/inbound").unwrap();
    assert_eq!(
        (name, source.secrets[0].variable.as_str()),
        ("humanlayer", "PLACET_SECRET_HUMANLAYER")
    );
    assert!(config.source_at("/webhooks/humanlayer").is_some());
    assert!(config.source_at("/webhooks/others").is_none());
}

#[test]
fn the_main_project_comes_first_and_no_project_twice() {
    let projects = |line: &str| {
        let config = Config::parse(&format!("project: x\n{line}"))?;
        Ok::<_, String>(config.projects().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(projects("").unwrap(), ["x"]);
    assert_eq!(projects("projects: [b, a]").unwrap(), ["x", "b", "a"]);
    for (line, place) in [
        ("projects: [b, a, b]", "line 2, column 18"),
        ("projects: [b, x]", "line 2, column 15"),
        ("projects:\n- a\n- a", "line 4, column 3"),
    ] {
        let error = projects(line).unwrap_err();
        assert!(error.contains("is named twice") && error.starts_with(place), "{line}: {error}");
    }
    assert!(projects("projects: [a b]").unwrap_err().contains("is not a name"));
}

#[test]
fn features_that_call_external_servers_use_the_queue_calls() {
    let users =
        |section: &str| Config::parse(&format!("project: x\n{section}")).unwrap().users_of_calls();
    assert_eq!(users(""), [""; 0]);
    assert_eq!(users("operations: {f: {deadline: 1h}}"), [""; 0]);
    assert_eq!(
        users("operations: {f: {executor: {function: f}, idempotent: true}}"),
        ["executors"]
    );
    assert_eq!(
        users("endpoints: {e: {url: https://example.com/, secrets: [env:E]}}"),
        ["endpoints"]
    );
    let approver = "{humanlayer: {base_url: https://example.com/v1, api_key: env:K}}";
    assert_eq!(users(&format!("defaults: {{approver: {approver}}}")), ["upstream approvers"]);
    assert_eq!(
        users(&format!("operations: {{f: {{approver: {approver}}}}}")),
        ["upstream approvers"]
    );
    assert_eq!(Config::parse(SHIPPED).unwrap().users_of_calls(), ["executors"]);
}

#[test]
fn an_error_has_line_and_column() {
    let cases = [
        ("project: a b", "is not a name"),
        ("project: x\ncolour: red", "colour"),
        ("project: x\ndefaults: {deadline: soon}", "is not a length of time"),
        ("project: x\ndefaults: {deadline: 0s}", "write at least 1ms"),
        (
            "project: x\noperations:\n  f: {executor: {http: {url: http://example.com/}}}",
            "use https://",
        ),
        (
            "project: x\noperations:\n  f: {executor: {http: {url: 'http://127.0.0.1/', timeout: 26s}}}",
            "at most 25s",
        ),
        ("project: x\noperations:\n  f: {executor: {shell: rm}}", "shell"),
        (
            "project: x\nsources:\n  s: {preset: svix, secret: env:S, paths: [hook], targets: [decide]}",
            "start with /",
        ),
        ("project: x\noperations:\n  f: {max_attempts: 0}", "1 to 20"),
        ("project: x\noperations:\n  f: {max_attempts: 21}", "1 to 20"),
        (
            "project: x\nsources:\n  s: {preset: svix, secret: whsec_AAAA, targets: [decide]}",
            "env:NAME",
        ),
    ];
    for (text, part) in cases {
        let error = Config::parse(text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
        assert!(error.contains("line"), "{text}: {error}");
        assert!(!error.contains("whsec_AAAA"), "{error}");
    }
}

#[test]
fn an_error_in_a_source_has_line_and_column() {
    let lines = |source: &str| format!("project: x\nsources:\n  s:\n    {source}");
    let cases = [
        ("preset: nobody", "there is no preset \"nobody\"", "line 4, column 5"),
        ("preset: github\n    secret: env:S\n    colour: red", "colour", "line 6, column 5"),
        (
            "preset: stripe\n    secret: env:S\n    checks: {mac: {time: {past: 8d}}}",
            "at most 24h",
            "line 6, column 20",
        ),
        (
            "preset: stripe\n    secret: env:S\n    remember: 1m",
            "must be remembered for at least",
            "line 6, column 5",
        ),
        (
            "preset: stripe\n    secret: env:S\n    checks:\n      mac: {signed: [time, \".\"]}",
            "the body is not signed",
            "line 7, column 13",
        ),
        (
            "preset: github\n    secret: env:S\n    checks: {mac: {algorithm: hmac-sha1}}",
            "SHA-1 is weak",
            "line 6, column 20",
        ),
        ("checks: {}", "no check proves the sender", "line 4, column 5"),
        ("checks: {none: \" \"}", "why anyone may send", "line 4, column 14"),
        (
            "preset: bearer\n    secret: env:S\n    targets: [log, {forward: {}}]",
            "`endpoint` is missing",
            "line 6, column 20",
        ),
        ("preset: bearer\n    secret: sk_live_1", "env:NAME", "line 5, column 5"),
        ("preset: bearer\n    secrets: sk_live_2", "env:NAME", "line 5, column 5"),
        (
            "preset: bearer\n    secret: env:S\n    checks: sk_live_3",
            "write members",
            "line 6, column 5",
        ),
        (
            "preset: bearer\n    secret: env:S\n    targets: [{forward: {endpoint: nobody}}]",
            "there is no endpoint nobody",
            "line 6, column 15",
        ),
        ("preset: bearer\n    secret: env:S\n    limit: 0", "1 to 4700000", "line 6, column 5"),
    ];
    for (source, problem, place) in cases {
        let error = Config::parse(&lines(source)).unwrap_err();
        assert!(error.contains(problem), "{source}: {error}");
        assert!(error.starts_with(place), "{source}: {error}");
        assert!(!error.contains("sk_live"), "{error}");
    }
}

#[test]
fn an_unsigned_type_selects_events_for_effects_only_if_it_is_accepted() {
    let targets = |types: &str| {
        format!("targets: [log, {{operation: {{fn: f}}{types}}}, {{log: {{}}, types: [a]}}]")
    };
    let selecting = targets(", types: [a]");
    for (source, refused) in [
        (format!("{{preset: github, {selecting}}}"), true),
        (format!("{{preset: shopify, {selecting}}}"), true),
        (format!("{{preset: sentry, {selecting}}}"), true),
        (format!("{{preset: twilio, {selecting}}}"), true),
        ("{preset: github, targets: [{decide: {}, types: [a]}]}".to_owned(), true),
        (format!("{{preset: hmac, type: 'header:x', {selecting}}}"), true),
        (format!("{{preset: github, accept_unsigned_type: true, {selecting}}}"), false),
        (format!("{{preset: github, type: json:/action, {selecting}}}"), false),
        (format!("{{preset: github, {}}}", targets("")), false),
        ("{preset: github, targets: [{log: {}, types: [a]}]}".to_owned(), false),
        (format!("{{preset: stripe, {selecting}}}"), false),
        (format!("{{preset: gitlab, {selecting}}}"), false),
        (format!("{{preset: bearer, {selecting}}}"), false),
    ] {
        let parsed = Config::parse(&format!("project: x\nsources:\n  s: {source}"));
        assert_eq!(parsed.is_err(), refused, "{source}");
        if let Err(error) = parsed {
            let error = error.to_string();
            assert!(error.starts_with("line 3"), "{error}");
            assert!(error.ends_with("accept_unsigned_type: true"), "{error}");
        }
    }
}

/// Targets with effects merge equal content; the others keep every delivery.
#[test]
fn the_targets_decide_whether_equal_content_is_one_event() {
    let environment: Environment = [("PLACET_SECRET_S", "a secret")].into_iter().collect();
    for (source, merges) in [
        ("{preset: github}", false),
        ("{preset: github, targets: [log, {forward: {endpoint: e}}]}", false),
        ("{preset: github, targets: [log, decide]}", true),
        ("{preset: github, targets: [{operation: {fn: f}}]}", true),
        ("{preset: github, equal_content: one_event}", true),
        ("{preset: github, targets: [decide], equal_content: separate}", false),
        ("{preset: dropbox, targets: [decide]}", false),
    ] {
        let endpoints = "endpoints: {e: {url: https://example.com/, secrets: [env:E]}}";
        let text = format!("project: x\n{endpoints}\nsources:\n  s: {source}");
        let config = Config::parse(&text).unwrap();
        let verifier = config.source("s").unwrap().open("s", &environment).unwrap();
        assert_eq!(verifier.scheme().merges_equal_content(), merges, "{source}");
    }
}

#[test]
fn a_source_without_settings_uses_the_preset_of_its_name() {
    let text = "project: x\nsources:\n  discord-events:\n  mine: {preset: github, limit: 5}\n";
    let config = Config::parse(text).unwrap();
    let source = config.source("discord-events").unwrap();
    assert_eq!(source.preset.as_deref(), Some("discord-events"));
    assert_eq!(source.secrets[0].variable, "PLACET_SECRET_DISCORD_EVENTS");
    assert_eq!(source.verify_token.variable, "PLACET_SECRET_DISCORD_EVENTS_VERIFY_TOKEN");
    assert_eq!(config.source("mine").unwrap().secrets[0].variable, "PLACET_SECRET_MINE");
    let unknown = Config::parse("project: x\nsources:\n  mine:\n").unwrap_err();
    assert!(unknown.contains("there is no preset \"mine\""), "{unknown}");
    assert!(unknown.starts_with("line 3, column 3"), "{unknown}");
}

#[test]
fn a_preset_is_changed_field_by_field() {
    let source =
        "preset: stripe, secret: env:S, checks: {mac: {time: {past: 10m}}}, ack: {status: 202}";
    let config = Config::parse(&format!("project: x\nsources: {{s: {{{source}}}}}")).unwrap();
    let scheme = &config.source("s").unwrap().scheme;
    let mac = scheme.checks.mac.as_ref().unwrap();
    let time = mac.time.as_ref().unwrap();
    assert_eq!((time.past, time.future), (Period::seconds(600), Period::seconds(300)));
    assert_eq!(time.tag.as_deref(), Some("t"));
    assert_eq!((scheme.ack.status, scheme.ack.content_type.as_str()), (202, "application/json"));
}

#[test]
fn the_shipped_file_has_a_source_per_preset() {
    let config = Config::parse(SHIPPED).unwrap();
    for name in placet_core::webhook::presets::names() {
        let path = format!("/webhooks/{name}");
        let SourceAt { name: found, source, .. } = config.source_at(&path).unwrap();
        assert_eq!((found, source.preset.as_deref()), (name, Some(name)));
        let variable = name.to_uppercase().replace('-', "_");
        assert_eq!(source.secrets[0].variable, format!("PLACET_SECRET_{variable}"));
    }
}

#[test]
fn two_sources_cannot_claim_one_path() {
    let paths = |a: &str, b: &str| {
        let source = "preset: svix, secret: env:S, targets: [decide]";
        let sources = format!("a: {{{source}, paths: [{a}]}}\n  b: {{{source}, paths: [{b}]}}");
        Config::parse(&format!("project: x\nsources:\n  {sources}")).map(drop)
    };
    assert_eq!(paths("/hook", "/hook/b"), Ok(()));
    for (a, b) in [("/hook", "/hook"), ("/webhooks/b", "/hook"), ("/hook", "/webhooks/a")] {
        assert!(paths(a, b).unwrap_err().contains("has the path"), "{a} {b}");
    }
}

#[test]
fn a_source_cannot_claim_an_address_of_placet() {
    for path in
        ["/", "//", "/v1/operations", "/inbox", "//inbox/x", "/d/token", "/healthz", "/humanlayer"]
    {
        let source = format!("s: {{preset: svix, secret: env:S, paths: ['{path}']}}");
        let error = Config::parse(&format!("project: x\nsources:\n  {source}")).unwrap_err();
        assert!(error.contains("line 3") && error.contains("is an address of Placet"), "{error}");
    }
}

#[test]
fn an_http_executor_is_described_by_its_url() {
    let text = "project: x\noperations:\n  pay:\n    executor: {http: {url: 'https://pay.example/run', timeout: 5s, secret: env:PAY}}\n    max_attempts: 3";
    let plan = Config::parse(text).unwrap().plan("pay").unwrap();
    assert_eq!(plan.executor, "POST https://pay.example/run");
    assert!(!plan.idempotent);
    assert_eq!((plan.max_attempts, plan.timeout), (3, Duration::from_secs(5)));
}

/// An approval is bound to the description, so another query is another description. The query may hold a secret.
#[test]
fn the_query_of_an_executor_is_described_by_its_digest() {
    let executor = |query: &str| {
        let url = format!("https://pay.example/run{query}");
        let text =
            format!("project: x\noperations: {{f: {{executor: {{http: {{url: '{url}'}}}}}}}}");
        Config::parse(&text).unwrap().plan("f").unwrap().executor
    };
    let described = executor("?key=sk_live_1");
    assert!(described.starts_with("POST https://pay.example/run?sha256="), "{described}");
    assert_eq!(described, executor("?key=sk_live_1"));
    assert_ne!(described, executor("?key=sk_live_2"));
    assert!(!described.contains("sk_live"));
}

#[test]
fn a_channel_belongs_to_one_project_and_names_a_contact() {
    let parse = |channel: &str| {
        Config::parse(&format!("project: x\nprojects: [team-a]\nchannels:\n  17: {channel}"))
    };
    let config = parse("{project: team-a, slack: {channel_or_user_id: C1}}").unwrap();
    assert!(config.channel("team-a", 17).is_some());
    assert!(config.channel("x", 17).is_none() && config.channel("team-a", 18).is_none());
    assert!(parse("{email: {address: a@example.com}}").unwrap().channel("x", 17).is_some());
    for (wrong, part) in [
        ("{}", "a channel must have"),
        ("{channel_id: 3}", "a channel must have"),
        ("{pigeon: {}}", "pigeon: Channel should be"),
        ("{slack: {channelOrUserId: C1}}", "slack.channel_or_user_id: Field required"),
        ("{project: nobody, slack: {channel_or_user_id: C1}}", "no project"),
    ] {
        let error = parse(wrong).unwrap_err();
        assert!(error.contains(part) && error.contains("line 4"), "{wrong}: {error}");
    }
}

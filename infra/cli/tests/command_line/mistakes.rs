//! `placet.yaml`, wrong in every way that people found. Each mistake has one message, which
//! names the key, the place and the fix, and is no jargon of a parser.

use std::fs;

use super::{command, folder, printed, refusal};

/// What `placet check` says about a wrong file.
fn mistake(config: impl AsRef<[u8]>) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("placet.yaml"), config).unwrap();
    refusal(&printed(&mut command(folder.path(), "check")))
}

/// The messages about some files, each a line.
fn mistakes(files: &[&str]) -> String {
    files.iter().map(mistake).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_file_that_is_none() {
    insta::assert_snapshot!(mistakes(&["", "# only\n\n# comments\n", "---\n"]), @r"
    placet.yaml, line 1, column 1: the file is empty: write at least `project: default`
    placet.yaml, line 1, column 1: the file is empty: write at least `project: default`
    placet.yaml, line 1, column 1: the file is empty: write at least `project: default`
    ");
    let name = |config: &str| {
        let folder = folder("project: x");
        let mut check = command(folder.path(), "check");
        refusal(&printed(check.env("PLACET_CONFIG", config)))
    };
    insta::assert_snapshot!([name("other.yaml"), name(".")].join("\n"), @r"
    other.yaml does not exist: `placet init` writes one
    . is a folder: name the file itself in PLACET_CONFIG
    ");
    insta::assert_snapshot!(mistake(b"project: x\noperations:\n  \xff: {}\n"), @r"
    placet.yaml, line 3: this line is not UTF-8: save the file as UTF-8
    ");
}

#[test]
fn a_file_that_is_not_yaml() {
    insta::assert_snapshot!(mistakes(&[
        "project: x\noperations:\n\tf: {}\n",
        "project: x\noperations: {f: {}\nsources: {}\n",
        "project: x\n operations: {}\n",
        "project: \"x\n",
        "project: x\n---\nproject: y\n",
    ]), @r#"
    placet.yaml, line 3, column 2: operations: this line is indented with a tab: use spaces
    placet.yaml, line 3, column 1: operations.f: this is not YAML: look at the indentation, and for a missing colon, quote or bracket in this line or the one before
    placet.yaml, line 1, column 10: project: "x operations" is not a name: 1 to 64 letters, digits, - _ .
    placet.yaml, line 2, column 1: project: this is not YAML: look at the indentation, and for a missing colon, quote or bracket in this line or the one before
    placet.yaml, line 3, column 1: project: a second document begins with `---`: keep one document
    "#);
}

#[test]
fn another_kind_of_value() {
    insta::assert_snapshot!(mistakes(&[
        "project default",
        "- project: x",
        "project: [x]",
        "project:",
        "projects: [b]",
        "project: x\nprojects: b",
        "project: x\noperations: [f]",
        "project: x\noperations: f",
        "project: x\noperations: {f: [executor]}",
        "project: x\noperations: {f: {idempotent: maybe}}",
        "project: x\noperations: {f: {max_attempts: many}}",
        "project: x\nsources: {github: {targets: decide}}",
        "project: x\nsources: {github: {targets: [{log: {}, types: push}]}}",
        "project: x\nsources: {github: [secret]}",
        "project: x\nendpoints: {e: {url: 'https://e.example', secrets: env:E}}",
    ]), @r"
    placet.yaml, line 1, column 1: write members here, each as `name: value`
    placet.yaml, line 1, column 1: write members here, each as `name: value`
    placet.yaml, line 1, column 10: project: write one value here, without members and without a list
    placet.yaml, line 1, column 8: project: write one value here, without members and without a list
    placet.yaml, line 1, column 1: `project` is missing: add it
    placet.yaml, line 2, column 11: projects: write a list here, as in [a, b]
    placet.yaml, line 2, column 13: operations: write members here, each as `name: value`
    placet.yaml, line 2, column 13: operations: write members here, each as `name: value`
    placet.yaml, line 2, column 17: operations.f: write members here, each as `name: value`
    placet.yaml, line 2, column 30: operations.f.idempotent: write true or false
    placet.yaml, line 2, column 32: operations.f.max_attempts: write a whole number
    placet.yaml, line 2, column 20: sources.github.targets: write a list here, as in [a, b]
    placet.yaml, line 2, column 30: sources.github.targets.0: write a list here, as in [a, b]
    placet.yaml, line 2, column 11: sources.github: a source has members, as in {preset: github, secret: env:NAME}
    placet.yaml, line 2, column 52: endpoints.e.secrets: write a list here, as in [a, b]
    ");
}

#[test]
fn a_key_that_is_not_there_or_there_twice() {
    insta::assert_snapshot!(mistakes(&[
        "project: x\noperatons: {}",
        "project: x\ncolour: red",
        "project: x\noperations: {f: {deadlin: 1h}}",
        "project: x\nsources: {github: {secrets: [env:S], targts: [log]}}",
        "project: x\noperations:\n  f: {}\n  f: {}\n",
        "project: x\nsources: {github: {limit: 5, limit: 6}}",
        "project: x\noperations: {f: {executor: {http: {timeout: 5s}}}}",
        "project: x\noperations: {f: {executor: {function: f, http: {url: 'https://e.example'}}}}",
        "project: x\noperations: {f: {executor: {shell: rm}}}",
        "project: x\noperations: {f: {executor: , idempotent: true}}",
        "project: x\noperations: {f: {idempotent: true}}",
        "project: x\noperations: {f: {approver: nobody}}",
    ]), @r"
    placet.yaml, line 2, column 1: there is no key `operatons`: did you mean `operations`?
    placet.yaml, line 2, column 1: there is no key `colour`: use one of project, projects, people, groups, sign_in, defaults, operations, sources, channels, endpoints, mail, outbound
    placet.yaml, line 2, column 18: operations.f: there is no key `deadlin`: did you mean `deadline`?
    placet.yaml, line 2, column 38: sources.github: there is no key `targts`: did you mean `targets`?
    placet.yaml, line 4, column 3: operations: `f` is written twice: keep one
    placet.yaml, line 2, column 30: sources.github: `limit` is written twice: keep one
    placet.yaml, line 2, column 36: operations.f.executor.http: `url` is missing: add it
    placet.yaml, line 2, column 42: operations.f.executor.http: several alternatives are written here: keep one
    placet.yaml, line 2, column 29: operations.f.executor: there is no value `shell`: use one of function, http
    placet.yaml, line 2, column 18: operations.f.executor: name an executor, as in {function: NAME}, or remove the key
    placet.yaml, line 2, column 18: operations.f.idempotent: nothing runs this operation: add its executor, or remove this key
    placet.yaml, line 2, column 28: operations.f.approver: there is no value `nobody`: use one of inbox, humanlayer, webhook
    ");
}

#[test]
fn a_name_of_something_that_does_not_exist() {
    insta::assert_snapshot!(mistakes(&[
        "project: x\nsources: {githb: }",
        "project: x\nsources: {s: {preset: nobody-knows}}",
        "project: x\nsources: {github: {targets: [logg]}}",
        "project: x\nsources: {github: {targets: [{forward: {endpoint: billing}}]}}",
        "project: x\noperations: {f: {approver: {webhook: github}}}",
        "project: x\nendpoints: {e: {url: 'https://e.example', secrets: [env:E], project: y}}",
        "project: x\nendpoints: {e: {url: 'https://e.example', secrets: [env:E], events: [all]}}",
        "project: x\nendpoints: {e: {url: 'https://e.example', secrets: [env:E], events: [function_call.requested]}}",
        "project: x\nchannels: {17: {project: y, slack: {channel_or_user_id: C1}}}",
    ]), @r#"
    placet.yaml, line 2, column 11: sources.githb.preset: there is no preset "githb": did you mean github?
    placet.yaml, line 2, column 15: sources.s.preset: there is no preset "nobody-knows": the presets are api-key, basic, bearer, discord, discord-events, dropbox, github, gitlab, hmac, hubspot, huma, humanlayer, intercom, linear, meta, microsoft-graph, mux, paddle, pagerduty, sendgrid, sentry, shopify, slack, sns, square, standard, stripe, svix, telegram, twilio, whatsapp, x, zendesk, zoom
    placet.yaml, line 2, column 30: sources.github.targets.0: a target is log or decide, or one of log: {}, decide: {}, operation: {fn: …}, forward: {endpoint: …}, each with types: […] and where: […] to select events
    placet.yaml, line 2, column 30: sources.github.targets.0: there is no endpoint billing in project x: add it to endpoints
    placet.yaml, line 2, column 29: operations.f.approver.webhook: github: there is no source of this name: add it to sources
    placet.yaml, line 2, column 61: endpoints.e.project: there is no project y: add it to projects
    placet.yaml, line 2, column 70: endpoints.e.events.0: "all" is not an event: write function_call.completed or human_contact.completed, or v1beta2. or v1beta3., then function_call. or human_contact., then one of requested, reminded, escalated, completed, expired, failed, blocked, unknown
    placet.yaml, line 2, column 70: endpoints.e.events.0: "function_call.requested" is not sent as a bare object: write v1beta2.function_call.requested
    placet.yaml, line 2, column 12: channels.17: there is no project "y": add it to projects
    "#);
}

#[test]
fn a_time_that_cannot_be_meant() {
    insta::assert_snapshot!(mistakes(&[
        "project: x\ndefaults: {deadline: 90000d}",
        "project: x\ndefaults: {deadline: 99999999999999999999d}",
        "project: x\ndefaults: {deadline: -1h}",
        "project: x\ndefaults: {deadline: 5}",
        "project: x\ndefaults: {deadline: 0s}",
        "project: x\noperations: {f: {executor: {function: f}, retry: {for: 100h}}}",
        "project: x\nsources: {github: {remember: 5}}",
    ]), @r#"
    placet.yaml, line 2, column 22: defaults.deadline: "90000d" is too long: write 3650d or less
    placet.yaml, line 2, column 22: defaults.deadline: "99999999999999999999d" is too long: write 3650d or less
    placet.yaml, line 2, column 22: defaults.deadline: "-1h" is not a length of time: write 250ms, 20s, 15m, 24h or 7d
    placet.yaml, line 2, column 22: defaults.deadline: "5" is not a length of time: write 250ms, 20s, 15m, 24h or 7d
    placet.yaml, line 2, column 22: defaults.deadline: "0s" is not a length of time: write at least 1ms
    placet.yaml, line 2, column 56: operations.f.retry.for: retry.for is at most 72h: the history stores each attempt
    placet.yaml, line 2, column 20: sources.github.remember: "5" is not a length of time: write 250ms, 20s, 15m, 24h or 7d
    "#);
}

#[test]
fn a_url_that_cannot_be_called() {
    insta::assert_snapshot!(mistakes(&[
        "project: x\noperations: {f: {executor: {http: {url: pay.example/run}}}}",
        "project: x\noperations: {f: {executor: {http: {url: /run}}}}",
        "project: x\noperations: {f: {executor: {http: {url: 'https://me:pass@pay.example/run'}}}}",
        "project: x\noperations: {f: {executor: {http: {url: 'https://10.0.0.8/run?key=sk_live_1'}}}}",
        "project: x\nendpoints: {e: {url: 'http://127.0.0.1:9000/', secrets: [env:E]}}",
        "project: x\nsources: {s: {checks: {jwt: {at: 'header:authorization', jwks: 'http://localhost:80@evil.example', algorithms: [RS256], issuer: i, audience: a}}}}",
        "project: x\nsources: {twilio: {public_url: 'https://me:pass@hooks.example'}}",
        "project: x\nsources: {twilio: {public_url: hooks.example}}",
    ]), @r#"
    placet.yaml, line 2, column 41: operations.f.executor.http.url: "pay.example/run" is not a URL: write https://, a host and a path
    placet.yaml, line 2, column 41: operations.f.executor.http.url: "/run" is not a URL: write https://, a host and a path
    placet.yaml, line 2, column 41: operations.f.executor.http.url: remove what is before the @: a URL must name no user and password
    placet.yaml, line 2, column 36: operations.f.executor.http.url: 10.0.0.8 is not a public address: to call it anyway, add 10.0.0.8 to outbound.allow_hosts
    placet.yaml, line 2, column 17: endpoints.e.url: http://127.0.0.1 is not encrypted: use https://, or to call it anyway, add 127.0.0.1 to outbound.allow_hosts
    placet.yaml, line 2, column 58: sources.s.checks.jwt.jwks: remove what is before the @: the address of the key set must name no user and password
    placet.yaml, line 2, column 20: sources.twilio.public_url: remove what is before the @: a URL must name no user and password
    placet.yaml, line 2, column 20: sources.twilio.public_url: "hooks.example" is not an address: write it like https://hooks.example.com, or env:NAME
    "#);
}

#[test]
fn a_secret_in_place_of_its_variable() {
    let config = "project: x\noperations: {f: {executor: {http: {url: 'https://e.example', secret: whsec_AAAA}}}}";
    insta::assert_snapshot!(mistake(config), @r"
    placet.yaml, line 2, column 70: operations.f.executor.http.secret: write a reference to the secret, env:NAME: the secret itself must not be in this file
    ");
}

/// Aliases and merge keys work, up to a bound.
#[test]
fn aliases() {
    let checked = |config: &str| {
        let folder = folder(config);
        printed(&mut command(folder.path(), "check"))
    };
    let merged = "project: x\noperations:\n  f: &f {deadline: 2h}\n  g: {<<: *f}\n  h: *f\n";
    let printed = checked(merged);
    assert!(printed.starts_with("exit code 0\n"), "{printed}");
    assert_eq!(printed.matches("decide in 2h").count(), 3, "{printed}");
    let bomb = (1..12).fold("  a0: &a0 [x]\n".to_owned(), |text, level| {
        let below = format!("*a{}", level - 1);
        text + &format!("  a{level}: &a{level} [{}]\n", [below.as_str(); 12].join(", "))
    });
    insta::assert_snapshot!(mistakes(&[
        &format!("project: x\nsources:\n{bomb}"),
        "project: x\noperations: {f: *nobody}",
        "project: x\noperations: {f: {<<: text}}",
    ]), @r"
    placet.yaml, line 8, column 32: sources.a5.4: aliases such as *name repeat too much: write the values where they belong
    placet.yaml, line 2, column 17: operations.f: no anchor &name comes before this alias *name: write the value where it belongs
    placet.yaml, line 2, column 22: operations.f.<<: what << merges must be a mapping, or a list of mappings: write the members where they belong
    ");
}

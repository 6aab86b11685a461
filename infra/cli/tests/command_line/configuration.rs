//! `placet.yaml`, `.env` and the environment, right and wrong: exit code 0, or 1 and what to do.

use super::{command, folder, placet, printed};

const CONFIG: &str = "
project: default
projects: [team-a]
defaults: {deadline: 90m}
operations:
  purchase_materials: {executor: {function: purchase_materials}, idempotent: true, deadline: 24h}
  ship_parcel: {executor: {function: ship_parcel}, deadline: 7d}
  refund: {executor: {http: {url: 'https://pay.example/run', secret: 'env:PAY_KEY', timeout: 20000ms}}, deadline: 48h}
sources: {github: , stripe: , twilio: , standard: }
channels: {17: {slack: {channel_or_user_id: C1}}}
endpoints: {app: {url: 'https://app.example/hook', secrets: ['env:APP_KEY']}}
";

fn with(config: &str, arguments: &str, variables: &[(&str, &str)]) -> String {
    let folder = folder(config);
    printed(command(folder.path(), arguments).envs(variables.iter().copied()))
}

#[test]
fn check_prints_first_what_needs_attention() {
    let variables =
        [("PLACET_SECRET_GITHUB", "open-sesame"), ("PLACET_SECRET_TWILIO", "a token of Twilio")];
    let printed = with(CONFIG, "check", &variables);
    assert!(!printed.contains("open-sesame"));
    insta::assert_snapshot!(printed, @r"
    exit code 1
    Needs attention
      operation refund cannot run: PAY_KEY is not set. Make one for both sides: echo whsec_$(openssl rand -base64 32)
      operation ship_parcel cannot run: function ship_parcel is not compiled into the worker: correct its name, or add it to Functions::shipped()
      endpoint app is sent nothing: APP_KEY is not set. Make one for both sides: echo whsec_$(openssl rand -base64 32)
      source twilio is closed: the sender signs the URL: set public_url to the address that you gave the sender

    project default
    project team-a
    operation purchase_materials
      decide in 24h
      approver  the inbox
      runs      function purchase_materials
      for       what is requested through Placet's API, pages and sources
      attempts  up to 5 of 20s, and for 24h while it is known not to have run
    operation refund
      decide in 48h
      approver  the inbox
      runs      POST https://pay.example/run
      for       what is requested through Placet's API, pages and sources
      attempts  up to 5 of 20000ms, and for 24h while it is known not to have run; not idempotent: an unclear one waits for a person
    operation ship_parcel
      decide in 7d
      approver  the inbox
      runs      function ship_parcel
      for       what is requested through Placet's API, pages and sources
      attempts  up to 5 of 20s, and for 24h while it is known not to have run; not idempotent: an unclear one waits for a person
    any other operation, and questions
      decide in 90m
      approver  the inbox
    endpoint app
      project   default
      at        https://app.example/hook
      secrets   APP_KEY (not set)
      events    what is forwarded to it
    queue calls
      used by   executors, endpoints
    channel 17
      project   default
      reaches   slack
    source github
      preset    github
      at        /webhooks/github
      is        open
      secrets   PLACET_SECRET_GITHUB (set)
      targets   log
    source twilio
      preset    twilio
      at        /webhooks/twilio
      is        closed: the sender signs the URL: set public_url to the address that you gave the sender
      secrets   PLACET_SECRET_TWILIO (set)
      targets   log
    closed sources (no secret is set): standard, stripe
      `placet webhook explain NAME` says which secret opens one.
    error: these operations cannot run, so their approval would wait: refund, ship_parcel
    ");
}

#[test]
fn check_says_when_it_reminds_and_who_can_decide_with_an_event() {
    let config = "
project: x
defaults: {remind: [1h, 90m], escalate: {after: 4h, to: app}}
operations: {deploy: {deadline: 15m, remind: []}}
endpoints:
  app: {url: 'https://app.example/hook', secrets: [env:APP_KEY], events: [v1beta2.function_call.requested], links: true}
";
    let key = ("APP_KEY", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    insta::assert_snapshot!(with(config, "check", &[key]), @r"
    exit code 0
    Needs attention
      remind is set, and nobody is notified of reminders: add email to the approvers, or v1beta2.function_call.reminded to the events of an endpoint

    project x
    operation deploy
      decide in 15m
      approver  the inbox
      escalates after 4h to app
      runs      nothing here: the requester acts on the decision
    any other operation, and questions
      decide in 24h
      approver  the inbox
      reminds   after 1h, 90m
      escalates after 4h to app
    endpoint app
      project   x
      at        https://app.example/hook
      secrets   APP_KEY (set)
      events    v1beta2.function_call.requested
      links     anyone who reads its events can decide
    queue calls
      used by   endpoints
    ");
}

#[test]
fn check_is_content() {
    insta::assert_snapshot!(with("project: default", "check", &[]), @r"
    exit code 0
    Nothing needs attention.

    project default
    any other operation, and questions
      decide in 24h
      approver  the inbox
    queue calls
      used by   nothing: once it is empty, CallsEnabled=false saves its polling on AWS
    ");
}

#[test]
fn check_is_in_colour_if_somebody_wants_it() {
    let coloured = with("project: default", "check", &[("CLICOLOR_FORCE", "1")]);
    assert!(coloured.contains("\u{1b}["), "{coloured}");
}

#[test]
fn no_configuration() {
    insta::assert_snapshot!(placet("check"), @r"
    exit code 1
    error: placet.yaml does not exist: `placet init` writes one
    ");
    assert_eq!(placet("dev"), placet("check"));
}

#[test]
fn an_unknown_key() {
    insta::assert_snapshot!(with("project: x\ncolour: red\n", "check", &[]), @r"
    exit code 1
    error: placet.yaml, line 2, column 1: there is no key `colour`: use one of project, projects, people, groups, sign_in, defaults, operations, sources, channels, endpoints, mail, outbound
    ");
    insta::assert_snapshot!(with("project: x\ncolour: red\n", "dev --port 0", &[]), @r"
    exit code 1
    error: placet.yaml, line 2, column 1: there is no key `colour`: use one of project, projects, people, groups, sign_in, defaults, operations, sources, channels, endpoints, mail, outbound
    ");
}

#[test]
fn a_time_that_is_none() {
    let config = "project: x\ndefaults: {deadline: soon}\n";
    insta::assert_snapshot!(with(config, "check", &[]), @r#"
    exit code 1
    error: placet.yaml, line 2, column 22: defaults.deadline: "soon" is not a length of time: write 250ms, 20s, 15m, 24h or 7d
    "#);
}

#[test]
fn a_format_of_the_log_that_is_none() {
    let variables = [("PLACET_LOG_FORMAT", "xml")];
    insta::assert_snapshot!(with("project: x", "dev --port 0", &variables), @r#"
    exit code 1
    error: PLACET_LOG_FORMAT is "xml": set it to text or json
    "#);
}

#[test]
fn everybody_knows_the_default_key() {
    let printed = with("project: x", "dev --addr 0.0.0.0 --port 0", &[]);
    insta::assert_snapshot!(printed, @r"
    exit code 1
    error: 0.0.0.0:0 is not loopback and everybody knows the default key: set PLACET_LOCAL_KEY to what this prints: openssl rand -hex 16
    ");
}

#[test]
fn a_key_that_others_can_guess() {
    let variables = [("PLACET_LOCAL_KEY", "a")];
    let printed = with("project: x", "dev --addr 0.0.0.0 --port 0", &variables);
    let wrong = "PLACET_LOCAL_KEY is too short for an address that is not loopback: set it to what this prints: openssl rand -hex 16";
    assert!(printed.starts_with("exit code 1\n") && printed.contains(wrong), "{printed}");
}

#[test]
fn a_port_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let printed = with("project: x", &format!("dev --port {port}"), &[]);
    let printed = printed.replace(&port, "PORT");
    assert!(
        printed.starts_with("exit code 1\nerror: cannot listen on 127.0.0.1:PORT"),
        "{printed}"
    );
    assert!(printed.contains("`placet dev --port 8001`"), "{printed}");
}

#[test]
fn no_server() {
    let commands =
        ["watch", "key list", "key create --role agent", "key revoke 0123456789ab", "link call-1"];
    let printed: Vec<String> =
        commands.iter().map(|command| with("project: x", command, &[])).collect();
    insta::assert_snapshot!(printed.join(""), @r"
    exit code 1
    error: no server runs on the data in .placet: start one with `placet dev`, or name its folder with --data-dir
    exit code 1
    error: no running system found: start `placet dev`, name its folder with --data-dir, or set PLACET_TABLE for one on AWS
    exit code 1
    error: no running system found: start `placet dev`, name its folder with --data-dir, or set PLACET_TABLE for one on AWS
    exit code 1
    error: no running system found: start `placet dev`, name its folder with --data-dir, or set PLACET_TABLE for one on AWS
    exit code 1
    error: no server runs on the data in .placet: start one with `placet dev`, or name its folder with --data-dir
    ");
}

#[test]
fn a_source_that_is_closed_or_not_there() {
    let config = "project: x\nsources: {github: }";
    insta::assert_snapshot!(with(config, "webhook sign github", &[]), @r"
    exit code 1
    error: source github is closed: PLACET_SECRET_GITHUB is not set
    ");
    insta::assert_snapshot!(with(config, "webhook explain nobody", &[]), @r"
    exit code 1
    error: placet.yaml has no source nobody; it has github
    ");
}

#[test]
fn init_writes_a_configuration_once() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments| printed(&mut command(folder.path(), arguments));
    insta::assert_snapshot!(run("init"), @r"
    exit code 0
    placet.yaml is written. Read it, then run `placet check` and `placet dev`.
    ");
    insta::assert_snapshot!(run("init"), @r"
    exit code 1
    error: placet.yaml exists already: nothing is written
    ");
    insta::assert_snapshot!(run("check"), @r"
    exit code 0
    Nothing needs attention.

    project default
    any other operation, and questions
      decide in 24h
      approver  the inbox
    queue calls
      used by   nothing: once it is empty, CallsEnabled=false saves its polling on AWS
    closed sources (no secret is set): github, humanlayer, slack, standard, stripe
      `placet webhook explain NAME` says which secret opens one.
    ");
}

/// The default approver of a new project has no secret yet; an operation that names an approver of its own needs it.
#[test]
fn an_approver_that_is_closed() {
    let sources = "sources: {humanlayer: {targets: [decide]}}";
    let default = format!("project: x\ndefaults: {{approver: {{webhook: humanlayer}}}}\n{sources}");
    let own =
        format!("project: x\noperations: {{f: {{approver: {{webhook: humanlayer}}}}}}\n{sources}");
    assert!(!with(&default, "check", &[]).contains("and is closed"));
    let printed = with(&own, "check", &[]);
    let line =
        "source humanlayer is the approver of f and is closed: PLACET_SECRET_HUMANLAYER is not set";
    assert!(printed.contains(line), "{printed}");
}

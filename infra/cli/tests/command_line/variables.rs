//! The environment, `.env` and the secrets in them, wrong in every way that people found: what each message says.

use std::fs;

use super::{command, folder, printed, refusal};

#[test]
fn a_variable_that_cannot_be_meant() {
    let folder = folder("project: x");
    let with = |name: &str, value: &str| {
        refusal(&printed(command(folder.path(), "check").env(name, value)))
    };
    insta::assert_snapshot!([
        with("PLACET_LONG_POLL", "99s"),
        with("PLACET_LONG_POLL", "8"),
        with("PLACET_WRITES_PER_SECOND", "0"),
        with("PLACET_LOG", "verbose"),
        with("PLACET_LOG_FORMAT", "xml"),
        with("PLACET_DEMO", "yes"),
        with("PLACET_LINK_SECRET", "short"),
        with("PLACET_WEBHOOK_URL", "https://me:pass@hooks.example"),
        with("PLACET_WEBHOOK_URL", "hooks.example"),
        with("PLACET_SECRETS", "PLACET_SECRET_A"),
    ].join("\n"), @r#"
    PLACET_LONG_POLL is 99s, and clients wait 30 s: set it to 25s or less, or to 0s if no poll shall be held
    PLACET_LONG_POLL: "8" is not a length of time: write 250ms, 20s, 15m, 24h or 7d
    PLACET_WRITES_PER_SECOND is "0": set it to a whole number from 1 to 1000000
    PLACET_LOG is "verbose": set it to error, warn, info or debug
    PLACET_LOG_FORMAT is "xml": set it to text or json
    PLACET_DEMO is "yes": set it to on or off
    PLACET_LINK_SECRET is too short: it must have at least 32 bytes. Make one: openssl rand -hex 32
    PLACET_WEBHOOK_URL: remove what is before the @: a URL must name no user and password
    PLACET_WEBHOOK_URL: "hooks.example" is not an address: write it like https://hooks.example.com
    PLACET_SECRETS, line 1: write one NAME=value per line, or one JSON object whose values are strings
    "#);
}

#[test]
fn a_file_of_variables_that_cannot_be_read() {
    let with = |text: &[u8]| {
        let folder = folder("project: x");
        fs::write(folder.path().join(".env"), text).unwrap();
        refusal(&printed(&mut command(folder.path(), "check")))
    };
    let folder = folder("project: x");
    fs::create_dir(folder.path().join(".env")).unwrap();
    insta::assert_snapshot!([
        with(b"A=1\nA=2\n"),
        with(b"A=1\nopen sesame\n"),
        with(b"A=\xff"),
        refusal(&printed(&mut command(folder.path(), "check"))),
    ].join("\n"), @r"
    .env, line 2: A has another value on an earlier line: remove one
    .env, line 2: this line is not NAME=value: correct it, or remove it
    .env is not UTF-8: save it as UTF-8
    .env is a folder, and Placet reads variables from a file of this name: rename the folder
    ");
}

/// What `placet check` says needs attention, a problem a line.
fn attention(config: &str, file: &str, variables: &[(&str, &str)]) -> String {
    let folder = folder(config);
    fs::write(folder.path().join(".env"), file).unwrap();
    let printed = printed(command(folder.path(), "check").envs(variables.iter().copied()));
    let (_, rest) = printed.split_once("Needs attention\n").unwrap();
    let (problems, _) = rest.split_once("\n\n").unwrap();
    problems.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_variable_that_nothing_reads() {
    let config = "project: x\nsources: {github: , meta: }";
    let variables = [
        ("PLACET_SECRET_GITHUBB", "a secret of a source"),
        ("PLACET_SECRET_OTHER", "a secret of nothing"),
        ("PLACET_LOGG", "debug"),
        ("PLACET_SECRET_META_VERIFY_TOKEN", "a token of a sender"),
    ];
    insta::assert_snapshot!(attention(config, "", &variables), @r"
    nothing reads PLACET_LOGG: did you mean PLACET_LOG?
    nothing reads PLACET_SECRET_GITHUBB: did you mean PLACET_SECRET_GITHUB?
    nothing reads PLACET_SECRET_OTHER: name it in placet.yaml, or remove it
    ");
}

#[test]
fn a_secret_whose_name_is_not_whole() {
    let config = "project: x\nendpoints: {app: {url: 'https://app.example/hook', secrets: ['env:APP']}}\nsources: {github: }";
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let listed = format!("GITHUB=aaaaaaaaaa\nAPP={key}\nAPPS={key}\nOTHER=a secret of nothing");
    let file = "placet_secret_github=aaaaaaaaaa\n";
    insta::assert_snapshot!(attention(config, file, &[("PLACET_SECRETS", &listed)]), @r"
    nothing reads APPS: did you mean APP?
    nothing reads GITHUB: did you mean PLACET_SECRET_GITHUB?
    nothing reads OTHER: name it in placet.yaml, or remove it
    nothing reads placet_secret_github: did you mean PLACET_SECRET_GITHUB?
    ");
    insta::assert_snapshot!(attention(config, "PLACET_SECRETS=GITHUB=aaaaaaaaaa", &[("APP", key)]), @r"
      nothing reads GITHUB: did you mean PLACET_SECRET_GITHUB?
    ");
}

/// `.env` and `PLACET_SECRETS` have one rule for quotes, so equal lines mean the same secret.
#[test]
fn quotes_around_a_secret_are_not_part_of_it() {
    let folder = folder("project: x\nsources: {github: }");
    let line = "PLACET_SECRET_GITHUB=\"aaaaaaaaaa\"";
    fs::write(folder.path().join(".env"), line).unwrap();
    let printed = printed(command(folder.path(), "check").env("PLACET_SECRETS", line));
    assert!(printed.contains("Nothing needs attention"), "{printed}");
}

/// What the start refuses, `check` refuses in the same words.
#[test]
fn settings_with_which_the_system_does_not_start() {
    let with = |variables: &[(&str, &str)]| {
        let folder = folder("project: x");
        let run =
            |name| refusal(&printed(command(folder.path(), name).envs(variables.iter().copied())));
        assert_eq!(run("check"), run("dev"));
        run("check")
    };
    insta::assert_snapshot!([
        with(&[("PLACET_ADDR", "127.0.0.1:99999")]),
        with(&[("PLACET_ADDR", "::1")]),
        with(&[("PLACET_ADDR", "0.0.0.0:8000")]),
        with(&[("PLACET_ADDR", "0.0.0.0:8000"), ("PLACET_LOCAL_KEY", "a")]),
        with(&[("PLACET_BLOBS", "s4://x")]),
    ].join("\n"), @r#"
    PLACET_ADDR is "127.0.0.1:99999": a port is a whole number, at most 65535
    PLACET_ADDR is "::1": write an IP address and a port, as in 127.0.0.1:8000 or [::1]:8000
    0.0.0.0:8000 is not loopback and everybody knows the default key: set PLACET_LOCAL_KEY to what this prints: openssl rand -hex 16
    PLACET_LOCAL_KEY is too short for an address that is not loopback: set it to what this prints: openssl rand -hex 16
    PLACET_BLOBS is `s4://x`: it must be s3://<bucket>. Unset it to keep blobs as files in .placet/blobs
    "#);
}

#[test]
fn a_variable_that_is_set_twice() {
    let secrets = [("PLACET_SECRETS", "PLACET_SECRET_GITHUB=the secret in the environment")];
    let file = "PLACET_SECRET_GITHUB='the secret in the file'";
    let printed = attention("project: x\nsources: {github: }", file, &secrets);
    insta::assert_snapshot!(printed, @r"
      PLACET_SECRET_GITHUB has another value in .env, which the environment overrides: remove one
    ");
}

#[test]
fn an_operation_that_no_target_may_request() {
    let config = "project: x\noperations: {refund: {}}\nsources: {github: {targets: [{operation: {fn: refundd}}, {operation: {fn: ship}}]}}";
    insta::assert_snapshot!(attention(config, "", &[]), @r"
    source github requests refundd, and no such operation is in placet.yaml, so nothing runs: did you mean refund?
    source github requests ship, and no such operation is in placet.yaml, so nothing runs: add ship to operations
    ");
}

const SIGNED: &str = "
project: x
operations:
  refund: {executor: {http: {url: 'https://pay.example/run', secret: 'env:PAY'}}}
endpoints: {app: {url: 'https://app.example/hook', secrets: ['env:APP']}}
sources: {github: , standard: , discord: , gitlab: , meta: }
";

/// A secret, for whatever signs or verifies.
#[test]
fn a_secret_that_is_too_short_or_of_another_form() {
    const PUBLIC: &str = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
    let all = |secret: &str| {
        let names = ["PAY", "APP"].map(str::to_owned);
        let sources = ["GITHUB", "STANDARD", "DISCORD", "GITLAB", "META"];
        let names = names.into_iter().chain(sources.map(|name| format!("PLACET_SECRET_{name}")));
        let file: String = names.map(|name| format!("{name}='{secret}'\n")).collect();
        let printed = attention(SIGNED, &file, &[]);
        assert!(!printed.contains(secret), "{printed}");
        let problems = printed.lines().filter(|line| !line.contains("have the same secret"));
        problems.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(all("abc"), @r"
    operation refund cannot run: PAY cannot be used: it is too short: it must have at least 24 bytes. Make one for both sides: echo whsec_$(openssl rand -base64 32)
    endpoint app is sent nothing: APP cannot be used: it is too short: it must have at least 24 bytes. Make one for both sides: echo whsec_$(openssl rand -base64 32)
    source discord is closed: PLACET_SECRET_DISCORD cannot be used: it has the wrong form: it must be an Ed25519 public key in hexadecimal digits. Copy the public key from the sender
    source github is closed: PLACET_SECRET_GITHUB cannot be used: it is too short: it must have at least 8 bytes. Copy it from the sender, or make one: openssl rand -hex 32
    source gitlab is closed: PLACET_SECRET_GITLAB cannot be used: it is too short: it must have at least 8 bytes. Copy it from the sender, or make one: openssl rand -hex 32
    source meta is closed: PLACET_SECRET_META cannot be used: it is too short: it must have at least 8 bytes. Copy it from the sender, or make one: openssl rand -hex 32
    source standard is closed: PLACET_SECRET_STANDARD cannot be used: it is too short: it must have at least 24 bytes. Copy it from the sender, or make one: echo whsec_$(openssl rand -base64 32)
    ");
    insta::assert_snapshot!(all("open-sesame"), @r"
    operation refund cannot run: PAY cannot be used: it has the wrong form: it must be whsec_ followed by base64 of 24 to 64 bytes. Make one for both sides: echo whsec_$(openssl rand -base64 32)
    endpoint app is sent nothing: APP cannot be used: it has the wrong form: it must be whsec_ followed by base64 of 24 to 64 bytes. Make one for both sides: echo whsec_$(openssl rand -base64 32)
    source discord is closed: PLACET_SECRET_DISCORD cannot be used: it has the wrong form: it must be an Ed25519 public key in hexadecimal digits. Copy the public key from the sender
    source standard is closed: PLACET_SECRET_STANDARD cannot be used: it has the wrong form: it must be base64, with or without the prefix whsec_, or whpk_ followed by an Ed25519 public key in base64. Copy it from the sender, or make one: echo whsec_$(openssl rand -base64 32)
    ");
    insta::assert_snapshot!(all(PUBLIC), @r"
    operation refund cannot run: PAY cannot be used: it is a key of a pair, and both sides must share this one: it must be whsec_ followed by base64 of 24 to 64 bytes. Make one for both sides: echo whsec_$(openssl rand -base64 32)
    endpoint app is sent nothing: APP cannot be used: it is a key of a pair, and both sides must share this one: it must be whsec_ followed by base64 of 24 to 64 bytes. Make one for both sides: echo whsec_$(openssl rand -base64 32)
    source discord is closed: PLACET_SECRET_DISCORD cannot be used: it has the wrong form: it must be an Ed25519 public key in hexadecimal digits. Copy the public key from the sender
    source github is closed: PLACET_SECRET_GITHUB cannot be used: it is a key of a pair, and both sides must share this one: it must be a text that is not empty. Copy it from the sender, or make one: openssl rand -hex 32
    source gitlab is closed: PLACET_SECRET_GITLAB cannot be used: it has the wrong form: it must be whsec_ followed by base64, or a text that is not empty. Copy it from the sender, or make one: echo whsec_$(openssl rand -base64 32)
    source meta is closed: PLACET_SECRET_META cannot be used: it is a key of a pair, and both sides must share this one: it must be a text that is not empty. Copy it from the sender, or make one: openssl rand -hex 32
    ");
    let token =
        [("PLACET_SECRET_META", "a secret of Meta"), ("PLACET_SECRET_META_VERIFY_TOKEN", "abc")];
    insta::assert_snapshot!(attention("project: x\nsources: {meta: }", "", &token), @r"
      source meta is closed: PLACET_SECRET_META_VERIFY_TOKEN cannot be used: it is too short: it must have at least 8 bytes. Copy it from the sender, or make one: openssl rand -hex 32
    ");
}

#[test]
fn a_secret_that_is_not_what_its_sender_shows() {
    const ED25519: &str = "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
    let with = |sendgrid: &str, sns: &str, basic: &str| {
        let file = format!(
            "PLACET_SECRET_SENDGRID='{sendgrid}'\nPLACET_SECRET_SNS='{sns}'\nPLACET_SECRET_BASIC='{basic}'\n"
        );
        attention("project: x\nsources: {sendgrid: , sns: , basic: }", &file, &[])
    };
    insta::assert_snapshot!(with("a text, not a key", "orders-of-a-shop", "a long password"), @r"
    source basic is closed: PLACET_SECRET_BASIC cannot be used: it has the wrong form: it must be a user and a password, as in user:password. Make one for both sides: echo placet:$(openssl rand -hex 32)
    source sendgrid is closed: PLACET_SECRET_SENDGRID cannot be used: it has the wrong form: it must be a public key as SubjectPublicKeyInfo in base64. Copy the public key from the sender
    source sns is closed: PLACET_SECRET_SNS cannot be used: it has the wrong form: it must be the ARN of a topic, as in arn:aws:sns:eu-central-1:123456789012:orders. Copy the ARN of the topic from the console of AWS
    ");
    let topic = "arn:aws:sns:eu-central-1:123456789012:orders";
    insta::assert_snapshot!(with(ED25519, topic, "user:a long password"), @r"
      source sendgrid is closed: PLACET_SECRET_SENDGRID cannot be used: it has the wrong form: it must be a public key as SubjectPublicKeyInfo in base64, for ecdsa-p256-sha256. Copy the public key from the sender
    ");
}

#[test]
fn one_secret_for_several() {
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let file =
        format!("PAY={KEY}\nAPP={KEY}\nPLACET_SECRET_STANDARD={KEY}\nPLACET_SECRET_GITHUB={KEY}\n");
    insta::assert_snapshot!(attention(SIGNED, &file, &[]), @r"
      source github and source standard and endpoint app and the executor of operation refund have the same secret, so one could sign as the other: give each its own
    ");
    let outgoing = "project: x\nendpoints:\n  a: {url: 'https://a.example', secrets: [env:A]}\n  b: {url: 'https://b.example', secrets: [env:A]}\n";
    let folder = folder(outgoing);
    let printed = printed(command(folder.path(), "check").env("A", KEY));
    assert!(printed.contains("Nothing needs attention"), "{printed}");
}

#[test]
fn a_key_that_somebody_could_guess() {
    let with = |key: &str| {
        let folder = folder("project: x");
        let mut dev = command(folder.path(), "dev --addr 0.0.0.0 --port 0");
        refusal(&printed(dev.env("PLACET_LOCAL_KEY", key)))
    };
    insta::assert_snapshot!(with("a"), @r"
    PLACET_LOCAL_KEY is too short for an address that is not loopback: set it to what this prints: openssl rand -hex 16
    ");
    assert_eq!(with("a"), with("0123456789abcdef0123456789abcde"));
}

#[cfg(unix)]
#[test]
fn a_folder_of_the_data_that_others_may_open() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder("project: x");
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let printed = printed(&mut command(folder.path(), "dev --port 0 --data-dir data"));
    insta::assert_snapshot!(refusal(&printed), @r"
    other users of this machine may read the data folder `data` (its mode is 755): run `chmod 700 data` and start again
    ");
}

//! What holds of every command: it has a help, it refuses an option it does not have, it says what is wrong with
//! the configuration, and it says that no server runs.

use std::fmt::Write as _;
use std::path::Path;

use super::{command, folder, placet, printed};

/// Every command, with arguments it takes.
const COMMANDS: [(&str, &str); 22] = [
    ("dev", ""),
    ("watch", ""),
    ("init", ""),
    ("check", ""),
    ("invite", "ana"),
    ("session", ""),
    ("session list", ""),
    ("session revoke", "ana"),
    ("link", "call-1"),
    ("settle", "happened"),
    ("key", ""),
    ("key create", "--role agent"),
    ("key list", ""),
    ("key revoke", "0123456789ab"),
    ("mail", ""),
    ("mail test", "ann@example.com"),
    ("webhook", ""),
    ("webhook explain", "github"),
    ("webhook sign", "github"),
    ("webhook send", "github --file body"),
    ("engines", ""),
    ("completions", "bash"),
];

/// The commands that read placet.yaml.
const READ_CONFIG: [&str; 14] = [
    "dev",
    "check",
    "invite",
    "session list",
    "session revoke",
    "link",
    "settle",
    "key create",
    "key list",
    "key revoke",
    "webhook explain",
    "webhook sign",
    "webhook send",
    "engines",
];

/// The commands that read `.env`: functions in other processes get the engines' environment without it.
fn read_env() -> impl Iterator<Item = &'static str> {
    let of_config = READ_CONFIG.into_iter().filter(|name| *name != "engines");
    of_config.chain(["watch", "init"])
}

/// What the command prints, with arguments it takes, in this folder.
fn run(folder: &Path, name: &str) -> String {
    let (_, arguments) = COMMANDS.iter().find(|(known, _)| *known == name).unwrap();
    std::fs::write(folder.join("body"), "{}").unwrap();
    printed(command(folder, &format!("{name} {arguments}")).env("PLACET_SECRET_GITHUB", "a secret"))
}

/// A folder whose server has gone without a word.
fn abandoned(config: &str) -> tempfile::TempDir {
    let folder = folder(config);
    let data = folder.path().join(".placet");
    std::fs::create_dir(&data).unwrap();
    let running = r#"{
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9", "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "PLACET_TABLE": "placet",
        "PLACET_INBOX_URL": "http://127.0.0.1:9", "PLACET_LOCAL_KEY": "local-dev-key",
        "PLACET_LINK_SECRET": "0123456789abcdef0123456789abcdef", "api_keys": {"x": "local-dev-key"}
    }"#;
    std::fs::write(data.join("running.json"), running).unwrap();
    folder
}

/// The commands below one, as its help lists them.
fn below(name: &str) -> Vec<String> {
    let help = placet(&format!("{name} --help"));
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.map(|line| line.split_whitespace().next().unwrap());
    let names = names.filter(|below| *below != "help");
    names.map(|below| format!("{name} {below}").trim().to_owned()).collect()
}

#[test]
fn none_is_forgotten() {
    let mut found = Vec::new();
    for name in below("") {
        let group = below(&name);
        found.push(name);
        found.extend(group);
    }
    assert_eq!(found, COMMANDS.map(|(name, _)| name));
}

#[test]
fn its_help_is_found_in_each_way() {
    for (name, _) in COMMANDS {
        let help = placet(&format!("{name} --help"));
        assert!(help.starts_with("exit code 0\n"), "{name}: {help}");
        assert_eq!(placet(&format!("help {name}")), help, "{name}");
        assert_eq!(placet(&format!("{name} -h")), help, "{name}");
        if let Some((group, rest)) = name.split_once(' ') {
            assert_eq!(placet(&format!("{group} help {rest}")), help, "{name}");
        }
    }
    assert_eq!(placet("help"), placet("--help"));
}

#[test]
fn its_version_is_that_of_placet() {
    let version = format!("exit code 0\nplacet {}\n", env!("CARGO_PKG_VERSION"));
    for name in [""].into_iter().chain(COMMANDS.map(|(name, _)| name)) {
        assert_eq!(placet(&format!("{name} --version")), version, "{name}");
    }
}

/// What it prints of wrong arguments, in short: the exit code, the error and the usage.
fn refused(name: &str, arguments: &str) -> String {
    let printed = placet(&format!("{name} {arguments}"));
    let line = |start: &str| printed.lines().find(|line| line.starts_with(start)).unwrap();
    let (code, error, usage) = (line("exit code "), line("error: "), line("Usage: "));
    format!("{code}, {error}. {usage}\n")
}

#[test]
fn it_refuses_an_option_it_does_not_have() {
    let all = COMMANDS.map(|(name, arguments)| refused(name, &format!("{arguments} --colour")));
    insta::assert_snapshot!(all.concat(), @r"
    exit code 2, error: unexpected argument '--colour' found. Usage: placet dev [OPTIONS]
    exit code 2, error: unexpected argument '--colour' found. Usage: placet watch [OPTIONS]
    exit code 2, error: unexpected argument '--colour' found. Usage: placet init
    exit code 2, error: unexpected argument '--colour' found. Usage: placet check
    exit code 2, error: unexpected argument '--colour' found. Usage: placet invite <PERSON> [TIME]
    exit code 2, error: unexpected argument '--colour' found. Usage: placet session [OPTIONS] <COMMAND>
    exit code 2, error: unexpected argument '--colour' found. Usage: placet session list [OPTIONS]
    exit code 2, error: unexpected argument '--colour' found. Usage: placet session revoke <ID>
    exit code 2, error: unexpected argument '--colour' found. Usage: placet link <CALL_ID> [TIME]
    exit code 2, error: unexpected argument '--colour' found. Usage: placet settle <SETTLEMENT>
    exit code 2, error: unexpected argument '--colour' found. Usage: placet key [OPTIONS] <COMMAND>
    exit code 2, error: unexpected argument '--colour' found. Usage: placet key create --role <ROLE>
    exit code 2, error: unexpected argument '--colour' found. Usage: placet key list [OPTIONS]
    exit code 2, error: unexpected argument '--colour' found. Usage: placet key revoke <ID>
    exit code 2, error: unexpected argument '--colour' found. Usage: placet mail <COMMAND>
    exit code 2, error: unexpected argument '--colour' found. Usage: placet mail test <ADDRESS>
    exit code 2, error: unexpected argument '--colour' found. Usage: placet webhook <COMMAND>
    exit code 2, error: unexpected argument '--colour' found. Usage: placet webhook explain <SOURCE>
    exit code 2, error: unexpected argument '--colour' found. Usage: placet webhook sign <SOURCE>
    exit code 2, error: unexpected argument '--colour' found. Usage: placet webhook send --file <FILE> <SOURCE>
    exit code 2, error: unexpected argument '--colour' found. Usage: placet engines
    exit code 2, error: unexpected argument '--colour' found. Usage: placet completions <SHELL>
    ");
}

#[test]
fn it_refuses_an_argument_too_many() {
    let all = COMMANDS.map(|(name, arguments)| refused(name, &format!("{arguments} 1h more")));
    insta::assert_snapshot!(all.concat(), @r"
    exit code 2, error: unexpected argument '1h' found. Usage: placet dev [OPTIONS]
    exit code 2, error: unexpected argument '1h' found. Usage: placet watch [OPTIONS]
    exit code 2, error: unexpected argument '1h' found. Usage: placet init
    exit code 2, error: unexpected argument '1h' found. Usage: placet check
    exit code 2, error: unexpected argument 'more' found. Usage: placet invite [OPTIONS] <PERSON> [TIME]
    exit code 2, error: unrecognized subcommand '1h'. Usage: placet session [OPTIONS] <COMMAND>
    exit code 2, error: unexpected argument '1h' found. Usage: placet session list [OPTIONS]
    exit code 2, error: unexpected argument '1h' found. Usage: placet session revoke [OPTIONS] <ID>
    exit code 2, error: unexpected argument 'more' found. Usage: placet link [OPTIONS] <CALL_ID> [TIME]
    exit code 2, error: unexpected argument '1h' found. Usage: placet settle [OPTIONS] <SETTLEMENT>
    exit code 2, error: unrecognized subcommand '1h'. Usage: placet key [OPTIONS] <COMMAND>
    exit code 2, error: unexpected argument '1h' found. Usage: placet key create [OPTIONS] --role <ROLE>
    exit code 2, error: unexpected argument '1h' found. Usage: placet key list [OPTIONS]
    exit code 2, error: unexpected argument '1h' found. Usage: placet key revoke [OPTIONS] <ID>
    exit code 2, error: unrecognized subcommand '1h'. Usage: placet mail <COMMAND>
    exit code 2, error: unexpected argument '1h' found. Usage: placet mail test [OPTIONS] <ADDRESS>
    exit code 2, error: unrecognized subcommand '1h'. Usage: placet webhook <COMMAND>
    exit code 2, error: unexpected argument '1h' found. Usage: placet webhook explain <SOURCE>
    exit code 2, error: unexpected argument '1h' found. Usage: placet webhook sign [OPTIONS] <SOURCE>
    exit code 2, error: unexpected argument '1h' found. Usage: placet webhook send [OPTIONS] --file <FILE> <SOURCE>
    exit code 2, error: unexpected argument '1h' found. Usage: placet engines
    exit code 2, error: unexpected argument '1h' found. Usage: placet completions <SHELL>
    ");
}

#[test]
fn it_finds_no_configuration() {
    let missing = "exit code 1\nerror: placet.yaml does not exist: `placet init` writes one\n";
    for name in READ_CONFIG {
        let folder = abandoned("");
        std::fs::remove_file(folder.path().join("placet.yaml")).unwrap();
        assert_eq!(run(folder.path(), name), missing, "{name}");
    }
}

#[test]
fn it_finds_a_wrong_configuration() {
    let wrong = "exit code 1\nerror: placet.yaml, line 2, column 12: projects.0: x is named twice: name it once\n";
    for name in READ_CONFIG {
        let folder = abandoned("project: x\nprojects: [x]\n");
        assert_eq!(run(folder.path(), name), wrong, "{name}");
    }
}

#[test]
fn it_finds_a_wrong_env_file() {
    for name in read_env() {
        let folder = abandoned("project: x\n");
        std::fs::write(folder.path().join(".env"), "this is no variable\n").unwrap();
        let wrong = run(folder.path(), name);
        assert_eq!(
            wrong,
            "exit code 1\nerror: .env, line 1: this line is not NAME=value: correct it, or remove it\n",
            "{name}"
        );
    }
}

#[test]
fn it_says_that_the_server_has_gone() {
    let mut all = String::new();
    for name in COMMANDS.map(|(name, _)| name).into_iter().filter(|name| needs_server(name)) {
        let folder = abandoned("project: x\nsources: {github: }\npeople: {ana: {}}\n");
        let printed = run(folder.path(), name);
        let (printed, _) = printed.split_once(" (os error").unwrap_or((printed.trim_end(), ""));
        let _ = writeln!(all, "$ placet {name}\n{printed}");
    }
    insta::assert_snapshot!(all, @r"
        $ placet watch
        exit code 1
        error: no server answers at http://127.0.0.1:9: start one with `placet dev`
        $ placet invite
        exit code 1
        error: no server answers at http://127.0.0.1:9: start one with `placet dev`
        $ placet session list
        exit code 1
        error: no server answers at http://127.0.0.1:9: start one with `placet dev`
        $ placet session revoke
        exit code 1
        error: no server answers at http://127.0.0.1:9: start one with `placet dev`
        $ placet link
        exit code 1
        error: no server answers at http://127.0.0.1:9: start one with `placet dev`
        $ placet settle
        exit code 1
        error: no server answers at http://127.0.0.1:9: start one with `placet dev`
        $ placet key create
        exit code 1
        error: no server answers at http://127.0.0.1:9: start one with `placet dev`
        $ placet key list
        exit code 1
        error: no server answers at http://127.0.0.1:9: start one with `placet dev`
        $ placet key revoke
        exit code 1
        error: no server answers at http://127.0.0.1:9: start one with `placet dev`
        $ placet webhook send
        exit code 1
        error: http://127.0.0.1:9/webhooks/github: the connection failed: io error: client error (Connect): tcp connect error: Connection refused
        ");
}

const NEED_NO_SERVER: [&str; 5] =
    ["init", "check", "webhook explain", "webhook sign", "completions"];

/// Whether a command fails without a running server.
fn needs_server(name: &str) -> bool {
    let others = ["dev", "engines", "session", "key", "mail", "mail test", "webhook"];
    !NEED_NO_SERVER.contains(&name) && !others.contains(&name)
}

#[test]
fn it_needs_no_server() {
    for name in NEED_NO_SERVER {
        let folder = folder("project: x\nsources: {github: }\n");
        if name == "init" {
            std::fs::remove_file(folder.path().join("placet.yaml")).unwrap();
        }
        let printed = run(folder.path(), name);
        assert!(printed.starts_with("exit code 0\n"), "{name}: {printed}");
    }
}

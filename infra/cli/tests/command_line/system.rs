//! `placet dev` and, beside it, the commands that work on a running system.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::{command, folder, printed, refusal};

const CONFIG: &str = "project: default\nsources: {github: }\n";

/// Two projects, and an endpoint that is notified of decisions.
fn two_projects(port: u16) -> String {
    format!(
        "project: default\nprojects: [team-a]\noutbound: {{allow_hosts: [127.0.0.1]}}\nendpoints:\n  app:\n    \
         url: http://127.0.0.1:{port}/hook\n    secrets: [env:APP]\n    events: [function_call.completed]\n"
    )
}

/// A server that takes every request.
fn taker() -> u16 {
    answers("200 OK")
}

/// A server that answers every request with this status.
fn answers(status: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 65_536]);
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

/// Asks a system something, and returns what it answers.
fn ask(address: &str, method: &str, path: &str, key: &str, body: &str) -> String {
    let answer = try_to_ask(address, method, path, key, body);
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    answer
}

fn try_to_ask(address: &str, method: &str, path: &str, key: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Requests a call without arguments and approves it.
fn approve(address: &str, function: &str, call_id: &str) {
    let call = format!(
        r#"{{"kind": "function_call", "run_id": "r", "call_id": "{call_id}", "fn": "{function}", "kwargs": {{}}}}"#
    );
    let created = ask(address, "POST", "/v1/operations", "local-dev-key", &call);
    let digest = created.split(r#""digest":""#).nth(1).unwrap().split('"').next().unwrap();
    let decision = format!(r#"{{"verdict": "approve", "digest": "{digest}"}}"#);
    let path = format!("/v1/operations/function_call/{call_id}/decision");
    ask(address, "POST", &path, "local-dev-key", &decision);
}

/// The address in a banner.
fn address(banner: &str) -> &str {
    banner.split("address  http://").nth(1).unwrap().lines().next().unwrap()
}

/// Far above what is normal: a machine may be busy, a test must not hang.
const LONGEST: Duration = Duration::from_secs(60);

/// A command that runs until it is dropped, and its lines.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(folder: &Path, arguments: &str) -> Self {
        Self::with(folder, arguments, Stdio::null())
    }

    /// The same, with its standard error in a file.
    fn logged(folder: &Path, arguments: &str, log: &Path) -> Self {
        Self::with(folder, arguments, File::create(log).unwrap().into())
    }

    fn with(folder: &Path, arguments: &str, stderr: Stdio) -> Self {
        let mut command = command(folder, arguments);
        command.env("PLACET_SECRET_GITHUB", "open-sesame");
        command.env("APP", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        Self::of(&mut command, stderr)
    }

    fn of(command: &mut Command, stderr: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// The lines up to the one with this text.
    fn until(&self, text: &str) -> String {
        let mut read = String::new();
        while !read.contains(text) {
            let line = self.lines.recv_timeout(LONGEST);
            read += &line.unwrap_or_else(|_| panic!("{text} did not come after {read}"));
            read.push('\n');
        }
        read
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_happens_is_shown() {
    let folder = folder(CONFIG);
    let path = folder.path();
    let system = Running::start(path, "dev --port 0 --data-dir data");
    let banner = system.until("placet watch --data-dir data");
    assert!(banner.contains("\n  address  http://127.0.0.1:"), "{banner}");

    let watch = Running::start(path, "watch --data-dir data");
    watch.until(", project default. Times are in UTC.");
    std::fs::write(path.join("body"), r#"{"action": "opened", "text": "\u009b2J"}"#).unwrap();
    let mut send = command(path, "webhook send github --file body");
    send.env("PLACET_SECRET_GITHUB", "open-sesame").env("PLACET_DATA_DIR", "data");
    let sent = printed(&mut send);
    assert!(sent.starts_with("exit code 0\n200 OK\n"), "{sent}");

    let shown = watch.until(" processed ");
    for part in [
        " webhook   received  github.",
        "\n    {\n      \"action\": \"opened\",\n      \"text\": \"\\u{9b}2J\"\n    }\n",
        " from github, opened: logged\n",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    assert!(!shown.contains('\u{1b}'), "there is no colour without a terminal");

    drop(system);
    watch.until("Waiting for it. Ctrl-C ends this command.");
    let _again = Running::start(path, "dev --port 0 --data-dir data");
    watch.until("Watching http://");
}

#[test]
fn all_projects_are_watched_and_what_a_delivery_carries_is_shown() {
    const CALL: &str = r#"{"kind": "function_call", "run_id": "r", "call_id": "call-1", "fn": "deploy", "kwargs": {"version": 7}}"#;
    let folder = folder(&two_projects(taker()));
    let path = folder.path();
    let system = Running::start(path, "dev --port 0 --data-dir data");
    let banner = system.until("placet watch");
    let address = address(&banner);
    let watch = Running::start(path, "watch --data-dir data");
    watch.until(", projects default, team-a. Times are in UTC.");
    let other = Running::start(path, "watch --data-dir data --project team-a");
    other.until(", project team-a. Times are in UTC.");

    let created = ask(address, "POST", "/v1/operations", "local-dev-key", CALL);
    let requested = watch.until("    }");
    assert!(requested.contains(" default operation created   function_call/call-1"), "{requested}");
    let digest = created.split(r#""digest":""#).nth(1).unwrap().split('"').next().unwrap();
    let decision = format!(r#"{{"verdict": "approve", "digest": "{digest}"}}"#);
    ask(
        address,
        "POST",
        "/v1/operations/function_call/call-1/decision",
        "local-dev-key",
        &decision,
    );
    let delivered = watch.until("\n    }");
    for part in [
        " default operation approved  function_call/call-1 by api local",
        " default delivery  delivered msg_",
        " function_call.completed to app, attempts 1, answer 200\n    {\n      \"run_id\": \"r\",\n      \"call_id\": \"call-1\",\n",
    ] {
        assert!(delivered.contains(part), "{part} is not in {delivered}");
    }

    let mut create = command(path, "key create --role agent --project team-a --data-dir data");
    let key = create.output().unwrap().stdout;
    ask(address, "POST", "/v1/operations", String::from_utf8(key).unwrap().trim(), CALL);
    let line = " operation created   function_call/call-1 by api ";
    assert!(watch.until(line).contains(&format!(" team-a {line}")));
    let only = other.until(line);
    assert!(!only.contains("team-a") && !only.contains("default"), "{only}");
}

/// The endpoint answers with 500, so nobody knows whether the operations ran.
#[test]
fn unknown_outcomes_are_settled_together() {
    let port = answers("500 Internal Server Error");
    let executor =
        |path| format!("{{executor: {{http: {{url: 'http://127.0.0.1:{port}/{path}'}}}}}}");
    let folder = folder(&format!(
        "project: default\noutbound: {{allow_hosts: [127.0.0.1]}}\noperations: {{pay: {}, ship: {}}}\n",
        executor("pay"),
        executor("ship"),
    ));
    let path = folder.path();
    let system = Running::start(path, "dev --port 0");
    let banner = system.until("placet watch");
    let watch = Running::start(path, "watch");
    watch.until("Times are in UTC.");
    for (function, call_id) in [("pay", "a"), ("pay", "b"), ("ship", "c")] {
        approve(address(&banner), function, call_id);
        watch.until(&format!(" unknown   function_call/{call_id}"));
    }
    let run = |arguments| {
        let printed = printed(&mut command(path, arguments));
        let lines = printed.lines().map(|line| match line.split_once("  requested ") {
            Some((line, rest)) => {
                format!("{line}  requested TIME, {}", rest.split_once(", ").unwrap().1)
            }
            None => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(run("settle happened --fn pay"), @r"
    exit code 0
    function_call/b  pay  requested TIME, attempts 1
    function_call/a  pay  requested TIME, attempts 1

    Operations with an unknown outcome: 2. Nothing is settled yet: add --yes to settle all of them as happened.
    ");
    insta::assert_snapshot!(run("settle happened --fn pay --comment seen --yes"), @r"
    exit code 0
    function_call/b is succeeded
    function_call/a is succeeded

    Settled: 2. Not settled: 0.
    ");
    insta::assert_snapshot!(run("settle did_not_happen --yes"), @r"
    exit code 0
    function_call/c is failed

    Settled: 1. Not settled: 0.
    ");
    insta::assert_snapshot!(run("settle happened"), @r"
    exit code 0
    No such operation of project default has an unknown outcome.
    ");
    insta::assert_snapshot!(run("settle happened --since soon").split_once(" answers ").unwrap().1, @"400 Bad Request: since must be a time in RFC 3339 format, or a duration such as 24h");
}

/// The key of the decision links outlives the process. Without the database it is a sign that the data is lost.
#[test]
fn a_start_without_the_database_of_the_data_folder_is_refused() {
    let folder = folder(CONFIG);
    let path = folder.path();
    let secret = || std::fs::read_to_string(path.join("data/link-secret")).unwrap();
    let start = || Running::start(path, "dev --port 0 --data-dir data").until("placet watch");
    start();
    let kept = secret();
    start();
    assert_eq!((secret(), kept.len()), (kept, 64));

    for file in ["placet.sqlite", "placet.sqlite-wal", "placet.sqlite-shm"] {
        let _ = std::fs::remove_file(path.join("data").join(file));
    }
    let refused = refusal(&printed(&mut command(path, "dev --port 0 --data-dir data")));
    let lost = "the data folder `data` has lost its database: placet.sqlite is missing, but link-secret is there.";
    assert!(refused.starts_with(lost), "{refused}");
}

/// A file cannot grow beyond its limit, as on a full disk.
#[test]
fn a_full_disk_does_not_fill_the_log() {
    let folder = folder("project: default\n");
    let log = folder.path().join("log");
    let mut limited = Command::new("sh");
    limited.args(["-c", r#"trap "" XFSZ; ulimit -f 2000; exec "$0" dev --port 0"#]);
    limited.arg(env!("CARGO_BIN_EXE_placet"));
    let system =
        Running::of(limited.current_dir(folder.path()), File::create(&log).unwrap().into());
    let banner = system.until("inbox");
    let (mut refused, mut n) = (0, 0);
    while refused < 50 {
        n += 1;
        assert!(n < 5000, "the disk does not become full");
        let text = "x".repeat(100_000);
        let call = format!(
            r#"{{"kind": "function_call", "run_id": "r", "call_id": "c{n}", "fn": "f", "kwargs": {{"text": "{text}{n}"}}}}"#
        );
        let answer = try_to_ask(address(&banner), "POST", "/v1/operations", "local-dev-key", &call);
        refused += u32::from(answer.starts_with("HTTP/1.1 503"));
    }
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.matches("request not served").count(), 1, "{log}");
}

#[test]
fn a_project_that_the_server_does_not_have() {
    let folder = folder("project: default\nprojects: [team-a]\n");
    let system = Running::start(folder.path(), "dev --port 0");
    system.until("placet watch");
    insta::assert_snapshot!(printed(&mut command(folder.path(), "watch --project team-b")), @r"
    exit code 1
    error: the server has no project team-b; it has default, team-a
    ");
}

#[test]
fn the_banner_counts_the_closed_sources_and_the_log_does_not_list_them() {
    let folder = folder("project: default\nsources: {github: , stripe: , slack: }\n");
    let log = folder.path().join("log");
    let system = Running::logged(folder.path(), "dev --port 0", &log);
    let banner = system.until("placet watch");
    assert!(
        banner.contains("\n  webhooks 2 sources are closed: `placet check` lists them\n"),
        "{banner}"
    );
    assert_eq!(std::fs::read_to_string(log).unwrap(), "");
}

#[test]
fn a_key_is_made_on_the_data_of_the_server() {
    let folder = folder(CONFIG);
    let system = Running::start(folder.path(), "dev --port 0 --data-dir data");
    system.until("address");
    let run = |arguments| printed(&mut command(folder.path(), arguments));
    let none = run("key list --data-dir data");
    assert_eq!(
        none,
        "exit code 0\nproject default has no keys: make one with `placet key create`\n"
    );
    assert!(run("key create --role admin --name ci --data-dir data").contains("name     ci"));
    assert!(run("key list --data-dir data").contains("ci"));
    assert!(
        run("link call-1 --data-dir data")
            .starts_with("exit code 1\nerror: project default has no call")
    );
}

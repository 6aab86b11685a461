//! `placet dev` and, beside it, the commands that work on a running system.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::{command, folder, printed};

const CONFIG: &str = "project: default\nsources: {github: }\n";

/// Far above what is normal: a machine may be busy, a test must not hang.
const LONGEST: Duration = Duration::from_secs(60);

/// A command that runs until it is dropped, and its lines.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(folder: &Path, arguments: &str) -> Self {
        let mut command = command(folder, arguments);
        command.env("PLACET_SECRET_GITHUB", "open-sesame").stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
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
    watch.until("Watching http://127.0.0.1:");
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
    let mut watch = watch;
    assert_eq!(watch.child.wait().unwrap().code(), Some(1), "there is nothing to watch any more");
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
    assert!(run("key create --name ci --data-dir data").contains("name     ci"));
    assert!(run("key list --data-dir data").contains("ci"));
    assert!(
        run("link call-1 --data-dir data")
            .starts_with("exit code 1\nerror: project default has no call")
    );
}

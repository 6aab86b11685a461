use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::events;
use crate::virtualenv::{self, PIP_INSTALL, outdated};
use crate::workspace::Workspace;

/// Which tests to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// All tests.
    All,
    /// The tests in Rust.
    Rust,
    /// The black-box suites in `tests/`.
    Python,
    /// The template, the Rust tests and the sample events: under five minutes on two cores.
    Quick,
}

/// Runs the tests. Builds the programs and installs the tools that they need, inside the project.
///
/// # Errors
///
/// At the first step that fails, or if a tool is missing on this machine. The error names the tool.
pub fn run(workspace: &Workspace, suite: Suite) -> Result<(), Error> {
    if suite == Suite::Quick {
        return quick(workspace);
    }
    workspace.run(workspace.cargo("build --workspace --bins"))?;
    if suite != Suite::Python {
        nextest(workspace)?;
        workspace.run(workspace.cargo("test --workspace --doc --quiet"))?;
    }
    if suite != Suite::Rust {
        python(workspace)?;
    }
    Ok(())
}

/// Tests the template, all Rust code except doc tests, and the sample events.
fn quick(workspace: &Workspace) -> Result<(), Error> {
    let environment = virtualenv::ready(workspace)?;
    let checks = ["tests/test_template.py", "tests/test_events.py", "-q", "--quick"];
    workspace.run(workspace.command(environment.join("bin/pytest"), checks))?;
    nextest(workspace)?;
    if cfg!(target_os = "linux") {
        events::run(workspace, &[])?;
    } else {
        eprintln!("\nnot run: the sample events (the emulator of AWS is a Linux program)");
    }
    eprintln!("\nnot run: the black-box suites and the doc tests (run cargo xtask test)");
    Ok(())
}

fn nextest(workspace: &Workspace) -> Result<(), Error> {
    workspace.need_cargo_tool("nextest")?;
    let profile = if std::env::var_os("CI").is_some() { "ci" } else { "default" };
    workspace.run(workspace.cargo(&format!("nextest run --workspace --profile {profile}")))
}

fn python(workspace: &Workspace) -> Result<(), Error> {
    let environment = virtualenv::ready(workspace)?;
    older_releases(workspace, &environment)?;
    npm(workspace)?;
    need(workspace, &OPENSSL)?;
    let chromium = match std::env::var_os("PLACET_CHROMIUM") {
        Some(chosen) => PathBuf::from(chosen),
        None => need(workspace, &CHROMIUM)?,
    };
    let mut pytest = workspace.command(environment.join("bin/pytest"), ["tests", "-q"]);
    pytest.env("PLACET_BIN", workspace.target.join("debug/placet"));
    pytest.env("PLACET_CHROMIUM", chromium);
    workspace.run(pytest)
}

/// Installs the older releases of the Python SDK that `tests/sdk/releases.txt` names, each in its own folder.
/// Their dependencies are in the virtualenv.
fn older_releases(workspace: &Workspace, environment: &Path) -> Result<(), Error> {
    let list = workspace.root.join("tests/sdk/releases.txt");
    let folder = environment.join("humanlayer");
    let stamp = folder.join("releases.installed");
    let Some(wanted) = outdated(&list, &stamp)? else {
        return Ok(());
    };
    for release in String::from_utf8_lossy(&wanted).split_whitespace() {
        let mut install = workspace.command(environment.join("bin/python"), PIP_INSTALL);
        install.args(["--no-deps", "--upgrade", "--target"]).arg(folder.join(release));
        install.arg(format!("humanlayer=={release}"));
        workspace.run(install)?;
    }
    std::fs::write(&stamp, wanted).map_err(Error::file(&stamp))
}

/// Installs the packages of `tests/npm/package-lock.json`, without their install scripts.
fn npm(workspace: &Workspace) -> Result<(), Error> {
    need(workspace, &NODE)?;
    need(workspace, &NPM)?;
    let project = workspace.root.join("tests/npm");
    let stamp = project.join("node_modules/package-lock.installed");
    let Some(wanted) = outdated(&project.join("package-lock.json"), &stamp)? else {
        return Ok(());
    };
    let quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    let mut install = workspace.command("npm", ["ci", "--prefix", "tests/npm"]);
    install.args(quiet);
    workspace.run(install)?;
    std::fs::write(&stamp, wanted).map_err(Error::file(&stamp))
}

/// A tool that the tests need and the project does not include.
struct Tool {
    name: &'static str,
    /// Names of the program; one of them is enough.
    programs: &'static [&'static str],
    /// The package of the tool in Debian.
    package: &'static str,
    mend: &'static str,
}

const CHROMIUM: Tool = Tool {
    name: "Chromium",
    programs: &["chromium", "chromium-browser", "google-chrome", "chrome"],
    package: "chromium",
    mend: "install it (Debian: apt-get install chromium), or set PLACET_CHROMIUM to a Chromium or \
           Chrome",
};

const NODE: Tool = Tool {
    name: "Node.js",
    programs: &["node"],
    package: "nodejs",
    mend: "install Node.js 18 or later (Debian: apt-get install nodejs)",
};

const NPM: Tool = Tool {
    name: "npm",
    programs: &["npm"],
    package: "npm",
    mend: "install it (Debian: apt-get install npm)",
};

const OPENSSL: Tool = Tool {
    name: "openssl",
    programs: &["openssl"],
    package: "openssl",
    mend: "install OpenSSL 3 (Debian: apt-get install openssl)",
};

/// The path of a tool's program. Apt-get installs a missing tool on a Debian machine where we are root.
fn need(workspace: &Workspace, tool: &Tool) -> Result<PathBuf, Error> {
    let installed = || tool.programs.iter().find_map(|program| workspace.which(program));
    if let Some(found) = installed() {
        return Ok(found);
    }
    let root = workspace.succeeds(workspace.command("sh", ["-c", "test $(id -u) = 0"]));
    if root && Path::new("/etc/debian_version").exists() {
        eprintln!("{} is missing: installing it", tool.name);
        workspace.run(workspace.command("apt-get", ["update", "-qq"]))?;
        let arguments = ["install", "-y", "-qq", "--no-install-recommends", tool.package];
        let mut install = workspace.command("apt-get", arguments);
        install.env("DEBIAN_FRONTEND", "noninteractive");
        workspace.run(install)?;
    }
    installed().ok_or(Error::Missing { tool: tool.name, mend: tool.mend })
}

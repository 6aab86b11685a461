use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::workspace::Workspace;

/// Which tests to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// Every one.
    All,
    /// Those written in Rust.
    Rust,
    /// The black-box suites in `tests/`.
    Python,
}

/// Builds the programs and runs the tests, installing what they need inside the project.
///
/// # Errors
///
/// At the first step that fails, or says what is missing on this machine.
pub fn run(workspace: &Workspace, suite: Suite) -> Result<(), Error> {
    workspace.run(workspace.cargo("build --workspace --bins"))?;
    if suite != Suite::Python {
        rust(workspace)?;
    }
    if suite != Suite::Rust {
        python(workspace)?;
    }
    Ok(())
}

fn rust(workspace: &Workspace) -> Result<(), Error> {
    workspace.need_cargo_tool("nextest")?;
    let profile = if std::env::var_os("CI").is_some() { "ci" } else { "default" };
    workspace.run(workspace.cargo(&format!("nextest run --workspace --profile {profile}")))?;
    workspace.run(workspace.cargo("test --workspace --doc --quiet"))
}

fn python(workspace: &Workspace) -> Result<(), Error> {
    let environment = virtualenv(workspace)?;
    let chromium = chromium(workspace)?;
    let mut pytest = workspace.command(environment.join("bin/pytest"), ["tests", "-q"]);
    pytest.env("PLACET_BIN", workspace.target.join("debug/placet"));
    pytest.env("PLACET_CHROMIUM", chromium);
    workspace.run(pytest)
}

/// The virtualenv with what `tests/requirements.txt` names. The stamp in it is a copy of that
/// file, written last, so that a changed list or a broken installation is done again.
fn virtualenv(workspace: &Workspace) -> Result<PathBuf, Error> {
    let environment = workspace.root.join(".venv");
    let requirements = workspace.root.join("tests/requirements.txt");
    let stamp = environment.join("requirements.installed");
    let wanted = std::fs::read(&requirements).map_err(Error::file(&requirements))?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(environment);
    }
    if !workspace.succeeds(workspace.command("python3", ["-c", "import ensurepip, venv"])) {
        let mend = "install Python 3.11 or later with its venv module (Debian: python3-venv)";
        return Err(Error::Missing { tool: "python3 with venv", mend });
    }
    if !environment.join("bin/python").exists() {
        workspace.run(workspace.command("python3", ["-m", "venv", ".venv"]))?;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let mut install = workspace.command(environment.join("bin/python"), pip);
    install.args(["-r", "tests/requirements.txt"]);
    // The wheel holds the driver; the browser is the machine's own.
    install.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    workspace.run(install)?;
    std::fs::write(&stamp, wanted).map_err(Error::file(&stamp))?;
    Ok(environment)
}

/// The browser of the browser tests: `PLACET_CHROMIUM`, or what is installed, or what apt-get
/// brings to a Debian machine on which we are root.
fn chromium(workspace: &Workspace) -> Result<PathBuf, Error> {
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    if let Some(chosen) = std::env::var_os("PLACET_CHROMIUM") {
        return Ok(PathBuf::from(chosen));
    }
    let installed = || NAMES.iter().find_map(|name| workspace.which(name));
    if let Some(found) = installed() {
        return Ok(found);
    }
    let root = workspace.succeeds(workspace.command("sh", ["-c", "test $(id -u) = 0"]));
    if root && Path::new("/etc/debian_version").exists() {
        eprintln!("Chromium is missing: installing it");
        workspace.run(workspace.command("apt-get", ["update", "-qq"]))?;
        let arguments = ["install", "-y", "-qq", "--no-install-recommends", "chromium"];
        let mut install = workspace.command("apt-get", arguments);
        install.env("DEBIAN_FRONTEND", "noninteractive");
        workspace.run(install)?;
    }
    let mend = "install it (Debian: apt-get install chromium), or set PLACET_CHROMIUM to a \
                Chromium or Chrome";
    installed().ok_or(Error::Missing { tool: "Chromium", mend })
}

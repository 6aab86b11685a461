//! The Python virtualenv of the tests and of the sample events, in `.venv`.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::workspace::Workspace;

/// The arguments of Python that install packages with pip.
pub const PIP_INSTALL: [&str; 5] =
    ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];

/// Creates or updates the virtualenv with the packages of `tests/requirements.txt`, and returns its folder.
///
/// # Errors
///
/// If Python is missing, or a package cannot be installed.
pub fn ready(workspace: &Workspace) -> Result<PathBuf, Error> {
    let environment = workspace.root.join(".venv");
    let stamp = environment.join("requirements.installed");
    let Some(wanted) = outdated(&workspace.root.join("tests/requirements.txt"), &stamp)? else {
        return Ok(environment);
    };
    if !workspace.succeeds(workspace.command("python3", ["-c", "import ensurepip, venv"])) {
        let mend = "install Python 3.11 or later with its venv module (Debian: python3-venv)";
        return Err(Error::Missing { tool: "python3 with venv", mend });
    }
    if !environment.join("bin/python").exists() {
        workspace.run(workspace.command("python3", ["-m", "venv", ".venv"]))?;
    }
    let mut install = workspace.command(environment.join("bin/python"), PIP_INSTALL);
    install.args(["-r", "tests/requirements.txt"]);
    // The wheel holds the driver. The tests use the browser of this machine.
    install.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    workspace.run(install)?;
    std::fs::write(&stamp, wanted).map_err(Error::file(&stamp))?;
    Ok(environment)
}

/// The list of packages to install; `None` if the stamp equals the list. The stamp is a copy of the list that
/// is written last. So a changed list or an interrupted installation causes a new installation.
///
/// # Errors
///
/// If the list cannot be read.
pub fn outdated(list: &Path, stamp: &Path) -> Result<Option<Vec<u8>>, Error> {
    let wanted = std::fs::read(list).map_err(Error::file(list))?;
    let installed = std::fs::read(stamp).is_ok_and(|installed| installed == wanted);
    Ok((!installed).then_some(wanted))
}

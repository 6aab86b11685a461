//! Where the command's settings come from: the environment, then `.env`, then defaults.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use clap::Args;
use placet_local::engines::http_client;
use placet_runtime::config::{ConfigError, Period};
use placet_runtime::{Aws, Config, Environment, Store, https_client};
use serde_json::Value;

use crate::{Failure, command, dotenv, variables};

/// The file in the data folder that tells other commands how to reach the running system.
pub const RUNNING: &str = "running.json";

/// Its member with an API key of each project, by project.
pub const API_KEYS: &str = "api_keys";

/// The configuration, unless `PLACET_CONFIG` names another file.
pub const CONFIG_FILE: &str = "placet.yaml";

/// The folder of the data if `PLACET_DATA_DIR` does not name another.
pub const DATA_FOLDER: &str = ".placet";

/// The process environment over that of the `.env` file in the working folder.
pub fn load() -> Result<Environment, Failure> {
    let environment = process()?.over(&file()?);
    variables::refuse_wrong(&environment)?;
    Ok(environment)
}

/// The environment of this process.
pub fn process() -> Result<Environment, Failure> {
    Ok(Environment::process().with_secrets()?)
}

/// The variables of the file `.env` in the working folder.
pub fn file() -> Result<Environment, Failure> {
    let file = match std::fs::read_to_string(".env") {
        Ok(text) => dotenv::parse(&text).map_err(|error| format!(".env, {error}"))?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Environment::default()),
        Err(error) => return Err(unreadable(&error).into()),
    };
    Ok(file.with_secrets().map_err(|error| format!(".env, {error}"))?)
}

fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::IsADirectory => {
            ".env is a folder, and Placet reads variables from a file of this name: \
             rename the folder"
                .to_owned()
        }
        ErrorKind::InvalidData => ".env is not UTF-8: save it as UTF-8".to_owned(),
        _ => format!(".env cannot be read: {error}"),
    }
}

/// A length of time on the command line.
pub fn period(text: &str) -> Result<Period, String> {
    Period::try_from(text.to_owned())
}

pub fn config(environment: &Environment) -> Result<Config, Failure> {
    Config::load(Path::new(&config_file(environment))).map_err(|error| match &error {
        ConfigError::Unreadable { cause, .. } if cause.kind() == ErrorKind::NotFound => {
            format!("{error}: `{}` writes one", command("init")).into()
        }
        _ => error.into(),
    })
}

/// The path of the configuration.
pub fn config_file(environment: &Environment) -> String {
    environment.get("PLACET_CONFIG").unwrap_or_else(|| CONFIG_FILE.to_owned())
}

/// Where the system that runs on this machine keeps its data.
#[derive(Debug, Default, Args)]
pub struct DataFolder {
    /// The folder of the data; `PLACET_DATA_DIR` if left out, and else .placet
    #[arg(long, value_name = "FOLDER", global = true)]
    data_dir: Option<String>,
}

impl DataFolder {
    /// The environment with this folder, if one is named.
    pub fn over(&self, environment: Environment) -> Environment {
        let named = self.data_dir.clone().map(|folder| ("PLACET_DATA_DIR".to_owned(), folder));
        named.into_iter().collect::<Environment>().over(&environment)
    }
}

pub fn data_folder(environment: &Environment) -> PathBuf {
    environment.get("PLACET_DATA_DIR").unwrap_or_else(|| DATA_FOLDER.to_owned()).into()
}

/// The deployment a command works on: its environment and its table. With `PLACET_TABLE` it is the
/// one on AWS, with region and credentials from the environment; without, the `placet dev` that runs
/// on the data folder.
pub fn deployment(environment: Environment) -> Result<(Environment, Store), Failure> {
    let deployed = environment.get("PLACET_TABLE").is_some();
    let environment = if deployed { environment } else { running(&environment)? };
    if !deployed {
        answering(&environment)?;
    }
    let http = if deployed { https_client()? } else { http_client() };
    let table = environment.get("PLACET_TABLE").ok_or("PLACET_TABLE is not set")?;
    let store = Store::new(Aws::connect(&environment, http)?.dynamodb, table);
    Ok((environment, store))
}

/// Refuses a system that has ended without a word.
fn answering(running: &Environment) -> Result<(), Failure> {
    let url = running.get("PLACET_INBOX_URL").unwrap_or_default();
    let address = url.strip_prefix("http://").unwrap_or_default();
    let nobody = |_| format!("no server answers at {url}: start one with `{}`", command("dev"));
    Ok(TcpStream::connect(address).map(drop).map_err(nobody)?)
}

/// What the system that runs on this machine tells other commands.
pub fn announced(environment: &Environment) -> Result<Value, Failure> {
    let file = data_folder(environment).join(RUNNING);
    let text = std::fs::read_to_string(&file).map_err(
        |_| format!("no running system found: start `{}`, name its folder with --data-dir, or set PLACET_TABLE for one on AWS", command("dev")),
    )?;
    Ok(serde_json::from_str(&text)?)
}

/// The environment of the system that runs on this machine.
pub fn running(environment: &Environment) -> Result<Environment, Failure> {
    let values = announced(environment)?;
    let pairs = values.as_object().into_iter().flatten();
    let found: Environment =
        pairs.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
    Ok(found.over(environment))
}

//! Where the command's settings come from: the environment, then `.env`, then defaults.

use std::path::{Path, PathBuf};

use placet_local::engines::http_client;
use placet_runtime::{Aws, Config, Environment, Store, https_client};
use serde_json::Value;

use crate::Failure;

/// The file in the data folder that tells other commands how to reach the running system.
pub const RUNNING: &str = "running.json";

/// The process environment over that of the `.env` file in the working folder.
pub fn load() -> Result<Environment, Failure> {
    let file = match dotenvy::from_filename_iter(".env") {
        Ok(pairs) => {
            pairs.collect::<Result<Environment, _>>().map_err(|error| format!(".env: {error}"))?
        }
        Err(error) if error.not_found() => Environment::default(),
        Err(error) => return Err(format!(".env: {error}").into()),
    };
    Ok(Environment::process().over(&file.with_secrets()))
}

pub fn config(environment: &Environment) -> Result<Config, Failure> {
    let path = environment.get("PLACET_CONFIG").unwrap_or_else(|| "placet.yaml".to_owned());
    Ok(Config::load(Path::new(&path))?)
}

pub fn data_folder(environment: &Environment) -> PathBuf {
    environment.get("PLACET_DATA_DIR").unwrap_or_else(|| ".placet".to_owned()).into()
}

/// The deployment a command works on: its environment and its table. With `PLACET_TABLE` it is the
/// one on AWS, with region and credentials from the environment; without, the `placet dev` that runs
/// on the data folder.
pub fn deployment(environment: Environment) -> Result<(Environment, Store), Failure> {
    let deployed = environment.get("PLACET_TABLE").is_some();
    let environment = if deployed { environment } else { running(&environment)? };
    let http = if deployed { https_client()? } else { http_client() };
    let table = environment.get("PLACET_TABLE").ok_or("PLACET_TABLE is not set")?;
    let store = Store::new(Aws::connect(&environment, http)?.dynamodb, table);
    Ok((environment, store))
}

/// The environment of the system that runs on this machine.
fn running(environment: &Environment) -> Result<Environment, Failure> {
    let file = data_folder(environment).join(RUNNING);
    let text = std::fs::read_to_string(&file).map_err(
        |_| "no running system found: start `placet dev`, or set PLACET_TABLE for one on AWS",
    )?;
    let values: Value = serde_json::from_str(&text)?;
    let pairs = values.as_object().into_iter().flatten();
    let found: Environment = pairs
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    Ok(found.over(environment))
}

//! Where the command's settings come from: the environment, then `.env`, then defaults.

use std::path::{Path, PathBuf};

use placet_runtime::{Config, Environment};

use crate::Failure;

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

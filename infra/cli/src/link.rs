//! `placet link`: a signed decision link for a pending operation.
//!
//! Against AWS it takes `PLACET_TABLE`, `PLACET_LINK_SECRET`, `PLACET_INBOX_URL`, region and
//! credentials from the environment. Without `PLACET_TABLE` it asks the `placet dev` that runs on
//! the data folder.

use placet_core::{DecisionLink, Secret, State};
use placet_local::engines::http_client;
use placet_runtime::config::Period;
use placet_runtime::{Aws, Clock, Environment, Store, https_client};
use serde_json::Value;

use crate::{Failure, dev, environment};

pub async fn run(call_id: &str, valid: &str) -> Result<(), Failure> {
    let environment = environment::load()?;
    let valid = Period::try_from(valid.to_owned())?;
    let deployed = environment.get("PLACET_TABLE").is_some();
    let environment = if deployed { environment } else { running(&environment)? };
    let http = if deployed { https_client()? } else { http_client() };
    let need = |name: &str| environment.get(name).ok_or_else(|| format!("{name} is not set"));
    let store = Store::new(Aws::connect(&environment, http)?.dynamodb, need("PLACET_TABLE")?);
    let key = Secret::new(need("PLACET_LINK_SECRET")?).ok_or("PLACET_LINK_SECRET is empty")?;
    let now = Clock::System.now();
    let tenant = environment::config(&environment)?.project.as_str().to_owned();
    let operation = store
        .operation(&tenant, call_id, true)
        .await?
        .ok_or_else(|| format!("project {tenant} has no call with id {call_id}"))?;
    let settles = match operation.state_at(now) {
        State::Pending => None,
        State::Unknown => Some(operation.attempts),
        state => {
            return Err(
                format!("{call_id} is {}, there is nothing to decide", state.as_str()).into()
            );
        }
    };
    let expires_at = now.plus(valid.0);
    let link = DecisionLink {
        tenant,
        call_id: call_id.to_owned(),
        digest: operation.digest,
        settles,
        expires_at,
    };
    println!("{}/d/{}", need("PLACET_INBOX_URL")?.trim_end_matches('/'), link.sign(&key));
    Ok(())
}

/// The environment of the system that runs on this machine.
fn running(environment: &Environment) -> Result<Environment, Failure> {
    let file = environment::data_folder(environment).join(dev::RUNNING);
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

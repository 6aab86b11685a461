//! `placet engines`: the embedded DynamoDB and SQS alone, for functions that run elsewhere, as
//! under `sam local invoke` or the runtime interface emulator.

use placet_local::engines::{Delays, Storage, TABLE, http_client};
use placet_local::system::{Setup, System};
use placet_runtime::{Access, ApiKey, Blobs, Clock, Environment, key_digest};
use placet_worker::Functions;
use serde_json::json;

use crate::Failure;
use crate::dev::{LOCAL_KEY, stopped};

pub async fn run() -> Result<(), Failure> {
    let environment = Environment::process();
    let api_key = environment.get("PLACET_LOCAL_KEY").unwrap_or_else(|| LOCAL_KEY.to_owned());
    let system = System::start(Setup {
        storage: Storage::Memory,
        blobs: Blobs::in_memory(),
        delays: Delays::Real,
        config: crate::environment::config(&environment)?,
        api_key: api_key.clone(),
        environment,
        clock: Clock::System,
        functions: Functions::default(),
        http_client: http_client(),
        access: Access::Closed,
    })
    .await?;
    let tenant = system.runtime.config.project.as_str().to_owned();
    let owner = ApiKey::new(tenant, "local", Clock::System.now());
    system.runtime.store.put_api_key(key_digest(&api_key), &owner).await?;
    let engines = &system.engines;
    println!(
        "{}",
        json!({
            "dynamodb_url": engines.dynamodb_url(),
            "sqs_url": engines.sqs_url(),
            "queue_url": engines.queue_url(),
            "dead_letter_queue_url": engines.dead_letter_queue_url(),
            "table": TABLE,
        })
    );
    stopped().await;
    Ok(())
}

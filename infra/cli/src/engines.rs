//! `placet engines`: the embedded DynamoDB, SQS and S3 alone, for functions in other processes, as
//! under `sam local invoke` or the runtime interface emulator.

use placet_core::item::Lane;
use placet_local::engines::{BUCKET, QueueTime, Queues, Storage, TABLE, http_client};
use placet_local::system::{Setup, System};
use placet_runtime::{Access, ApiKey, Clock, Environment, key_digest};
use placet_worker::Functions;
use serde_json::json;

use crate::Failure;
use crate::dev::{LOCAL_KEY, stopped};

pub async fn run() -> Result<(), Failure> {
    let environment = Environment::process().with_secrets()?;
    let api_key = environment.get("PLACET_LOCAL_KEY").unwrap_or_else(|| LOCAL_KEY.to_owned());
    let system = System::start(Setup {
        storage: Storage::Memory,
        blobs: None,
        queues: Queues::over(QueueTime::Real),
        config: crate::environment::config(&environment)?,
        api_key: api_key.clone(),
        environment,
        clock: Clock::System,
        functions: Functions::default(),
        http_client: http_client(),
        access: Access::Closed,
    })
    .await?;
    let project = system.runtime.config.project.as_str().to_owned();
    // The sample events create operations and decide them with this one key.
    let owner = ApiKey::new(project, "local", Clock::System.now());
    let owner = ApiKey { self_approval: true, ..owner };
    system.runtime.engine.store.put_api_key(key_digest(&api_key), &owner).await?;
    let engines = &system.engines;
    println!(
        "{}",
        json!({
            "dynamodb_url": engines.dynamodb_url(),
            "sqs_url": engines.sqs_url(),
            "s3_url": engines.s3_url(),
            "work_queue_url": engines.queue_url(Lane::Work),
            "calls_queue_url": engines.queue_url(Lane::Calls),
            "dead_letter_queue_url": engines.dead_letter_queue_url(),
            "table": TABLE,
            "bucket": BUCKET,
        })
    );
    stopped().await;
    Ok(())
}

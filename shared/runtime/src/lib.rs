//! The code that all functions of Placet share: the engine that drives items, the store and the queues under
//! it, configuration, API keys, HTTP over a Function URL, logging.
//!
//! Start reading at [`engine`].

mod access;
mod api_key;
mod authorization;
mod aws;
pub mod blob;
mod body;
mod clock;
pub mod config;
mod deliveries;
pub mod engine;
mod environment;
pub mod function_url;
pub mod http;
pub mod https;
pub mod lambda;
pub mod logging;
pub mod mailbox;
mod notifications;
mod operations;
pub mod problem;
mod queue;
mod receipts;
mod store;

use std::sync::Arc;

use placet_core::item::Lane;

pub use access::Access;
pub use api_key::{ApiKey, Right, Role, key_digest, key_id};
pub use authorization::{ApiKeys, Unauthorized};
pub use aws::{Aws, ConnectError, JsonService, describe, https_client};
pub use blob::Blobs;
pub use body::BodyError;
pub use clock::Clock;
pub use config::Config;
pub use deliveries::{NewDelivery, SendError};
pub use engine::{ChangeError, Created, Engine};
pub use environment::{Environment, SecretsError, has_another, in_quotes};
pub use https::{Https, HttpsError};
pub use notifications::{MAILBOX, Notification, inbox_origin, link_keys, missing_for_links};
pub use operations::{CreateError, Requested, new_call_id};
pub use queue::{DEAD_LETTERS, MOST_MESSAGES, Queue, QueueError, variable};
pub use receipts::{ReceiveError, Received};
pub use store::{
    AnyItem, Cursor, Desk, DisabledEndpoint, DueEntry, DuePartition, EndpointState, Page, Progress,
    Put, Rest, Row, Session, Store, StoreError, key, packed, row,
};

/// The services of one deployment. Every function holds them. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    /// The engine, with the table, the queues and the clock.
    pub engine: Engine,
    /// The blob store, for bodies that are too large for the table.
    pub blobs: Blobs,
    /// The client of HTTPS servers that the SDK does not cover.
    pub https: Https,
    /// The configuration from `placet.yaml`.
    pub config: Arc<Config>,
    /// The environment variables of the process, or those of a test.
    pub environment: Environment,
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An environment variable is missing.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// The configuration cannot be read.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// The AWS clients cannot be built.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The configuration of the blob store is invalid.
    #[error(transparent)]
    Blobs(#[from] blob::BlobError),
    /// `PLACET_SECRETS` cannot be used.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

/// The environment variable that turns the demo purchases on with the value `on`.
pub const DEMO: &str = "PLACET_DEMO";

impl Runtime {
    /// The services that an environment names. Nothing connects before the first call.
    ///
    /// # Errors
    ///
    /// If a variable is missing or invalid: the error names it.
    pub fn new(environment: Environment, config: Config, clock: Clock) -> Result<Self, StartError> {
        let aws = Aws::connect(&environment, https_client()?)?;
        let https = Https::default();
        let urls = Lane::ALL.map(|lane| Some((lane, environment.get(variable(lane))?)));
        let dead_letters = environment.get(DEAD_LETTERS);
        let table = environment.get("PLACET_TABLE").ok_or(StartError::Missing("PLACET_TABLE"))?;
        Ok(Self {
            engine: Engine {
                store: Store::new(aws.dynamodb, table),
                queue: Queue::new(aws.sqs, urls.into_iter().flatten(), dead_letters),
                clock,
                gates: engine::Gates::new(config.projects().count()),
            },
            blobs: Blobs::from_environment(&environment, https.clone())?,
            https,
            config: Arc::new(config),
            environment,
        })
    }

    /// The runtime of a Lambda function. Reads all settings from its environment, and opens the connections.
    ///
    /// # Errors
    ///
    /// If a variable is missing, or `placet.yaml` is invalid: the error names the variable or the line.
    pub async fn from_environment() -> Result<Self, StartError> {
        let environment = Environment::process().with_secrets()?;
        let path = environment.get("PLACET_CONFIG").ok_or(StartError::Missing("PLACET_CONFIG"))?;
        let config = Config::load(path.as_ref())?;
        let runtime = Self::new(environment, config, Clock::System)?;
        runtime.warm_up().await;
        Ok(runtime)
    }

    /// Whether this deployment shows and accepts the demo purchases: only if [`DEMO`] is `on`.
    pub fn has_demo(&self) -> bool {
        self.environment.get(DEMO).is_some_and(|value| value == "on")
    }

    /// Opens the connections during the init phase of the function, when the CPU is not throttled. Errors are
    /// ignored: the first real call reports them.
    async fn warm_up(&self) {
        let both = async { tokio::join!(self.engine.store.warm_up(), self.engine.queue.warm_up()) };
        let _ = tokio::time::timeout(std::time::Duration::from_millis(1500), both).await;
    }
}

//! What every function of Placet needs at the edge: the store, the queue, configuration, API keys,
//! the HTTP shape of a Function URL, logging, and the shell that turns commands into writes.

mod access;
mod api_key;
mod aws;
pub mod blob;
mod body;
mod clock;
pub mod config;
mod deliveries;
mod environment;
pub mod http;
pub mod https;
pub mod lambda;
pub mod logging;
mod operations;
pub mod problem;
mod queue;
mod receipts;
mod store;

use std::sync::Arc;

pub use access::Access;
pub use api_key::{ApiKey, ApiKeys, Right, Role, Unauthorized, key_digest, key_id};
pub use aws::{Aws, ConnectError, https_client};
pub use blob::Blobs;
pub use body::{BodyError, StoredBody};
pub use clock::Clock;
pub use config::Config;
pub use deliveries::{DeliveryError, SendError};
pub use environment::Environment;
pub use https::Https;
pub use operations::{Asked, CommandError, CreateError, Created, new_call_id};
pub use queue::{Queue, QueueError};
pub use receipts::{ReceiveError, Received, ReplayError};
pub use store::{
    About, Claim, DisabledEndpoint, DueItem, Page, Payload, Put, Receipt, ReceiptEntry,
    ReceiptFilter, ReceiptState, Replays, Store, StoreError, StoredDelivery, index, packed,
};

/// One deployment's services, as every function holds them. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    /// The table.
    pub store: Store,
    /// The queue the worker reads.
    pub queue: Queue,
    /// What is too large for the table.
    pub blobs: Blobs,
    /// To what is not one of the SDK's services.
    pub https: Https,
    /// `placet.yaml`.
    pub config: Arc<Config>,
    /// The time.
    pub clock: Clock,
    /// The process environment, or what a test puts in its place.
    pub environment: Environment,
}

/// What a function can not start without.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An environment variable is missing.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// The configuration can not be read.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// The AWS clients can not be made.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The blob store is not one.
    #[error(transparent)]
    Blobs(#[from] blob::BlobError),
}

impl Runtime {
    /// The runtime of a Lambda function: everything from its environment, connections warmed up.
    ///
    /// # Errors
    ///
    /// Names the variable that is missing, or the place in `placet.yaml` that is wrong.
    pub async fn from_environment() -> Result<Self, StartError> {
        let environment = Environment::process();
        let need = |name| environment.get(name).ok_or(StartError::Missing(name));
        let config = Config::load(need("PLACET_CONFIG")?.as_ref())?;
        let aws = Aws::connect(&environment, https_client()?)?;
        let https = Https::default();
        let runtime = Self {
            store: Store::new(aws.dynamodb, need("PLACET_TABLE")?),
            queue: Queue::new(aws.sqs, need("PLACET_QUEUE_URL")?),
            blobs: Blobs::from_environment(&environment, https.clone())?,
            https,
            config: Arc::new(config),
            clock: Clock::System,
            environment: environment.clone(),
        };
        runtime.warm_up().await;
        Ok(runtime)
    }

    /// Opens the connections while the function is still in its init phase, where the CPU is not
    /// throttled. What comes of it does not matter; a real call will say what is wrong.
    async fn warm_up(&self) {
        let both = async { tokio::join!(self.store.warm_up(), self.queue.warm_up()) };
        let _ = tokio::time::timeout(std::time::Duration::from_millis(1500), both).await;
    }
}

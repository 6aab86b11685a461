//! DynamoDB, SQS and S3 as engines in this process. The unmodified AWS SDK reaches them over loopback.

mod dispatch;
mod dynamodb;
mod folder;
mod meter;
mod s3;
mod server;
mod sqs;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use placet_core::item::Lane;
use placet_runtime::{Blobs, Clock, Https};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

pub use dynamodb::table_schema;
pub use folder::{LINK_SECRET, create_folder};
pub use meter::{BASE_TABLE, Units};

/// The AWS region that the engines report.
pub const REGION: &str = "us-east-1";
/// Name of the table.
pub const TABLE: &str = "placet";
/// Name of the queue for messages that no function can read.
pub const DEAD_LETTER_QUEUE: &str = "placet-dead-letters";
/// Name of the bucket.
pub const BUCKET: &str = "placet";

/// How long a stopping engine may take to finish its work.
const STOP_BOUND: Duration = Duration::from_secs(5);

/// Where the table and the bucket are kept. Queues are always in memory: a message is only a pointer, and
/// [`System::resume`](crate::system::System::resume) sends the pointers again after a restart.
#[derive(Debug, Clone)]
pub enum Storage {
    /// In memory; lost when the engines stop.
    Memory,
    /// In `placet.sqlite` and `blobs/` in this folder. The engines create the folder if it is missing.
    Folder(PathBuf),
}

/// The clock of the queues, for the delay and the visibility timeout of messages.
#[derive(Debug, Clone)]
pub enum QueueTime {
    /// Real time, as in AWS.
    Real,
    /// A clock that a test moves.
    Manual(Clock),
}

/// How the queues behave.
#[derive(Debug, Clone)]
pub struct Queues {
    /// The clock of the queues.
    pub time: QueueTime,
    /// The number of receives after which a message goes to the dead-letter queue.
    pub max_receives: u32,
}

impl Queues {
    /// `maxReceiveCount` of the queues in `template.yaml`.
    pub const MAX_RECEIVES: u32 = 1000;

    /// Queues with the receive limit of the template and this clock.
    pub const fn over(time: QueueTime) -> Self {
        Self { time, max_receives: Self::MAX_RECEIVES }
    }
}

/// Name of a lane's queue.
pub fn queue_name(lane: Lane) -> String {
    format!("placet-{}", lane.as_str())
}

/// Why the engines cannot start or work.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The data folder cannot be created, read or written.
    #[error("cannot use the data folder `{}`: {source}; make it writable or choose another with PLACET_DATA_DIR", folder.display())]
    Folder {
        /// The folder as the caller gave it.
        folder: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another process, or another `Engines`, has the data folder open.
    #[error("the data folder `{}` is in use by another process; stop that one or choose another folder with PLACET_DATA_DIR", folder.display())]
    FolderInUse {
        /// The folder as the caller gave it.
        folder: PathBuf,
    },
    /// Other users of the machine may read the data folder.
    #[error("other users of this machine may read the data folder `{}` (its mode is {mode:o}): run `chmod 700 {}` and start again", folder.display(), folder.display())]
    OpenFolder {
        /// The folder as the caller gave it.
        folder: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The data folder has a database that is damaged, not complete, or of another program.
    #[error("cannot use `{}`: {reason}. Move the data folder away, as in `mv {} {}.damaged`, and start again: Placet makes a new, empty one", folder.join(file).display(), bare(folder), bare(folder))]
    Damaged {
        /// The folder as the caller gave it.
        folder: PathBuf,
        /// The name of the file in it.
        file: &'static str,
        /// What is wrong with the file.
        reason: String,
    },
    /// The data folder has lost its database, and still has other data.
    #[error("the data folder `{}` has lost its database: {file} is missing, but {left} is there. Restore {file} from a copy, or move the data folder away, as in `mv {} {}.old`, and start again: Placet makes a new, empty one", folder.display(), bare(folder), bare(folder))]
    Lost {
        /// The folder as the caller gave it.
        folder: PathBuf,
        /// The name of the database in it.
        file: &'static str,
        /// What is left in it.
        left: &'static str,
    },
    /// The database cannot be opened or read, or its table cannot be created.
    #[error("the embedded DynamoDB cannot use its database `{}`: {reason}", file.display())]
    Database {
        /// The file of the database; empty if it is in memory.
        file: PathBuf,
        /// The error of the engine.
        reason: String,
    },
    /// A queue cannot be created.
    #[error("cannot create the queue `{queue}`: {reason}")]
    Queue {
        /// Name of the queue.
        queue: String,
        /// The error of the engine.
        reason: String,
    },
    /// No loopback port is free.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(#[source] io::Error),
}

/// The path of a folder without a slash at its end.
fn bare(folder: &Path) -> String {
    folder.display().to_string().trim_end_matches('/').to_owned()
}

/// The running engines. Dropping them stops them and cuts their connections. A write in progress is then
/// complete or absent, never partial, and the data folder becomes free. To open the same folder again in
/// this process, wait for [`Engines::stop`].
pub struct Engines {
    dynamodb: dynamodb::DynamoDb,
    sqs: sqs::Sqs,
    s3: s3::S3,
}

impl std::fmt::Debug for Engines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engines")
            .field("dynamodb_url", &self.dynamodb.url)
            .field("sqs_url", &self.sqs.url)
            .field("s3_url", &self.s3.url)
            .finish_non_exhaustive()
    }
}

impl Engines {
    /// Starts the engines inside the current tokio runtime and creates the table, the queues and
    /// the bucket if they are missing.
    ///
    /// # Errors
    /// When the folder or a port cannot be used, see [`EngineError`].
    pub async fn start(storage: Storage, queues: Queues) -> Result<Self, EngineError> {
        // Start the table first, because it locks the folder.
        Ok(Self {
            dynamodb: dynamodb::DynamoDb::start(&storage)?,
            sqs: sqs::Sqs::start(queues).await?,
            s3: s3::S3::start(&storage)?,
        })
    }

    /// Endpoint of the table.
    pub fn dynamodb_url(&self) -> &str {
        &self.dynamodb.url
    }

    /// Endpoint of the queues.
    pub fn sqs_url(&self) -> &str {
        &self.sqs.url
    }

    /// Endpoint of the bucket.
    pub fn s3_url(&self) -> &str {
        &self.s3.url
    }

    /// URL of a lane's queue.
    pub fn queue_url(&self, lane: Lane) -> &str {
        &self.sqs.queue_urls[&lane]
    }

    /// URLs of all queues with their lanes.
    pub fn queue_urls(&self) -> impl Iterator<Item = (Lane, String)> {
        self.sqs.queue_urls.clone().into_iter()
    }

    /// The bodies of all messages on a lane, messages in flight and delayed messages included. Empty with
    /// [`QueueTime::Real`].
    pub fn messages(&self, lane: Lane) -> Vec<String> {
        self.sqs.messages(lane)
    }

    /// URL of the dead-letter queue.
    pub fn dead_letter_queue_url(&self) -> &str {
        &self.sqs.dead_letter_queue_url
    }

    /// A client for the table, with static credentials and no retries.
    pub fn dynamodb_client(&self, http_client: SharedHttpClient) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(aws_sdk_dynamodb::config::Region::from_static(REGION))
            .credentials_provider(credentials())
            .endpoint_url(&self.dynamodb.url)
            .retry_config(RetryConfig::disabled())
            .http_client(http_client)
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    /// A client for the queues, with static credentials and no retries.
    pub fn sqs_client(&self, http_client: SharedHttpClient) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(aws_sdk_sqs::config::Region::from_static(REGION))
            .credentials_provider(credentials())
            .endpoint_url(&self.sqs.url)
            .retry_config(RetryConfig::disabled())
            .http_client(http_client)
            .build();
        aws_sdk_sqs::Client::from_conf(config)
    }

    /// The blobs in the bucket, with static credentials.
    pub fn blobs(&self) -> Blobs {
        Blobs::in_bucket(format!("{}/{BUCKET}", self.s3.url), REGION, credentials(), Https::plain())
    }

    /// Starts to count the write units of the table, from zero.
    pub fn count_units(&self) {
        self.dynamodb.meter.start();
    }

    /// The write units since the last call of [`Engines::count_units`].
    pub fn units(&self) -> Units {
        self.dynamodb.meter.units()
    }

    /// Deletes the rows whose `ttl` has passed on the wall clock, and returns their number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<usize, EngineError> {
        self.dynamodb.sweep().await
    }

    /// Stops the engines and waits, at most some seconds, until the data folder is free.
    pub async fn stop(self) {
        self.s3.stop().await;
        self.sqs.stop().await;
        self.dynamodb.stop().await;
    }
}

/// An HTTP client without TLS, for clients of the engines.
pub fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

fn credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "placet-local")
}

/// A listener on a free loopback port. It sets `TCP_NODELAY`, because accepted sockets inherit the option
/// and one of the servers gives no access to its sockets.
fn loopback_listener() -> Result<(TcpListener, SocketAddr), EngineError> {
    let listen = || {
        let socket = TcpSocket::new_v4()?;
        socket.set_nodelay(true)?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let listener = socket.listen(1024)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listen().map_err(EngineError::Listen)
}

async fn wait_for_end(mut server: JoinHandle<()>) {
    if tokio::time::timeout(STOP_BOUND, &mut server).await.is_err() {
        server.abort();
        let _ = server.await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn accepted_sockets_inherit_nodelay() {
        let (listener, address) = loopback_listener().unwrap();
        let (_client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        assert!(accepted.unwrap().0.nodelay().unwrap());
    }
}

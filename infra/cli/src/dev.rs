//! `placet dev`: the whole system on one port of this machine, with its data in one folder.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use placet_core::purchase;
use placet_local::engines::{QueueTime, Queues, Storage, TABLE, http_client};
use placet_local::system::{Setup, System};
use placet_runtime::{Access, Blobs, Clock, Environment, Https, logging};
use placet_worker::Functions;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{Failure, environment};

/// The key of the local API if `PLACET_LOCAL_KEY` does not name another.
pub const LOCAL_KEY: &str = "local-dev-key";

/// Where the system listens if `PLACET_ADDR` does not say.
pub const ADDRESS: &str = "127.0.0.1:8000";

/// How often the timer runs here. On AWS it is once a minute.
const TICK: Duration = Duration::from_secs(1);

/// How often items whose time to live is over are deleted, as DynamoDB does in its own time.
const SWEEP: Duration = Duration::from_secs(600);

pub async fn run() -> Result<(), Failure> {
    let environment = environment::load()?;
    logging::start(&environment, &["dynoxide", "rustack_sqs_core"]);
    let config = environment::config(&environment)?;
    let address = environment.get("PLACET_ADDR").unwrap_or_else(|| ADDRESS.to_owned());
    let listener = TcpListener::bind(&address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}. Set PLACET_ADDR to another address, as in 127.0.0.1:8001")
    })?;
    let address = listener.local_addr()?;
    let folder = environment::data_folder(&environment);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let api_key = match environment.get("PLACET_LOCAL_KEY") {
        Some(key) => key,
        None if address.ip().is_loopback() => LOCAL_KEY.to_owned(),
        None => return Err(format!(
            "{address} is not loopback and everybody knows the default key: set PLACET_LOCAL_KEY"
        )
        .into()),
    };
    let environment = environment.over(&long_poll());
    let environment = with_link_secret(environment, &folder)?;
    let system = System::start(Setup {
        storage: Storage::Folder(folder.clone()),
        blobs: own_bucket(&environment, &folder)?,
        queues: Queues::over(QueueTime::Real),
        config,
        environment: environment.clone(),
        clock: Clock::System,
        functions: Functions::shipped(),
        http_client: http_client(),
        access: if address.ip().is_loopback() { Access::Loopback } else { Access::Closed },
        api_key: api_key.clone(),
    })
    .await?;
    system.resume().await?;
    announce(&folder, address, &system, &environment)?;
    let demo = system.runtime.config.plan(purchase::FUNCTION).is_some();
    banner(address, &folder, &api_key, demo);
    serve(system, listener).await;
    let _ = fs::remove_file(folder.join(environment::RUNNING));
    Ok(())
}

/// Serves until the process is asked to stop, then lets what is in work finish.
async fn serve(system: System, listener: TcpListener) {
    let (stop, stopping) = watch::channel(false);
    let wait = |mut stopping: watch::Receiver<bool>| async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let door = tokio::spawn(Arc::clone(&system.front_door).serve(listener, wait(stopping.clone())));
    let mut pumps = JoinSet::new();
    for event_source in &system.event_sources {
        pumps.spawn(Arc::clone(event_source).run(wait(stopping.clone())));
    }
    let ticking = async {
        let mut ticks = tokio::time::interval(TICK);
        let mut sweeps = tokio::time::interval(SWEEP);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    // An error is in the log already; the next tick tries again.
                    let _ = system.timer.handle().await;
                }
                _ = sweeps.tick() => {
                    if let Err(error) = system.engines.sweep().await {
                        tracing::warn!(%error, "expired items not deleted");
                    }
                }
            }
        }
    };
    tokio::select! {
        () = stopped() => {}
        () = ticking => {}
    }
    stop.send_replace(true);
    system.approval.end_polls();
    let _ = tokio::join!(door, pumps.join_all());
    system.engines.stop().await;
}

/// Ends when the process is asked to stop.
pub async fn stopped() {
    let asked = |kind: SignalKind| async move {
        match signal(kind) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = asked(SignalKind::interrupt()) => {}
        () = asked(SignalKind::terminate()) => {}
    }
}

/// The bucket that `PLACET_BLOBS` names, if it names one.
fn own_bucket(environment: &Environment, folder: &Path) -> Result<Option<Blobs>, Failure> {
    if environment.get("PLACET_BLOBS").is_none() {
        return Ok(None);
    }
    let blobs = Blobs::from_environment(environment, Https::default());
    let blobs = blobs.map_err(|error| {
        let files = folder.join("blobs");
        format!("{error}. Unset it to keep blobs as files in {}", files.display())
    })?;
    Ok(Some(blobs))
}

/// Here it costs nothing to hold a client that polls.
fn long_poll() -> Environment {
    [("PLACET_LONG_POLL".to_owned(), "8s".to_owned())].into_iter().collect()
}

/// Without a key of its own for decision links, this system makes one and keeps it with its data.
fn with_link_secret(environment: Environment, folder: &Path) -> Result<Environment, Failure> {
    if environment.get("PLACET_LINK_SECRET").is_some() {
        return Ok(environment);
    }
    let file = folder.join("link-secret");
    let secret = match fs::read_to_string(&file) {
        Ok(secret) if secret.len() >= 32 => secret,
        _ => {
            let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
            write_private(&file, &secret)?;
            secret
        }
    };
    let own: Environment = [("PLACET_LINK_SECRET".to_owned(), secret)].into_iter().collect();
    Ok(own.over(&environment))
}

/// Tells other commands how to reach the table and which key the inbox takes.
fn announce(
    folder: &Path,
    address: SocketAddr,
    system: &System,
    environment: &Environment,
) -> Result<(), Failure> {
    let found = json!({
        "AWS_ENDPOINT_URL_DYNAMODB": system.engines.dynamodb_url(),
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "PLACET_TABLE": TABLE,
        "PLACET_INBOX_URL": format!("http://{address}"),
        "PLACET_LINK_SECRET": environment.get("PLACET_LINK_SECRET"),
    });
    write_private(&folder.join(environment::RUNNING), &found.to_string())
}

fn write_private(file: &Path, text: &str) -> Result<(), Failure> {
    let named = |error: std::io::Error| format!("{}: {error}", file.display());
    let opened =
        fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(file);
    opened.and_then(|mut opened| opened.write_all(text.as_bytes())).map_err(named)?;
    Ok(())
}

fn banner(address: SocketAddr, folder: &Path, api_key: &str, demo: bool) {
    println!(
        "Placet is up.

  address  http://{address}
  inbox    http://{address}/inbox
  API key  {api_key}
  data     {}
",
        folder.display()
    );
    if !address.ip().is_loopback() {
        println!(
            "This address is not loopback: the pages are closed, open them with `placet link CALL_ID`.\n"
        );
    }
    if demo {
        println!("Try it: ask, decide in the inbox, look.\n");
        println!("  curl -X POST http://{address}/purchase-materials");
        println!("  curl http://{address}/purchases");
    }
}

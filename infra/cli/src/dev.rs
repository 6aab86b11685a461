//! `placet dev`: the whole system on one port of this machine, with its data in one folder.

use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use placet_core::purchase;
use placet_local::descriptors::Descriptors;
use placet_local::engines::{
    LINK_SECRET, QueueTime, Queues, Storage, TABLE, create_folder, http_client,
};
use placet_local::system::{Setup, System};
use placet_runtime::config::Closed;
use placet_runtime::{Access, Clock, DEMO, Environment};
use placet_worker::Functions;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::banner::Banner;
use crate::environment::DataFolder;
use crate::start::Start;
use crate::{Failure, check, command, environment, logging, say};

/// The key of the local API if `PLACET_LOCAL_KEY` does not name another.
pub const LOCAL_KEY: &str = "local-dev-key";

/// Where the system listens if `PLACET_ADDR` does not say.
pub const ADDRESS: &str = "127.0.0.1:8000";

/// How often the timer runs here. On AWS it is once a minute.
const TICK: Duration = Duration::from_secs(1);

/// How often items whose time to live is over are deleted, as DynamoDB does in its own time.
const SWEEP: Duration = Duration::from_secs(600);

/// The options of `placet dev`.
#[derive(Debug, Default, Args)]
pub struct Arguments {
    /// The port to listen on; that of `PLACET_ADDR` if left out, and else 8000
    #[arg(long)]
    port: Option<u16>,
    /// The IP address to listen on; that of `PLACET_ADDR` if left out, and else 127.0.0.1
    #[arg(long, value_name = "IP")]
    addr: Option<IpAddr>,
    #[command(flatten)]
    data: DataFolder,
    /// Log more; the same as `PLACET_LOG=debug`
    #[arg(long)]
    debug: bool,
}

impl Arguments {
    /// The environment with what the options say over it.
    pub fn over(&self, environment: Environment) -> Environment {
        let environment = self.data.over(environment);
        let known = environment.get("PLACET_ADDR").unwrap_or_else(|| ADDRESS.to_owned());
        let (host, port) = known.rsplit_once(':').unwrap_or((&known, "8000"));
        let host = match self.addr {
            Some(IpAddr::V6(ip)) => format!("[{ip}]"),
            Some(ip) => ip.to_string(),
            None => host.to_owned(),
        };
        let port = self.port.map_or(port.to_owned(), |port| port.to_string());
        let level = self.debug.then(|| ("PLACET_LOG".to_owned(), "debug".to_owned()));
        let address = ("PLACET_ADDR".to_owned(), format!("{host}:{port}"));
        level.into_iter().chain([address]).collect::<Environment>().over(&environment)
    }
}

pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let environment = arguments.over(environment::load()?);
    logging::start(&environment);
    let config = environment::config(&environment)?;
    let Start { addresses, api_key, blobs } = Start::read(&environment)?;
    let listener = TcpListener::bind(&*addresses).await.map_err(|error| {
        let address = environment.get("PLACET_ADDR").unwrap_or_default();
        let dev = command("dev --port 8001");
        format!(
            "cannot listen on {address}: {error}. If Placet already runs there, stop it first. Or choose another port, as in `{dev}`"
        )
    })?;
    let address = listener.local_addr()?;
    let folder = environment::data_folder(&environment);
    create_folder(&folder)?;
    let environment = environment.over(&defaults(address));
    let own_link_secret = own_link_secret(&environment, &folder);
    let own = own_link_secret.iter().map(|own| ("PLACET_LINK_SECRET".to_owned(), own.clone()));
    let environment = own.collect::<Environment>().over(&environment);
    let inbox = ("PLACET_INBOX_URL".to_owned(), format!("http://{address}"));
    let environment = environment.over(&std::iter::once(inbox).collect());
    let system = System::start(Setup {
        storage: Storage::Folder(folder.clone()),
        blobs,
        queues: Queues::over(QueueTime::Real),
        config,
        environment: environment.clone(),
        clock: Clock::System,
        functions: Functions::shipped(),
        http_client: Descriptors::of_process().limit(http_client()),
        access: if address.ip().is_loopback() { Access::Loopback } else { Access::Closed },
        api_key: api_key.clone(),
    })
    .await?;
    if let Some(secret) = &own_link_secret {
        keep_link_secret(secret, &folder)?;
    }
    system.resume().await?;
    announce(&folder, address, &system, &environment, &api_key)?;
    let attention = check::attention(&system.runtime.config, &system.runtime.environment)?;
    let demo =
        system.runtime.has_demo() && system.runtime.config.plan(purchase::FUNCTION).is_some();
    let closed = closed(&system);
    let api_key = &api_key;
    let mail = !system.runtime.config.people.is_empty();
    say(Banner { address, folder: &folder, api_key, demo, mail, closed, attention: &attention });
    serve(system, listener).await;
    let _ = fs::remove_file(folder.join(environment::RUNNING));
    Ok(())
}

/// How many webhook sources are closed because their secrets are not set.
fn closed(system: &System) -> usize {
    let runtime = &system.runtime;
    let sources = runtime.config.sources();
    let verifiers = sources.map(|(name, source)| source.open(name, &runtime.environment));
    verifiers.filter(|verifier| matches!(verifier, Err(Closed::NotSet(_)))).count()
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

/// Here it costs nothing to hold a client that polls, and a newcomer tries the demo.
fn defaults(address: SocketAddr) -> Environment {
    let inbox = format!("http://{address}");
    let variables = [("PLACET_LONG_POLL", "8s"), (DEMO, "on"), ("PLACET_INBOX_URL", &inbox)];
    variables.into_iter().collect()
}

/// The key for decision links in the data folder, if there is one.
fn kept_link_secret(folder: &Path) -> Option<String> {
    let kept = fs::read_to_string(folder.join(LINK_SECRET)).ok();
    kept.filter(|secret| secret.len() >= 32)
}

/// The key for decision links that this system keeps with its data, if its variable sets none: the kept one or
/// a new one.
fn own_link_secret(environment: &Environment, folder: &Path) -> Option<String> {
    let new = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    match environment.get("PLACET_LINK_SECRET") {
        Some(_) => None,
        None => Some(kept_link_secret(folder).unwrap_or_else(new)),
    }
}

/// Keeps a new key for decision links. Call it when the folder has its database: a folder with a key and without a
/// database counts as damaged.
fn keep_link_secret(secret: &str, folder: &Path) -> Result<(), Failure> {
    if kept_link_secret(folder).as_deref() == Some(secret) {
        return Ok(());
    }
    write_private(&folder.join(LINK_SECRET), secret)
}

/// Tells other commands how to reach the table and the API, and with which keys.
fn announce(
    folder: &Path,
    address: SocketAddr,
    system: &System,
    environment: &Environment,
    api_key: &str,
) -> Result<(), Failure> {
    let found = json!({
        "AWS_ENDPOINT_URL_DYNAMODB": system.engines.dynamodb_url(),
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "PLACET_TABLE": TABLE,
        "PLACET_LOCAL_KEY": api_key,
        environment::API_KEYS: system.api_keys,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_over_the_environment() {
        let address = |arguments: Arguments, known: &str| {
            let known = [("PLACET_ADDR".to_owned(), known.to_owned())].into_iter().collect();
            arguments.over(known).get("PLACET_ADDR").unwrap()
        };
        let port = |port| Arguments { port: Some(port), ..Arguments::default() };
        let addr = |ip: &str| Arguments { addr: ip.parse().ok(), ..Arguments::default() };
        assert_eq!(address(Arguments::default(), ""), ADDRESS);
        assert_eq!(address(Arguments::default(), "localhost:9"), "localhost:9");
        assert_eq!(address(Arguments::default(), "localhost"), "localhost:8000");
        assert_eq!(address(port(8001), "localhost:9"), "localhost:8001");
        assert_eq!(address(addr("0.0.0.0"), "localhost:9"), "0.0.0.0:9");
        assert_eq!(address(addr("::1"), ""), "[::1]:8000");
        let debug = Arguments { debug: true, ..Arguments::default() };
        let level = debug.over(Environment::default()).get("PLACET_LOG");
        assert_eq!(level.as_deref(), Some("debug"));
    }
}

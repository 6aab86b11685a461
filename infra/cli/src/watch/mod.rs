//! `placet watch`: what happens in the system that runs on this machine, as its API tells it.

mod changes;
mod deliveries;
mod happening;

use std::time::Duration;

use changes::Watch;
use clap::Args;
use happening::Happening;
use serde_json::Value;

use crate::environment::DataFolder;
use crate::server::Server;
use crate::{Failure, environment, say};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// The options of `placet watch`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this project; may be repeated; all projects of the server if left out
    #[arg(long = "project", value_name = "NAME")]
    projects: Vec<String>,
    #[command(flatten)]
    data: DataFolder,
}

pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut watches = start(arguments).await?;
    loop {
        tokio::time::sleep(PAUSE).await;
        match look(&mut watches).await {
            Ok(happened) => happened.into_iter().for_each(say),
            Err(error) => {
                say(format!("\n{error}\nWaiting for it. Ctrl-C ends this command.\n"));
                watches = wait(arguments).await;
            }
        }
    }
}

/// Starts to watch the projects of the running system, and says so.
async fn start(arguments: &Arguments) -> Result<Vec<Watch>, Failure> {
    let environment = arguments.data.over(environment::load()?);
    let servers = Server::running(&environment, &arguments.projects)?;
    let url = servers.first().map(Server::url).unwrap_or_default().to_owned();
    let mut watches = Vec::new();
    for server in servers {
        watches.push(Watch::start(server).await?);
    }
    let names: Vec<&str> = watches.iter().map(Watch::project).collect();
    let noun = if names.len() == 1 { "project" } else { "projects" };
    let names = names.join(", ");
    say(format!("Watching {url}, {noun} {names}. Times are in UTC. Ctrl-C ends it.\n"));
    Ok(watches)
}

/// Waits until the system runs again, and watches it.
async fn wait(arguments: &Arguments) -> Vec<Watch> {
    loop {
        tokio::time::sleep(PAUSE).await;
        if let Ok(watches) = start(arguments).await {
            return watches;
        }
    }
}

/// Returns what happened since the last look, in order of time; with the names of the projects if there are
/// several.
async fn look(watches: &mut [Watch]) -> Result<Vec<Happening>, Failure> {
    let several = watches.len() > 1;
    let width = watches.iter().map(|watch| watch.project().len()).max().unwrap_or_default();
    let mut happened = Vec::new();
    for watch in watches {
        let mut news = watch.look().await?;
        for happening in &mut news {
            happening.project = several.then(|| format!("{:width$}", watch.project()));
        }
        happened.extend(news);
    }
    happened.sort_by(|one, other| one.at.cmp(&other.at));
    Ok(happened)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

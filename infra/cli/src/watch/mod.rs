//! `placet watch`: what happens in the system that runs on this machine, as its API tells it.

mod changes;
mod happening;
mod server;

use std::time::Duration;

use changes::Watch;
use clap::Args;
use server::Server;

use crate::environment::DataFolder;
use crate::{Failure, environment, say};

/// How long it pauses between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// The options of `placet watch`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    data: DataFolder,
}

pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let environment = arguments.data.over(environment::load()?);
    let server = Server::running(&environment)?;
    let mut watch = Watch::start(&server).await?;
    say(format!("Watching {}. Times are in UTC. Ctrl-C ends it.\n", server.url()));
    loop {
        tokio::time::sleep(PAUSE).await;
        for happening in watch.look(&server).await? {
            say(happening);
        }
    }
}

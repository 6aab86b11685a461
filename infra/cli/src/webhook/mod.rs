//! `placet webhook`: what a source of `placet.yaml` takes, and requests as its sender makes them.

mod explain;
mod send;
mod sign;
pub mod words;
mod yaml;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use placet_core::percent;
use placet_core::webhook::{Draft, Signed};
use placet_runtime::config::Source;
use placet_runtime::{Clock, Config, Environment};
use uuid::Uuid;

use crate::dev::ADDRESS;
use crate::environment::DataFolder;
use crate::{Failure, environment};

/// The commands of `placet webhook`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print what a webhook source verifies, with its preset expanded
    Explain {
        /// The source, by its name in placet.yaml
        source: String,
    },
    /// Print a curl line that sends the body on standard input as the sender would
    Sign(Request),
    /// Send a file as the sender would
    Send {
        #[command(flatten)]
        request: Request,
        /// The file with the body
        #[arg(long)]
        file: PathBuf,
    },
}

/// What is sent, and where.
#[derive(Debug, Args)]
pub struct Request {
    /// The source, by its name in placet.yaml
    source: String,
    /// The id of the event, for a sender that puts it into a header; a new one if left out
    #[arg(long)]
    id: Option<String>,
    /// The type of the event, for a sender that puts it into a header
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Where Placet is reached; where it runs on this machine if left out
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    data: DataFolder,
}

pub async fn run(command: &Command) -> Result<(), Failure> {
    let environment = environment::load()?;
    let config = environment::config(&environment)?;
    match command {
        Command::Explain { source } => explain::run(&config, &environment, source),
        Command::Sign(request) => sign::run(&config, &request.data.over(environment), request),
        Command::Send { request, file } => {
            send::run(&config, &request.data.over(environment), request, file).await
        }
    }
}

/// A request as its sender makes it.
struct Outgoing {
    url: String,
    signed: Signed,
}

impl Outgoing {
    fn new(
        config: &Config,
        environment: &Environment,
        request: &Request,
        body: &[u8],
    ) -> Result<Self, Failure> {
        let name = request.source.as_str();
        let source = find(config, name)?;
        let verifier = source
            .open(name, environment)
            .map_err(|error| format!("source {name} is closed: {error}"))?;
        let identity = &source.scheme.identity;
        let given = request.id.as_deref();
        if given.is_some() && source.scheme.identity_header().is_none() {
            let place = match identity.0.is_empty() {
                true => "knows events by their signature or body".to_owned(),
                false => format!("takes the id from the body, from {identity}"),
            };
            return Err(format!("source {name} {place}: leave out --id").into());
        }
        let id = match given {
            Some(id) if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic()) => {
                return Err("an id is printable ASCII without spaces".into());
            }
            Some(id) => id.to_owned(),
            None => format!("msg_{}", Uuid::new_v4().simple()),
        };
        let path = format!("/webhooks/{name}");
        let content_type = content_type(body);
        let draft = Draft { path: &path, content_type, id: &id, body, at: Clock::System.now() };
        let mut signed =
            verifier.sign(&draft).map_err(|error| format!("source {name}: {error}"))?;
        if let Some(event_type) = &request.event_type {
            let header = source.scheme.type_header().ok_or_else(|| {
                format!("source {name} reads the type from the body: leave out --type")
            })?;
            signed.headers.push((header.to_owned(), event_type.clone()));
        }
        let mut url = format!("{}{path}", base(environment, request.url.as_deref()));
        if !signed.query.is_empty() {
            url = format!("{url}?{}", signed.query);
        }
        Ok(Self { url, signed })
    }
}

/// Where the system is reached: where somebody says, or where one runs on this machine.
fn base(environment: &Environment, url: Option<&str>) -> String {
    let running = || environment::running(environment).ok()?.get("PLACET_INBOX_URL");
    let address = || environment.get("PLACET_ADDR").unwrap_or_else(|| ADDRESS.to_owned());
    let base = url.map(str::to_owned).or_else(running);
    let base = base.unwrap_or_else(|| format!("http://{}", address()));
    base.trim_end_matches('/').to_owned()
}

fn find<'a>(config: &'a Config, name: &str) -> Result<&'a Source, Failure> {
    config.source(name).ok_or_else(|| {
        let names: Vec<&str> = config.sources().map(|(name, _)| name).collect();
        format!("placet.yaml has no source {name}; it has {}", names.join(", ")).into()
    })
}

/// The type a body has by its looks.
fn content_type(body: &[u8]) -> &'static str {
    let spaced = body.iter().any(|byte| byte.is_ascii_whitespace());
    if serde_json::from_slice::<serde_json::Value>(body).is_ok() {
        "application/json"
    } else if !spaced && body.contains(&b'=') && percent::form(body).is_some() {
        "application/x-www-form-urlencoded"
    } else if std::str::from_utf8(body).is_ok() {
        "text/plain; charset=utf-8"
    } else {
        "application/octet-stream"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_the_type_they_look_like() {
        for (body, expected) in [
            (&b"{\"a\": 1}"[..], "application/json"),
            (b"a=1&b=%20", "application/x-www-form-urlencoded"),
            (b"a=%zz", "text/plain; charset=utf-8"),
            (b"two words=1", "text/plain; charset=utf-8"),
            (b"", "text/plain; charset=utf-8"),
            (b"\xff=1", "application/octet-stream"),
        ] {
            assert_eq!(content_type(body), expected, "{body:?}");
        }
    }

    #[test]
    fn a_system_is_reached_where_it_is_said_or_runs() {
        let folder = tempfile::tempdir().unwrap();
        let data = ("PLACET_DATA_DIR".to_owned(), folder.path().display().to_string());
        let environment: Environment = [data].into_iter().collect();
        let base = |url| super::base(&environment, url);
        assert_eq!(base(None), format!("http://{ADDRESS}"));
        let running = r#"{"PLACET_INBOX_URL": "http://127.0.0.1:8001"}"#;
        std::fs::write(folder.path().join(environment::RUNNING), running).unwrap();
        assert_eq!(base(None), "http://127.0.0.1:8001");
        assert_eq!(base(Some("http://x/")), "http://x");
    }
}

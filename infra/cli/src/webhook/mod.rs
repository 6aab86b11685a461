//! `placet webhook`: what a source of `placet.yaml` takes, and requests as its sender makes them.

mod explain;
mod send;
mod sign;
pub mod words;
mod yaml;

use placet_core::percent;
use placet_core::webhook::{Draft, Signed};
use placet_runtime::config::Source;
use placet_runtime::{Clock, Config, Environment};
use uuid::Uuid;

use crate::dev::ADDRESS;
use crate::options::Options;
use crate::{Failure, environment};

const USAGE: &str = "write one of
  placet webhook explain SOURCE
  placet webhook sign SOURCE [--id ID] [--url URL] < BODY
  placet webhook send SOURCE --file FILE [--id ID] [--url URL]";

pub async fn run(arguments: &[&str]) -> Result<(), Failure> {
    let environment = environment::load()?;
    let config = environment::config(&environment)?;
    match arguments {
        ["explain", name] => explain::run(&config, &environment, name),
        ["sign", name, rest @ ..] => {
            sign::run(&config, &environment, name, &Options::read(rest, &["--id", "--url"], USAGE)?)
        }
        ["send", name, rest @ ..] => {
            let options = Options::read(rest, &["--id", "--url", "--file"], USAGE)?;
            send::run(&config, &environment, name, &options).await
        }
        _ => Err(USAGE.into()),
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
        name: &str,
        options: &Options<'_>,
        body: &[u8],
    ) -> Result<Self, Failure> {
        let source = find(config, name)?;
        let verifier = source
            .open(name, environment)
            .map_err(|error| format!("source {name} is closed: {error}"))?;
        let identity = &source.scheme.identity;
        let given = options.get("--id");
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
        let signed = verifier.sign(&draft).map_err(|error| format!("source {name}: {error}"))?;
        let mut url = format!("{}{path}", base(environment, options));
        if !signed.query.is_empty() {
            url = format!("{url}?{}", signed.query);
        }
        Ok(Self { url, signed })
    }
}

/// Where the running system is reached.
fn base(environment: &Environment, options: &Options<'_>) -> String {
    let address = || environment.get("PLACET_ADDR").unwrap_or_else(|| ADDRESS.to_owned());
    let url = options.get("--url").map(str::to_owned);
    let base = url.unwrap_or_else(|| format!("http://{}", address()));
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
        let base = |arguments: &[&str]| {
            let options = Options::read(arguments, &["--url"], USAGE).unwrap();
            super::base(&Environment::default(), &options)
        };
        assert_eq!(base(&["--url", "http://x/"]), "http://x");
        assert_eq!(base(&[]), format!("http://{ADDRESS}"));
    }
}

//! `placet webhook send`: a file to a running system, as its sender would send it.

use bytes::Bytes;
use http::Request;
use placet_runtime::{Config, Environment, Https};

use super::Outgoing;
use crate::options::Options;
use crate::{Failure, say};

/// The largest answer that is read, in bytes.
const LARGEST: usize = 1024 * 1024;

pub(super) async fn run(
    config: &Config,
    environment: &Environment,
    name: &str,
    options: &Options<'_>,
) -> Result<(), Failure> {
    let file = options.get("--file").ok_or("which body? write --file FILE")?;
    let body = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let Outgoing { url, signed } = Outgoing::new(config, environment, name, options, &body)?;
    let mut request = Request::builder().method(signed.method.as_str()).uri(&url);
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Bytes::from(body))
        .map_err(|error| format!("{url} cannot be asked: {error}"))?;
    let answer = Https::default().send(request, LARGEST).await;
    let answer = answer.map_err(|error| format!("{url}: {error}"))?;
    let status = answer.status();
    say(format!("{status}\n{}", String::from_utf8_lossy(answer.body())));
    match status.is_success() {
        true => Ok(()),
        false => Err(format!("source {name} did not take it: {status}").into()),
    }
}

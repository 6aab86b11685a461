//! `placet webhook send`: a file to a running system, as its sender would send it.

use std::path::Path;

use bytes::Bytes;
use http::{StatusCode, request};
use placet_runtime::{Config, Environment, Https};

use super::{Outgoing, Request};
use crate::{Failure, command, say};

/// The largest answer that is read, in bytes.
const LARGEST: usize = 1024 * 1024;

pub(super) async fn run(
    config: &Config,
    environment: &Environment,
    wanted: &Request,
    file: &Path,
) -> Result<(), Failure> {
    let body = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let Outgoing { url, signed } = Outgoing::new(config, environment, wanted, &body)?;
    let mut request = request::Builder::new().method(signed.method.as_str()).uri(&url);
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Bytes::from(body))
        .map_err(|error| format!("{url} cannot be asked: {error}"))?;
    let answer = Https::default().send(request, LARGEST).await;
    let answer = answer.map_err(|error| {
        let start = command("dev");
        format!("{url}: {error}. Does Placet run there? `{start}` starts it, --data-dir and --url name another")
    })?;
    let status = answer.status();
    say(format!("{status}\n{}", String::from_utf8_lossy(answer.body())));
    let source = &wanted.source;
    if status == StatusCode::UNAUTHORIZED {
        let hint = "does Placet run with the same secret? Its log has the reason";
        return Err(format!("source {source} refused the webhook: {hint}").into());
    }
    if !status.is_success() {
        return Err(format!("source {source} refused the webhook: {status}").into());
    }
    eprintln!(
        "Sent to {url}. Placet processes it now: `{}` shows what becomes of it.",
        command("watch")
    );
    Ok(())
}

//! Executors of operations.

use placet_core::Period;
use serde::Deserialize;

use super::locate;
use super::{Config, OutboundUrl, SecretRef, Timeout};

/// The executor of an operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Executor {
    /// A Rust function compiled into the worker.
    Function(String),
    /// An HTTP endpoint.
    Http(HttpExecutor),
}

/// An HTTP endpoint that gets `{call_id, fn, kwargs}` as JSON.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpExecutor {
    /// The URL to post to: `https://`, or `http://` for this machine and for a host in `outbound.allow_hosts`.
    pub url: OutboundUrl,
    /// The timeout of a request, at most 25 s.
    #[serde(default)]
    pub timeout: Timeout,
    /// The key that signs the requests.
    pub secret: Option<SecretRef>,
}

impl Config {
    /// Refuses an executor whose URL may not be called, and settings of an executor without an executor.
    pub(super) fn check_executors(&self, text: &str) -> Result<(), String> {
        for (name, definition) in &self.operations {
            if let Some(Executor::Http(http)) = &definition.executor
                && http.url.local_host().is_none()
            {
                let permitted = http.url.permitted(&self.outbound);
                permitted.and_then(|()| http.url.leads_away(&self.outbound)).map_err(|wrong| {
                    let place = ["operations", name, "executor", "http", "url"];
                    locate::at(text, &place.map(str::to_owned), wrong)
                })?;
            }
        }
        let none = self.operations.iter().filter(|(_, definition)| definition.executor.is_none());
        let none: Vec<&String> = none.map(|(name, _)| name).collect();
        if none.is_empty() {
            return Ok(());
        }
        let written = locate::paths(text);
        for name in none {
            let place = |member: &str| ["operations", name, member].map(str::to_owned);
            let is_written = |member: &&str| written.contains(place(member).as_slice());
            if is_written(&"executor") {
                let wrong = "name an executor, as in {function: NAME}, or remove the key";
                return Err(locate::at(text, &place("executor"), wrong));
            }
            let settings = ["idempotent", "max_attempts", "retry", "run_for"];
            if let Some(member) = settings.into_iter().find(is_written) {
                let wrong = "nothing runs this operation: add its executor, or remove this key";
                return Err(locate::at(text, &place(member), wrong));
            }
        }
        Ok(())
    }

    /// An executor on this machine needs no line in `outbound`: only its own URL leads there.
    pub(super) fn allow_local_executors(&mut self) {
        let executors = self.operations.values().filter_map(|one| one.executor.as_ref());
        let local = executors.filter_map(|executor| match executor {
            Executor::Http(http) => http.url.local_host(),
            Executor::Function(_) => None,
        });
        local.for_each(|host| self.outbound.allow(host));
    }
}

impl Executor {
    /// The text that describes the executor to a person. An approval is bound to this text.
    pub fn describe(&self) -> String {
        match self {
            Self::Function(name) => format!("function {name}"),
            Self::Http(http) => format!("POST {}", http.url.described()),
        }
    }

    /// The timeout of one attempt.
    pub fn timeout(&self) -> Period {
        match self {
            Self::Function(_) => Timeout::default().0,
            Self::Http(http) => http.timeout.0,
        }
    }
}

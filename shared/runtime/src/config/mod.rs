//! `placet.yaml`: the project, its operations and its webhook sources.
//!
//! Unknown keys and impossible values are errors with line and column. Secrets are never in the
//! file, only the names of the environment variables that hold them.

mod approver;
mod channel;
mod endpoint;
mod locate;
mod source;
mod values;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

pub use approver::{Approver, Upstream};
pub use channel::Channel;
pub use endpoint::{Endpoint, Events, Outbound, OutboundUrl, SigningSecrets};
pub use placet_core::Period;
use placet_core::operation::Plan;
use serde::Deserialize;
pub use source::{Action, Closed, LazyScheme, PublicUrl, RequestApproval, Source, Target};
pub use values::{Attempts, ExecutorUrl, Name, RoutePath, SecretError, SecretRef, Timeout};

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The main project: that of the local key, the demo and the webhook sources.
    pub project: Name,
    /// What else keys may be made for.
    #[serde(default, rename = "projects")]
    further: Vec<Name>,
    /// What holds where an operation says nothing else.
    #[serde(default)]
    pub defaults: Defaults,
    /// What runs once a person has agreed, by function name.
    #[serde(default)]
    operations: BTreeMap<String, Definition>,
    /// Who may send webhooks, by name: as written, and then expanded.
    #[serde(default, rename = "sources")]
    written: BTreeMap<Name, serde_json::Value>,
    #[serde(skip)]
    sources: BTreeMap<Name, Source>,
    /// Contact channels by number: as written, and then read.
    #[serde(default, rename = "channels")]
    written_channels: BTreeMap<u64, serde_json::Map<String, serde_json::Value>>,
    #[serde(skip)]
    channels: BTreeMap<u64, Channel>,
    /// Where signed webhooks are sent, by name.
    #[serde(default)]
    endpoints: BTreeMap<Name, Endpoint>,
    /// What may be called besides the public Internet.
    #[serde(default)]
    pub outbound: Outbound,
}

/// What holds where an operation says nothing else.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// How long a person has to decide.
    pub deadline: Period,
    /// Who decides.
    pub approver: Approver,
    /// Whose operations are run here.
    pub run_for: Vec<Interface>,
}

/// The interface through which an operation was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interface {
    /// Placet's own: its API, its pages, its webhook sources.
    Placet,
    /// HumanLayer's, whose clients run by themselves what was approved.
    HumanLayer,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            deadline: Period::seconds(24 * 60 * 60),
            approver: Approver::Inbox,
            run_for: vec![Interface::Placet],
        }
    }
}

/// One operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What runs it; nothing if the requester acts on the decision itself.
    pub executor: Option<Executor>,
    /// Whether two runs under one idempotency key have the effect of one.
    #[serde(default)]
    pub idempotent: bool,
    /// How long a person has to decide.
    pub deadline: Option<Period>,
    /// How often it may be tried.
    #[serde(default)]
    pub max_attempts: Attempts,
    /// Who decides, if not whom the defaults name.
    pub approver: Option<Approver>,
    /// Whose operations the executor runs, if not those the defaults name.
    run_for: Option<Vec<Interface>>,
}

/// What runs an operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Executor {
    /// A Rust function compiled into the worker.
    Function(String),
    /// An HTTP endpoint.
    Http(HttpExecutor),
}

/// An HTTP endpoint that is sent `{call_id, fn, kwargs}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpExecutor {
    /// Where to post to: `https://`, or `http://` on this machine only.
    pub url: ExecutorUrl,
    /// How long an answer may take, at most 25 s.
    #[serde(default)]
    pub timeout: Timeout,
    /// The key its requests are signed with.
    pub secret: Option<SecretRef>,
}

/// A source, found by the path of a request.
#[derive(Clone, Copy, Debug)]
pub struct SourceAt<'c, 'r> {
    /// Its position among all sources.
    pub position: usize,
    /// Its name.
    pub name: &'c str,
    /// The source.
    pub source: &'c Source,
    /// What of the path follows the source's own.
    pub rest: &'r str,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Its content is wrong; the text has line and column.
    #[error("{path}: {cause}")]
    Invalid {
        /// The file.
        path: String,
        /// What is wrong, and where.
        cause: String,
    },
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or what in it is wrong and where.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigError::Unreadable { path: path.display().to_string(), cause })?;
        Self::parse(&text)
            .map_err(|cause| ConfigError::Invalid { path: path.display().to_string(), cause })
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// What is wrong and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        // No excerpt of the file: somebody may have put a secret where its name belongs.
        let options = serde_saphyr::options! { with_snippet: false };
        let mut config: Self = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| source::without_values(&error.to_string()))?;
        for (name, written) in std::mem::take(&mut config.written) {
            let source = Source::expand(name.as_str(), written).map_err(|error| {
                let place = ["sources".to_owned(), name.as_str().to_owned()];
                let path = [&place[1..], &error.path].concat().join(".");
                let wrong = format!("{path}: {}", error.problem);
                locate::at(text, &[&place[..], &error.path].concat(), wrong)
            })?;
            config.sources.insert(name, source);
        }
        config.check_projects(text)?;
        config.read_channels(text)?;
        config.check_paths(text)?;
        config.check_endpoints(text)?;
        config.check_upstreams(text)?;
        config.check_targets(text)?;
        Ok(config)
    }

    /// No project may be named twice.
    fn check_projects(&self, text: &str) -> Result<(), String> {
        for (index, name) in self.further.iter().enumerate() {
            if self.projects().position(|known| known == name.as_str()) != Some(index + 1) {
                let place = ["projects".to_owned(), index.to_string()];
                let wrong = format!("projects: {} is named twice", name.as_str());
                return Err(locate::at(text, &place, wrong));
            }
        }
        Ok(())
    }

    /// Nothing may be sent on to an endpoint that is not there. What comes in is the main project's.
    fn check_targets(&self, text: &str) -> Result<(), String> {
        for (name, source) in self.sources() {
            for (index, target) in source.targets.iter().enumerate() {
                if let Action::Forward { endpoint } = &target.action
                    && self.endpoint(self.project.as_str(), endpoint.as_str()).is_none()
                {
                    let index = index.to_string();
                    let place = ["sources", name, "targets", index.as_str()].map(str::to_owned);
                    let wrong = format!(
                        "{name}: there is no endpoint {} of project {} in endpoints",
                        endpoint.as_str(),
                        self.project.as_str()
                    );
                    return Err(locate::at(text, &place, wrong));
                }
            }
        }
        Ok(())
    }

    /// No path may lead to two sources.
    fn check_paths(&self, text: &str) -> Result<(), String> {
        let mut claimed: BTreeMap<String, &str> =
            self.sources().map(|(name, _)| (format!("/webhooks/{name}"), name)).collect();
        for (name, source) in self.sources() {
            for path in source.paths.iter().map(RoutePath::as_str) {
                if let Some(other) = claimed.insert(path.to_owned(), name) {
                    let place = ["sources", name, "paths"].map(str::to_owned);
                    let wrong =
                        format!("{name}: two sources claim the path {path}, the other is {other}");
                    return Err(locate::at(text, &place, wrong));
                }
            }
        }
        Ok(())
    }

    /// All projects, the main one first.
    pub fn projects(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.project).chain(&self.further).map(Name::as_str)
    }

    /// The operation of this function name.
    pub fn operation(&self, function: &str) -> Option<&Definition> {
        self.operations.get(function)
    }

    /// All operations by function name.
    pub fn operations(&self) -> impl Iterator<Item = (&String, &Definition)> {
        self.operations.iter()
    }

    /// What puts messages on the queue `calls`: whatever waits for somebody else's server.
    pub fn users_of_calls(&self) -> Vec<&'static str> {
        let executors = self.operations.values().any(|definition| definition.executor.is_some());
        let users = [
            ("executors", executors),
            ("endpoints", self.endpoints().next().is_some()),
            ("upstream approvers", self.upstreams().next().is_some()),
        ];
        users.into_iter().filter(|(_, used)| *used).map(|(name, _)| name).collect()
    }

    /// How an operation of this function would be run; `None` if nothing runs here.
    pub fn plan(&self, function: &str) -> Option<Plan> {
        let definition = self.operations.get(function)?;
        let executor = definition.executor.as_ref()?;
        Some(Plan {
            executor: executor.describe(),
            idempotent: definition.idempotent,
            max_attempts: definition.max_attempts.0,
            timeout: executor.timeout(),
        })
    }

    /// The same for an operation that was requested through this interface: what its requester runs by itself is
    /// not run here, too.
    pub fn plan_for(&self, function: &str, interface: Interface) -> Option<Plan> {
        self.run_for(function).contains(&interface).then(|| self.plan(function))?
    }

    /// Whose operations of this function are run here, if it has an executor.
    pub fn run_for(&self, function: &str) -> &[Interface] {
        let own = self.operations.get(function).and_then(|definition| definition.run_for.as_ref());
        own.unwrap_or(&self.defaults.run_for)
    }

    /// How long a person has to decide on a call of this function, or to answer a question.
    pub fn time_to_decide(&self, function: Option<&str>) -> Duration {
        let definition = function.and_then(|function| self.operations.get(function));
        let own = definition.and_then(|definition| definition.deadline);
        own.unwrap_or(self.defaults.deadline).0
    }

    /// The source that takes webhooks at this path.
    pub fn source_at<'a>(&self, path: &'a str) -> Option<SourceAt<'_, 'a>> {
        let own = |source: &Source| source.paths.iter().any(|known| known.as_str() == path);
        let below = |name: &str, source: &Source| {
            let rest = path.strip_prefix("/webhooks/")?.strip_prefix(name)?;
            let below = rest.starts_with('/') && source.scheme.reads_path();
            (rest.is_empty() || below).then_some(rest)
        };
        let sources = || self.sources().enumerate();
        let found = sources().find(|(_, (_, source))| own(source));
        let found = found
            .map(|found| (found, ""))
            .or_else(|| sources().find_map(|found| Some((found, below(found.1.0, found.1.1)?))));
        found.map(|((position, (name, source)), rest)| SourceAt { position, name, source, rest })
    }

    /// The source of this name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources().find(|(known, _)| *known == name).map(|(_, source)| source)
    }

    /// All sources by name.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.sources.iter().map(|(name, source)| (name.as_str(), source))
    }
}

impl Executor {
    /// What a person reads, and what an approval is bound to.
    pub fn describe(&self) -> String {
        match self {
            Self::Function(name) => format!("function {name}"),
            Self::Http(http) => format!("POST {}", http.url.0),
        }
    }

    /// The host of an HTTP endpoint on this machine.
    pub fn local_host(&self) -> Option<String> {
        match self {
            Self::Http(http) => http.url.local_host(),
            Self::Function(_) => None,
        }
    }

    /// How long one attempt may take.
    pub fn timeout(&self) -> Duration {
        match self {
            Self::Function(_) => Timeout::default().0,
            Self::Http(http) => http.timeout.0,
        }
    }
}

#[cfg(test)]
mod tests;

//! `placet.yaml`: the project, its operations and its webhook sources.
//!
//! Unknown keys and invalid values are errors with line and column. The file contains no secrets, only the
//! names of the environment variables that contain them.

mod approver;
mod channel;
mod endpoint;
mod executor;
mod follow_up;
mod locate;
mod mail;
mod outbound;
mod people;
mod problem;
mod sign_in;
mod source;
mod target;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub use approver::{Approver, Upstream};
pub use channel::Channel;
pub use endpoint::{Endpoint, Events, OutboundUrl, SigningSecrets};
pub use executor::{Executor, HttpExecutor};
pub use follow_up::{EscalateTo, Reminders};
pub use mail::{Mail, Sender, Ses, Smtp, Tls, Transport};
pub use outbound::Outbound;
pub use placet_core::Period;
use placet_core::operation::{OperationId, Plan};
use placet_core::people::People;
pub use problem::{ConfigError, closest};
use serde::Deserialize;
pub use sign_in::{Oidc, SignIn};
pub use source::{Closed, LazyScheme, PublicUrl, Source};
pub use target::{Action, RequestApproval, Target};
pub use values::{Attempts, Name, Retry, RoutePath, SecretError, SecretRef, Timeout};

/// The configuration in `placet.yaml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The main project. The local API key, the demo and the webhook sources belong to it.
    pub project: Name,
    /// The other projects.
    #[serde(default, rename = "projects")]
    further: Vec<people::Project>,
    /// The people and their groups: as written, and below as read.
    #[serde(default, rename = "people")]
    written_people: people::WrittenPeople,
    #[serde(default, rename = "groups")]
    written_groups: BTreeMap<Name, Vec<Name>>,
    /// The people who decide and operate, and their groups.
    #[serde(skip)]
    pub people: People,
    /// How people sign in, besides one-time links.
    #[serde(default)]
    pub sign_in: SignIn,
    /// The settings of operations that do not have their own.
    #[serde(default)]
    pub defaults: Defaults,
    /// The configured operations by function name.
    #[serde(default)]
    operations: BTreeMap<String, Definition>,
    /// The webhook sources by name: as written, and below as expanded.
    #[serde(default, rename = "sources")]
    written: BTreeMap<Name, serde_json::Value>,
    #[serde(skip)]
    sources: BTreeMap<Name, Source>,
    /// The contact channels by number: as written, and below as read.
    #[serde(default, rename = "channels")]
    written_channels: BTreeMap<u64, serde_json::Map<String, serde_json::Value>>,
    #[serde(skip)]
    channels: BTreeMap<u64, Channel>,
    /// The endpoints of outgoing webhooks, by name.
    #[serde(default)]
    endpoints: BTreeMap<Name, Endpoint>,
    /// How mail is sent: as written, and below as read.
    #[serde(default, rename = "mail")]
    written_mail: Option<mail::Written>,
    /// How mail is sent; `None` if no mail is sent.
    #[serde(skip)]
    pub mail: Option<Mail>,
    /// The hosts that may be called besides those of the public Internet.
    #[serde(default)]
    pub outbound: Outbound,
}

/// The settings of operations that do not have their own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// How long a person has to decide.
    pub deadline: Period,
    /// The approver.
    pub approver: Approver,
    /// When to remind of an operation that waits for a decision.
    remind: Reminders,
    /// When and to whom to escalate such an operation.
    escalate: Option<EscalateTo>,
    /// The people and groups who decide; everybody who is listed if left out.
    approvers: Option<Vec<Name>>,
    /// The interfaces whose operations this server runs.
    pub run_for: Vec<Interface>,
}

/// The interface through which an operation was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interface {
    /// Placet's own interface: its API, its pages, its webhook sources.
    Placet,
    /// HumanLayer's API, whose clients run approved operations themselves.
    HumanLayer,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            deadline: Period::seconds(24 * 60 * 60),
            approver: Approver::Inbox,
            remind: Reminders::default(),
            escalate: None,
            approvers: None,
            run_for: vec![Interface::Placet],
        }
    }
}

/// The configuration of one operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The executor; `None` if the requester acts on the decision itself.
    pub executor: Option<Executor>,
    /// Whether two runs under one idempotency key have the effect of one.
    #[serde(default)]
    pub idempotent: bool,
    /// How long a person has to decide.
    pub deadline: Option<Period>,
    /// How many attempts that may have run the operation may have.
    #[serde(default)]
    pub max_attempts: Attempts,
    /// How long attempts that are known not to have run are retried.
    #[serde(default)]
    pub retry: Retry,
    /// The approver, if not that of the defaults.
    pub approver: Option<Approver>,
    /// When to remind of it, if not as in the defaults. An empty list reminds of nothing.
    remind: Option<Reminders>,
    /// When and to whom to escalate it, if not as in the defaults.
    escalate: Option<EscalateTo>,
    /// The people and groups who decide, if not those of the project.
    approvers: Option<Vec<Name>>,
    /// The interfaces whose operations the executor runs, if not those of the defaults.
    run_for: Option<Vec<Interface>>,
}

/// The webhook source at the path of a request.
#[derive(Clone, Copy, Debug)]
pub struct SourceAt<'c, 'r> {
    /// The position of the source among all sources.
    pub position: usize,
    /// The name of the source.
    pub name: &'c str,
    /// The source.
    pub source: &'c Source,
    /// The part of the path after the path of the source.
    pub rest: &'r str,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or its content is invalid.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = problem::read(path)?;
        Self::parse(&text)
            .map_err(|cause| ConfigError::Invalid { path: path.display().to_string(), cause })
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// The error, with line and column.
    pub fn parse(text: &str) -> Result<Self, String> {
        problem::refuse_empty(text)?;
        // Show no excerpt of the file: a person may have written a secret in place of its variable. A name such as
        // y or no is a text, not a boolean.
        let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
        let mut config: Self = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| problem::of_yaml(text, &error))?;
        for (name, written) in std::mem::take(&mut config.written) {
            let source = Source::expand(name.as_str(), written).map_err(|error| {
                let place = ["sources".to_owned(), name.as_str().to_owned()];
                locate::at(text, &[&place[..], &error.path].concat(), error.problem)
            })?;
            config.sources.insert(name, source);
        }
        config.check_projects(text)?;
        config.read_people(text)?;
        config.check_sign_in(text)?;
        config.check_executors(text)?;
        config.read_channels(text)?;
        config.check_paths(text)?;
        config.check_endpoints(text)?;
        config.check_follow_ups(text)?;
        config.read_mail(text)?;
        config.check_upstreams(text)?;
        config.check_deciding_sources(text)?;
        config.check_targets(text)?;
        config.allow_local_executors();
        Ok(config)
    }

    /// Refuses a project that is named twice.
    fn check_projects(&self, text: &str) -> Result<(), String> {
        for (index, name) in self.further.iter().map(|project| &project.name).enumerate() {
            if self.projects().position(|known| known == name.as_str()) != Some(index + 1) {
                let place = ["projects".to_owned(), index.to_string()];
                let wrong = format!("{} is named twice: name it once", name.as_str());
                return Err(locate::at(text, &place, wrong));
            }
        }
        Ok(())
    }

    /// Refuses a target that forwards to an unknown endpoint. The endpoint must belong to the main project,
    /// as received webhooks do.
    fn check_targets(&self, text: &str) -> Result<(), String> {
        for (name, source) in self.sources() {
            for (index, target) in source.targets.iter().enumerate() {
                if let Action::Forward { endpoint } = &target.action
                    && self.endpoint(self.project.as_str(), endpoint.as_str()).is_none()
                {
                    let index = index.to_string();
                    let place = ["sources", name, "targets", index.as_str()].map(str::to_owned);
                    let wrong = format!(
                        "there is no endpoint {} in project {}: add it to endpoints",
                        endpoint.as_str(),
                        self.project.as_str()
                    );
                    return Err(locate::at(text, &place, wrong));
                }
            }
        }
        Ok(())
    }

    /// Refuses a path that two sources claim.
    fn check_paths(&self, text: &str) -> Result<(), String> {
        let mut claimed: BTreeMap<String, &str> =
            self.sources().map(|(name, _)| (format!("/webhooks/{name}"), name)).collect();
        for (name, source) in self.sources() {
            for path in source.paths.iter().map(RoutePath::as_str) {
                if let Some(other) = claimed.insert(path.to_owned(), name) {
                    let place = ["sources", name, "paths"].map(str::to_owned);
                    let wrong =
                        format!("the source {other} has the path {path}, too: name another");
                    return Err(locate::at(text, &place, wrong));
                }
            }
        }
        Ok(())
    }

    /// All projects, the main one first.
    pub fn projects(&self) -> impl Iterator<Item = &str> {
        let further = self.further.iter().map(|project| &project.name);
        std::iter::once(&self.project).chain(further).map(Name::as_str)
    }

    /// The path and query of the inbox page of an operation.
    pub fn inbox_address(&self, id: &OperationId) -> String {
        id.inbox_address(self.project.as_str())
    }

    /// The configuration of the operation with this function name.
    pub fn operation(&self, function: &str) -> Option<&Definition> {
        self.operations.get(function)
    }

    /// All operations by function name.
    pub fn operations(&self) -> impl Iterator<Item = (&String, &Definition)> {
        self.operations.iter()
    }

    /// The features of this configuration that use the queue `calls`, because they call external servers.
    pub fn users_of_calls(&self) -> Vec<&'static str> {
        let executors = self.operations.values().any(|definition| definition.executor.is_some());
        let users = [
            ("executors", executors),
            ("endpoints", self.endpoints().next().is_some()),
            ("upstream approvers", self.upstreams().next().is_some()),
            ("mail", self.mail.is_some()),
        ];
        users.into_iter().filter(|(_, used)| *used).map(|(name, _)| name).collect()
    }

    /// The environment variables that this configuration refers to.
    pub fn variables(&self) -> BTreeSet<&str> {
        let executors = self.operations.values().filter_map(|definition| {
            let Some(Executor::Http(http)) = &definition.executor else { return None };
            http.secret.as_ref()
        });
        let sources = self.sources.values();
        let references = executors
            .chain(self.endpoints.values().flat_map(|endpoint| endpoint.secrets.iter()))
            .chain(self.upstreams().map(|(_, upstream)| &upstream.api_key))
            .chain(self.sign_in.oidc.iter().filter_map(|oidc| oidc.client_secret.as_ref()))
            .chain(self.mail.iter().filter_map(Mail::secret))
            .chain(
                sources
                    .clone()
                    .flat_map(|source| source.secrets.iter().chain([&source.verify_token])),
            );
        let origins = sources.filter_map(|source| source.public_url.variable());
        references.map(|reference| reference.variable.as_str()).chain(origins).collect()
    }

    /// The plan to run an operation of this function; `None` if it has no executor.
    pub fn plan(&self, function: &str) -> Option<Plan> {
        let definition = self.operations.get(function)?;
        let executor = definition.executor.as_ref()?;
        Some(Plan {
            executor: executor.describe(),
            idempotent: definition.idempotent,
            max_attempts: definition.max_attempts.0,
            retry_for: definition.retry.time.0.0,
            timeout: executor.timeout().0,
        })
    }

    /// The plan to run an operation that was requested through this interface; `None` also if the requester
    /// runs such operations itself.
    pub fn plan_for(&self, function: &str, interface: Interface) -> Option<Plan> {
        self.run_for(function).contains(&interface).then(|| self.plan(function))?
    }

    /// The interfaces whose operations of this function the executor runs, if the function has one.
    pub fn run_for(&self, function: &str) -> &[Interface] {
        let own = self.operations.get(function).and_then(|definition| definition.run_for.as_ref());
        own.unwrap_or(&self.defaults.run_for)
    }

    /// How long a person has to decide on a call of this function, or to answer a question.
    pub fn time_to_decide(&self, function: Option<&str>) -> Period {
        let definition = function.and_then(|function| self.operations.get(function));
        let own = definition.and_then(|definition| definition.deadline);
        own.unwrap_or(self.defaults.deadline)
    }

    /// The webhook source at this path. A trailing slash does not matter.
    pub fn source_at<'a>(&self, path: &'a str) -> Option<SourceAt<'_, 'a>> {
        let plain = path.strip_suffix('/').unwrap_or(path);
        let own = |source: &Source| source.paths.iter().any(|known| known.as_str() == plain);
        let below = |name: &str, source: &Source| {
            let rest = path.strip_prefix("/webhooks/")?.strip_prefix(name)?;
            let below = rest.starts_with('/') && source.scheme.reads_path();
            match rest {
                "" | "/" => Some(""),
                rest => below.then_some(rest),
            }
        };
        let sources = || self.sources().enumerate();
        let found = sources().find(|(_, (_, source))| own(source));
        let found = found
            .map(|found| (found, ""))
            .or_else(|| sources().find_map(|found| Some((found, below(found.1.0, found.1.1)?))));
        found.map(|((position, (name, source)), rest)| SourceAt { position, name, source, rest })
    }

    /// The webhook source with this name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources().find(|(known, _)| *known == name).map(|(_, source)| source)
    }

    /// All webhook sources by name.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.sources.iter().map(|(name, source)| (name.as_str(), source))
    }
}

#[cfg(test)]
mod tests;

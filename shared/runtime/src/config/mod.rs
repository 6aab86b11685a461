//! `placet.yaml`: the project, its operations and its webhook sources.
//!
//! Unknown keys and impossible values are errors with line and column. Secrets are never in the
//! file, only the names of the environment variables that hold them.

mod values;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use placet_core::Plan;
use serde::Deserialize;
pub use values::{Attempts, EndpointUrl, Name, Period, RoutePath, SecretError, SecretRef, Timeout};

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The tenant of the local key, the demo and the webhook sources.
    pub project: Name,
    /// What holds where an operation says nothing else.
    #[serde(default)]
    pub defaults: Defaults,
    /// What runs once a person has agreed, by function name.
    #[serde(default)]
    operations: BTreeMap<String, Definition>,
    /// Who may send webhooks, by name.
    #[serde(default)]
    sources: BTreeMap<Name, Source>,
}

/// What holds where an operation says nothing else.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// How long a person has to decide.
    pub deadline: Period,
    /// How long a sign of life may be missing before the timer drives an operation again.
    pub redrive: Period,
}

impl Default for Defaults {
    fn default() -> Self {
        let hours = |hours: u64| Period(Duration::from_secs(hours * 60 * 60));
        Self { deadline: hours(24), redrive: Period(Duration::from_secs(120)) }
    }
}

/// One operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What runs it; nothing if the asker acts on the answer itself.
    pub executor: Option<Executor>,
    /// Whether two runs under one idempotency key have the effect of one.
    #[serde(default)]
    pub idempotent: bool,
    /// How long a person has to decide.
    pub deadline: Option<Period>,
    /// How often it may be tried.
    #[serde(default)]
    pub max_attempts: Attempts,
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
    pub url: EndpointUrl,
    /// How long an answer may take, at most 25 s.
    #[serde(default)]
    pub timeout: Timeout,
    /// The key its requests are signed with.
    pub secret: Option<SecretRef>,
}

/// A webhook source.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// How its deliveries are signed.
    pub preset: Preset,
    /// The key they are signed with.
    pub secret: SecretRef,
    /// Where they come in, besides `/webhooks/<name>`.
    #[serde(default)]
    pub paths: Vec<RoutePath>,
    /// What they do.
    pub target: Target,
}

/// A signature scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Svix and Standard Webhooks.
    Svix,
}

/// What a source's deliveries do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A completed function call decides the operation with its `call_id`.
    Decide,
}

/// Why the configuration can not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can not be read.
    #[error("{path} can not be read: {cause}")]
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
    /// If it can not be read, or what in it is wrong and where.
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
        let config: Self = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| error.to_string())?;
        config.check_paths()?;
        Ok(config)
    }

    fn check_paths(&self) -> Result<(), String> {
        let own = self.sources().flat_map(|(_, source)| source.paths.iter().map(RoutePath::as_str));
        let mut paths: Vec<&str> = own.collect();
        paths.sort_unstable();
        match paths.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("sources: two sources claim the path {}", pair[0])),
            None => Ok(()),
        }
    }

    /// The operation of this function name.
    pub fn operation(&self, function: &str) -> Option<&Definition> {
        self.operations.get(function)
    }

    /// All operations by function name.
    pub fn operations(&self) -> impl Iterator<Item = (&String, &Definition)> {
        self.operations.iter()
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
            redrive: self.defaults.redrive.0,
        })
    }

    /// How long a person has to decide on this function.
    pub fn time_to_decide(&self, function: &str) -> Duration {
        let own = self.operations.get(function).and_then(|definition| definition.deadline);
        own.unwrap_or(self.defaults.deadline).0
    }

    /// The source that takes deliveries at this path, and its name.
    pub fn source_at(&self, path: &str) -> Option<(&str, &Source)> {
        let named = path.strip_prefix("/webhooks/");
        let mut sources = self.sources.iter().map(|(name, source)| (name.as_str(), source));
        sources.find(|(name, source)| {
            named == Some(name) || source.paths.iter().any(|own| own.as_str() == path)
        })
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

    /// How long one attempt may take.
    pub fn timeout(&self) -> Duration {
        match self {
            Self::Function(_) => Timeout::default().0,
            Self::Http(http) => http.timeout.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../../../placet.yaml");

    #[test]
    fn the_shipped_file_says_what_the_readme_says() {
        let config = Config::parse(SHIPPED).unwrap();
        assert_eq!(config.project.as_str(), "default");
        let plan = config.plan("purchase_materials").unwrap();
        assert_eq!(plan.executor, "function purchase_materials");
        assert!(plan.idempotent);
        assert_eq!(config.time_to_decide("purchase_materials"), Duration::from_secs(86_400));
        assert_eq!(config.plan("anything_else"), None);
        let (name, source) = config.source_at("/webhook/inbound").unwrap();
        assert_eq!(
            (name, source.secret.variable.as_str()),
            ("humanlayer", "PLACET_SECRET_HUMANLAYER")
        );
        assert!(config.source_at("/webhooks/humanlayer").is_some());
        assert!(config.source_at("/webhooks/other").is_none());
    }

    #[test]
    fn what_is_wrong_is_named_with_line_and_column() {
        let cases = [
            ("project: a b", "is not a name"),
            ("project: x\ncolour: red", "colour"),
            ("project: x\ndefaults: {deadline: soon}", "is not a length of time"),
            ("project: x\ndefaults: {deadline: 0s}", "is not a length of time"),
            (
                "project: x\noperations:\n  f: {executor: {http: {url: http://example.com/}}}",
                "must be https://",
            ),
            (
                "project: x\noperations:\n  f: {executor: {http: {url: 'http://127.0.0.1/', timeout: 26s}}}",
                "at most 25s",
            ),
            ("project: x\noperations:\n  f: {executor: {shell: rm}}", "shell"),
            (
                "project: x\nsources:\n  s: {preset: svix, secret: env:S, paths: [hook], target: decide}",
                "start with /",
            ),
            ("project: x\noperations:\n  f: {max_attempts: 0}", "1 to 20"),
            ("project: x\noperations:\n  f: {max_attempts: 21}", "1 to 20"),
            (
                "project: x\nsources:\n  s: {preset: svix, secret: whsec_AAAA, target: decide}",
                "env:NAME",
            ),
        ];
        for (text, part) in cases {
            let error = Config::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
            assert!(error.contains("line"), "{text}: {error}");
            assert!(!error.contains("whsec_AAAA"), "{error}");
        }
    }

    #[test]
    fn an_http_executor_is_described_by_its_address() {
        let text = "project: x\noperations:\n  pay:\n    executor: {http: {url: 'https://pay.example/run', timeout: 5s, secret: env:PAY}}\n    max_attempts: 3";
        let plan = Config::parse(text).unwrap().plan("pay").unwrap();
        assert_eq!(plan.executor, "POST https://pay.example/run");
        assert!(!plan.idempotent);
        assert_eq!((plan.max_attempts, plan.timeout), (3, Duration::from_secs(5)));
    }
}

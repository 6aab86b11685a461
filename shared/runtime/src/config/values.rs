//! Values of `placet.yaml` that are validated on their own.

use std::time::Duration;

use placet_core::{Period, Secret, webhook};
use serde::Deserialize;

use crate::Environment;

/// The longest timeout of an attempt. The Lambda timeout of the worker is 30 s.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(25);

/// The longest time for retries.
const LONGEST_RETRIES: Duration = Duration::from_secs(72 * 60 * 60);

/// A name that is valid in a key and in a path: 1 to 64 letters, digits, `-`, `_` and `.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Name {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(format!("{text:?} is not a name: 1 to 64 letters, digits, - _ ."))
        }
    }
}

/// The timeout of an attempt: at most 25 s, and 20 s by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Period")]
pub struct Timeout(pub Period);

impl Default for Timeout {
    fn default() -> Self {
        Self(Period::seconds(20))
    }
}

impl TryFrom<Period> for Timeout {
    type Error = String;

    fn try_from(period: Period) -> Result<Self, Self::Error> {
        if period.0 > LONGEST_TIMEOUT {
            return Err("a timeout is at most 25s: Lambda stops the worker after 30s".to_owned());
        }
        Ok(Self(period))
    }
}

/// How many attempts an operation may have: 1 to 20, because the history stores each attempt. The default is
/// 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Attempts(pub u32);

impl Default for Attempts {
    fn default() -> Self {
        Self(5)
    }
}

impl TryFrom<u32> for Attempts {
    type Error = String;

    fn try_from(attempts: u32) -> Result<Self, Self::Error> {
        match attempts {
            1..=20 => Ok(Self(attempts)),
            _ => Err("max_attempts must be 1 to 20".to_owned()),
        }
    }
}

/// How long attempts that are known not to have run are retried, from the first attempt on.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// The time.
    #[serde(rename = "for", default)]
    pub time: RetryTime,
}

/// The time for retries: at most 72 hours, because the history stores each attempt. The default is 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Period")]
pub struct RetryTime(pub Period);

impl Default for RetryTime {
    fn default() -> Self {
        Self(Period::seconds(24 * 60 * 60))
    }
}

impl TryFrom<Period> for RetryTime {
    type Error = String;

    fn try_from(period: Period) -> Result<Self, Self::Error> {
        if period.0 > LONGEST_RETRIES {
            return Err("retry.for is at most 72h: the history stores each attempt".to_owned());
        }
        Ok(Self(period))
    }
}

/// A path that receives webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RoutePath(String);

/// The first segments of Placet's own addresses.
const OWN: [&str; 15] = [
    "",
    "api",
    "d",
    "healthz",
    "humanlayer",
    "inbox",
    "mail",
    "openapi.json",
    "purchase-materials",
    "purchases",
    "sign-in",
    "sign-out",
    "slack",
    "thread",
    "v1",
];

impl RoutePath {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RoutePath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if !text.starts_with('/') || text.contains(['?', '#', ' ']) {
            return Err(format!(
                "{text:?} is not a path: it must start with / and contain no ?, # or space"
            ));
        }
        let first = text.split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
        if OWN.contains(&first) {
            return Err(format!(
                "{text:?} is an address of Placet itself: write another path, such as /hooks/orders"
            ));
        }
        Ok(Self(text.strip_suffix('/').unwrap_or(&text).to_owned()))
    }
}

/// A reference to a secret: `env:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SecretRef {
    /// The environment variable with the secret.
    pub variable: String,
}

impl TryFrom<String> for SecretRef {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.strip_prefix("env:") {
            Some(variable) if !variable.is_empty() => Ok(Self { variable: variable.to_owned() }),
            _ => {
                Err("write a reference to the secret, env:NAME: the secret itself must not be in this file"
                    .to_owned())
            }
        }
    }
}

/// Why a secret cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error("{0} is not set")]
    Missing(String),
    /// The variable of a key that signs is not set.
    #[error("{0} is not set. Make one for both sides: echo whsec_$(openssl rand -base64 32)")]
    MissingKey(String),
    /// The value does not have the form or the length of a secret.
    #[error("{0} cannot be used: {1}")]
    Format(String, webhook::KeyError),
}

impl SecretRef {
    /// The Standard Webhooks key this refers to.
    ///
    /// # Errors
    ///
    /// If the variable is not set, or its value is not `whsec_` followed by base64 of 24 to 64 bytes.
    pub fn resolve(&self, environment: &Environment) -> Result<Secret, SecretError> {
        let unset = |_| SecretError::MissingKey(self.variable.clone());
        webhook::parse_secret(&self.text(environment).map_err(unset)?)
            .map_err(|wrong| SecretError::Format(self.variable.clone(), wrong))
    }

    /// The value of the secret, for a secret without a fixed form.
    ///
    /// # Errors
    ///
    /// If the variable is not set.
    pub fn text(&self, environment: &Environment) -> Result<String, SecretError> {
        let missing = || SecretError::Missing(self.variable.clone());
        environment.get(&self.variable).ok_or_else(missing)
    }
}

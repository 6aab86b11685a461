//! A webhook source: a preset with changes, or a scheme of its own, with its secrets and targets.

use std::ops::Deref;
use std::sync::OnceLock;

use placet_core::routing::{Comparison, Filter, Mapping};
use placet_core::webhook::{OpenError, Scheme, Verifier, merged, presets};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Name, RoutePath, SecretRef};
use crate::Environment;

/// Where webhooks are reached if a source says nothing else.
const PUBLIC_URL: &str = "env:PLACET_WEBHOOK_URL";

/// A webhook source.
#[derive(Clone, Debug)]
pub struct Source {
    /// The preset it is made from.
    pub preset: Option<String>,
    /// How its deliveries are signed, and all else about how they come in.
    pub scheme: LazyScheme,
    /// The secrets they are signed with: several while one is replaced by another.
    pub secrets: Vec<SecretRef>,
    /// What a sender shows to prove who sets the address up.
    pub verify_token: SecretRef,
    /// The origin its sender knows, for schemes that sign it.
    pub public_url: PublicUrl,
    /// Where they come in, besides `/webhooks/<name>`.
    pub paths: Vec<RoutePath>,
    /// What they do.
    pub targets: Vec<Target>,
    settings: Map<String, Value>,
    changes: Value,
}

/// A scheme. That of a preset without changes holds nothing that could be wrong, and is made when it
/// is first used: of the sources in a file most are closed.
#[derive(Clone, Debug)]
pub struct LazyScheme {
    preset: Option<String>,
    made: OnceLock<Scheme>,
}

impl LazyScheme {
    fn made(scheme: Scheme) -> Self {
        Self { preset: None, made: OnceLock::from(scheme) }
    }

    fn of(preset: &str) -> Self {
        Self { preset: Some(preset.to_owned()), made: OnceLock::new() }
    }

    /// Whether it can hold only with a secret of ours, as every preset does.
    fn needs_secret(&self) -> bool {
        self.preset.is_some() || self.made.get().is_some_and(Scheme::needs_secret)
    }
}

impl Deref for LazyScheme {
    type Target = Scheme;

    fn deref(&self) -> &Scheme {
        let preset = || self.preset.as_deref().and_then(presets::preset);
        self.made.get_or_init(|| {
            preset().and_then(|preset| serde_json::from_value(preset).ok()).unwrap_or_default()
        })
    }
}

/// What `placet.yaml` says about a source besides its scheme.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    preset: Option<String>,
    secret: Option<SecretRef>,
    secrets: SecretRefs,
    verify_token: Option<SecretRef>,
    public_url: Option<PublicUrl>,
    paths: Vec<RoutePath>,
    targets: Option<Vec<Target>>,
}

const SETTINGS: [&str; 7] =
    ["preset", "secret", "secrets", "verify_token", "public_url", "paths", "targets"];

/// One reference, or several.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Value")]
struct SecretRefs(Vec<SecretRef>);

impl TryFrom<Value> for SecretRefs {
    type Error = String;

    fn try_from(written: Value) -> Result<Self, Self::Error> {
        let texts = match written {
            Value::Array(several) => several,
            one => vec![one],
        };
        let read = |text: Value| SecretRef::try_from(text.as_str().unwrap_or_default().to_owned());
        texts.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}

/// An origin, or the environment variable that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl(String);

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let url = text.starts_with("https://") || text.starts_with("http://");
        match url || text.strip_prefix("env:").is_some_and(|name| !name.is_empty()) {
            true => Ok(Self(text)),
            false => {
                Err(format!("{text:?} is not where senders reach us: write https://… or env:NAME"))
            }
        }
    }
}

impl PublicUrl {
    /// The origin; `None` if its variable is not set.
    pub fn resolve(&self, environment: &Environment) -> Option<String> {
        match self.0.strip_prefix("env:") {
            Some(variable) => environment.get(variable),
            None => Some(self.0.clone()),
        }
    }
}

/// What some of a source's events do.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Target {
    /// Which events.
    pub filter: Filter,
    /// What they do.
    pub action: Action,
}

/// What an event does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Nothing more: it is kept, and said in the log.
    Log,
    /// A completed function call decides the operation with its `call_id`.
    Decide,
    /// A person is asked.
    Operation(RequestApproval),
    /// It is sent on, signed, to an endpoint of `endpoints:`.
    Forward {
        /// Its name.
        endpoint: Name,
    },
}

/// The approval an event asks for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestApproval {
    /// The function.
    #[serde(rename = "fn")]
    pub function: String,
    /// Its arguments.
    #[serde(default)]
    pub kwargs: Mapping,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenTarget {
    log: Option<Empty>,
    decide: Option<Empty>,
    operation: Option<RequestApproval>,
    forward: Option<Forward>,
    types: Vec<String>,
    #[serde(rename = "where")]
    comparisons: Vec<Comparison>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forward {
    endpoint: Name,
}

impl TryFrom<Value> for Target {
    type Error = String;

    fn try_from(written: Value) -> Result<Self, Self::Error> {
        let wrong = || {
            "a target is log or decide, or one of log: {}, decide: {}, operation: {fn: …}, \
             forward: {endpoint: …}, each with types: […] and where: […] if it is for some events only"
                .to_owned()
        };
        let full: WrittenTarget = match written {
            Value::String(word) => {
                let action = match word.as_str() {
                    "log" => Action::Log,
                    "decide" => Action::Decide,
                    _ => return Err(wrong()),
                };
                return Ok(Self { filter: Filter::default(), action });
            }
            written => {
                serde_json::from_value(written).map_err(|error| format!("{error}; {}", wrong()))?
            }
        };
        let forward = full.forward.map(|to| Action::Forward { endpoint: to.endpoint });
        let actions = [
            full.log.map(|_| Action::Log),
            full.decide.map(|_| Action::Decide),
            full.operation.map(Action::Operation),
            forward,
        ];
        let mut actions = actions.into_iter().flatten();
        match (actions.next(), actions.next()) {
            (Some(action), None) => {
                let filter = Filter { types: full.types, comparisons: full.comparisons };
                Ok(Self { filter, action })
            }
            _ => Err(wrong()),
        }
    }
}

/// What is wrong with a source, and at which of its members.
#[derive(Debug)]
pub(super) struct SourceError {
    pub(super) path: Vec<String>,
    pub(super) problem: String,
}

impl Source {
    /// The source that this part of `placet.yaml` describes. One that names neither preset nor checks
    /// is of the preset of its own name; one that names no secret has it in `PLACET_SECRET_<NAME>`.
    pub(super) fn expand(name: &str, written: Value) -> Result<Self, SourceError> {
        let mut members = match written {
            Value::Object(members) => members,
            Value::Null => Map::new(),
            _ => {
                return Err(at(
                    &[],
                    "a source has members, as in {preset: github, secret: env:NAME}",
                ));
            }
        };
        if !members.contains_key("preset") && !members.contains_key("checks") {
            members.insert("preset".to_owned(), name.into());
        }
        let own: Map<String, Value> =
            SETTINGS.iter().filter_map(|name| members.remove_entry(*name)).collect();
        let settings: Settings = typed(Value::Object(own.clone()))?;
        let changes = Value::Object(members);
        let scheme = match &settings.preset {
            Some(name) if !presets::names().any(|known| known == name) => {
                return Err(at(&["preset"], &unknown_preset(name)));
            }
            Some(name) if changes == Value::Object(Map::new()) => LazyScheme::of(name),
            name => LazyScheme::made(changed(name.as_deref(), &changes)?),
        };
        let variable = format!("PLACET_SECRET_{}", name.to_uppercase().replace(['-', '.'], "_"));
        let mut secrets = settings.secrets.0;
        secrets.extend(settings.secret);
        if secrets.is_empty() {
            secrets.push(SecretRef { variable: variable.clone() });
        }
        let verify_token = SecretRef { variable: format!("{variable}_VERIFY_TOKEN") };
        let log = || vec![Target { filter: Filter::default(), action: Action::Log }];
        Ok(Self {
            preset: settings.preset,
            scheme,
            secrets,
            verify_token: settings.verify_token.unwrap_or(verify_token),
            public_url: settings.public_url.unwrap_or_else(|| PublicUrl(PUBLIC_URL.to_owned())),
            paths: settings.paths,
            targets: settings.targets.unwrap_or_else(log),
            settings: own,
            changes,
        })
    }

    /// All of it as it could be written without a preset.
    pub fn expanded(&self) -> Value {
        let preset = self.preset.as_deref().and_then(presets::preset);
        let scheme = merged(preset.unwrap_or_else(|| Value::Object(Map::new())), &self.changes);
        let mut all = self.settings.clone();
        all.remove("preset");
        all.extend(scheme.as_object().cloned().unwrap_or_default());
        Value::Object(all)
    }

    /// The source of this name, ready to verify.
    ///
    /// # Errors
    ///
    /// Why it is closed: a secret is not set, or not one.
    pub fn open(&self, name: &str, environment: &Environment) -> Result<Verifier, Closed> {
        let set = |reference: &SecretRef| environment.get(&reference.variable);
        let needed = self.scheme.needs_secret();
        // One of several may be gone already; without any, the source is closed.
        let secrets: Vec<String> = self.secrets.iter().filter_map(set).filter(|_| needed).collect();
        if let (true, true, Some(first)) = (needed, secrets.is_empty(), self.secrets.first()) {
            return Err(Closed::NotSet(first.variable.clone()));
        }
        let token = set(&self.verify_token);
        let tokens: Vec<String> = token.into_iter().collect();
        let public_url = self.public_url.resolve(environment);
        let scheme = (*self.scheme).clone();
        Ok(Verifier::open(name, scheme, &secrets, &tokens, public_url.as_deref())?)
    }
}

/// Why a source is closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// No secret is set.
    #[error("{0} is not set")]
    NotSet(String),
    /// What is set cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// A preset with changes, or a scheme that is wholly their own.
fn changed(preset: Option<&str>, changes: &Value) -> Result<Scheme, SourceError> {
    let scheme: Scheme = typed(match preset.and_then(presets::preset) {
        Some(preset) => merged(preset, changes),
        None => changes.clone(),
    })?;
    scheme.validate().map_err(|weakness| {
        let path: Vec<&str> = weakness.path.split('.').collect();
        at(&path, weakness.problem)
    })?;
    Ok(scheme)
}

fn unknown_preset(name: &str) -> String {
    let known: Vec<&str> = presets::names().collect();
    format!("there is no preset {name:?}; there are {}", known.join(", "))
}

fn typed<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, SourceError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().iter().filter_map(|segment| match segment {
            serde_path_to_error::Segment::Map { key } => Some(key.clone()),
            serde_path_to_error::Segment::Seq { index } => Some(index.to_string()),
            _ => None,
        });
        SourceError {
            path: path.collect(),
            problem: without_values(&error.into_inner().to_string()),
        }
    })
}

fn at(path: &[&str], problem: &str) -> SourceError {
    let path = path.iter().map(|name| (*name).to_owned()).collect();
    SourceError { path, problem: problem.to_owned() }
}

/// A message of serde without the value it is about: somebody may have put a secret where its name
/// belongs.
pub(super) fn without_values(message: &str) -> String {
    for kind in ["invalid type: string ", "invalid value: string "] {
        if let Some((before, after)) = message.split_once(kind)
            && let Some((_, after)) = after.rsplit_once("\", expected")
        {
            return format!("{before}{}a text, expected{after}", kind.replace("string ", ""));
        }
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_without_changes_holds_nothing_that_is_wrong() {
        for name in presets::names() {
            let scheme: Result<Scheme, _> = serde_json::from_value(presets::preset(name).unwrap());
            let right = |scheme: Scheme| scheme.validate().is_ok() && scheme.needs_secret();
            assert!(scheme.is_ok_and(right), "{name}");
        }
    }
}

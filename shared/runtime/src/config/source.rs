//! A webhook source: a preset with changes, or its own scheme; with its secrets and targets.

use std::ops::Deref;
use std::sync::OnceLock;

use placet_core::routing::Filter;
use placet_core::url;
use placet_core::webhook::{EqualContent, OpenError, Scheme, Verifier, merged, presets};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::problem::{closest, plain_beside};
use super::target::{Action, Target};
use super::{RoutePath, SecretError, SecretRef};
use crate::Environment;

/// The default of `public_url`.
const PUBLIC_URL: &str = "env:PLACET_WEBHOOK_URL";

/// Why `types` cannot be in front of a target with effects.
const UNSIGNED_TYPE: &str = "this sender does not sign the type of an event, so anyone who has seen a request \
     could send it again under another type: select events with where, which reads the signed body, or \
     accept this with accept_unsigned_type: true";

/// A webhook source.
#[derive(Clone, Debug)]
pub struct Source {
    /// The preset that the source starts from.
    pub preset: Option<String>,
    /// How its webhooks are signed, identified, limited and acknowledged.
    pub scheme: LazyScheme,
    /// The secrets that sign its webhooks. There are several while a secret is being replaced.
    pub secrets: Vec<SecretRef>,
    /// The token that a sender shows in its handshake, to prove who configured the URL.
    pub verify_token: SecretRef,
    /// The public origin of the webhook URL, for schemes that sign the URL.
    pub public_url: PublicUrl,
    /// The paths that receive its webhooks, besides `/webhooks/<name>`.
    pub paths: Vec<RoutePath>,
    /// The targets of its webhooks.
    pub targets: Vec<Target>,
    settings: Map<String, Value>,
    changes: Value,
}

/// A scheme. The scheme of an unchanged preset is always valid, so it is built when it is first used. Most
/// sources in a file are closed and never use theirs.
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

    /// Whether the scheme needs a secret, as that of every preset does.
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

/// The settings of a source in `placet.yaml`, without its scheme.
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

/// One secret reference, or a list of them.
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

/// An origin, or a reference to the environment variable with the origin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl(String);

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        url::refuse_user(&text)?;
        match url::is_origin(&text)
            || text.strip_prefix("env:").is_some_and(|name| !name.is_empty())
        {
            true => Ok(Self(text)),
            false => {
                let shown = url::shown(&text);
                Err(format!(
                    "{shown:?} is not an address: write it like https://hooks.example.com, or env:NAME"
                ))
            }
        }
    }
}

impl PublicUrl {
    /// The variable with the origin, if it is in one.
    pub(super) fn variable(&self) -> Option<&str> {
        self.0.strip_prefix("env:")
    }

    /// The origin; `None` if its variable is not set.
    pub fn resolve(&self, environment: &Environment) -> Option<String> {
        match self.variable() {
            Some(variable) => environment.get(variable),
            None => Some(self.0.clone()),
        }
    }

    /// Refuses an address that ends with a path of its source.
    fn refuse_own_path(&self, url: &str, name: &str, paths: &[RoutePath]) -> Result<(), OpenError> {
        let own = format!("/webhooks/{name}");
        let paths = paths.iter().map(RoutePath::as_str).chain([own.as_str()]);
        let url = url.trim_end_matches('/');
        let has_host =
            |origin: &&str| origin.split_once("://").is_some_and(|(_, host)| !host.is_empty());
        let mut ends = paths
            .filter(|path| !path.is_empty())
            .filter_map(|path| Some((path, url.strip_suffix(path).filter(has_host)?)));
        let Some((path, origin)) = ends.next() else { return Ok(()) };
        let place = self.variable().unwrap_or("it").to_owned();
        Err(OpenError::OwnPath { place, path: path.to_owned(), origin: url::shown(origin) })
    }
}

/// An error in a source, with the path of the wrong member.
#[derive(Debug)]
pub(super) struct SourceError {
    pub(super) path: Vec<String>,
    pub(super) problem: String,
}

impl Source {
    /// Builds a source from its part of `placet.yaml`. A source without `preset` and `checks` uses the preset
    /// of its own name. A source without secrets uses the variable `PLACET_SECRET_<NAME>`.
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
        let settings: Settings = typed(Value::Object(own.clone()), &[])?;
        let changes = Value::Object(members);
        let scheme = match &settings.preset {
            Some(name) if !presets::names().any(|known| known == name) => {
                return Err(at(&["preset"], &unknown_preset(name)));
            }
            Some(name) if changes == Value::Object(Map::new()) => LazyScheme::of(name),
            name => LazyScheme::made(changed(name.as_deref(), &changes)?),
        };
        if let Some(url) = settings.public_url.as_ref().filter(|url| url.variable().is_none()) {
            url.refuse_own_path(&url.0, name, &settings.paths)
                .map_err(|wrong| at(&["public_url"], &wrong.to_string()))?;
        }
        let variable = format!("PLACET_SECRET_{}", name.to_uppercase().replace(['-', '.'], "_"));
        let mut secrets = settings.secrets.0;
        secrets.extend(settings.secret);
        if secrets.is_empty() {
            secrets.push(SecretRef { variable: variable.clone() });
        }
        let verify_token = SecretRef { variable: format!("{variable}_VERIFY_TOKEN") };
        let log = || vec![Target { filter: Filter::default(), action: Action::Log }];
        let targets = settings.targets.unwrap_or_else(log);
        let selects = |target: &Target| target.has_effects() && !target.filter.types.is_empty();
        if let Some(position) = targets.iter().position(selects)
            && !scheme.accept_unsigned_type
            && scheme.leaves_type_unsigned()
        {
            let target = position.to_string();
            return Err(at(&["targets", &target, "types"], UNSIGNED_TYPE));
        }
        Ok(Self {
            preset: settings.preset,
            scheme,
            secrets,
            verify_token: settings.verify_token.unwrap_or(verify_token),
            public_url: settings.public_url.unwrap_or_else(|| PublicUrl(PUBLIC_URL.to_owned())),
            paths: settings.paths,
            targets,
            settings: own,
            changes,
        })
    }

    /// The whole source, as it could be written without a preset.
    pub fn expanded(&self) -> Value {
        let preset = self.preset.as_deref().and_then(presets::preset);
        let scheme = merged(preset.unwrap_or_else(|| Value::Object(Map::new())), &self.changes);
        let mut all = self.settings.clone();
        all.remove("preset");
        all.extend(scheme.as_object().cloned().unwrap_or_default());
        Value::Object(all)
    }

    /// Whether one of the targets is `decide`.
    pub fn decides(&self) -> bool {
        self.targets.iter().any(|target| matches!(target.action, Action::Decide))
    }

    /// What requests with the same signed content are. A target with effects must have them once.
    pub fn equal_content(&self) -> EqualContent {
        self.scheme.equal_content.unwrap_or(match self.targets.iter().any(Target::has_effects) {
            true => EqualContent::OneEvent,
            false => EqualContent::Separate,
        })
    }

    /// The verifier of this source. `name` is the name of the source.
    ///
    /// # Errors
    ///
    /// Why the source is closed: its secret is not set, or is invalid.
    pub fn open(&self, name: &str, environment: &Environment) -> Result<Verifier, Closed> {
        let set = |reference: &SecretRef| environment.get(&reference.variable);
        let needed = self.scheme.needs_secret();
        // While secrets are replaced, one of them may be unset. Without any secret, the source is closed.
        let set_secrets = self.secrets.iter().filter(|one| needed && set(one).is_some());
        let secrets: Vec<String> = set_secrets.clone().filter_map(set).collect();
        if let (true, true, Some(first)) = (needed, secrets.is_empty(), self.secrets.first()) {
            return Err(Closed::NotSet(first.variable.clone()));
        }
        let token = set(&self.verify_token);
        let tokens: Vec<String> = token.into_iter().collect();
        let public_url = self.public_url.resolve(environment);
        if let Some(url) = public_url.as_deref().filter(|_| self.scheme.signs_url()) {
            self.public_url.refuse_own_path(url, name, &self.paths).map_err(Closed::Open)?;
        }
        let mut scheme = (*self.scheme).clone();
        scheme.equal_content = Some(self.equal_content());
        Verifier::open(name, scheme, &secrets, &tokens, public_url.as_deref()).map_err(|error| {
            let variable = |reference: &SecretRef| reference.variable.clone();
            match error {
                OpenError::Secret { number, error } => {
                    let variable = set_secrets.clone().nth(number - 1).map(variable);
                    Closed::Secret(SecretError::Format(variable.unwrap_or_default(), error))
                }
                OpenError::VerifyToken(error) => {
                    Closed::Secret(SecretError::Format(variable(&self.verify_token), error))
                }
                other => Closed::Open(other),
            }
        })
    }
}

/// Why a webhook source is closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// No secret is set.
    #[error("{0} is not set")]
    NotSet(String),
    /// A secret cannot be used.
    #[error(transparent)]
    Secret(SecretError),
    /// The public URL cannot be used.
    #[error(transparent)]
    Open(OpenError),
}

/// The scheme of a preset with changes, or a scheme without a preset.
fn changed(preset: Option<&str>, changes: &Value) -> Result<Scheme, SourceError> {
    let scheme: Scheme = typed(
        match preset.and_then(presets::preset) {
            Some(preset) => merged(preset, changes),
            None => changes.clone(),
        },
        &SETTINGS,
    )?;
    scheme.validate().map_err(|weakness| {
        let path: Vec<&str> = weakness.path.split('.').collect();
        at(&path, weakness.problem)
    })?;
    Ok(scheme)
}

fn unknown_preset(name: &str) -> String {
    if let Some(similar) = closest(name, presets::names()) {
        return format!("there is no preset {name:?}: did you mean {similar}?");
    }
    let known: Vec<&str> = presets::names().collect();
    format!("there is no preset {name:?}: the presets are {}", known.join(", "))
}

/// Reads a value. An error names the keys that it knows, and these settings beside them.
fn typed<T: for<'de> Deserialize<'de>>(value: Value, settings: &[&str]) -> Result<T, SourceError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().iter().filter_map(|segment| match segment {
            serde_path_to_error::Segment::Map { key } => Some(key.clone()),
            serde_path_to_error::Segment::Seq { index } => Some(index.to_string()),
            _ => None,
        });
        let path: Vec<String> = path.collect();
        let beside = if path.len() <= 1 { settings } else { &[] };
        let problem = plain_beside(&error.into_inner().to_string(), beside);
        SourceError { path, problem }
    })
}

fn at(path: &[&str], problem: &str) -> SourceError {
    let path = path.iter().map(|name| (*name).to_owned()).collect();
    SourceError { path, problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_of_an_unchanged_preset_is_valid() {
        for name in presets::names() {
            let scheme: Result<Scheme, _> = serde_json::from_value(presets::preset(name).unwrap());
            let right = |scheme: Scheme| scheme.validate().is_ok() && scheme.needs_secret();
            assert!(scheme.is_ok_and(right), "{name}");
        }
    }
}

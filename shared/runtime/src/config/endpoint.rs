//! Where signed webhooks are sent, and which hosts may be called.

use std::net::IpAddr;

use lambda_http::http::Uri;
use placet_core::humanlayer::Subscription;
use placet_core::operation::{OperationId, OperationKind};
use placet_core::{Secret, address};
use serde::Deserialize;

use super::locate;
use super::{Config, Name, SecretError, SecretRef, Timeout};
use crate::Environment;

/// An endpoint that signed webhooks are sent to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Where to post to: `https://`, or `http://` to a host of `outbound.allow_hosts`.
    pub url: OutboundUrl,
    /// The keys each request is signed with, the newest first.
    pub secrets: SigningSecrets,
    /// Whose webhooks it is sent; those of the main project if not said.
    project: Option<Name>,
    /// How long an answer may take, at most 25 s.
    #[serde(default)]
    pub timeout: Timeout,
    /// What it is notified of, and in which format; besides what is forwarded to it.
    #[serde(default)]
    pub events: Events,
}

/// What an endpoint is notified of: at most one format for each kind of event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Subscription>")]
pub struct Events(Vec<Subscription>);

/// What may be called besides the public Internet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    /// Hosts that may be called over plain HTTP, and whatever their address is.
    #[serde(default)]
    allow_hosts: Vec<String>,
}

/// A URL that is called from here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct OutboundUrl {
    text: String,
    scheme: String,
    host: String,
}

/// The keys of an endpoint: one, or several while a receiver goes from one to the next.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<SecretRef>")]
pub struct SigningSecrets(Vec<SecretRef>);

impl OutboundUrl {
    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Refuses one that may not be called, as [`Outbound::permits`] does.
    pub(super) fn permitted(&self, outbound: &Outbound) -> Result<(), String> {
        outbound.permits(&self.scheme, &self.host)
    }
}

impl TryFrom<Vec<Subscription>> for Events {
    type Error = String;

    fn try_from(events: Vec<Subscription>) -> Result<Self, Self::Error> {
        for (index, event) in events.iter().enumerate() {
            if events[..index].iter().any(|before| before.kind == event.kind) {
                return Err(format!("{} is named twice: an endpoint gets it in one format", event));
            }
        }
        Ok(Self(events))
    }
}

impl Events {
    /// How it is notified of this kind.
    pub fn of(&self, kind: OperationKind) -> Option<Subscription> {
        self.0.iter().find(|event| event.kind == kind).copied()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Subscription> {
        self.0.iter().copied()
    }
}

impl TryFrom<String> for OutboundUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let uri: Uri = text.parse().map_err(|error| format!("{text:?} is not a URL: {error}"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err("a URL holds no user and password".to_owned());
        }
        match (uri.scheme_str(), uri.host()) {
            (Some(scheme @ ("https" | "http")), Some(host)) if !host.is_empty() => {
                let (scheme, host) = (scheme.to_owned(), host.to_ascii_lowercase());
                Ok(Self { text, scheme, host })
            }
            _ => Err(format!("{text:?} must start with https:// and name a host")),
        }
    }
}

impl TryFrom<Vec<SecretRef>> for SigningSecrets {
    type Error = String;

    fn try_from(secrets: Vec<SecretRef>) -> Result<Self, Self::Error> {
        match secrets.len() {
            1..=5 => Ok(Self(secrets)),
            _ => Err("an endpoint has one to five secrets: [env:NAME]".to_owned()),
        }
    }
}

impl SigningSecrets {
    /// Where they are.
    pub fn iter(&self) -> impl Iterator<Item = &SecretRef> {
        self.0.iter()
    }

    /// The keys.
    ///
    /// # Errors
    ///
    /// If one of them is not set, or not of its form: who signs with fewer than configured leaves a
    /// receiver behind.
    pub fn resolve(&self, environment: &Environment) -> Result<Vec<Secret>, SecretError> {
        self.0.iter().map(|secret| secret.resolve(environment)).collect()
    }
}

impl Outbound {
    /// These hosts may be called, too.
    #[must_use]
    pub fn and(mut self, hosts: impl IntoIterator<Item = String>) -> Self {
        self.allow_hosts.extend(hosts);
        self
    }

    /// Whether this host may be called whatever its address is.
    pub fn allows(&self, host: &str) -> bool {
        let bare = |host: &str| host.trim_matches(['[', ']']).to_ascii_lowercase();
        self.allow_hosts.iter().any(|allowed| bare(allowed) == bare(host))
    }

    /// Refuses what can be refused before a name is looked up: plain HTTP, and a private address.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, and the mend.
    pub fn permits(&self, scheme: &str, host: &str) -> Result<(), String> {
        if self.allows(host) {
            return Ok(());
        }
        let mend = format!("if you mean it, add {host} to outbound.allow_hosts");
        if scheme != "https" {
            return Err(format!("{scheme}://{host} is not encrypted; use https://, or {mend}"));
        }
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(literal) if !address::is_public(literal) => {
                Err(format!("{host} is not an address of the public Internet; {mend}"))
            }
            _ => Ok(()),
        }
    }
}

impl Config {
    /// The endpoint of this name, if it is this project's.
    pub fn endpoint(&self, project: &str, name: &str) -> Option<&Endpoint> {
        self.endpoints_of(project).find(|(known, _)| *known == name).map(|(_, endpoint)| endpoint)
    }

    /// The endpoints of a project by name.
    pub fn endpoints_of(&self, project: &str) -> impl Iterator<Item = (&str, &Endpoint)> {
        self.endpoints().filter(move |(_, endpoint)| self.owner(endpoint) == project)
    }

    /// All endpoints by name, whosever they are.
    pub fn endpoints(&self) -> impl Iterator<Item = (&str, &Endpoint)> {
        self.endpoints.iter().map(|(name, endpoint)| (name.as_str(), endpoint))
    }

    /// The endpoints that are notified of the decision on an operation, and in which format.
    pub fn notified<'a>(
        &'a self,
        id: &'a OperationId,
    ) -> impl Iterator<Item = (&'a str, &'a Endpoint, Subscription)> {
        let notified = |(name, endpoint): (&'a str, &'a Endpoint)| {
            Some((name, endpoint, endpoint.events.of(id.kind)?))
        };
        self.endpoints_of(&id.project).filter_map(notified)
    }

    /// The project an endpoint belongs to.
    pub fn owner<'a>(&'a self, endpoint: &'a Endpoint) -> &'a str {
        endpoint.project.as_ref().unwrap_or(&self.project).as_str()
    }

    /// No endpoint may be where nothing may be called, nor belong to nobody.
    pub(super) fn check_endpoints(&self, text: &str) -> Result<(), String> {
        self.endpoints().try_for_each(|(name, endpoint)| {
            let at = |member: &str, wrong: String| {
                let place = ["endpoints", name, member].map(str::to_owned);
                locate::at(text, &place, format!("{name}: {wrong}"))
            };
            let owner = self.owner(endpoint);
            if !self.projects().any(|known| known == owner) {
                let wrong = format!("there is no project {owner}; add it to projects");
                return Err(at("project", wrong));
            }
            endpoint.url.permitted(&self.outbound).map_err(|wrong| at("url", wrong))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, outbound: &str) -> Result<Config, String> {
        Config::parse(&format!(
            "project: x\nendpoints:\n  billing: {{url: '{url}', secrets: [env:NEW, env:OLD]}}\noutbound: {outbound}"
        ))
    }

    #[test]
    fn an_endpoint_is_found_by_its_name() {
        let config = parse("https://billing.example.com/hooks?a=1", "{}").unwrap();
        let endpoint = config.endpoint("x", "billing").unwrap();
        assert_eq!(endpoint.url.as_str(), "https://billing.example.com/hooks?a=1");
        assert_eq!(endpoint.timeout, Timeout::default());
        assert!(config.endpoint("x", "other").is_none());
        let values = [("NEW", "whsec_AAAA"), ("OLD", "whsec_BBBB")];
        let environment = |values: &[(&str, &str)]| -> Environment {
            values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(endpoint.secrets.resolve(&environment(&values)).unwrap().len(), 2);
        let missing = endpoint.secrets.resolve(&environment(&values[..1])).unwrap_err();
        assert!(missing.to_string().contains("OLD"), "{missing}");
    }

    #[test]
    fn an_endpoint_is_the_main_projects_or_that_of_the_one_it_names() {
        let endpoints = |of: &str| {
            Config::parse(&format!(
                "project: x\nprojects: [y]\nendpoints:\n  a: {{url: 'https://a.example', secrets: [env:S]}}\n  \
                 b: {{url: 'https://b.example', secrets: [env:S], project: {of}}}"
            ))
        };
        let config = endpoints("y").unwrap();
        let names =
            |project| config.endpoints_of(project).map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!((names("x"), names("y"), names("z")), (vec!["a"], vec!["b"], vec![]));
        assert!(config.endpoint("x", "b").is_none() && config.endpoint("y", "b").is_some());
        let error = endpoints("z").unwrap_err();
        assert!(error.contains("b: there is no project z"), "{error}");
        assert!(error.ends_with("line 5, column 51"), "{error}");
    }

    #[test]
    fn what_is_not_of_the_public_internet_must_be_allowed() {
        for url in [
            "http://billing.example.com/",
            "http://127.0.0.1:9000/",
            "https://127.0.0.1/",
            "https://10.0.0.8/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest",
        ] {
            let error = parse(url, "{}").unwrap_err();
            assert!(error.contains("billing") && error.contains("allow_hosts"), "{url}: {error}");
            assert!(error.ends_with("line 3, column 13"), "{url}: {error}");
        }
        assert!(parse("http://127.0.0.1:9000/", "{allow_hosts: [127.0.0.1]}").is_ok());
        assert!(parse("http://LocalHost:9000/", "{allow_hosts: [localhost]}").is_ok());
        assert!(parse("https://[::1]/", "{allow_hosts: ['::1']}").is_ok());
        assert!(parse("https://10.0.0.8/", "{allow_hosts: [10.0.0.9]}").is_err());
        assert!(parse("https://8.8.8.8/", "{}").is_ok());
    }

    #[test]
    fn what_is_wrong_is_named_with_line_and_column() {
        let with = |line: &str| Config::parse(&format!("project: x\nendpoints:\n  b: {line}"));
        for (line, part) in [
            ("{url: 'https://b.example'}", "secrets"),
            ("{url: 'https://b.example', secrets: []}", "one to five"),
            ("{url: 'https://b.example', secrets: [whsec_AAAA]}", "env:NAME"),
            ("{url: 'ftp://b.example', secrets: [env:S]}", "https://"),
            ("{url: '/hooks', secrets: [env:S]}", "https://"),
            ("{url: 'https://me:pass@b.example', secrets: [env:S]}", "no user"),
            ("{url: 'https://b.example', secrets: [env:S], timeout: 1m}", "at most 25s"),
            ("{url: 'https://b.example', secrets: [env:S], colour: red}", "colour"),
        ] {
            let error = with(line).unwrap_err();
            assert!(error.contains(part) && error.contains("line"), "{line}: {error}");
            assert!(!error.contains("whsec_AAAA") && !error.contains("pass@"), "{error}");
        }
    }
}

//! Where signed webhooks are sent, and which hosts may be called.

use std::net::IpAddr;

use lambda_http::http::Uri;
use placet_core::{Secret, address};
use serde::Deserialize;

use super::locate::locate;
use super::{Config, SecretError, SecretRef, Timeout};
use crate::Environment;

/// An endpoint that signed webhooks are sent to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Where to post to: `https://`, or `http://` to a host of `outbound.allow_hosts`.
    pub url: WebhookUrl,
    /// The keys each request is signed with, the newest first.
    pub secrets: SigningSecrets,
    /// How long an answer may take, at most 25 s.
    #[serde(default)]
    pub timeout: Timeout,
}

/// What may be called besides the public Internet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    /// Hosts that may be called over plain HTTP, and whatever their address is.
    #[serde(default)]
    allow_hosts: Vec<String>,
}

/// The URL of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct WebhookUrl {
    text: String,
    scheme: String,
    host: String,
}

/// The keys of an endpoint: one, or several while a receiver goes from one to the next.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<SecretRef>")]
pub struct SigningSecrets(Vec<SecretRef>);

impl WebhookUrl {
    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for WebhookUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let uri: Uri = text.parse().map_err(|error| format!("{text:?} is not a URL: {error}"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err("a URL holds no user and password: webhooks are signed".to_owned());
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
    /// The endpoint of this name.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints().find(|(known, _)| *known == name).map(|(_, endpoint)| endpoint)
    }

    /// All endpoints by name.
    pub fn endpoints(&self) -> impl Iterator<Item = (&str, &Endpoint)> {
        self.endpoints.iter().map(|(name, endpoint)| (name.as_str(), endpoint))
    }

    /// No endpoint may be where nothing may be called.
    pub(super) fn check_endpoints(&self, text: &str) -> Result<(), String> {
        self.endpoints().try_for_each(|(name, endpoint)| {
            let permitted = self.outbound.permits(&endpoint.url.scheme, &endpoint.url.host);
            permitted.map_err(|wrong| {
                let place = ["endpoints", name, "url"].map(str::to_owned);
                let (line, column) = locate(text, &place);
                format!("{name}: {wrong} at line {line}, column {column}")
            })
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
        let endpoint = config.endpoint("billing").unwrap();
        assert_eq!(endpoint.url.as_str(), "https://billing.example.com/hooks?a=1");
        assert_eq!(endpoint.timeout, Timeout::default());
        assert!(config.endpoint("other").is_none());
        let values = [("NEW", "whsec_AAAA"), ("OLD", "whsec_BBBB")];
        let environment = |values: &[(&str, &str)]| -> Environment {
            values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(endpoint.secrets.resolve(&environment(&values)).unwrap().len(), 2);
        let missing = endpoint.secrets.resolve(&environment(&values[..1])).unwrap_err();
        assert!(missing.to_string().contains("OLD"), "{missing}");
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

//! The endpoints of outgoing webhooks.

use lambda_http::http::Uri;
use placet_core::delivery::MAIL;
use placet_core::humanlayer::Subscription;
use placet_core::operation::{OperationId, OperationKind};
use placet_core::{Digest, Secret, url};
use serde::Deserialize;

use super::locate;
use super::outbound::is_odd_address;
use super::{Config, Name, Outbound, SecretError, SecretRef, Timeout};
use crate::Environment;

/// An endpoint that receives signed webhooks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The URL to post to: `https://`, or `http://` for a host in `outbound.allow_hosts`.
    pub url: OutboundUrl,
    /// The keys that sign each request, the newest first.
    pub secrets: SigningSecrets,
    /// The project of the endpoint; the main project by default.
    project: Option<Name>,
    /// The timeout of a request, at most 25 s.
    #[serde(default)]
    pub timeout: Timeout,
    /// The events that the endpoint is notified of, with their formats. Targets may forward other events to
    /// it.
    #[serde(default)]
    pub events: Events,
    /// Whether the events of an operation that waits for a decision have a decision link.
    #[serde(default)]
    pub links: bool,
}

/// The events that an endpoint is notified of: each in one format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Subscription>")]
pub struct Events(Vec<Subscription>);

/// A URL that Placet calls.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct OutboundUrl {
    text: String,
    scheme: String,
    host: String,
}

/// The signing keys of an endpoint. There are several while a key is being replaced.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<SecretRef>")]
pub struct SigningSecrets(Vec<SecretRef>);

impl OutboundUrl {
    /// The URL. It may hold a secret: do not show it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The URL without its query, which may hold a secret.
    pub fn shown(&self) -> String {
        url::shown(&self.text)
    }

    /// The URL with a digest in place of its query, so that an approval is bound to all of it.
    pub(super) fn described(&self) -> String {
        match self.text.split_once('?') {
            None => self.text.clone(),
            Some((_, query)) => {
                let digest = Digest::of_bytes(query.as_bytes()).to_string();
                format!("{}?sha256={}", self.shown(), &digest[..16])
            }
        }
    }

    /// The host, if it is this machine and the URL is not encrypted.
    pub(super) fn local_host(&self) -> Option<&str> {
        let host = self.host.as_str();
        Some(host).filter(|host| self.scheme == "http" && url::is_this_machine(host))
    }

    /// Refuses a name that always leads to this machine, unless it is allowed.
    pub(super) fn leads_away(&self, outbound: &Outbound) -> Result<(), String> {
        let host = self.host.as_str();
        let here = host == "localhost" || host.ends_with(".localhost");
        match here && !outbound.allows(host) {
            true => Err(Outbound::not_public(host)),
            false => Ok(()),
        }
    }

    /// Refuses a URL that may not be called: see [`Outbound::permits`].
    pub(super) fn permitted(&self, outbound: &Outbound) -> Result<(), String> {
        outbound.permits(&self.scheme, &self.host)
    }
}

impl TryFrom<Vec<Subscription>> for Events {
    type Error = String;

    fn try_from(events: Vec<Subscription>) -> Result<Self, Self::Error> {
        for (index, event) in events.iter().enumerate() {
            let same =
                |before: &Subscription| (before.kind, before.event) == (event.kind, event.event);
            if events[..index].iter().any(same) {
                return Err(format!(
                    "{} is named twice: an endpoint gets each event in one format",
                    event
                ));
            }
        }
        Ok(Self(events))
    }
}

impl Events {
    /// The subscriptions to this kind of operation.
    pub fn of(&self, kind: OperationKind) -> impl Iterator<Item = Subscription> {
        self.iter().filter(move |event| event.kind == kind)
    }

    /// All subscriptions.
    pub fn iter(&self) -> impl Iterator<Item = Subscription> {
        self.0.iter().copied()
    }
}

impl TryFrom<String> for OutboundUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        url::refuse_user(&text)?;
        let wrong =
            || format!("{:?} is not a URL: write https://, a host and a path", url::shown(&text));
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        match (uri.scheme_str(), uri.host()) {
            (Some(scheme @ ("https" | "http")), Some(host)) if !host.is_empty() => {
                let (scheme, host) = (scheme.to_owned(), host.to_ascii_lowercase());
                let authority = uri.authority().map_or("", |authority| authority.as_str());
                let after = authority.rsplit(']').next().unwrap_or_default();
                if after.contains(':') && uri.port_u16().is_none_or(|port| port == 0) {
                    return Err(format!("the port of {host} is not a number from 1 to 65535"));
                }
                if is_odd_address(&host) {
                    return Err(format!(
                        "write the address {host} as four numbers, like 192.0.2.7"
                    ));
                }
                Ok(Self { text, scheme, host })
            }
            _ => Err(wrong()),
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
    /// The references to the keys.
    pub fn iter(&self) -> impl Iterator<Item = &SecretRef> {
        self.0.iter()
    }

    /// The keys.
    ///
    /// # Errors
    ///
    /// If any key is not set or has the wrong form. Signing with fewer keys would break receivers that still
    /// verify with the missing key.
    pub fn resolve(&self, environment: &Environment) -> Result<Vec<Secret>, SecretError> {
        self.0.iter().map(|secret| secret.resolve(environment)).collect()
    }
}

impl Config {
    /// The endpoint with this name, if it belongs to this project.
    pub fn endpoint(&self, project: &str, name: &str) -> Option<&Endpoint> {
        self.endpoints_of(project).find(|(known, _)| *known == name).map(|(_, endpoint)| endpoint)
    }

    /// The endpoints of a project by name.
    pub fn endpoints_of(&self, project: &str) -> impl Iterator<Item = (&str, &Endpoint)> {
        self.endpoints().filter(move |(_, endpoint)| self.owner(endpoint) == project)
    }

    /// The endpoints of all projects by name.
    pub fn endpoints(&self) -> impl Iterator<Item = (&str, &Endpoint)> {
        self.endpoints.iter().map(|(name, endpoint)| (name.as_str(), endpoint))
    }

    /// The endpoints that are notified of the events of an operation, with each event and its format.
    pub fn notified<'a>(
        &'a self,
        id: &'a OperationId,
    ) -> impl Iterator<Item = (&'a str, Subscription)> {
        let notified = |(name, endpoint): (&'a str, &'a Endpoint)| {
            endpoint.events.of(id.kind).map(move |event| (name, event))
        };
        self.endpoints_of(&id.project).flat_map(notified)
    }

    /// The project of an endpoint.
    pub fn owner<'a>(&'a self, endpoint: &'a Endpoint) -> &'a str {
        endpoint.project.as_ref().unwrap_or(&self.project).as_str()
    }

    /// Refuses an endpoint whose URL may not be called, or whose project does not exist.
    pub(super) fn check_endpoints(&self, text: &str) -> Result<(), String> {
        self.endpoints().try_for_each(|(name, endpoint)| {
            let at = |member: &str, wrong: String| {
                let place = ["endpoints", name, member].map(str::to_owned);
                locate::at(text, &place, wrong)
            };
            if name == MAIL {
                let wrong =
                    format!("{MAIL} is the name of Placet's own mails: name it differently");
                return Err(locate::at(text, &["endpoints", name].map(str::to_owned), wrong));
            }
            let owner = self.owner(endpoint);
            if !self.projects().any(|known| known == owner) {
                let wrong = format!("there is no project {owner}: add it to projects");
                return Err(at("project", wrong));
            }
            endpoint.url.permitted(&self.outbound).map_err(|wrong| at("url", wrong))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

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
        let values = [("NEW", KEY), ("OLD", KEY)];
        let environment = |values: &[(&str, &str)]| -> Environment {
            values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(endpoint.secrets.resolve(&environment(&values)).unwrap().len(), 2);
        let missing = endpoint.secrets.resolve(&environment(&values[..1])).unwrap_err();
        assert!(missing.to_string().contains("OLD"), "{missing}");
    }

    #[test]
    fn an_endpoint_belongs_to_the_main_project_or_to_the_one_it_names() {
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
        assert!(error.starts_with("line 5, column 51: endpoints.b.project: "), "{error}");
        assert!(error.ends_with("there is no project z: add it to projects"), "{error}");
    }

    #[test]
    fn an_endpoint_lists_each_event_in_one_format() {
        let events = |events: &str| {
            let endpoint =
                format!("{{url: 'https://b.example', secrets: [env:S], events: [{events}]}}");
            Config::parse(&format!("project: x\nendpoints:\n  b: {endpoint}"))
        };
        let config = events(
            "function_call.completed, v1beta2.function_call.requested, v1beta3.human_contact.requested",
        );
        let config = config.unwrap();
        assert!(!config.endpoint("x", "b").unwrap().links);
        let notified = |id: &OperationId| -> Vec<String> {
            config.notified(id).map(|(name, event)| format!("{name} {event}")).collect()
        };
        let call = ["b function_call.completed", "b v1beta2.function_call.requested"];
        assert_eq!(notified(&OperationId::call("x", "1")), call);
        let question = OperationId::new("x", OperationKind::HumanContact, "1");
        assert_eq!(notified(&question), ["b v1beta3.human_contact.requested"]);
        let twice = "v1beta2.function_call.failed, v1beta3.function_call.failed";
        let error = events(twice).unwrap_err();
        assert!(error.contains("v1beta3.function_call.failed is named twice"), "{error}");
    }

    #[test]
    fn a_private_address_or_plain_http_must_be_allowed() {
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
            assert!(error.starts_with("line 3, column 13"), "{url}: {error}");
        }
        assert!(parse("http://127.0.0.1:9000/", "{allow_hosts: [127.0.0.1]}").is_ok());
        assert!(parse("http://LocalHost:9000/", "{allow_hosts: [localhost]}").is_ok());
        assert!(parse("https://[::1]/", "{allow_hosts: ['::1']}").is_ok());
        assert!(parse("https://10.0.0.8/", "{allow_hosts: [10.0.0.9]}").is_err());
        assert!(parse("https://8.8.8.8/", "{}").is_ok());
    }

    #[test]
    fn an_error_has_line_and_column() {
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

//! Approvers of operations.

use serde::Deserialize;

use super::locate;
use super::{Config, Name, OutboundUrl, SecretRef};

/// The approver of an operation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approver {
    /// The persons with access to the inbox of this server.
    #[default]
    Inbox,
    /// These persons, or an upstream approver: the first decision counts.
    Humanlayer(Upstream),
    /// These persons, or the persons of whose decisions this webhook source tells: the first decision counts.
    Webhook(Name),
}

/// An upstream approver: a server with HumanLayer's API, such as HumanLayer itself or another Placet.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// The base URL of its API, including `/humanlayer/v1`.
    base_url: OutboundUrl,
    /// The API key for that server.
    pub api_key: SecretRef,
    /// The webhook source that brings the decisions of that server sooner than a poll.
    webhook: Option<Name>,
}

impl Upstream {
    /// The base URL of its API, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.base_url.as_str().trim_end_matches('/').to_owned()
    }
}

impl Approver {
    fn upstream(&self) -> Option<&Upstream> {
        match self {
            Self::Inbox | Self::Webhook(_) => None,
            Self::Humanlayer(upstream) => Some(upstream),
        }
    }

    fn webhook(&self) -> Option<&Name> {
        match self {
            Self::Inbox => None,
            Self::Humanlayer(upstream) => upstream.webhook.as_ref(),
            Self::Webhook(source) => Some(source),
        }
    }
}

impl Config {
    /// The upstream approver for calls of this function, or for questions if `function` is `None`. Only the
    /// main project has upstream approvers: an API key of the upstream server belongs to one project there,
    /// so equal call ids of two projects here would be the same operation there.
    pub fn upstream(&self, project: &str, function: Option<&str>) -> Option<&Upstream> {
        self.approver(function).upstream().filter(|_| project == self.project.as_str())
    }

    /// The webhook source that may decide calls of this function, or questions if `function` is `None`. All
    /// sources belong to the main project.
    pub fn deciding_source(&self, project: &str, function: Option<&str>) -> Option<&str> {
        let source = self.approver(function).webhook().map(Name::as_str);
        source.filter(|_| project == self.project.as_str())
    }

    fn approver(&self, function: Option<&str>) -> &Approver {
        let definition = function.and_then(|function| self.operation(function));
        let own = definition.and_then(|definition| definition.approver.as_ref());
        own.unwrap_or(&self.defaults.approver)
    }

    /// All approvers with their functions. `None` in place of a function means the default approver.
    fn approvers(&self) -> impl Iterator<Item = (Option<&str>, &Approver)> {
        let own = self
            .operations()
            .filter_map(|(name, one)| Some((Some(name.as_str()), one.approver.as_ref()?)));
        std::iter::once((None, &self.defaults.approver)).chain(own)
    }

    /// Whether an approver names this webhook source.
    pub fn is_deciding_source(&self, name: &str) -> bool {
        self.approvers().filter_map(|(_, one)| one.webhook()).any(|known| known.as_str() == name)
    }

    /// The operations whose own approver is this webhook source.
    pub fn decided_by(&self, source: &str) -> impl Iterator<Item = &str> {
        let named = move |one: &Approver| one.webhook().is_some_and(|name| name.as_str() == source);
        self.approvers().filter(move |(_, one)| named(one)).filter_map(|(function, _)| function)
    }

    /// All upstream approvers with their functions. `None` in place of a function means the default approver,
    /// which decides all operations that name no other.
    pub fn upstreams(&self) -> impl Iterator<Item = (Option<&str>, &Upstream)> {
        self.approvers().filter_map(|(function, one)| Some((function, one.upstream()?)))
    }

    /// Refuses an upstream approver whose URL may not be called.
    pub(super) fn check_upstreams(&self, text: &str) -> Result<(), String> {
        self.upstreams().try_for_each(|(function, upstream)| {
            let url = &upstream.base_url;
            let permitted = match url.as_str().contains(['?', '#']) {
                true => Err("a base_url must contain no ? and no #".to_owned()),
                false => url.permitted(&self.outbound),
            };
            permitted.map_err(|wrong| {
                wrong_approver(text, function, &["humanlayer", "base_url"], &wrong)
            })
        })
    }

    /// Refuses an approver that names a source which cannot decide.
    pub(super) fn check_deciding_sources(&self, text: &str) -> Result<(), String> {
        self.approvers().try_for_each(|(function, approver)| {
            let Some(name) = approver.webhook() else { return Ok(()) };
            let wrong = match self.source(name.as_str()) {
                None => "there is no source of this name: add it to sources",
                Some(source) if source.decides() => return Ok(()),
                Some(_) => "this source decides nothing: add decide to its targets",
            };
            let member: &[&str] = match approver {
                Approver::Humanlayer(_) => &["humanlayer", "webhook"],
                _ => &["webhook"],
            };
            let wrong = format!("{}: {wrong}", name.as_str());
            Err(wrong_approver(text, function, member, &wrong))
        })
    }
}

/// The error for a member of an approver, with line and column.
fn wrong_approver(text: &str, function: Option<&str>, member: &[&str], wrong: &str) -> String {
    let owner: &[&str] = match &function {
        Some(name) => &["operations", name],
        None => &["defaults"],
    };
    let place = [owner, &["approver"], member].concat();
    let place: Vec<String> = place.iter().map(|name| (*name).to_owned()).collect();
    locate::at(text, &place, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://b.example/humanlayer/v1";

    fn parse(defaults: &str, own: &str, outbound: &str) -> Result<Config, String> {
        Config::parse(&format!(
            "project: x\nprojects: [y]\ndefaults: {{approver: {defaults}}}\n\
             operations:\n  f: {{approver: {own}}}\n  g: {{}}\noutbound: {outbound}"
        ))
    }

    fn asks(url: &str) -> String {
        format!("{{humanlayer: {{base_url: '{url}', api_key: env:B}}}}")
    }

    #[test]
    fn an_operation_has_its_own_upstream_approver_or_that_of_the_defaults() {
        let asked = |config: &Config, project: &str, function: Option<&str>| {
            config.upstream(project, function).map(Upstream::base_url)
        };
        let base = Some(BASE.to_owned());
        let config = parse(&asks(&format!("{BASE}/")), "inbox", "{}").unwrap();
        assert_eq!(asked(&config, "x", Some("f")), None);
        for function in [Some("g"), Some("not configured"), None] {
            assert_eq!(asked(&config, "x", function), base, "{function:?}");
            assert_eq!(asked(&config, "y", function), None, "{function:?}");
        }
        assert_eq!(config.upstreams().map(|(name, _)| name).collect::<Vec<_>>(), [None]);
        let config = parse("inbox", &asks(BASE), "{}").unwrap();
        assert_eq!((asked(&config, "x", Some("f")), asked(&config, "x", None)), (base, None));
        assert_eq!(config.upstreams().map(|(name, _)| name).collect::<Vec<_>>(), [Some("f")]);
    }

    #[test]
    fn a_url_that_may_not_be_called_is_an_error_with_line_and_column() {
        for (url, part) in [
            ("http://b.example/humanlayer/v1", "outbound.allow_hosts"),
            ("http://127.0.0.1:8000/humanlayer/v1", "outbound.allow_hosts"),
            ("https://10.0.0.8/humanlayer/v1", "outbound.allow_hosts"),
            ("https://b.example/humanlayer/v1?a=b", "no ?"),
            ("https://b.example/humanlayer/v1#a", "no ?"),
        ] {
            let error = parse(&asks(url), "inbox", "{}").unwrap_err();
            assert!(error.contains("defaults.approver") && error.contains(part), "{url}: {error}");
            assert!(error.starts_with("line 3, column 36"), "{url}: {error}");
            let error = parse("inbox", &asks(url), "{}").unwrap_err();
            assert!(error.contains("operations.f.") && error.contains(part), "{url}: {error}");
            assert!(error.starts_with("line 5, column 31"), "{url}: {error}");
        }
        let here = asks("http://127.0.0.1:8000/humanlayer/v1");
        assert!(parse(&here, "inbox", "{allow_hosts: [127.0.0.1]}").is_ok());
    }

    #[test]
    fn an_approver_names_a_source_that_decides() {
        let parse = |approver: &str, targets: &str| {
            Config::parse(&format!(
                "project: x\nprojects: [y]\noperations:\n  f: {{approver: {approver}}}\n\
                 sources: {{humanlayer: {{targets: [{targets}]}}}}"
            ))
        };
        let upstream =
            format!("{{humanlayer: {{base_url: '{BASE}', api_key: env:B, webhook: humanlayer}}}}");
        for approver in ["{webhook: humanlayer}", &upstream] {
            let config = parse(approver, "decide").unwrap();
            let source = |project, function| config.deciding_source(project, function);
            assert_eq!(source("x", Some("f")), Some("humanlayer"));
            assert_eq!((source("y", Some("f")), source("x", Some("g"))), (None, None));
            assert!(config.is_deciding_source("humanlayer"));
            let error = parse(approver, "log").unwrap_err();
            assert!(error.contains("operations.f.approver"), "{error}");
            assert!(error.contains("humanlayer: this source decides nothing"), "{error}");
            assert!(error.contains("line 4"), "{error}");
        }
        let error = parse("{webhook: github}", "decide").unwrap_err();
        assert!(error.contains("github: there is no source"), "{error}");
        let config = parse("inbox", "decide").unwrap();
        assert!(!config.is_deciding_source("humanlayer"));
        assert_eq!(config.deciding_source("x", Some("f")), None);
    }

    #[test]
    fn an_api_key_is_a_reference_and_not_in_the_url() {
        for (approver, part) in [
            ("{humanlayer: {base_url: 'https://b.example', api_key: hl-a-secret}}", "env:NAME"),
            (
                "{humanlayer: {base_url: 'https://me:hl-a-secret@b.example', api_key: env:B}}",
                "user",
            ),
            ("{humanlayer: {base_url: 'ftp://b.example', api_key: env:B}}", "https://"),
            ("{humanlayer: {base_url: 'https://b.example'}}", "api_key"),
            (
                "{humanlayer: {base_url: 'https://b.example', api_key: env:B, colour: red}}",
                "colour",
            ),
            ("nobody", "nobody"),
        ] {
            let error = parse(approver, "inbox", "{}").unwrap_err();
            assert!(error.contains(part) && error.contains("line 3"), "{approver}: {error}");
            assert!(!error.contains("hl-a-secret"), "{error}");
        }
    }
}

//! Who decides.

use serde::Deserialize;

use super::locate;
use super::{Config, OutboundUrl, SecretRef};

/// Who decides on an operation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approver {
    /// The persons who see our inbox.
    #[default]
    Inbox,
    /// They, or the persons behind a server that speaks HumanLayer's language.
    Humanlayer(Upstream),
}

/// A server that speaks HumanLayer's language: HumanLayer's, or another Placet.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Where its API is, with `/humanlayer/v1`.
    base_url: OutboundUrl,
    /// Our key there.
    pub api_key: SecretRef,
}

impl Upstream {
    /// Where its API is, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.base_url.as_str().trim_end_matches('/').to_owned()
    }
}

impl Approver {
    fn upstream(&self) -> Option<&Upstream> {
        match self {
            Self::Inbox => None,
            Self::Humanlayer(upstream) => Some(upstream),
        }
    }
}

impl Config {
    /// The server that is asked about calls of this function, or about questions; only for the main
    /// project, because all that is asked with one key is one project's there, and what two projects
    /// here ask under one id would be one call.
    pub fn upstream(&self, project: &str, function: Option<&str>) -> Option<&Upstream> {
        let definition = function.and_then(|function| self.operation(function));
        let own = definition.and_then(|definition| definition.approver.as_ref());
        let approver = own.unwrap_or(&self.defaults.approver);
        approver.upstream().filter(|_| project == self.project.as_str())
    }

    /// All servers that are asked, each with its function; without one it is asked about whatever
    /// names no other approver.
    pub fn upstreams(&self) -> impl Iterator<Item = (Option<&str>, &Upstream)> {
        let own = |(name, definition)| {
            let definition: &super::Definition = definition;
            Some((Some(String::as_str(name)), definition.approver.as_ref()?.upstream()?))
        };
        let default = self.defaults.approver.upstream().map(|upstream| (None, upstream));
        default.into_iter().chain(self.operations().filter_map(own))
    }

    /// No server may be asked that is where nothing may be called.
    pub(super) fn check_upstreams(&self, text: &str) -> Result<(), String> {
        self.upstreams().try_for_each(|(function, upstream)| {
            let url = &upstream.base_url;
            let permitted = match url.as_str().contains(['?', '#']) {
                true => Err("a base_url holds no ? and no #".to_owned()),
                false => url.permitted(&self.outbound),
            };
            permitted.map_err(|wrong| {
                let owner: &[&str] = match &function {
                    Some(name) => &["operations", name],
                    None => &["defaults"],
                };
                let member = [owner, &["approver", "humanlayer", "base_url"]].concat();
                let place: Vec<String> = member.iter().map(|name| (*name).to_owned()).collect();
                locate::at(text, &place, format!("{}: {wrong}", owner.join(".")))
            })
        })
    }
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
    fn an_operation_is_asked_where_it_says_or_where_the_defaults_say() {
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
    fn a_server_that_may_not_be_called_is_found_at_its_line_and_column() {
        for (url, part) in [
            ("http://b.example/humanlayer/v1", "outbound.allow_hosts"),
            ("http://127.0.0.1:8000/humanlayer/v1", "outbound.allow_hosts"),
            ("https://10.0.0.8/humanlayer/v1", "outbound.allow_hosts"),
            ("https://b.example/humanlayer/v1?a=b", "no ?"),
            ("https://b.example/humanlayer/v1#a", "no ?"),
        ] {
            let error = parse(&asks(url), "inbox", "{}").unwrap_err();
            assert!(error.starts_with("defaults:") && error.contains(part), "{url}: {error}");
            assert!(error.ends_with("line 3, column 36"), "{url}: {error}");
            let error = parse("inbox", &asks(url), "{}").unwrap_err();
            assert!(error.starts_with("operations.f:") && error.contains(part), "{url}: {error}");
            assert!(error.ends_with("line 5, column 31"), "{url}: {error}");
        }
        let here = asks("http://127.0.0.1:8000/humanlayer/v1");
        assert!(parse(&here, "inbox", "{allow_hosts: [127.0.0.1]}").is_ok());
    }

    #[test]
    fn a_key_is_a_reference_and_no_part_of_the_address() {
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

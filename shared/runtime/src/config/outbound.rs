//! The hosts that may be called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use placet_core::address;
use serde::Deserialize;

/// The hosts that may be called besides those of the public Internet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    /// Hosts that may be called over plain HTTP and at any address.
    #[serde(default)]
    allow_hosts: Vec<Host>,
}

/// A host as it is compared: a name in lower case, or an address without brackets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Host(String);

impl Host {
    /// The name, or the address without brackets.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The host in a URL.
    fn of(host: &str) -> Self {
        let bare = bare(host);
        Self(match bare.parse::<IpAddr>() {
            Ok(address) => address.to_string(),
            Err(_) => bare.to_ascii_lowercase(),
        })
    }
}

impl TryFrom<String> for Host {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let version_6 = inner.unwrap_or(&text).parse::<Ipv6Addr>().is_ok();
        if version_6 || (is_name(&text) && !is_odd_address(&text)) {
            return Ok(Self::of(&text));
        }
        Err("this is no host: write the host alone, as in 127.0.0.1 or app.example.com, without scheme, \
             port, path and *"
            .to_owned())
    }
}

/// A host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}

fn fix(host: &str) -> String {
    format!("to call it anyway, add {} to outbound.allow_hosts", bare(host))
}

/// Whether a text is a name, or an IPv4 address: labels with full stops between them.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let label = |label: &str| !label.is_empty() && label.bytes().all(allowed);
    text.strip_suffix('.').unwrap_or(text).split('.').all(label)
}

/// Whether a client takes this host for an IPv4 address, although it is not written as four numbers. A client does
/// so if the last label is a number (WHATWG URL, "ends in a number").
pub(super) fn is_odd_address(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    number && !last.is_empty() && host.parse::<Ipv4Addr>().is_err()
}

impl Outbound {
    /// Lets a host be called at any address.
    pub(super) fn allow(&mut self, host: &str) {
        self.allow_hosts.push(Host::of(host));
    }

    /// Whether this host may be called at any address.
    pub fn allows(&self, host: &str) -> bool {
        self.allow_hosts.contains(&Host::of(host))
    }

    /// Refuses plain HTTP and private addresses. This check needs no lookup of the name.
    ///
    /// # Errors
    ///
    /// The problem with the URL, and its fix.
    pub fn permits(&self, scheme: &str, host: &str) -> Result<(), String> {
        if self.allows(host) {
            return Ok(());
        }
        if scheme != "https" {
            let fix = fix(host);
            return Err(format!("{scheme}://{host} is not encrypted: use https://, or {fix}"));
        }
        match bare(host).parse::<IpAddr>() {
            Ok(literal) if !address::is_public(literal) => Err(Self::not_public(host)),
            _ => Ok(()),
        }
    }

    /// What is wrong with a host that is not of the public Internet.
    pub(super) fn not_public(host: &str) -> String {
        format!("{host} is not a public address: {}", fix(host))
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    fn parse(host: &str) -> Result<Config, String> {
        Config::parse(&format!("project: x\noutbound:\n  allow_hosts: ['{host}']"))
    }

    #[test]
    fn a_host_is_written_alone() {
        for wrong in [
            "http://127.0.0.1",
            "127.0.0.1:9000",
            "[::1]:9000",
            "[127.0.0.1]",
            "app.example.com/hook",
            "*",
            "*.example.com",
            "10.0.0.0/8",
            "127.1",
            "me@app.example.com",
            "",
            " ",
            ".",
        ] {
            let error = parse(wrong).err().unwrap();
            assert!(error.contains("write the host alone, as in 127.0.0.1"), "{wrong}: {error}");
            assert!(
                error.starts_with("line 3, column 17: outbound.allow_hosts"),
                "{wrong}: {error}"
            );
        }
    }

    #[test]
    fn a_host_is_allowed_in_each_of_its_forms() {
        for (written, called) in [
            ("127.0.0.1", "127.0.0.1"),
            ("LocalHost", "localhost"),
            ("app_1.example.com", "APP_1.example.com"),
            ("::1", "[::1]"),
            ("[::1]", "[::1]"),
            ("0:0:0:0:0:0:0:1", "[::1]"),
        ] {
            let config = parse(written).unwrap();
            assert!(config.outbound.allows(called), "{written} {called}");
            assert!(!config.outbound.allows("other"), "{written}");
        }
    }
}

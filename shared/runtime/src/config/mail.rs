//! The mail server in `placet.yaml`.

use std::net::IpAddr;

use placet_core::characters::hidden;
use placet_core::{email, url};
use serde::Deserialize;

use super::outbound::Host;
use super::{Config, Outbound, SecretRef, locate};

/// How Placet sends mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Who sends the mail.
    pub from: Sender,
    /// The server that takes the mail.
    pub transport: Transport,
}

/// The server that takes the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A mail server.
    Smtp(Smtp),
    /// Amazon SES, through its API.
    Ses(Ses),
}

/// The section as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    from: Sender,
    smtp: Option<Smtp>,
    ses: Option<Ses>,
}

/// Who sends the mail: `approvals@example.com`, or a name and an address, as in
/// `Placet <approvals@example.com>`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Sender {
    /// The name that a reader sees.
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

/// A mail server, which takes mail by SMTP.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WrittenSmtp")]
pub struct Smtp {
    host: Host,
    /// The port.
    pub port: u16,
    /// The name and the password of the account. Without them, Placet does not sign in.
    pub account: Option<(String, SecretRef)>,
    /// How the connection is encrypted.
    pub tls: Tls,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSmtp {
    host: Host,
    port: Option<u16>,
    username: Option<String>,
    password: Option<SecretRef>,
    #[serde(default)]
    tls: Tls,
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// The connection begins with TLS, usually on port 465.
    Implicit,
    /// The connection begins in plain text and must switch to TLS, usually on port 587.
    #[default]
    StartTls,
    /// No encryption. Only for this machine and for hosts in `outbound.allow_hosts`.
    None,
}

/// Amazon SES in one region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ses {
    /// The region whose identities may send.
    pub region: Region,
}

/// The name of an AWS region, as in `eu-west-1`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Region(pub String);

impl TryFrom<WrittenSmtp> for Smtp {
    type Error = String;

    fn try_from(written: WrittenSmtp) -> Result<Self, Self::Error> {
        let account = match (written.username, written.password) {
            (Some(username), Some(password)) => Some((username, password)),
            (None, None) => None,
            (Some(_), None) => return Err("`username` needs a password: add `password`".to_owned()),
            (None, Some(_)) => return Err("`password` needs a name: add `username`".to_owned()),
        };
        let usual = match written.tls {
            Tls::Implicit => 465,
            Tls::StartTls => 587,
            Tls::None => 25,
        };
        Ok(Self {
            host: written.host,
            port: written.port.unwrap_or(usual),
            account,
            tls: written.tls,
        })
    }
}

impl TryFrom<String> for Sender {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (name.trim(), address),
            None => ("", text.as_str()),
        };
        if !email::is_address(address) || name.chars().any(|sign| hidden(sign).is_some()) {
            return Err(
                "write an address, or a name and an address: Placet <approvals@example.com>"
                    .to_owned(),
            );
        }
        let name = Some(name.trim_matches('"').to_owned()).filter(|name| !name.is_empty());
        Ok(Self { name, address: address.to_owned() })
    }
}

impl TryFrom<String> for Region {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match text.contains('-') && text.bytes().all(allowed) {
            true => Ok(Self(text)),
            false => Err("write the name of an AWS region, as in eu-west-1".to_owned()),
        }
    }
}

impl Smtp {
    /// The name or the address of the server.
    pub fn host(&self) -> &str {
        self.host.as_str()
    }

    /// Whether the server may have an address that is not of the public Internet: it is on this machine, or
    /// `outbound.allow_hosts` names it.
    pub fn may_be_private(&self, outbound: &Outbound) -> bool {
        let loopback = self.host().parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        loopback || url::is_this_machine(self.host()) || outbound.allows(self.host())
    }
}

impl Mail {
    /// The secret that the transport needs.
    pub fn secret(&self) -> Option<&SecretRef> {
        match &self.transport {
            Transport::Smtp(smtp) => smtp.account.as_ref().map(|(_, password)| password),
            Transport::Ses(_) => None,
        }
    }
}

impl Config {
    /// Reads and checks the section.
    pub(super) fn read_mail(&mut self, text: &str) -> Result<(), String> {
        let Some(written) = self.written_mail.take() else { return Ok(()) };
        let wrong = |wrong| Err(locate::at(text, &["mail".to_owned()], wrong));
        let transport = match (written.smtp, written.ses) {
            (Some(smtp), None) => {
                self.check_smtp(&smtp, text)?;
                Transport::Smtp(smtp)
            }
            (None, Some(ses)) => Transport::Ses(ses),
            (None, None) => return wrong("name the server that sends: add smtp or ses"),
            (Some(_), Some(_)) => return wrong("smtp and ses are both here: keep one"),
        };
        self.mail = Some(Mail { from: written.from, transport });
        Ok(())
    }

    /// Refuses a mail server that may not be called, or that would get a mail without encryption.
    fn check_smtp(&self, smtp: &Smtp, text: &str) -> Result<(), String> {
        if smtp.may_be_private(&self.outbound) {
            return Ok(());
        }
        let host = smtp.host();
        let at = |member: &str, wrong: String| {
            locate::at(text, &["mail", "smtp", member].map(str::to_owned), wrong)
        };
        self.outbound.permits("https", host).map_err(|wrong| at("host", wrong))?;
        match smtp.tls {
            Tls::None => Err(at(
                "tls",
                format!(
                    "mail to {host} would not be encrypted: write starttls or implicit, or add {host} to outbound.allow_hosts"
                ),
            )),
            Tls::Implicit | Tls::StartTls => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(mail: &str) -> Result<Config, String> {
        Config::parse(&format!("project: x\nmail:\n  {mail}"))
    }

    fn smtp(text: &str) -> Smtp {
        let mail = parse(&format!("from: a@example.org\n  smtp: {text}")).unwrap().mail.unwrap();
        match mail.transport {
            Transport::Smtp(smtp) => smtp,
            Transport::Ses(_) => panic!("{text} is not SMTP"),
        }
    }

    #[test]
    fn a_sender_may_have_a_name() {
        for (written, name, address) in [
            ("approvals@example.com", None, "approvals@example.com"),
            ("Placet <approvals@example.com>", Some("Placet"), "approvals@example.com"),
            ("\"Smith, Ann\" <a@example.com>", Some("Smith, Ann"), "a@example.com"),
        ] {
            let sender = Sender::try_from(written.to_owned()).unwrap();
            assert_eq!((sender.name.as_deref(), sender.address.as_str()), (name, address));
        }
    }

    #[test]
    fn the_port_is_the_usual_one_of_the_encryption() {
        assert_eq!((smtp("{host: mail.example.org}").port, Tls::default()), (587, Tls::StartTls));
        assert_eq!(smtp("{host: mail.example.org, tls: implicit}").port, 465);
        assert_eq!(smtp("{host: 127.0.0.1, tls: none}").port, 25);
        assert_eq!(smtp("{host: '::1', tls: none, port: 2525}").port, 2525);
    }

    #[test]
    fn the_password_is_a_variable_of_the_configuration() {
        let mail =
            "from: a@example.org\n  smtp: {host: mail.example.org, username: a, password: env:P}";
        let config = parse(mail).unwrap();
        assert!(config.variables().contains("P"));
        assert_eq!(config.users_of_calls(), ["mail"]);
        let config = parse("from: a@example.org\n  ses: {region: eu-west-1}").unwrap();
        assert!(config.mail.unwrap().secret().is_none());
    }

    #[test]
    fn an_error_has_line_and_column() {
        for (mail, part, place) in [
            ("from: a@example.org", "add smtp or ses", "line 2, column 1: mail: "),
            (
                "from: a@example.org\n  ses: {region: eu-west-1}\n  smtp: {host: a.example}",
                "keep one",
                "line 2, column 1: mail: ",
            ),
            ("smtp: {host: a.example}", "`from` is missing", "line 3"),
            ("from: Ann\n  ses: {region: eu-west-1}", "write an address", "line 3, column 9"),
            (
                "from: \"a@example.org\\nBcc: b@example.org\"\n  ses: {region: eu-west-1}",
                "write an address",
                "line 3, column 9",
            ),
            ("from: a@example.org\n  ses: {region: Ireland}", "eu-west-1", "line 4, column 17"),
            ("from: a@example.org\n  ses: {}", "`region` is missing", "line 4"),
            (
                "from: a@example.org\n  smtp: {host: 'smtp://a.example'}",
                "write the host alone",
                "line 4, column 16",
            ),
            (
                "from: a@example.org\n  smtp: {host: a.example, username: a}",
                "add `password`",
                "line 4",
            ),
            (
                "from: a@example.org\n  smtp: {host: a.example, username: a, password: hunter2}",
                "env:NAME",
                "line 4",
            ),
            (
                "from: a@example.org\n  smtp: {host: a.example, tls: ssl}",
                "there is no value `ssl`",
                "line 4",
            ),
            (
                "from: a@example.org\n  smtp: {host: a.example, tls: none}",
                "add a.example to outbound.allow_hosts",
                "line 4, column 27",
            ),
            (
                "from: a@example.org\n  smtp: {host: 10.0.0.9}",
                "add 10.0.0.9 to outbound.allow_hosts",
                "line 4, column 10",
            ),
            (
                "from: a@example.org\n  smtp: {host: a.example, colour: red}",
                "no key `colour`",
                "line 4",
            ),
        ] {
            let error = parse(mail).unwrap_err();
            assert!(error.contains(part), "{mail}: {error}");
            assert!(error.starts_with(place), "{mail}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_relay_on_a_private_address_must_be_allowed() {
        let text = "project: x\noutbound: {allow_hosts: [10.0.0.9, relay.internal]}\nmail:\n  from: a@example.org\n  smtp:";
        for host in ["10.0.0.9", "relay.internal"] {
            let text = format!("{text} {{host: {host}, tls: none}}");
            assert!(Config::parse(&text).is_ok(), "{host}");
        }
    }
}

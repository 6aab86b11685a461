//! `placet webhook explain`: a source of `placet.yaml` with all its preset brings, in words and as
//! data.

use std::fmt::Write as _;

use placet_core::webhook::{Checks, Require, Rule, Scheme, VerifyFirst};
use placet_runtime::config::Source;
use placet_runtime::{Config, Environment};

use super::{find, words, yaml};
use crate::{Failure, say};

pub(super) fn run(config: &Config, environment: &Environment, name: &str) -> Result<(), Failure> {
    say(explained(name, find(config, name)?, environment).trim_end());
    Ok(())
}

/// Names on the left, words on the right.
#[derive(Default)]
struct Table(String);

impl Table {
    fn row(&mut self, name: &str, words: &str) {
        let _ = writeln!(self.0, "  {name:<14}{words}");
    }
}

fn explained(name: &str, source: &Source, environment: &Environment) -> String {
    let scheme = &source.scheme;
    let mut table = Table::default();
    let made = source.preset.as_ref().map(|preset| format!(" (preset {preset})"));
    table.0 = format!("source {name}{}\n", made.unwrap_or_default());
    let paths = source.paths.iter().map(|path| path.as_str().to_owned());
    let paths: Vec<_> = [format!("/webhooks/{name}")].into_iter().chain(paths).collect();
    table.row("at", &paths.join(", "));
    table.row("methods", &scheme.methods.join(", "));
    table.row("is", &words::openness(name, source, environment));
    table.row("secrets", &words::secrets(source, environment));
    let asks = |rule: &Rule| matches!(rule.verify, VerifyFirst::Token(_));
    if source.scheme.handshakes.iter().any(asks) {
        let token = &source.verify_token;
        table.row("verify token", &words::variable(token, environment));
    }
    if scheme.signs_url() {
        let url = source.public_url.resolve(environment);
        table
            .row("public URL", url.as_deref().unwrap_or("not set; the sender signs it, so set it"));
    }
    if scheme.shortest_secret > Scheme::SHORTEST_SECRET {
        table.row("a secret has", &format!("{} bytes at least", scheme.shortest_secret));
    }
    checks(&mut table, &scheme.checks);
    events(&mut table, scheme);
    if scheme.checks.mac.is_some() || scheme.checks.sign.is_some() {
        table.row("equal content", words::equal_content(source));
    }
    table.row("targets", &words::targets(source));
    let data = source.expanded().as_object().cloned().unwrap_or_default();
    let data = yaml::block(&data, 4);
    format!(
        "{}\nThe same without its preset, for placet.yaml:\n\nsources:\n  {name}:\n{data}",
        table.0
    )
}

fn checks(table: &mut Table, checks: &Checks) {
    let signatures = [("mac", &checks.mac), ("sign", &checks.sign)];
    let found = signatures.iter().filter(|(_, check)| check.is_some()).count()
        + usize::from(checks.jwt.is_some())
        + usize::from(checks.token.is_some());
    match checks.require {
        _ if found < 2 => {}
        Require::All => table.row("checks", "all must hold"),
        Require::First => {
            table.row("checks", "the first that has a key and is made for the request decides");
        }
    }
    if let Some(addresses) = &checks.ip {
        let allowed: Vec<String> = addresses.allow.iter().map(ToString::to_string).collect();
        table.row("address", &format!("one of {}", allowed.join(", ")));
    }
    for (name, check) in signatures {
        for (index, (word, value)) in check.iter().flat_map(words::signature).enumerate() {
            table.row(if index == 0 { name } else { "" }, &format!("{word:<11}{value}"));
        }
    }
    if let Some(check) = &checks.jwt {
        table.row("jwt", &words::jwt(check));
    }
    if let Some(check) = &checks.token {
        table.row("token", &words::token(check));
    }
    if let Some(reason) = &checks.none {
        table.row("no check", reason);
    }
}

fn events(table: &mut Table, scheme: &Scheme) {
    let identity = words::selector(&scheme.identity, &scheme.checks);
    table.row("identity", identity.as_deref().unwrap_or("none: told by its signature or its body"));
    let kind = words::selector(&scheme.event_type, &scheme.checks);
    table.row("type", kind.as_deref().unwrap_or("none"));
    for rule in &scheme.handshakes {
        table.row("handshake", &words::handshake(rule));
    }
    if let Some(confirm) = &scheme.confirm {
        let words = format!(
            "an event of type {} is answered by asking {}, at the sender's own host only",
            confirm.event_type, confirm.url
        );
        table.row("confirmation", &words);
    }
    let ack = &scheme.ack;
    let answer = words::acknowledgement(ack.status, &ack.content_type, &ack.body);
    table.row("answers", &answer);
    table.row("size", &format!("at most {} bytes", scheme.limit));
    let memory = format!(
        "{} for an event, {} for a body without identity",
        scheme.remember, scheme.remember_body
    );
    table.row("remembers", &memory);
    if !scheme.retries {
        table.row("retries", "its sender has none: what the table does not take is spooled");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../../../placet.yaml");

    #[test]
    fn every_shipped_source_is_explained_and_its_data_means_the_same() {
        let config = Config::parse(SHIPPED).unwrap();
        for (name, source) in config.sources() {
            let text = explained(name, source, &Environment::default());
            let (words, data) = text.split_once("sources:\n").unwrap();
            assert!(words.contains("closed: "), "{text}");
            let pasted = Config::parse(&format!("project: x\nsources:\n{data}")).unwrap();
            let pasted = pasted.source(name).unwrap();
            assert_eq!(pasted.expanded(), source.expanded(), "{text}");
            assert_eq!(format!("{:?}", *pasted.scheme), format!("{:?}", *source.scheme), "{name}");
            assert_eq!(pasted.targets, source.targets, "{name}");
        }
    }

    #[test]
    fn an_explanation_says_what_is_checked() {
        let config = Config::parse(SHIPPED).unwrap();
        let pairs = [("PLACET_SECRET_STANDARD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
        let environment: Environment = pairs.into_iter().collect();
        let text = |name: &str| explained(name, config.source(name).unwrap(), &environment);
        let standard = text("standard");
        for part in [
            "open\n",
            "PLACET_SECRET_STANDARD (set)",
            "hmac-sha256",
            "ed25519",
            "header:*-id \".\" time \".\" body",
            "at most 5m old",
            "header:*-id (signed)",
            "json:/type (signed)",
        ] {
            assert!(standard.contains(part), "{part}: {standard}");
        }
        assert!(!standard.contains("MfKQ9r8"), "{standard}");
        assert!(text("github").contains("header:x-github-delivery (not signed)"));
        let twilio = text("twilio");
        assert!(
            twilio.contains("form:MessageSid (not signed), else json:/0/id (signed)"),
            "{twilio}"
        );
        assert!(!twilio.contains("form:EventType (signed)"), "{twilio}");
        assert!(twilio.contains("hmac-sha1 without it"), "{twilio}");
        assert!(text("meta").contains("if the verify token is at query:hub.verify_token"));
        assert!(text("twilio").contains("not set; the sender signs it, so set it"));
    }

    #[test]
    fn a_duration_is_explained_as_it_was_written() {
        let text = "project: x\nsources: {github: {remember: 48h, remember_body: 90m}}";
        let config = Config::parse(text).unwrap();
        let source = config.source("github").unwrap();
        let text = explained("github", source, &Environment::default());
        assert!(text.contains("48h for an event, 90m for a body without identity"), "{text}");
    }
}

use std::collections::BTreeMap;

use serde::Deserialize;

use super::grammar::Checks;
use super::location::{Location, Selector};
use crate::Period;

/// Everything about how a sender's webhooks come in. A preset, or a preset with changes. The default
/// checks nothing, and so takes nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// The methods events come with.
    #[serde(default = "Scheme::post")]
    pub methods: Vec<String>,
    /// What a request must pass.
    pub checks: Checks,
    /// Requests that are no events.
    #[serde(default)]
    pub handshakes: Vec<Rule>,
    /// The header sets a `*` in a header name may stand for. One complete set is used; two that
    /// differ are refused.
    #[serde(default)]
    pub header_sets: Vec<String>,
    /// What tells one event from another, the same over retries. Without it, the body does.
    #[serde(default)]
    pub identity: Selector,
    /// What kind of event it is, the parts that are there joined by a full stop.
    #[serde(default, rename = "type")]
    pub event_type: Selector,
    /// How long an event is remembered, so that its repetitions have no effect.
    #[serde(default = "Scheme::week")]
    pub remember: Period,
    /// How long a MAC, or a body without identity, is remembered.
    #[serde(default = "Scheme::week")]
    pub remember_body: Period,
    /// What the sender is told once the event is kept.
    #[serde(default)]
    pub ack: Ack,
    /// The largest body, in bytes.
    #[serde(default = "Scheme::largest")]
    pub limit: usize,
    /// Whether the sender tries again when we cannot take an event. If not, it is kept aside.
    #[serde(default = "yes")]
    pub retries: bool,
    /// Whether the sender sends the same body for events of different types.
    #[serde(default)]
    pub same_body_other_type: bool,
    /// Where the address stands that confirms a subscription; the worker asks it.
    pub confirm: Option<Confirm>,
    /// Whether this scheme may use SHA-1, because its sender has nothing better.
    #[serde(default)]
    pub accept_sha1: bool,
    /// The fewest bytes a secret may have.
    #[serde(default = "one")]
    pub shortest_secret: usize,
    /// Secrets that everybody knows.
    #[serde(default)]
    pub known_secrets: Vec<String>,
    /// Closed for good: every request is answered 410, which makes some senders unsubscribe.
    #[serde(default)]
    pub retired: bool,
}

impl Scheme {
    /// Whether it can hold only with a secret of ours.
    pub fn needs_secret(&self) -> bool {
        let checks = &self.checks;
        let pinned = |check: &super::SignatureCheck| check.certificate.is_none();
        checks.mac.is_some() || checks.token.is_some() || checks.sign.as_ref().is_some_and(pinned)
    }

    /// Whether a signature covers the address it was sent to.
    pub fn signs_url(&self) -> bool {
        let signatures = [&self.checks.mac, &self.checks.sign];
        signatures.into_iter().flatten().any(super::SignatureCheck::signs_url)
    }

    /// Whether it reads something from the path after the source's own.
    pub fn reads_path(&self) -> bool {
        let checks = &self.checks;
        let token = checks.token.as_ref().map(|check| &check.at);
        let jwt = checks.jwt.as_ref().map(|check| &check.at);
        let selectors = self.identity.0.iter().chain(&self.event_type.0).flatten();
        let mut all = selectors.chain(token).chain(jwt);
        all.any(|at| matches!(at, Location::Path(_)))
    }

    /// Whether the sender puts JSON into a form field named `payload`.
    pub fn reads_payload(&self) -> bool {
        let selectors = self.identity.0.iter().chain(&self.event_type.0).flatten();
        let payload =
            |at: &Location| matches!(at, Location::Form(name, Some(_)) if name == "payload");
        selectors.into_iter().any(payload)
    }

    fn post() -> Vec<String> {
        vec!["POST".to_owned()]
    }

    const fn week() -> Period {
        Period::seconds(7 * 24 * 60 * 60)
    }

    /// What a Function URL lets through: 6 MB of event, a third of it base64.
    const fn largest() -> usize {
        4_700_000
    }
}

const fn yes() -> bool {
    true
}

const fn one() -> usize {
    1
}

/// What the sender is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ack {
    /// The status.
    pub status: u16,
    /// The type of the body.
    pub content_type: String,
    /// The body.
    pub body: String,
}

impl Default for Ack {
    fn default() -> Self {
        Self {
            status: 200,
            content_type: "application/json".to_owned(),
            body: r#"{"status":"ok"}"#.to_owned(),
        }
    }
}

/// A subscription that is confirmed by asking an address.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The event type that asks for it.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Where the address stands.
    pub url: Location,
    /// Whose address it must be.
    pub host: super::host_rule::HostRule,
}

/// A request that is no event, and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which requests.
    pub when: When,
    /// What is verified before it is answered.
    #[serde(default)]
    pub verify: VerifyFirst,
    /// The answer.
    pub respond: Respond,
}

/// Which requests a rule is for: all that is given must be so.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// The method.
    pub method: Option<String>,
    /// This value is there.
    pub has: Option<Location>,
    /// This value is not there.
    pub lacks: Option<Location>,
    /// These values are so.
    pub equals: BTreeMap<Location, String>,
}

/// What is verified before a handshake is answered.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyFirst {
    /// The checks, as for an event.
    #[default]
    Checks,
    /// The verify token at this location.
    Token(Location),
    /// Nothing can be. The answer is an echo of at most 1 KiB, or a MAC of a short token.
    Nothing,
}

/// An answer with places to fill in: `{query:x}`, `{json:/x}`, `{header:x}`, and
/// `{mac:<algorithm>:<encoding>:<location>}`. In a JSON answer what is filled in is escaped.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Respond {
    /// The status.
    #[serde(default = "ok")]
    pub status: u16,
    /// The type of the body.
    #[serde(default = "plain")]
    pub content_type: String,
    /// More headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: String,
}

const fn ok() -> u16 {
    200
}

fn plain() -> String {
    "text/plain; charset=utf-8".to_owned()
}

use std::collections::BTreeMap;

use serde::Deserialize;

use super::grammar::Checks;
use super::location::{Location, Selector};
use crate::Period;
use crate::limits::LARGEST_WEBHOOK;

/// How Placet receives the webhooks of a sender: a preset, or a preset with changes. The default has no
/// checks and therefore accepts no request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// The HTTP methods of events.
    #[serde(default = "Scheme::post")]
    pub methods: Vec<String>,
    /// The checks that a request must pass.
    pub checks: Checks,
    /// Requests that are handshakes, not events.
    #[serde(default)]
    pub handshakes: Vec<Rule>,
    /// The header sets that may replace a `*` in a header name. A request uses one complete set. A request
    /// with two different sets is refused.
    #[serde(default)]
    pub header_sets: Vec<String>,
    /// The identity of an event, which is the same in every retry. Without an identity, the body identifies
    /// the event.
    #[serde(default)]
    pub identity: Selector,
    /// The type of an event. The present parts are joined by full stops.
    #[serde(default, rename = "type")]
    pub event_type: Selector,
    /// How long Placet remembers an event, so that repetitions have no effect.
    #[serde(default = "Scheme::week")]
    pub remember: Period,
    /// How long Placet remembers a MAC, or the body of an event without identity.
    #[serde(default = "Scheme::week")]
    pub remember_body: Period,
    /// The acknowledgement after the event is stored.
    #[serde(default)]
    pub ack: Ack,
    /// The largest body, in bytes.
    #[serde(default = "Scheme::largest")]
    pub limit: usize,
    /// Whether the sender retries when Placet cannot store an event. If not, Placet spools the event.
    #[serde(default = "yes")]
    pub retries: bool,
    /// Whether the sender's retries may change the body of an event, for example by a count of the attempts.
    /// Then a signed identity alone tells whether two requests are one event.
    #[serde(default)]
    pub retries_change_body: bool,
    /// Whether requests with the same signed content are one event, if no signature covers the identity of
    /// an event. Without it, the targets of the source decide.
    pub equal_content: Option<EqualContent>,
    /// Whether the sender uses the same body for events of different types.
    #[serde(default)]
    pub same_body_other_type: bool,
    /// Whether an unsigned type may select events for a target that has effects.
    #[serde(default)]
    pub accept_unsigned_type: bool,
    /// How to confirm a subscription. The worker requests the address.
    pub confirm: Option<Confirm>,
    /// Whether the sender puts the JSON of an event into the field `payload` of a form.
    #[serde(default)]
    pub json_in_payload: bool,
    /// Whether the scheme may use SHA-1, because the sender supports nothing better.
    #[serde(default)]
    pub accept_sha1: bool,
    /// The shortest allowed secret, in bytes.
    #[serde(default = "Scheme::shortest_secret")]
    pub shortest_secret: usize,
    /// Published test secrets, which are refused.
    #[serde(default)]
    pub known_secrets: Vec<String>,
    /// Whether the source is closed for good. Every request gets a 410, which makes some senders unsubscribe.
    #[serde(default)]
    pub retired: bool,
}

impl Scheme {
    /// Whether the checks need a configured secret.
    pub fn needs_secret(&self) -> bool {
        let checks = &self.checks;
        let pinned = |check: &super::SignatureCheck| check.certificate.is_none();
        checks.mac.is_some() || checks.token.is_some() || checks.sign.as_ref().is_some_and(pinned)
    }

    /// Whether a signature covers the URL of the request.
    pub fn signs_url(&self) -> bool {
        let signatures = [&self.checks.mac, &self.checks.sign];
        signatures.into_iter().flatten().any(super::SignatureCheck::signs_url)
    }

    /// Whether a signature covers the body, but not the type of the event: then anyone who has seen a request
    /// could send it again under another type.
    pub fn leaves_type_unsigned(&self) -> bool {
        let signatures = [&self.checks.mac, &self.checks.sign].into_iter().flatten();
        let in_body = |at: &Location| matches!(at, Location::Json(_) | Location::Form(..));
        let hashed = self.checks.jwt.as_ref().is_some_and(|jwt| jwt.body_hash_claim.is_some());
        self.event_type.0.iter().flatten().any(|at| {
            let unsigned = |check: &super::SignatureCheck| !check.always_covers(at);
            signatures.clone().any(unsigned) || (hashed && !in_body(at))
        })
    }

    /// Whether requests with the same signed content are one event.
    pub fn merges_equal_content(&self) -> bool {
        self.equal_content != Some(EqualContent::Separate)
    }

    /// Whether the type of the event belongs to its identity.
    pub fn separates_types(&self) -> bool {
        self.same_body_other_type && (self.accept_unsigned_type || !self.merges_equal_content())
    }

    /// Whether the scheme reads a value from the path after the source's own path.
    pub fn reads_path(&self) -> bool {
        let checks = &self.checks;
        let token = checks.token.as_ref().map(|check| &check.at);
        let jwt = checks.jwt.as_ref().map(|check| &check.at);
        let selectors = self.identity.0.iter().chain(&self.event_type.0).flatten();
        let mut all = selectors.chain(token).chain(jwt);
        all.any(|at| matches!(at, Location::Path(_)))
    }

    /// Whether the JSON of a form is in its field `payload`: if the scheme says so, or reads a value there.
    pub fn reads_payload(&self) -> bool {
        let selectors = self.identity.0.iter().chain(&self.event_type.0).flatten();
        let payload =
            |at: &Location| matches!(at, Location::Form(name, Some(_)) if name == "payload");
        self.json_in_payload || selectors.into_iter().any(payload)
    }

    /// The shortest secret of a scheme that does not say otherwise, in bytes: some senders issue short ones, and
    /// one byte is no secret.
    pub const SHORTEST_SECRET: usize = 8;

    const fn shortest_secret() -> usize {
        Self::SHORTEST_SECRET
    }

    fn post() -> Vec<String> {
        vec!["POST".to_owned()]
    }

    const fn week() -> Period {
        Period::seconds(7 * 24 * 60 * 60)
    }

    const fn largest() -> usize {
        LARGEST_WEBHOOK
    }
}

const fn yes() -> bool {
    true
}

/// What requests with the same signed content are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EqualContent {
    /// One event, whatever their unsigned ids are. A copy that anyone sends again has no effect.
    OneEvent,
    /// An event for each unsigned id.
    Separate,
}

/// The acknowledgement of an event.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ack {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
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

/// The confirmation of a subscription by a request to an address.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The type of the event that asks for the confirmation.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The location of the address.
    pub url: Location,
    /// The owner that the address must have.
    pub host: super::host_rule::HostRule,
}

/// A handshake and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The requests that are this handshake.
    pub when: When,
    /// What Placet verifies before it answers.
    #[serde(default)]
    pub verify: VerifyFirst,
    /// The answer.
    pub respond: Respond,
}

/// The conditions of a rule. All given conditions must be true.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// The HTTP method.
    pub method: Option<String>,
    /// A value at this location is present.
    pub has: Option<Location>,
    /// A value at this location is missing.
    pub lacks: Option<Location>,
    /// The values at these locations are equal to these texts.
    pub equals: BTreeMap<Location, String>,
}

/// What Placet verifies before it answers a handshake.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyFirst {
    /// The same checks as for an event.
    #[default]
    Checks,
    /// The verify token at this location.
    Token(Location),
    /// Nothing, because the handshake is not signed. The answer is an echo of at most 1 KiB, or a MAC of a
    /// short token.
    Nothing,
}

/// An answer with places: `{query:x}`, `{json:/x}`, `{header:x}`, and
/// `{mac:<algorithm>:<encoding>:<location>}`. In a JSON answer the inserted values are escaped.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Respond {
    /// The HTTP status.
    #[serde(default = "ok")]
    pub status: u16,
    /// The media type of the body.
    #[serde(default = "plain")]
    pub content_type: String,
    /// Additional headers.
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

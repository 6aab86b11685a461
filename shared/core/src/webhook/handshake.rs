//! Handshakes: requests that are not events. With a handshake the sender checks that the receiver owns the
//! address.

use super::grammar::Encoding;
use super::incoming::Incoming;
use super::location::Location;
use super::scheme::{Respond, Rule, VerifyFirst};
use super::verifier::Verifier;
use crate::limits::LARGEST_ECHO;

/// The longest text that Placet signs with a MAC for an unknown sender, in bytes. Placet accepts no body
/// that is such a text.
const LONGEST_TOKEN: usize = 128;

/// The answer to a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: String,
    /// Additional headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Verifier {
    /// The answer to a handshake that needs no verification or only the verify token; `None` if the request
    /// is not such a handshake.
    pub fn greeted(&self, request: &Incoming<'_>) -> Option<Answer> {
        let rule = self.rule(request, |first| !matches!(first, VerifyFirst::Checks))?;
        let trusted = match &rule.verify {
            VerifyFirst::Token(at) => {
                let given = request.value(at);
                if !given.is_some_and(|given| self.is_verify_token(&given)) {
                    return Some(refused());
                }
                true
            }
            _ => false,
        };
        let answer = self.answer(&rule.respond, request, false);
        let echo = answer.as_ref().map_or(0, |answer| answer.body.len());
        Some(answer.filter(|_| trusted || echo <= LARGEST_ECHO).unwrap_or_else(bad_request))
    }

    /// The answer to a handshake that has passed the checks; `None` if the request is an event.
    pub fn verified_handshake(&self, request: &Incoming<'_>) -> Option<Answer> {
        let rule = self.rule(request, |first| matches!(first, VerifyFirst::Checks))?;
        Some(self.answer(&rule.respond, request, true).unwrap_or_else(bad_request))
    }

    /// Whether a handshake that is answered after the checks uses this method.
    pub fn greets(&self, method: &str) -> bool {
        let rules = self.scheme.handshakes.iter();
        let checked = rules.filter(|rule| matches!(rule.verify, VerifyFirst::Checks));
        checked.filter_map(|rule| rule.when.method.as_deref()).any(|known| known == method)
    }

    fn rule(&self, request: &Incoming<'_>, wanted: impl Fn(&VerifyFirst) -> bool) -> Option<&Rule> {
        let mut rules = self.scheme.handshakes.iter().filter(|rule| wanted(&rule.verify));
        rules.find(|rule| {
            let when = &rule.when;
            let there = |location: &Location| request.value(location).is_some();
            let equal = |(location, text): (&Location, &String)| {
                request.value(location).as_deref() == Some(text)
            };
            when.method.as_deref().is_none_or(|method| method == request.method)
                && when.has.as_ref().is_none_or(there)
                && when.lacks.as_ref().is_none_or(|location| lacks(request, location))
                && when.equals.iter().all(equal)
        })
    }

    fn is_verify_token(&self, given: &str) -> bool {
        self.verify_tokens.iter().filter(|token| token.is(given.as_bytes())).count() > 0
    }

    fn answer(&self, respond: &Respond, request: &Incoming<'_>, verified: bool) -> Option<Answer> {
        let json = respond.content_type.contains("json");
        let fill = |template: &str, json| self.fill(template, request, verified, json);
        let headers = respond.headers.iter();
        let headers: Option<Vec<_>> = headers
            .map(|(name, template)| {
                let value = fill(template, false)?;
                (!value.contains(char::is_control)).then(|| (name.clone(), value))
            })
            .collect();
        Some(Answer {
            status: respond.status,
            content_type: respond.content_type.clone(),
            headers: headers?,
            body: fill(&respond.body, json)?,
        })
    }

    /// Fills in the places of a template. Braces around any other text are literal. `None` if a value is
    /// missing.
    fn fill(
        &self,
        template: &str,
        request: &Incoming<'_>,
        verified: bool,
        json: bool,
    ) -> Option<String> {
        let mut text = String::new();
        let mut rest = template;
        while let Some(start) = rest.find('{') {
            text.push_str(&rest[..start]);
            rest = &rest[start..];
            let end = rest.find('}').unwrap_or(0);
            match rest.get(1..end).map(|place| self.place(place, request, verified)) {
                Some(Place::Value(value)) if json => {
                    let quoted = serde_json::to_string(&value).ok()?;
                    text.push_str(quoted.get(1..quoted.len() - 1)?);
                    rest = &rest[end + 1..];
                }
                Some(Place::Value(value)) => {
                    text.push_str(&value);
                    rest = &rest[end + 1..];
                }
                Some(Place::Absent) => return None,
                Some(Place::Text) | None => {
                    text.push('{');
                    rest = &rest[1..];
                }
            }
        }
        text.push_str(rest);
        Some(text)
    }

    fn place(&self, place: &str, request: &Incoming<'_>, verified: bool) -> Place {
        if let Some(mac) = place.strip_prefix("mac:") {
            return self.mac_place(mac, request, verified).map_or(Place::Absent, Place::Value);
        }
        match Location::parse(place) {
            Err(_) => Place::Text,
            Ok(location) => match request.value(&location) {
                Some(value) => Place::Value(value.into_owned()),
                None => Place::Absent,
            },
        }
    }

    /// The MAC of the value at a location, with the first secret. `place` is
    /// `<algorithm>:<encoding>:<location>`.
    fn mac_place(&self, place: &str, request: &Incoming<'_>, verified: bool) -> Option<String> {
        let (algorithm, rest) = place.split_once(':')?;
        let (encoding, location) = rest.split_once(':')?;
        let algorithm: super::Algorithm =
            serde_json::from_value(serde_json::Value::from(algorithm)).ok()?;
        let encoding = Encoding::parse(encoding)?;
        let value = request.value(&Location::parse(location).ok()?)?.into_owned();
        if !verified && (value.is_empty() || !is_token(value.as_bytes())) {
            return None;
        }
        let mac = algorithm.mac(self.secrets.first()?.expose(), &[value.as_bytes()])?;
        Some(encoding.encode(&mac))
    }
}

impl Verifier {
    /// Whether anyone could obtain Placet's MAC of this body from the answer to a handshake.
    pub(super) fn may_have_signed(&self, body: &[u8]) -> bool {
        let unknown = |rule: &&Rule| !matches!(rule.verify, VerifyFirst::Checks);
        let mut rules = self.scheme.handshakes.iter().filter(unknown);
        is_token(body)
            && rules.any(|Rule { respond, .. }| {
                let mut texts = respond.headers.values().chain([&respond.body]);
                texts.any(|template| template.contains("{mac:"))
            })
    }
}

fn is_token(text: &[u8]) -> bool {
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"_=-".contains(byte);
    text.len() <= LONGEST_TOKEN && text.iter().all(harmless)
}

enum Place {
    Value(String),
    Absent,
    Text,
}

/// Whether the location certainly holds no value, not even an object or a list.
fn lacks(request: &Incoming<'_>, location: &Location) -> bool {
    let finds = match location {
        Location::Json(pointer) => request.json().and_then(|json| match json {
            Some(json) => pointer.finds(json),
            None => Ok(false),
        }),
        _ => Ok(false),
    };
    let values = request.read(location);
    finds == Ok(false) && values.is_ok_and(|values| values.iter().all(Option::is_none))
}

fn refused() -> Answer {
    plain(403)
}

fn bad_request() -> Answer {
    plain(400)
}

fn plain(status: u16) -> Answer {
    let content_type = "text/plain; charset=utf-8".to_owned();
    Answer { status, content_type, headers: Vec::new(), body: String::new() }
}

//! A sender: how it makes its requests, described independently of the presets.

use placet_core::webhook::Verifier;
use serde_json::json;

use crate::crypto::{Keys, base64, hex};
use crate::request::{Judged, Request, open};
use crate::sns;

/// The clock of the tests: 2027-01-15T08:00:00Z.
pub const NOW: i64 = 1_800_000_000;

pub struct Sender {
    pub name: &'static str,
    pub preset: &'static str,
    pub keys: Keys,
    /// The name of a header, or the JSON pointer of a body member.
    pub signature: &'static str,
    pub shape: Shape,
    pub written: Written,
    pub time: Time,
    /// The signed header that holds the id.
    pub id: Option<&'static str>,
    pub prepare: fn(&[u8], &str) -> Request,
    pub message: fn(&Request, &str) -> Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Shape {
    /// The signature has a prefix.
    Plain(&'static str),
    /// The signature is in a list, with this separator, pair and tag.
    List(&'static str, &'static str, &'static str),
}

#[derive(Clone, Copy, PartialEq)]
pub enum Written {
    Hex,
    Base64,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Time {
    Unsigned,
    Header(&'static str, Unit),
    Tag(&'static str),
    /// The time is in the body. `prepare` writes it.
    Body(Unit),
}

#[derive(Clone, Copy, PartialEq)]
pub enum Unit {
    Seconds,
    Millis,
    Rfc3339,
}

impl Written {
    pub fn text(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex(bytes),
            Self::Base64 => base64(bytes),
        }
    }
}

impl Unit {
    pub fn text(self, at: i64) -> String {
        match self {
            Self::Seconds => at.to_string(),
            Self::Millis => (at * 1000).to_string(),
            Self::Rfc3339 => {
                let date = time::OffsetDateTime::from_unix_timestamp(at).unwrap();
                date.format(&time::format_description::well_known::Rfc3339).unwrap()
            }
        }
    }
}

impl Time {
    pub fn unit(self) -> Option<Unit> {
        match self {
            Self::Unsigned => None,
            Self::Tag(_) => Some(Unit::Seconds),
            Self::Header(_, unit) | Self::Body(unit) => Some(unit),
        }
    }
}

impl Sender {
    pub fn verifier(&self) -> Verifier {
        self.verifier_of(&[1])
    }

    pub fn verifier_of(&self, keys: &[u8]) -> Verifier {
        let secrets: Vec<String> = keys.iter().map(|number| self.keys.secret(*number)).collect();
        open(self.preset, &secrets.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The engine's result for a request at `NOW`.
    pub fn judge(&self, request: &Request) -> Judged {
        request.judged_with(&self.verifier(), &sns::documents(), NOW)
    }

    pub fn time_text(&self, at: i64) -> String {
        self.time.unit().map_or(String::new(), |unit| unit.text(at))
    }

    /// A signed request of this sender at `NOW`.
    pub fn request(&self) -> Request {
        let body = json!({"id": "evt_1", "type": "ping", "n": 1}).to_string();
        self.send(1, &self.time_text(NOW), body.as_bytes())
    }

    /// A signed request with this payload and this text as its time.
    pub fn send(&self, key: u8, time: &str, payload: &[u8]) -> Request {
        let request = self.unsigned(time, payload);
        let signature = self.keys.sign(key, &(self.message)(&request, time));
        self.with_signatures(request, time, &[self.written.text(&signature)])
    }

    pub fn unsigned(&self, time: &str, payload: &[u8]) -> Request {
        let mut request = (self.prepare)(payload, time);
        if let Time::Header(name, _) = self.time {
            request = request.set(name, time);
        }
        if let Some(name) = self.id {
            request = request.set(name, "msg_1");
        }
        request
    }

    /// The bytes of the signature of `request`.
    pub fn signature_of(&self, request: &Request, time: &str) -> Vec<u8> {
        self.keys.sign(1, &(self.message)(request, time))
    }

    /// The request with these signatures instead of its own signature.
    pub fn with_signatures(&self, request: Request, time: &str, texts: &[String]) -> Request {
        let value = match self.shape {
            Shape::Plain(prefix) => format!("{prefix}{}", texts.join(",")),
            Shape::List(separator, pair, tag) => {
                let time = match self.time {
                    Time::Tag(name) => Some(format!("{name}{pair}{time}")),
                    _ => None,
                };
                let signatures = texts.iter().map(|text| format!("{tag}{pair}{text}"));
                time.into_iter().chain(signatures).collect::<Vec<_>>().join(separator)
            }
        };
        self.with_value(request, &value)
    }

    /// The request with another text at the location of the signature.
    pub fn with_value(&self, request: Request, value: &str) -> Request {
        match self.signature.strip_prefix('/') {
            Some(member) => request.with_member(member, value),
            None => request.set(self.signature, value),
        }
    }

    /// The text at the location of the signature.
    pub fn value(&self, request: &Request) -> String {
        match self.signature.strip_prefix('/') {
            Some(member) => {
                let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
                body[member].as_str().unwrap().to_owned()
            }
            None => request.header(self.signature),
        }
    }

    /// The request without its signature.
    pub fn without_signature(&self, request: Request) -> Request {
        match self.signature.strip_prefix('/') {
            Some(member) => request.without_member(member),
            None => request.without(self.signature),
        }
    }
}

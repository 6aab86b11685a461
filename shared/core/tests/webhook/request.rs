//! A request builder for tests, and helpers that open and run the engine.

use std::net::IpAddr;

use placet_core::Timestamp;
use placet_core::webhook::{
    Answer, Documents, Incoming, OpenError, Scheme, SignedContent, Unverified, Verification,
    Verified, Verifier, merged, presets,
};
use serde_json::{Value, json};

/// The origin of the requests.
pub const ORIGIN: &str = "https://hooks.example.com";

/// The parts of a verified request that tests compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    pub proven: Verification,
    pub identity: Option<String>,
    pub signed: Option<SignedContent>,
}

pub type Judged = Result<Passed, Unverified>;

#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub rest: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub ip: Option<IpAddr>,
}

impl Request {
    /// A POST to `https://hooks.example.com/in/abc?x=1`.
    pub fn post(body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: "POST".to_owned(),
            path: "/in/abc".to_owned(),
            rest: String::new(),
            query: "x=1".to_owned(),
            headers: Vec::new(),
            body: body.into(),
            ip: None,
        }
    }

    pub fn get(query: &str) -> Self {
        Self { method: "GET".to_owned(), query: query.to_owned(), ..Self::post("") }
    }

    /// Adds a header, even if it is already present.
    pub fn add(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Replaces a header.
    pub fn set(self, name: &str, value: &str) -> Self {
        self.without(name).add(name, value)
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub fn header(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    pub fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub fn with_query(self, query: &str) -> Self {
        Self { query: query.to_owned(), ..self }
    }

    pub fn with_member(self, name: &str, value: impl Into<Value>) -> Self {
        let mut body: Value = serde_json::from_slice(&self.body).unwrap();
        body[name] = value.into();
        self.with_body(body.to_string())
    }

    pub fn without_member(self, name: &str) -> Self {
        let mut body: Value = serde_json::from_slice(&self.body).unwrap();
        body.as_object_mut().unwrap().remove(name);
        self.with_body(body.to_string())
    }

    /// The URL of the request.
    pub fn url(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{ORIGIN}{}{mark}{}", self.path, self.query)
    }

    pub fn incoming(&self) -> Incoming<'_> {
        let mut incoming = Incoming::post(&self.path, &self.body);
        incoming.method = &self.method;
        incoming.rest = &self.rest;
        incoming.query = &self.query;
        let headers = self.headers.iter();
        incoming.headers = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        incoming.source_ip = self.ip;
        incoming
    }

    pub fn judged(&self, verifier: &Verifier, at: i64) -> Judged {
        self.judged_with(verifier, &Documents::default(), at)
    }

    pub fn judged_with(&self, verifier: &Verifier, documents: &Documents, at: i64) -> Judged {
        let Verified { proven, identity, signed, .. } = self.verified(verifier, documents, at)?;
        Ok(Passed { proven, identity, signed })
    }

    /// The verified request itself, which can be stored.
    pub fn verified<'v>(
        &'v self,
        verifier: &'v Verifier,
        documents: &Documents,
        at: i64,
    ) -> Result<Verified<'v>, Unverified> {
        let now = Timestamp::from_millis(at * 1000);
        verifier.verify(self.incoming(), documents, now).map_err(|rejected| rejected.reason)
    }

    pub fn greeted(&self, verifier: &Verifier) -> Option<Answer> {
        verifier.greeted(&self.incoming())
    }
}

pub fn scheme(preset: &str, changes: Value) -> Scheme {
    serde_json::from_value(merged(presets::preset(preset).unwrap(), &changes)).unwrap()
}

/// Opens a scheme that is not a preset.
pub fn written(scheme: Value) -> Scheme {
    let scheme: Scheme = serde_json::from_value(scheme).unwrap();
    assert_eq!(scheme.validate(), Ok(()));
    scheme
}

pub fn try_open(scheme: Scheme, secrets: &[&str]) -> Result<Verifier, OpenError> {
    let secrets: Vec<String> = secrets.iter().map(|text| (*text).to_owned()).collect();
    Verifier::open("source", scheme, &secrets, &[], Some(ORIGIN))
}

/// Opens a scheme. The published examples of senders have short secrets.
pub fn open_scheme(scheme: Scheme, secrets: &[&str]) -> Verifier {
    try_open(Scheme { shortest_secret: 1, ..scheme }, secrets).unwrap()
}

pub fn open(preset: &str, secrets: &[&str]) -> Verifier {
    open_scheme(scheme(preset, json!({})), secrets)
}

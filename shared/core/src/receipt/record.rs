//! The stored record of a verified request. It holds the request without its secrets and body.

use serde::{Deserialize, Serialize};

use crate::limits::{LARGEST_HEADERS, LONGEST_IDENTITY};
use crate::webhook::{Incoming, Location, Scheme, Verified};
use crate::{Timestamp, percent};

/// The record of a request. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The name of the source in `placet.yaml`.
    pub source: String,
    /// The identity of the event, as the sender wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_id: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// The path, as received. Stars replace a token in the path.
    pub path: String,
    /// The part of the path after the source's own path. Stars replace a token in it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rest: String,
    /// The query without `?`. Stars replace a token in the query.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// The headers, without secrets and without headers of proxies.
    pub headers: Vec<(String, String)>,
    /// When Placet received the request.
    pub received_at: Timestamp,
}

impl Record {
    /// The record of a verified request.
    pub fn of(verified: &Verified<'_>, now: Timestamp) -> Self {
        let (scheme, request) = (verified.scheme(), verified.request());
        let Address { path, rest, query } = without_secrets(scheme, request);
        let identity = verified.identity.as_deref();
        Self {
            source: verified.source().to_owned(),
            delivery_id: identity.map(|identity| beginning(identity, LONGEST_IDENTITY)),
            method: request.method.to_owned(),
            path,
            rest,
            query,
            headers: kept_headers(scheme, request),
            received_at: now,
        }
    }

    /// The request as received, without its secrets.
    pub fn request<'a>(&'a self, body: &'a [u8]) -> Incoming<'a> {
        let mut request = Incoming::post(&self.path, body);
        request.method = &self.method;
        request.rest = &self.rest;
        request.query = &self.query;
        let headers = self.headers.iter();
        request.headers = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        request
    }

    /// The media type of the body, as the sender wrote it.
    pub fn content_type(&self) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str())
    }
}

/// The beginning of a text, at most `most` bytes, cut between characters.
pub fn beginning(text: &str, most: usize) -> String {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text[..end.unwrap_or(0)].to_owned()
}

/// The address of a request.
struct Address {
    path: String,
    /// The end of the path, after the source's own path.
    rest: String,
    query: String,
}

/// The address, with stars in place of a token.
fn without_secrets(scheme: &Scheme, request: &Incoming<'_>) -> Address {
    const STARS: &str = "***";
    let own = request.path.strip_suffix(request.rest).unwrap_or(request.path);
    let (mut rest, mut query) = (request.rest.to_owned(), request.query.to_owned());
    let checks = &scheme.checks;
    let token = checks.token.as_ref().map(|check| &check.at);
    for at in token.into_iter().chain(checks.jwt.as_ref().map(|check| &check.at)) {
        match at {
            Location::Query(name) => {
                let hidden = |pair: &str| {
                    let read = percent::form(pair.as_bytes()).unwrap_or_default();
                    match read.iter().any(|(known, _)| known == name) {
                        true => format!("{name}={STARS}"),
                        false => pair.to_owned(),
                    }
                };
                query = query.split('&').map(hidden).collect::<Vec<_>>().join("&");
            }
            Location::Path(token) => {
                let segments = rest.split('/').filter(|segment| !segment.is_empty());
                let shown = (1..).zip(segments);
                let shown = shown.map(|(n, segment)| if n == *token { STARS } else { segment });
                rest = shown.map(|segment| format!("/{segment}")).collect();
            }
            _ => {}
        }
    }
    Address { path: format!("{own}{rest}"), rest, query }
}

/// All headers except headers that hold secrets and headers that proxies add.
fn kept_headers(scheme: &Scheme, request: &Incoming<'_>) -> Vec<(String, String)> {
    const NEVER: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];
    let checks = &scheme.checks;
    let token = checks.token.as_ref().map(|check| &check.at);
    let jwt = checks.jwt.as_ref().map(|check| &check.at);
    let secret = |name: &str| {
        let at =
            |location: &&Location| matches!(location, Location::Header(known) if known == name);
        NEVER.contains(&name) || token.iter().chain(&jwt).any(at)
    };
    let proxy = |name: &str| name.starts_with("x-forwarded-") || name.starts_with("x-amzn-");
    // Headers that the scheme reads come first, because not all headers may fit.
    let selectors = [&scheme.event_type, &scheme.identity];
    let read: Vec<&Location> = selectors.iter().flat_map(|one| one.0.iter().flatten()).collect();
    let named = |name: &str| {
        name == "content-type"
            || read.iter().any(|at| matches!(at, Location::Header(known) if known == name))
    };
    let mut left = LARGEST_HEADERS;
    let headers = request.headers.iter().filter(|(name, _)| !secret(name) && !proxy(name));
    let (first, rest): (Vec<_>, Vec<_>) = headers.partition(|(name, _)| named(name));
    let headers = first.into_iter().chain(rest);
    let mut kept = Vec::new();
    for (name, value) in headers {
        match left.checked_sub(name.len() + value.len()) {
            Some(rest) => left = rest,
            None => break,
        }
        kept.push(((*name).to_owned(), (*value).to_owned()));
    }
    kept
}

//! From a verified delivery to a receipt that is kept once and will be worked off.
//!
//! What makes two requests the same event is its identity. If the signature covers it, the receipt's
//! key is made from it, and one conditional write is claim and storage at once. If it does not, or if
//! there is none, whoever has seen one request could send it again under another identity: then the
//! signature itself is claimed for the receipt before. An event without identity whose time is signed
//! is signed anew for each try, so its body is claimed, too. A claim whose receipt was never written
//! (the process died between the two writes) is completed by the next copy, under the receipt it
//! names.
//!
//! Acknowledged is only what is stored, and what is stored has a due time: a lost queue message is
//! the timer's to repeat. Where the sender does not try again, an event that the table does not take
//! is put aside in the blob store, and the timer takes it from there.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use placet_core::webhook::{Incoming, Location, Scheme, Verified};
use placet_core::{Digest, Job, Timestamp, percent};
use serde::{Deserialize, Serialize};

use crate::blob::BlobError;
use crate::store::{About, Claim};
use crate::{Put, Receipt, ReceiptState, Replays, Runtime, StoreError};

/// Where events are put aside.
const SPOOL: &str = "spool";

/// Where events that were put aside go if they can not be read.
const DAMAGED: &str = "spool-damaged";

/// The most bytes of headers that are kept.
const LARGEST_HEADERS: usize = 16 * 1024;

/// The most bytes of an identity that are shown; the receipt's id is made from the whole.
const LONGEST_IDENTITY: usize = 256;

/// How long table, blob store and queue may take together. After that the sender is told to come
/// again, or the event is put aside, while there is time left to do so: the function has 10 s.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long the signature of an event with an unsigned identity is remembered: whoever saw it once
/// could send it again for as long as the secret is the same.
const SIGNATURES: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What came of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is kept under this id.
    New(String),
    /// It was kept before, under this id.
    Before(String),
    /// It is put aside, and will be kept under this id.
    Aside(String),
}

/// Why a delivery was not kept.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The table did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blob store did not take it.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// They did not answer in time.
    #[error("not kept within {} s", PATIENCE.as_secs())]
    Timeout,
    /// What was put aside can not be read.
    #[error("the event put aside as {0} can not be read")]
    Damaged(String),
}

/// Why a receipt is not worked off again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is none of this id.
    #[error("there is no receipt with id {0}")]
    NotFound(String),
    /// It is being worked off already.
    #[error("receipt {0} is still to be worked off")]
    UnderWay(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A delivery as it is put aside.
#[derive(Debug, Serialize, Deserialize)]
struct Aside {
    about: About,
    claims: Vec<Claim>,
    body: String,
}

impl Runtime {
    /// Keeps a verified delivery once and puts it on the queue.
    ///
    /// # Errors
    ///
    /// If it could not be kept: then nothing may be acknowledged.
    pub async fn receive(
        &self,
        source: &str,
        scheme: &Scheme,
        verified: &Verified,
        request: &Incoming<'_>,
    ) -> Result<Received, ReceiveError> {
        let now = self.clock.now();
        let (id, claims) = identify(source, scheme, verified, request, now);
        let (path, query) = without_secrets(scheme, request);
        let identity = verified.identity.as_deref();
        let about = About {
            id,
            tenant: self.config.project.as_str().to_owned(),
            source: source.to_owned(),
            delivery_id: identity.map(|identity| beginning(identity, LONGEST_IDENTITY)),
            verified: verified.record(),
            method: request.method.to_owned(),
            // Where a token stands in the path, nothing of it is kept.
            rest: if path == request.path { request.rest.to_owned() } else { String::new() },
            path,
            query,
            headers: kept_headers(scheme, request),
            received_at: now,
            remembered_until: now.plus(scheme.remember.0.max(scheme.remember_body.0)),
        };
        let body = Bytes::copy_from_slice(request.body);
        let keeping = self.keep(&about, &claims, body.clone());
        let kept = tokio::time::timeout(PATIENCE, keeping).await;
        match kept.unwrap_or(Err(ReceiveError::Timeout)) {
            Err(error) if !scheme.retries => {
                tracing::error!(source, %error, "webhook not stored, it is put aside");
                self.put_aside(about, claims, &body).await
            }
            kept => kept,
        }
    }

    async fn keep(
        &self,
        about: &About,
        claims: &[Claim],
        body: Bytes,
    ) -> Result<Received, ReceiveError> {
        let now = self.clock.now();
        let mut about = about.clone();
        for claim in claims {
            let claim = Claim { receipt_id: about.id.clone(), ..claim.clone() };
            let owner = self.store.claim(&claim, now).await?;
            if owner != about.id && about.delivery_id.is_some() {
                tracing::warn!(
                    source = about.source,
                    receipt_id = owner,
                    delivery_id = about.delivery_id,
                    "the same signature came before under another id"
                );
            }
            about.id = owner;
        }
        let receipt = Receipt {
            body: self.blobs.keep(body).await?,
            state: ReceiptState::Received,
            event_type: None,
            note: String::new(),
            due: Some(now.plus(self.config.defaults.redrive.0)),
            redrives: 0,
            replays: None,
            version: 1,
            about,
        };
        let stored = self.store.create_receipt(&receipt).await?;
        let about = receipt.about;
        match stored {
            Put::Existing(()) => Ok(Received::Before(about.id)),
            Put::Stored => {
                self.enqueue(Job::Process, &about.tenant, &about.id, Duration::ZERO).await;
                Ok(Received::New(about.id))
            }
        }
    }

    async fn put_aside(
        &self,
        about: About,
        claims: Vec<Claim>,
        body: &[u8],
    ) -> Result<Received, ReceiveError> {
        let id = about.id.clone();
        let aside = Aside { about, claims, body: STANDARD.encode(body) };
        let text = serde_json::to_vec(&aside).map_err(|_| ReceiveError::Damaged(id.clone()))?;
        self.blobs.put(&format!("{SPOOL}/{id}"), text.into()).await?;
        Ok(Received::Aside(id))
    }

    /// The keys of events that are put aside, at most `most`.
    ///
    /// # Errors
    ///
    /// If the blob store can not be asked.
    pub async fn put_aside_keys(&self, most: usize) -> Result<Vec<String>, BlobError> {
        self.blobs.list(SPOOL, most).await
    }

    /// Keeps an event that was put aside, and removes it from there.
    ///
    /// # Errors
    ///
    /// If it could not be kept; it then stays where it is.
    pub async fn take_back(&self, key: &str) -> Result<Received, ReceiveError> {
        let Some(bytes) = self.blobs.get(key).await? else {
            return Ok(Received::Before(key.to_owned()));
        };
        let read = serde_json::from_slice::<Aside>(&bytes).ok();
        let read = read.and_then(|aside| Some((STANDARD.decode(&aside.body).ok()?, aside)));
        let Some((body, aside)) = read else {
            // Out of the way of the others, but not thrown away.
            let name = key.rsplit('/').next().unwrap_or(key);
            self.blobs.put(&format!("{DAMAGED}/{name}"), bytes).await?;
            self.blobs.delete(key).await?;
            return Err(ReceiveError::Damaged(key.to_owned()));
        };
        let received = self.keep(&aside.about, &aside.claims, body.into()).await?;
        self.blobs.delete(key).await?;
        Ok(received)
    }

    /// Has a receipt worked off again. What it did before has no second effect; what failed is tried
    /// again.
    ///
    /// # Errors
    ///
    /// If there is none, or it is under way.
    pub async fn replay(&self, tenant: &str, id: &str) -> Result<Receipt, ReplayError> {
        let not_found = || ReplayError::NotFound(id.to_owned());
        let current = self.store.receipt(id).await?.ok_or_else(not_found)?;
        if current.about.tenant != tenant {
            return Err(not_found());
        }
        let now = self.clock.now();
        let count = current.replays.map_or(0, |replays| replays.count).saturating_add(1);
        let next = Receipt {
            state: ReceiptState::Received,
            due: Some(now.plus(self.config.defaults.redrive.0)),
            redrives: 0,
            replays: Some(Replays { count, last_at: now }),
            ..current.clone()
        };
        let idle = current.state != ReceiptState::Received;
        if !idle || !self.store.replace_receipt(next.clone()).await? {
            return Err(ReplayError::UnderWay(id.to_owned()));
        }
        self.enqueue(Job::Process, tenant, id, Duration::ZERO).await;
        Ok(next)
    }
}

/// Under which id a delivery is kept, and what has to be claimed for it before.
fn identify(
    source: &str,
    scheme: &Scheme,
    verified: &Verified,
    request: &Incoming<'_>,
    now: Timestamp,
) -> (String, Vec<Claim>) {
    let coverage = verified.coverage;
    // A proof that does not cover the body may come with several events, as a token does.
    let signature = verified.signature.filter(|_| coverage.body);
    let request_digest = || digest_of(request, coverage.url || signature.is_none());
    let id_of = |text: &str| format!("{source}.{}", short(&Digest::of_bytes(text.as_bytes())));
    let id = match &verified.identity {
        Some(identity) => id_of(identity),
        None => id_of(&format!("{} {}", request_digest(), now.millis())),
    };
    let claim = |what: String, lasting: Duration| Claim {
        key: format!("{source}#{what}"),
        receipt_id: id.clone(),
        expires: now.plus(lasting),
    };
    let mut claims = Vec::new();
    if let Some(signature) = signature.filter(|_| !coverage.identity) {
        let lasting = match &verified.identity {
            Some(_) => SIGNATURES,
            None if coverage.time => scheme.remember.0,
            None => scheme.remember_body.0,
        };
        let event_type = scheme.event_type(request).filter(|_| scheme.same_body_other_type);
        let event_type = event_type.unwrap_or_default();
        claims
            .push(claim(format!("signature#{signature}#{}", beginning(&event_type, 256)), lasting));
    }
    if verified.identity.is_none() && (signature.is_none() || coverage.time) {
        claims.push(claim(format!("request#{}", request_digest()), scheme.remember_body.0));
    }
    (id, claims)
}

/// A digest of what a sender repeats when it tries again: the body, and the address where that is
/// not something that whoever repeats it may change.
fn digest_of(request: &Incoming<'_>, with_address: bool) -> Digest {
    let Incoming { method, path, query, body, .. } = request;
    let target = if with_address { format!("{method} {path}?{query}\n") } else { String::new() };
    Digest::of_bytes(&[target.as_bytes(), body].concat())
}

/// Path and query with stars where a token stands.
fn without_secrets(scheme: &Scheme, request: &Incoming<'_>) -> (String, String) {
    const STARS: &str = "***";
    let (mut path, mut query) = (request.path.to_owned(), request.query.to_owned());
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
            Location::Path(_) => {
                let own = request.path.len().saturating_sub(request.rest.len());
                path = format!("{}/{STARS}", request.path.get(..own).unwrap_or_default());
            }
            _ => {}
        }
    }
    (path, query)
}

/// The first bytes of a text, cut where a character ends.
fn beginning(text: &str, most: usize) -> String {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text[..end.unwrap_or(0)].to_owned()
}

/// Enough of a digest that no two events ever share it.
fn short(digest: &Digest) -> String {
    digest.to_string().chars().take(40).collect()
}

/// All headers but those that hold secrets or that stand there for the way between.
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
    let between = |name: &str| name.starts_with("x-forwarded-") || name.starts_with("x-amzn-");
    // What the scheme reads comes first, in case that not all of them fit.
    let selectors = [&scheme.event_type, &scheme.identity];
    let read: Vec<&Location> = selectors.iter().flat_map(|one| one.0.iter().flatten()).collect();
    let named = |name: &str| {
        name == "content-type"
            || read.iter().any(|at| matches!(at, Location::Header(known) if known == name))
    };
    let mut left = LARGEST_HEADERS;
    let headers = request.headers.iter().filter(|(name, _)| !secret(name) && !between(name));
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

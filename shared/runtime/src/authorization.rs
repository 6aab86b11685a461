//! Checks the API key of a request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lambda_http::http::HeaderMap;
use lambda_http::http::header::AUTHORIZATION;
use placet_core::{Digest, Timestamp};

use crate::api_key::{ApiKey, key_digest, key_id};
use crate::{Clock, Config, Runtime, Store, StoreError};

/// The most keys in the cache.
const CAPACITY: usize = 1000;

/// Checks API keys, and caches the valid ones.
#[derive(Clone)]
pub struct ApiKeys {
    store: Store,
    config: Arc<Config>,
    clock: Clock,
    given: Vec<(Digest, ApiKey)>,
    known: Arc<Mutex<HashMap<Digest, (ApiKey, Timestamp)>>>,
}

/// Why a request is refused. The caller gets the same response for every reason except `Store`.
#[derive(Debug, thiserror::Error)]
pub enum Unauthorized {
    /// There is no `Authorization: Bearer …` header.
    #[error("the request has no Authorization header with a bearer key")]
    Missing,
    /// The key is not in the table.
    #[error("the API key is unknown")]
    Unknown,
    /// The key has expired.
    #[error("key {0} has expired")]
    Expired(String),
    /// The key was revoked.
    #[error("key {0} was revoked")]
    Revoked(String),
    /// The project of the key is no longer in `placet.yaml`, so Placet would not process its operations.
    #[error("key {id} belongs to project {project}, which is not in placet.yaml")]
    NoProject {
        /// The id of the key.
        id: String,
        /// The project of the key.
        project: String,
    },
    /// The table failed. This is not an error of the caller.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApiKeys {
    /// How long a valid key is cached. A revoked key may work for this long after the revocation.
    pub const CACHED: Duration = Duration::from_secs(60);

    /// Accepts the keys in the table of this deployment.
    pub fn new(runtime: &Runtime) -> Self {
        Self {
            store: runtime.engine.store.clone(),
            config: runtime.config.clone(),
            clock: runtime.engine.clock.clone(),
            given: Vec::new(),
            known: Arc::default(),
        }
    }

    /// Also accepts `key` while this process runs.
    #[must_use]
    pub fn and(mut self, key: &str, api_key: ApiKey) -> Self {
        self.given.push((key_digest(key), api_key));
        self
    }

    /// The API key in the `Authorization` header of a request, with its digest.
    ///
    /// # Errors
    ///
    /// If the header has no key; if the key is unknown, expired, revoked or of an unknown project; or if the
    /// table fails.
    pub async fn authorize(&self, headers: &HeaderMap) -> Result<(Digest, ApiKey), Unauthorized> {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, key) =
            header.and_then(|text| text.split_once(' ')).ok_or(Unauthorized::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") || key.trim().is_empty() {
            return Err(Unauthorized::Missing);
        }
        // The lookup uses the digest of a high-entropy secret, so its timing reveals nothing about the
        // secret.
        let digest = key_digest(key.trim());
        if let Some((_, given)) = self.given.iter().find(|(own, _)| *own == digest) {
            return Ok((digest, given.clone()));
        }
        if let Some(known) = self.remembered(digest) {
            self.check(digest, &known)?;
            return Ok((digest, known));
        }
        let api_key = self.store.api_key(digest).await?.ok_or(Unauthorized::Unknown)?;
        self.check(digest, &api_key)?;
        self.remember(digest, &api_key);
        Ok((digest, api_key))
    }

    fn check(&self, digest: Digest, api_key: &ApiKey) -> Result<(), Unauthorized> {
        if api_key.revoked_at.is_some() {
            return Err(Unauthorized::Revoked(key_id(digest)));
        }
        if api_key.has_expired(self.clock.now()) {
            return Err(Unauthorized::Expired(key_id(digest)));
        }
        if !self.config.projects().any(|project| project == api_key.project) {
            let project = api_key.project.clone();
            return Err(Unauthorized::NoProject { id: key_id(digest), project });
        }
        Ok(())
    }

    fn remembered(&self, digest: Digest) -> Option<ApiKey> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (api_key, since) = known.get(&digest)?;
        (self.clock.now().since(*since) < Self::CACHED).then(|| api_key.clone())
    }

    fn remember(&self, digest: Digest, api_key: &ApiKey) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            known.clear();
        }
        known.insert(digest, (api_key.clone(), self.clock.now()));
    }
}

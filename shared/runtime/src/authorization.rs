//! Whether a request brings a good API key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lambda_http::http::HeaderMap;
use lambda_http::http::header::AUTHORIZATION;
use placet_core::{Digest, Timestamp};

use crate::api_key::{ApiKey, key_digest, key_id};
use crate::{Clock, Config, Runtime, Store, StoreError};

/// The most keys remembered at once.
const CAPACITY: usize = 1000;

/// Checks the keys of requests, with a cache of those that were good.
#[derive(Clone)]
pub struct ApiKeys {
    store: Store,
    config: Arc<Config>,
    clock: Clock,
    given: Option<(Digest, ApiKey)>,
    known: Arc<Mutex<HashMap<Digest, (ApiKey, Timestamp)>>>,
}

/// Why a request is refused. All of them but the last have one outward answer.
#[derive(Debug, thiserror::Error)]
pub enum Unauthorized {
    /// There is no `Authorization: Bearer …` header.
    #[error("no bearer key in the Authorization header")]
    Missing,
    /// The key is not in the table.
    #[error("the key is not known")]
    Unknown,
    /// It has expired.
    #[error("key {0} has expired")]
    Expired(String),
    /// It was revoked.
    #[error("key {0} is revoked")]
    Revoked(String),
    /// Its project is not in `placet.yaml` any more, so nothing would process what it creates.
    #[error("key {id} is of project {project}, which placet.yaml does not name")]
    NoProject {
        /// The id of the key.
        id: String,
        /// The project it was made for.
        project: String,
    },
    /// The table does not answer: our fault, not the caller's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApiKeys {
    /// How long a key is believed without asking the table again; so long a revoked key still works.
    pub const CACHED: Duration = Duration::from_secs(60);

    /// Keys in this deployment's table.
    pub fn new(runtime: &Runtime) -> Self {
        Self {
            store: runtime.engine.store.clone(),
            config: runtime.config.clone(),
            clock: runtime.engine.clock.clone(),
            given: None,
            known: Arc::default(),
        }
    }

    /// Keys in this table, and one that is good for as long as this process runs.
    #[must_use]
    pub fn and(self, key: &str, api_key: ApiKey) -> Self {
        Self { given: Some((key_digest(key), api_key)), ..self }
    }

    /// The key a request brings in its `Authorization` header.
    ///
    /// # Errors
    ///
    /// If there is none, it is not known or not good any more, or the table cannot be asked.
    pub async fn authorize(&self, headers: &HeaderMap) -> Result<ApiKey, Unauthorized> {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, key) =
            header.and_then(|text| text.split_once(' ')).ok_or(Unauthorized::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") || key.trim().is_empty() {
            return Err(Unauthorized::Missing);
        }
        // Found by the digest of a secret of high entropy: what the time tells says nothing of it.
        let digest = key_digest(key.trim());
        if let Some((_, given)) = self.given.as_ref().filter(|(own, _)| *own == digest) {
            return Ok(given.clone());
        }
        if let Some(known) = self.remembered(digest) {
            self.check(digest, &known)?;
            return Ok(known);
        }
        let api_key = self.store.api_key(digest).await?.ok_or(Unauthorized::Unknown)?;
        self.check(digest, &api_key)?;
        self.remember(digest, &api_key);
        Ok(api_key)
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

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lambda_http::http::HeaderMap;
use lambda_http::http::header::AUTHORIZATION;
use placet_core::{Digest, Timestamp};

use crate::{Clock, Store, StoreError};

/// How long a key is believed without asking the table again; so long a revoked key still works.
const CACHED: Duration = Duration::from_secs(60);

/// The most keys remembered at once.
const CAPACITY: usize = 1000;

/// What an API key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The tenant it decides for.
    pub tenant: String,
    /// Its name, for the history and the log.
    pub name: String,
}

/// Checks the keys of requests, with a cache of those that were good.
#[derive(Clone)]
pub struct ApiKeys {
    store: Store,
    clock: Clock,
    given: Option<(Digest, ApiKey)>,
    known: Arc<Mutex<HashMap<Digest, (ApiKey, Timestamp)>>>,
}

/// Why a request is not let in. The caller is told the same for all of them but the last.
#[derive(Debug, thiserror::Error)]
pub enum Unauthorized {
    /// There is no `Authorization: Bearer …` header.
    #[error("no bearer key in the Authorization header")]
    Missing,
    /// The key is not in the table.
    #[error("the key is not known")]
    Unknown,
    /// The table could not be asked: our fault, not the caller's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The digest under which a key is stored.
pub fn key_digest(key: &str) -> Digest {
    Digest::of_bytes(key.as_bytes())
}

impl ApiKeys {
    /// Keys in this table.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, given: None, known: Arc::default() }
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
    /// If there is none, it is not known, or the table can not be asked.
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
            return Ok(known);
        }
        let api_key = self.store.api_key(digest).await?.ok_or(Unauthorized::Unknown)?;
        self.remember(digest, &api_key);
        Ok(api_key)
    }

    fn remembered(&self, digest: Digest) -> Option<ApiKey> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (api_key, since) = known.get(&digest)?;
        (self.clock.now().since(*since) < CACHED).then(|| api_key.clone())
    }

    fn remember(&self, digest: Digest, api_key: &ApiKey) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            known.clear();
        }
        known.insert(digest, (api_key.clone(), self.clock.now()));
    }
}

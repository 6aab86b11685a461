//! API keys: what one stands for, what it may, and whether a request brings a good one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lambda_http::http::HeaderMap;
use lambda_http::http::header::AUTHORIZATION;
use placet_core::{Digest, Timestamp};

use crate::{Clock, Config, Runtime, Store, StoreError};

/// The most keys remembered at once.
const CAPACITY: usize = 1000;

/// What an API key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The project it decides for.
    pub tenant: String,
    /// Its name, for the history and the log.
    pub name: String,
    /// What it may.
    pub role: Role,
    /// The contact channel of what it asks for without naming one.
    pub channel: Option<u64>,
    /// Since when there is this key.
    pub created_at: Timestamp,
    /// From when on it is refused; never, if not said.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// Who holds a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Asks, reads and cancels.
    Agent,
    /// Reads and answers.
    Responder,
    /// Does all of it, and operates the project.
    #[default]
    Both,
}

/// What a request needs its key for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To ask for something, or to cancel it.
    Ask,
    /// To read what was asked and how it stands.
    Read,
    /// To answer.
    Answer,
    /// To look at webhooks and endpoints and to set them going again.
    Operate,
}

/// Checks the keys of requests, with a cache of those that were good.
#[derive(Clone)]
pub struct ApiKeys {
    store: Store,
    config: Arc<Config>,
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
    /// Its time is over.
    #[error("key {0} has expired")]
    Expired(String),
    /// It was taken back.
    #[error("key {0} is revoked")]
    Revoked(String),
    /// Its project is not in `placet.yaml` any more, so nothing would drive what it asks for.
    #[error("key {id} is of project {project}, which placet.yaml does not name")]
    NoProject {
        /// The id of the key.
        id: String,
        /// The project it was made for.
        project: String,
    },
    /// The table could not be asked: our fault, not the caller's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The digest under which a key is stored. One round of SHA-256 is enough: a slow hash protects what
/// can be guessed, and nobody guesses 256 random bits.
pub fn key_digest(key: &str) -> Digest {
    Digest::of_bytes(key.as_bytes())
}

/// The name under which operators speak of a key: the first 12 hex digits of its digest.
pub fn key_id(digest: Digest) -> String {
    digest.to_string().chars().take(12).collect()
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Agent, Self::Responder, Self::Both];

    /// Its name, in the table and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Responder => "responder",
            Self::Both => "both",
        }
    }

    /// The role of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether it may create and cancel.
    pub const fn may_ask(self) -> bool {
        matches!(self, Self::Agent | Self::Both)
    }

    /// Whether it may decide and respond.
    pub const fn may_answer(self) -> bool {
        matches!(self, Self::Responder | Self::Both)
    }
}

impl ApiKey {
    /// A key that may everything in its project and does not expire.
    pub fn new(tenant: impl Into<String>, name: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            tenant: tenant.into(),
            name: name.into(),
            role: Role::Both,
            channel: None,
            created_at,
            expires_at: None,
            revoked_at: None,
        }
    }

    /// Whether its role covers this.
    pub const fn allows(&self, right: Right) -> bool {
        match right {
            Right::Ask => self.role.may_ask(),
            Right::Read => true,
            Right::Answer => self.role.may_answer(),
            Right::Operate => self.role.may_ask() && self.role.may_answer(),
        }
    }

    /// Whether its time is over.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

impl ApiKeys {
    /// How long a key is believed without asking the table again; so long a revoked key still works.
    pub const CACHED: Duration = Duration::from_secs(60);

    /// Keys in this deployment's table.
    pub fn new(runtime: &Runtime) -> Self {
        Self {
            store: runtime.store.clone(),
            config: runtime.config.clone(),
            clock: runtime.clock.clone(),
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
    /// If there is none, it is not known or not good any more, or the table can not be asked.
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
        if !self.config.projects().any(|project| project == api_key.tenant) {
            let project = api_key.tenant.clone();
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

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Timestamp = Timestamp::from_millis(0);

    #[test]
    fn a_role_has_its_rights_and_its_name() {
        let table = [
            (Role::Agent, [true, true, false, false]),
            (Role::Responder, [false, true, true, false]),
            (Role::Both, [true, true, true, true]),
        ];
        for (role, expected) in table {
            let key = ApiKey { role, ..ApiKey::new("t", "n", EPOCH) };
            let rights = [Right::Ask, Right::Read, Right::Answer, Right::Operate];
            assert_eq!(rights.map(|right| key.allows(right)), expected, "{role:?}");
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!((Role::parse("Agent"), Role::default()), (None, Role::Both));
    }

    #[test]
    fn a_key_expires_at_its_moment() {
        let at = |expires_at| {
            let key = ApiKey { expires_at, ..ApiKey::new("t", "n", EPOCH) };
            [999, 1000].map(|now| key.has_expired(Timestamp::from_millis(now)))
        };
        assert_eq!(at(Some(Timestamp::from_millis(1000))), [false, true]);
        assert_eq!(at(None), [false, false]);
    }

    #[test]
    fn a_key_is_named_by_the_start_of_its_digest() {
        let digest = key_digest("placet_x");
        assert!(digest.to_string().starts_with(&key_id(digest)));
        assert_eq!(key_id(digest).len(), 12);
    }
}

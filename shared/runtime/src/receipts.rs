//! Stores a verified webhook as a receipt, exactly once.
//!
//! A webhook is acknowledged only after it is stored, and every stored receipt has a message or a due time,
//! so that the worker will process it. If the table is unavailable and the sender does not retry, the event
//! is put into the spool in the blob store. The timer drains the spool.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use placet_core::Payload;
use placet_core::item::Item;
use placet_core::receipt::{Command, Identity, Receipt, Record, State};
use placet_core::webhook::Verified;
use serde::{Deserialize, Serialize};

use crate::blob::BlobError;
use crate::engine::Created;
use crate::{ChangeError, Runtime, StoreError};

/// The folder of events that arrived while the table was unavailable.
const SPOOL: &str = "spool";

/// The folder of spooled events that cannot be read.
const DAMAGED: &str = "spool-damaged";

/// The timeout of table, blob store and queue together. After it, Placet asks the sender to retry or spools
/// the event. The Lambda timeout of the function is 10 s, so there is time left for either.
const STORING: Duration = Duration::from_secs(4);

/// How a webhook was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// The webhook was stored as the receipt with this id.
    New(String),
    /// The webhook had already been stored as the receipt with this id.
    Duplicate(String),
    /// The webhook had already been stored as the receipt with this id, but failed. It is processed again.
    Again(String),
    /// The webhook was spooled, and will be stored as the receipt with this id.
    Spooled(String),
}

/// Why a webhook was not stored.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blob store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A failed receipt could not be changed.
    #[error("{0}")]
    Change(String),
    /// Table, blob store and queue took too long together.
    #[error("not stored within {} s", STORING.as_secs())]
    Timeout,
    /// A spooled event cannot be read.
    #[error("the spooled event {0} cannot be read")]
    Damaged(String),
}

/// An event in the spool.
#[derive(Debug, Serialize, Deserialize)]
struct Spooled {
    #[serde(flatten)]
    identity: Identity,
    receipt: Receipt,
    body: String,
}

impl Runtime {
    /// Stores a verified webhook, exactly once.
    ///
    /// # Errors
    ///
    /// If the webhook could not be stored: then it must not be acknowledged.
    pub async fn receive(&self, verified: &Verified<'_>) -> Result<Received, ReceiveError> {
        let now = self.engine.now();
        let identity = Identity::of(verified, now);
        let receipt = Receipt::of(verified, now);
        let body = Bytes::copy_from_slice(verified.request().body);
        let storing = self.store_receipt(&identity, &receipt, body.clone());
        let stored = tokio::time::timeout(STORING, storing).await;
        match stored.unwrap_or(Err(ReceiveError::Timeout)) {
            Err(error) if !verified.scheme().retries => {
                tracing::error!(source = verified.source(), %error, "webhook not stored, spooling it");
                self.spool(identity, receipt, &body).await
            }
            stored => stored,
        }
    }

    async fn store_receipt(
        &self,
        identity: &Identity,
        receipt: &Receipt,
        body: Bytes,
    ) -> Result<Received, ReceiveError> {
        let (project, now) = (self.config.project.as_str(), self.engine.now());
        let mut id = identity.receipt_id.clone();
        for claim in &identity.claims {
            let owner = self.engine.store.claim(project, claim, &id, now).await?;
            if owner != id && receipt.record.delivery_id.is_some() {
                warn_of_equal(&owner, receipt);
            }
            id = owner;
        }
        let kept = self.blobs.keep(body.clone()).await?;
        let new = || Receipt { body: kept.clone(), ..receipt.clone() };
        let Some(first) = self.create_receipt(&id, new()).await? else {
            return Ok(Received::New(id));
        };
        let apart = || identity.apart(receipt.record.delivery_id.as_deref(), &body);
        if identity.compares_bodies && !self.has_body(&first, &kept, &body).await {
            let (source, apart) = (receipt.record.source.as_str(), apart());
            tracing::warn!(
                source,
                receipt_id = apart,
                first = id,
                "the same id came before with another body, both are kept"
            );
            return Ok(match self.create_receipt(&apart, new()).await? {
                None => Received::New(apart),
                Some(again) => self.repeated(again).await?,
            });
        }
        if identity.claims.is_empty() && first.may_hide(receipt) {
            warn_of_equal(&id, receipt);
            self.create_receipt(&apart(), new().duplicate_of(&id)).await?;
        }
        self.repeated(first).await
    }

    /// Creates a receipt, or returns the existing receipt with this id.
    async fn create_receipt(
        &self,
        id: &str,
        receipt: Receipt,
    ) -> Result<Option<Item<Receipt>>, StoreError> {
        let project = self.config.project.as_str();
        let created = self.engine.create(|write| Item::new(project, id, receipt, write));
        Ok(match created.await? {
            Created::New(_) => None,
            Created::Before(existing) => Some(existing),
        })
    }

    /// Whether a stored receipt has this body. A body that cannot be read counts as another.
    async fn has_body(&self, first: &Receipt, kept: &Payload, body: &Bytes) -> bool {
        match (&first.body, kept) {
            (stored, new) if stored == new => true,
            // The key of a blob is the digest of its bytes.
            (Payload::Blob { .. }, Payload::Blob { .. }) => false,
            // The bytes of a compressed body depend on the release that compressed it.
            (stored, _) => self.blobs.body(stored).await.is_ok_and(|stored| stored == body),
        }
    }

    /// The answer to a repeated webhook. A failed receipt is processed again: its targets are idempotent.
    async fn repeated(&self, first: Item<Receipt>) -> Result<Received, ReceiveError> {
        let id = first.header.id.clone();
        if first.state != State::Failed {
            return Ok(Received::Duplicate(id));
        }
        match self.engine.change(first, |_| Command::Redeliver).await {
            Ok(_) => Ok(Received::Again(id)),
            Err(ChangeError::Refused(_)) => Ok(Received::Duplicate(id)),
            Err(ChangeError::Store(error)) => Err(error.into()),
            Err(error) => Err(ReceiveError::Change(error.to_string())),
        }
    }

    async fn spool(
        &self,
        identity: Identity,
        receipt: Receipt,
        body: &[u8],
    ) -> Result<Received, ReceiveError> {
        let id = identity.receipt_id.clone();
        // Several bodies may have one id, and the spool keeps them all.
        let name = identity.apart(receipt.record.delivery_id.as_deref(), body);
        let spooled = Spooled { identity, receipt, body: STANDARD.encode(body) };
        let text = serde_json::to_vec(&spooled).map_err(|_| ReceiveError::Damaged(id.clone()))?;
        self.blobs.put(&format!("{SPOOL}/{name}"), text.into()).await?;
        Ok(Received::Spooled(id))
    }

    /// The blob keys of at most `most` spooled events.
    ///
    /// # Errors
    ///
    /// If the blob store fails.
    pub async fn spooled(&self, most: usize) -> Result<Vec<String>, BlobError> {
        self.blobs.list(SPOOL, most).await
    }

    /// Stores a spooled event, and deletes it from the spool.
    ///
    /// # Errors
    ///
    /// If the event could not be stored: it stays in the spool. A damaged event is moved to another folder.
    pub async fn drain(&self, key: &str) -> Result<Received, ReceiveError> {
        let Some(bytes) = self.blobs.get(key).await? else {
            return Ok(Received::Duplicate(key.to_owned()));
        };
        let read = serde_json::from_slice::<Spooled>(&bytes).ok();
        let read = read.and_then(|spooled| Some((STANDARD.decode(&spooled.body).ok()?, spooled)));
        let Some((body, spooled)) = read else {
            // Move the event out of the spool, but do not lose it.
            let name = key.rsplit('/').next().unwrap_or(key);
            self.blobs.put(&format!("{DAMAGED}/{name}"), bytes).await?;
            self.blobs.delete(key).await?;
            return Err(ReceiveError::Damaged(key.to_owned()));
        };
        let Spooled { identity, receipt, .. } = spooled;
        let received = self.store_receipt(&identity, &receipt, body.into()).await?;
        self.blobs.delete(key).await?;
        Ok(received)
    }
}

fn warn_of_equal(first: &str, receipt: &Receipt) {
    let Record { source, delivery_id, .. } = &receipt.record;
    tracing::warn!(
        source,
        receipt_id = first,
        delivery_id,
        "the same signed content came before under another id"
    );
}

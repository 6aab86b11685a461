//! Stores a verified webhook as a receipt, exactly once.
//!
//! A webhook is acknowledged only after it is stored, and every stored receipt has a message or a due time,
//! so that the worker will process it. If the table is unavailable and the sender does not retry, the event
//! is put into the spool in the blob store. The timer drains the spool.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use placet_core::item::Item;
use placet_core::receipt::{Claim, Identity, Receipt, Record};
use placet_core::webhook::Verified;
use serde::{Deserialize, Serialize};

use crate::blob::BlobError;
use crate::engine::Created;
use crate::{Runtime, StoreError};

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
    receipt_id: String,
    claims: Vec<Claim>,
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
        let storing = self.store_receipt(&identity, receipt.clone(), body.clone());
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
        receipt: Receipt,
        body: Bytes,
    ) -> Result<Received, ReceiveError> {
        let (project, now) = (self.config.project.as_str(), self.engine.now());
        let mut id = identity.receipt_id.clone();
        for claim in &identity.claims {
            let owner = self.engine.store.claim(project, claim, &id, now).await?;
            let Record { source, delivery_id, .. } = &receipt.record;
            if owner != id && delivery_id.is_some() {
                tracing::warn!(
                    source,
                    receipt_id = owner,
                    delivery_id,
                    "the same signature came before under another id"
                );
            }
            id = owner;
        }
        let receipt = Receipt { body: self.blobs.keep(body).await?, ..receipt };
        let created = self.engine.create(|write| Item::new(project, &id, receipt, write));
        Ok(match created.await? {
            Created::New(_) => Received::New(id),
            Created::Before(_) => Received::Duplicate(id),
        })
    }

    async fn spool(
        &self,
        identity: Identity,
        receipt: Receipt,
        body: &[u8],
    ) -> Result<Received, ReceiveError> {
        let Identity { receipt_id, claims } = identity;
        let id = receipt_id.clone();
        let spooled = Spooled { receipt_id, claims, receipt, body: STANDARD.encode(body) };
        let text = serde_json::to_vec(&spooled).map_err(|_| ReceiveError::Damaged(id.clone()))?;
        self.blobs.put(&format!("{SPOOL}/{id}"), text.into()).await?;
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
        let Spooled { receipt_id, claims, receipt, .. } = spooled;
        let identity = Identity { receipt_id, claims };
        let received = self.store_receipt(&identity, receipt, body.into()).await?;
        self.blobs.delete(key).await?;
        Ok(received)
    }
}

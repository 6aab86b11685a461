//! Creation of deliveries: signed webhooks to endpoints.

use bytes::Bytes;
use placet_core::delivery::Delivery;
use placet_core::item::Item;

use crate::blob::BlobError;
use crate::engine::Created;
use crate::{Runtime, StoreError};

/// A webhook to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// The project of the endpoint.
    pub project: String,
    /// The name of the endpoint in `placet.yaml`.
    pub endpoint: String,
    /// The idempotency key: the same key to the same endpoint is the same delivery.
    pub key: String,
    /// The event type.
    pub event_type: String,
    /// The media type of the body.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

/// Why a delivery was not created.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The project has no such endpoint.
    #[error("placet.yaml has no endpoint {0} in this project")]
    UnknownEndpoint(String),
    /// The body is too large for the table, and the blob store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Runtime {
    /// Creates a delivery, once for each key and endpoint. A caller that crashed calls again and gets the
    /// same delivery. The worker then sends the webhook, and retries for about 28 hours.
    ///
    /// # Errors
    ///
    /// If the project has no such endpoint, or the webhook cannot be stored.
    pub async fn send_webhook(&self, new: NewDelivery) -> Result<Item<Delivery>, SendError> {
        let NewDelivery { project, endpoint, key, event_type, content_type, body } = new;
        if self.config.endpoint(&project, &endpoint).is_none() {
            return Err(SendError::UnknownEndpoint(endpoint));
        }
        let payload = self.blobs.keep(body).await?;
        let id = Delivery::id(&endpoint, &key);
        let created = self.engine.create(|write| {
            let delivery = Delivery::of(&endpoint, &event_type, &content_type, payload, write.at);
            Item::new(&project, &id, delivery, write)
        });
        let created = created.await?;
        if let Created::New(_) = &created {
            tracing::info!(project, delivery_id = id, endpoint, "delivery created");
        }
        Ok(created.into_item())
    }
}

//! Signed webhooks to endpoints: created once, then moved on by the state machine in
//! `placet_core::delivery`, one conditional write per transition (law 2).

use std::time::Duration;

use bytes::Bytes;
use placet_core::Job;
use placet_core::delivery::{Command, Delivery, NewDelivery, Refusal, Transition};

use crate::blob::BlobError;
use crate::operations::{ROUNDS, write_id};
use crate::{Payload, Put, Runtime, StoreError, StoredDelivery};

/// Why a webhook was not taken for delivery.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The project has no such endpoint.
    #[error("placet.yaml has no endpoint {0} of this project")]
    UnknownEndpoint(String),
    /// The payload is too large for the table, and the blob store did not take it.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a command changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// There is no such delivery of this tenant.
    #[error("there is no delivery with id {0}")]
    NotFound(String),
    /// The state machine refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Others wrote first, again and again.
    #[error("delivery {0} is being written by others all the time")]
    Busy(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Runtime {
    /// Takes a signed webhook for delivery, once for each key and endpoint: whoever crashed before
    /// it knew calls again and gets the one that was created before. From here on it is delivered,
    /// or tried for about 28 hours.
    ///
    /// # Errors
    ///
    /// If the project has no such endpoint, or the payload can not be kept.
    pub async fn send_webhook(
        &self,
        new: NewDelivery,
        payload: Bytes,
    ) -> Result<Delivery, SendError> {
        if self.config.endpoint(&new.tenant, &new.endpoint).is_none() {
            return Err(SendError::UnknownEndpoint(new.endpoint));
        }
        let payload = Payload::Kept(self.blobs.keep(payload).await?);
        let delivery = self.new_delivery(new);
        let stored = StoredDelivery { delivery, payload, listed: true };
        match self.store.create_delivery(&stored).await? {
            Put::Existing(before) => Ok(before.delivery),
            Put::Stored => {
                let delivery = stored.delivery;
                tracing::info!(
                    tenant = delivery.tenant,
                    delivery_id = delivery.id,
                    endpoint = delivery.endpoint,
                    "webhook to be delivered"
                );
                self.enqueue(Job::Deliver, &delivery.tenant, &delivery.id, Duration::ZERO).await;
                Ok(delivery)
            }
        }
    }

    /// A delivery that is not stored yet.
    pub fn new_delivery(&self, new: NewDelivery) -> Delivery {
        Delivery::new(new, &write_id(), self.clock.now())
    }

    /// A delivery that is not stored yet, after a command.
    ///
    /// # Errors
    ///
    /// If the command does not apply.
    pub fn next_delivery(
        &self,
        delivery: Delivery,
        command: &Command,
    ) -> Result<Transition, DeliveryError> {
        Ok(delivery.apply(command, &write_id(), self.clock.now())?)
    }

    /// Stores a delivery unless there is one with its id, and has it sent after `send`. `None` if there
    /// is one: somebody else is at it.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn keep_delivery(
        &self,
        stored: StoredDelivery,
        send: Option<Duration>,
    ) -> Result<Option<StoredDelivery>, StoreError> {
        match self.store.create_delivery(&stored).await? {
            Put::Existing(_) => Ok(None),
            Put::Stored => {
                if let Some(delay) = send {
                    let Delivery { tenant, id, .. } = &stored.delivery;
                    self.enqueue(Job::Deliver, tenant, id, delay).await;
                }
                Ok(Some(stored))
            }
        }
    }

    /// Applies a command to a delivery as it was read, or to what has become of it since, and hands
    /// back what it is now.
    ///
    /// # Errors
    ///
    /// If the command does not apply, the delivery is gone, or the store fails.
    pub async fn change_delivery(
        &self,
        mut current: StoredDelivery,
        command: &Command,
    ) -> Result<StoredDelivery, DeliveryError> {
        let write = write_id();
        for _ in 0..ROUNDS {
            let changed = current.delivery.apply(command, &write, self.clock.now())?;
            let StoredDelivery { payload, listed, .. } = current;
            let next = StoredDelivery { delivery: changed.delivery, payload, listed };
            match self.store.replace_delivery(&next).await? {
                Put::Stored => {
                    if let Some(delay) = changed.send {
                        let Delivery { tenant, id, .. } = &next.delivery;
                        self.enqueue(Job::Deliver, tenant, id, delay).await;
                    }
                    return Ok(next);
                }
                Put::Existing(Some(other)) => current = other,
                Put::Existing(None) => return Err(DeliveryError::NotFound(next.delivery.id)),
            }
        }
        Err(DeliveryError::Busy(current.delivery.id))
    }
}

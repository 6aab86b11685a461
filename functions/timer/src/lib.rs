//! Drives what is past its due time: deadlines, lost messages, lapsed leases, receipts, webhooks to
//! be sent (law 3).

use std::time::Duration;

use placet_core::{Command, Job, OperationId, State, delivery};
use placet_runtime::{CommandError, DeliveryError, DueItem, Receipt, Runtime, StoreError};
use serde::Serialize;
use tokio::task::JoinSet;

/// How many items are driven at the same time.
const AT_ONCE: usize = 16;

/// The longest wait between two redrives of a receipt.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// After so many redrives of a receipt a person should look at the worker.
const MANY_REDRIVES: u32 = 5;

/// How many events that were put aside are stored in one run.
const MOST_TAKEN_BACK: usize = 200;

/// The timer function.
#[derive(Clone)]
pub struct Timer {
    runtime: Runtime,
}

/// What one run of the timer did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tick {
    /// Operations that were driven on.
    pub driven: usize,
    /// Operations among them that are now expired.
    pub expired: usize,
    /// Receipts that were put on the queue again.
    pub receipts: usize,
    /// Deliveries that were driven on.
    pub deliveries: usize,
    /// Webhooks that were put aside while the table did not take them, and are stored now.
    pub taken_back: usize,
    /// Items that could not be driven; they are still due.
    pub failed: usize,
}

/// Why an item was not driven.
#[derive(Debug, thiserror::Error)]
enum DriveError {
    #[error(transparent)]
    Operation(#[from] CommandError),
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Timer {
    /// The function over these services.
    pub fn new(runtime: Runtime) -> Self {
        Self { runtime }
    }

    /// Drives everything that is due, in every project. An item that can not be driven is logged and
    /// does not hold up the others.
    ///
    /// # Errors
    ///
    /// If the index can not be read: then a project is not driven, and the function's errors must
    /// show it.
    pub async fn handle(&self) -> Result<Tick, StoreError> {
        let mut tick = Tick::default();
        let mut read = Ok(());
        for project in self.runtime.config.projects() {
            read = read.and(self.drive_project(project, &mut tick).await);
        }
        self.take_back(&mut tick).await;
        if tick != Tick::default() {
            let Tick { driven, expired, receipts, deliveries, taken_back, failed } = tick;
            tracing::info!(
                driven,
                expired,
                receipts,
                deliveries,
                taken_back,
                failed,
                "timer drove what was due"
            );
        }
        read.map(|()| tick)
    }

    async fn drive_project(&self, tenant: &str, tick: &mut Tick) -> Result<(), StoreError> {
        let mut start = None;
        loop {
            let page = self.runtime.store.due(tenant, self.runtime.clock.now(), start).await;
            let page = page.inspect_err(
                |error| tracing::error!(tenant, %error, "the due index can not be read"),
            )?;
            for items in page.items.chunks(AT_ONCE) {
                self.drive_all(tenant, items, tick).await;
            }
            start = page.next;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// Stores what was put aside while the table did not take it. Looked for every fifth minute
    /// only, because every look at an empty place costs the same.
    async fn take_back(&self, tick: &mut Tick) {
        if self.runtime.clock.now().seconds() / 60 % 5 != 0 {
            return;
        }
        let keys = self.runtime.put_aside_keys(MOST_TAKEN_BACK).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the events that were put aside can not be listed");
            Vec::new()
        });
        for key in keys {
            match self.runtime.take_back(&key).await {
                Ok(_) => tick.taken_back += 1,
                Err(error) => {
                    tracing::error!(key, %error, "event that was put aside not stored");
                    tick.failed += 1;
                }
            }
        }
    }

    async fn drive_all(&self, tenant: &str, items: &[DueItem], tick: &mut Tick) {
        let mut driving = JoinSet::new();
        for item in items {
            let (timer, tenant, item) = (self.clone(), tenant.to_owned(), item.clone());
            driving.spawn(async move { timer.drive(&tenant, &item).await });
        }
        while let Some(driven) = driving.join_next().await {
            let one = driven.unwrap_or_else(|panicked| {
                tracing::error!(error = %panicked, "due item not driven");
                Tick { failed: 1, ..Tick::default() }
            });
            tick.driven += one.driven;
            tick.expired += one.expired;
            tick.receipts += one.receipts;
            tick.deliveries += one.deliveries;
            tick.failed += one.failed;
        }
    }

    async fn drive(&self, tenant: &str, item: &DueItem) -> Tick {
        let driven = match item {
            DueItem::Operation(id) => self.drive_operation(id).await.map_err(DriveError::from),
            DueItem::Receipt(id) => self.drive_receipt(id).await.map_err(DriveError::from),
            DueItem::Delivery(id) => self.drive_delivery(tenant, id).await,
        };
        driven.unwrap_or_else(|error| {
            tracing::error!(tenant, ?item, %error, "due item not driven");
            Tick { failed: 1, ..Tick::default() }
        })
    }

    async fn drive_operation(&self, id: &OperationId) -> Result<Tick, CommandError> {
        let (tenant, call_id) = (id.tenant.as_str(), id.call_id.as_str());
        let state = match self.runtime.command(id, |_| Command::Redrive).await {
            Ok(operation) => operation.state,
            // The index lags behind the item, or somebody was faster.
            Err(CommandError::Refused(_) | CommandError::NotFound(_)) => return Ok(Tick::default()),
            Err(error) => return Err(error),
        };
        let state_name = state.as_str();
        match state {
            State::Unknown => tracing::error!(
                tenant,
                call_id,
                "the outcome is unknown: a person has to settle it in the inbox"
            ),
            State::Pending => tracing::debug!(tenant, call_id, "the answer is asked for elsewhere"),
            State::Expired => {
                tracing::info!(tenant, call_id, state = state_name, "operation expired")
            }
            _ => tracing::warn!(tenant, call_id, state = state_name, "operation was past due"),
        }
        Ok(Tick { driven: 1, expired: usize::from(state == State::Expired), ..Tick::default() })
    }

    /// Puts a receipt on the queue again, at growing intervals. It is never given up: it was
    /// acknowledged, so its sender will not send it again.
    async fn drive_receipt(&self, id: &str) -> Result<Tick, StoreError> {
        let now = self.runtime.clock.now();
        let found = self.runtime.store.receipt(id).await?;
        let Some(receipt) = found.filter(|receipt| receipt.due.is_some_and(|due| due <= now))
        else {
            return Ok(Tick::default());
        };
        let redrives = receipt.redrives.saturating_add(1);
        if redrives >= MANY_REDRIVES {
            tracing::error!(
                receipt_id = id,
                redrives,
                "webhook still not worked off: look at the worker"
            );
        }
        let wait =
            self.runtime.config.defaults.redrive.0.saturating_mul(2_u32.saturating_pow(redrives));
        let due = Some(now.plus(wait.min(LONGEST_WAIT)));
        let (tenant, id) = (receipt.about.tenant.clone(), receipt.about.id.clone());
        let next = Receipt { due, redrives, ..receipt };
        if !self.runtime.store.replace_receipt(next).await? {
            return Ok(Tick::default());
        }
        self.runtime.enqueue(Job::Process, &tenant, &id, Duration::ZERO).await;
        Ok(Tick { receipts: 1, ..Tick::default() })
    }

    /// Drives a delivery whose next attempt is due, whose message was lost, or whose worker was.
    async fn drive_delivery(&self, tenant: &str, id: &str) -> Result<Tick, DriveError> {
        let Some(found) = self.runtime.store.delivery(tenant, id).await? else {
            return Ok(Tick::default());
        };
        match self.runtime.change_delivery(found, &delivery::Command::Redrive).await {
            Ok(changed) => {
                let state = changed.delivery.state.as_str();
                tracing::info!(tenant, delivery_id = id, state, "delivery was due");
                Ok(Tick { deliveries: 1, ..Tick::default() })
            }
            // The index lags behind the item, or somebody was faster.
            Err(DeliveryError::Refused(_) | DeliveryError::NotFound(_)) => Ok(Tick::default()),
            Err(error) => Err(error.into()),
        }
    }
}

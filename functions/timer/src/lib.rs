//! Drives what is past its due time: deadlines, lost messages, lapsed leases, receipts (law 3).

use std::time::Duration;

use placet_core::{Command, Job, State};
use placet_runtime::{CommandError, DueItem, Receipt, ReceiptState, Runtime, StoreError};
use serde::Serialize;

/// How often a receipt is put on the queue again before it is given up.
const RECEIPT_REDRIVES: u32 = 10;

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
    /// Items that could not be driven; they are still due.
    pub failed: usize,
}

impl Timer {
    /// The function over these services.
    pub fn new(runtime: Runtime) -> Self {
        Self { runtime }
    }

    /// Drives everything that is due. An item that can not be driven is logged and does not hold up
    /// the others.
    pub async fn handle(&self) -> Tick {
        let tenant = self.runtime.config.project.as_str();
        let mut tick = Tick::default();
        let mut start = None;
        loop {
            let now = self.runtime.clock.now();
            let page = match self.runtime.store.due(tenant, now, start).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(tenant, %error, "the due index can not be read");
                    tick.failed += 1;
                    break;
                }
            };
            for item in page.items {
                self.drive(tenant, &item, &mut tick).await;
            }
            start = page.next;
            if start.is_none() {
                break;
            }
        }
        if tick != Tick::default() {
            let Tick { driven, expired, receipts, failed } = tick;
            tracing::info!(driven, expired, receipts, failed, "timer drove what was due");
        }
        tick
    }

    async fn drive(&self, tenant: &str, item: &DueItem, tick: &mut Tick) {
        let driven = match item {
            DueItem::Operation(call_id) => self.drive_operation(tenant, call_id, tick).await,
            DueItem::Receipt(id) => self.drive_receipt(id, tick).await.map_err(CommandError::from),
        };
        if let Err(error) = driven {
            tracing::error!(tenant, ?item, %error, "due item not driven");
            tick.failed += 1;
        }
    }

    async fn drive_operation(
        &self,
        tenant: &str,
        call_id: &str,
        tick: &mut Tick,
    ) -> Result<(), CommandError> {
        match self.runtime.command(tenant, call_id, |_| Command::Redrive).await {
            Ok(operation) => {
                let state = operation.state;
                tick.driven += 1;
                tick.expired += usize::from(state == State::Expired);
                if state == State::Unknown {
                    tracing::error!(
                        tenant,
                        call_id,
                        "the outcome is unknown: a person has to settle it in the inbox"
                    );
                } else {
                    tracing::warn!(
                        tenant,
                        call_id,
                        state = state.as_str(),
                        "operation was past due"
                    );
                }
                Ok(())
            }
            // The index lags behind the item, or somebody was faster.
            Err(CommandError::Refused(_) | CommandError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn drive_receipt(&self, id: &str, tick: &mut Tick) -> Result<(), StoreError> {
        let now = self.runtime.clock.now();
        let found = self.runtime.store.receipt(id).await?;
        let Some(receipt) = found.filter(|receipt| receipt.due.is_some_and(|due| due <= now))
        else {
            return Ok(());
        };
        let redrives = receipt.redrives + 1;
        if redrives > RECEIPT_REDRIVES {
            let note = format!("given up: not worked off after {RECEIPT_REDRIVES} redrives");
            tracing::error!(receipt_id = id, "webhook given up");
            let given_up = Receipt { state: ReceiptState::Failed, note, due: None, ..receipt };
            return self.runtime.store.replace_receipt(&given_up).await;
        }
        let due = Some(now.plus(self.runtime.config.defaults.redrive.0));
        let (tenant, id) = (receipt.tenant.clone(), receipt.id.clone());
        self.runtime.store.replace_receipt(&Receipt { due, redrives, ..receipt }).await?;
        self.runtime.enqueue(Job::Process, &tenant, &id, Duration::ZERO).await;
        tick.receipts += 1;
        Ok(())
    }
}

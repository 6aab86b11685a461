//! Works off a stored webhook: a completed function call decides the operation with its id.

use placet_core::humanlayer::{Completed, CompletedCall, completed};
use placet_core::{Command, Operation, Refusal, Verdict};
use placet_runtime::{CommandError, Receipt, ReceiptState, StoreError};

use crate::{JobError, Worker};

impl Worker {
    pub(crate) async fn process(&self, receipt_id: &str) -> Result<(), JobError> {
        let Some(receipt) = self.runtime.store.receipt(receipt_id).await? else {
            tracing::error!(receipt_id, "there is no such receipt");
            return Ok(());
        };
        if receipt.state != ReceiptState::Received {
            return Ok(());
        }
        let (state, note) = match completed(&receipt.body) {
            Ok(Completed::Call(call)) => self.decide(&receipt, call).await?,
            Ok(Completed::Ignored(reason)) => (ReceiptState::Done, reason.to_owned()),
            Err(error) => (ReceiptState::Failed, error.to_string()),
        };
        if state == ReceiptState::Failed {
            tracing::error!(receipt_id, note, "webhook had no effect");
        } else {
            tracing::info!(receipt_id, note, "webhook worked off");
        }
        self.runtime.store.replace_receipt(&Receipt { state, note, due: None, ..receipt }).await?;
        Ok(())
    }

    /// Applies the decision, to exactly what the delivery says the person was shown.
    async fn decide(
        &self,
        receipt: &Receipt,
        call: CompletedCall,
    ) -> Result<(ReceiptState, String), JobError> {
        let by = format!("webhook {} {}", receipt.source, receipt.delivery_id);
        let verdict = if call.answer.approved { Verdict::Approve } else { Verdict::Deny };
        let command = |operation: &Operation| Command::Decide {
            verdict,
            comment: call.answer.comment.clone(),
            option: call.answer.option.clone(),
            by: by.clone(),
            seen: Some(operation.digest_with(&call.function, &call.kwargs)),
        };
        match self.runtime.command(&receipt.tenant, &call.call_id, command).await {
            Ok(operation) => Ok(done(&operation)),
            Err(CommandError::Refused(refusal)) => {
                Ok(self.refused(receipt, &call, refusal, &by).await?)
            }
            Err(error @ CommandError::NotFound(_)) => Ok((ReceiptState::Failed, error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// A refusal because of this very delivery is not one: an earlier try decided and stopped
    /// before it could write so on the receipt.
    async fn refused(
        &self,
        receipt: &Receipt,
        call: &CompletedCall,
        refusal: Refusal,
        by: &str,
    ) -> Result<(ReceiptState, String), StoreError> {
        let current = self.runtime.store.operation(&receipt.tenant, &call.call_id, true).await?;
        let decided_here = |operation: &Operation| {
            operation.decision.as_ref().is_some_and(|decision| decision.by == by)
        };
        Ok(match current.filter(decided_here) {
            Some(operation) => done(&operation),
            None => (ReceiptState::Failed, refusal.to_string()),
        })
    }
}

fn done(operation: &Operation) -> (ReceiptState, String) {
    (ReceiptState::Done, format!("{} is {}", operation.call_id, operation.state.as_str()))
}

//! An answer a person gave elsewhere, applied to the operation here.

use placet_core::humanlayer::Answered;
use placet_core::{Command, Decision, Operation, OperationId, Refusal};
use placet_runtime::{CommandError, StoreError};

use crate::process::Outcome;
use crate::{JobError, Worker};

impl Worker {
    /// Applies the answer, to exactly what the person was shown there.
    pub(crate) async fn apply_answer(
        &self,
        tenant: &str,
        answered: &Answered,
        by: String,
    ) -> Result<Outcome, JobError> {
        let id = OperationId::new(tenant, answered.content.kind(), &answered.call_id);
        let command = |operation: &Operation| {
            let seen = operation.digest_with(&answered.content);
            answered.answer.decide(operation, &by, Some(seen))
        };
        match self.runtime.command(&id, command).await {
            Ok(operation) => Ok(Ok(stands(&operation))),
            Err(CommandError::Refused(refusal)) => {
                Ok(self.refused(&id, refusal, answered, &by).await?)
            }
            Err(error @ CommandError::NotFound(_)) => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// A refusal because of this very answer is not one: an earlier try decided and stopped before it
    /// could write down that it had, or the answer came through two doors.
    async fn refused(
        &self,
        id: &OperationId,
        refusal: Refusal,
        answered: &Answered,
        by: &str,
    ) -> Result<Outcome, StoreError> {
        let current = self.runtime.store.operation(id, true).await?;
        let says_so = |operation: &Operation| {
            let shown = operation.digest_with(&answered.content);
            let said = answered.answer.decide(operation, by, Some(shown));
            operation
                .decision
                .as_ref()
                .is_some_and(|decision| decision.by == by || said == repeated(decision, by))
        };
        Ok(match current.filter(says_so) {
            Some(operation) => Ok(stands(&operation)),
            None => Err(refusal.to_string()),
        })
    }
}

/// The command that would decide the same through this door.
fn repeated(decision: &Decision, by: &str) -> Command {
    let Decision { verdict, comment, option, digest, .. } = decision.clone();
    Command::Decide { verdict, comment, option, by: by.to_owned(), seen: Some(digest) }
}

fn stands(operation: &Operation) -> String {
    format!("{} is {}", operation.call_id, operation.state.as_str())
}

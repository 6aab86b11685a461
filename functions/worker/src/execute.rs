//! Runs one approved operation: take the lease, run it, record what came of it.
//!
//! Whatever happens between the lease and the record, `placet_core`'s state machine makes of it
//! what can be known; see the essay in its `transition.rs`.

use placet_core::{Command, Failure, Operation, Refusal, Report, State};
use placet_runtime::CommandError;
use placet_runtime::config::Executor;
use tokio::task::JoinSet;

use crate::{Call, JobError, Worker};

impl Worker {
    pub(crate) async fn execute(&self, tenant: &str, call_id: &str) -> Result<(), JobError> {
        let config = &self.runtime.config;
        let start =
            |operation: &Operation| Command::Start { plan: config.plan(&operation.function) };
        let started = match self.runtime.command(tenant, call_id, start).await {
            Ok(operation) if operation.state == State::Running => operation,
            Ok(operation) => {
                let outcome = operation.outcome.as_ref();
                tracing::error!(tenant, call_id, ?outcome, "operation not run");
                return Ok(());
            }
            Err(CommandError::Refused(refusal)) => {
                let code = Refusal::code(&refusal);
                tracing::info!(tenant, call_id, code, "nothing to run");
                return Ok(());
            }
            Err(CommandError::NotFound(_)) => {
                tracing::error!(tenant, call_id, "there is no such operation");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let attempt = started.attempts;
        tracing::info!(tenant, call_id, attempt, "operation started");
        let report = self.run(&started).await;
        self.record_report(tenant, call_id, attempt, report).await
    }

    async fn record_report(
        &self,
        tenant: &str,
        call_id: &str,
        attempt: u32,
        report: Report,
    ) -> Result<(), JobError> {
        let finish = |_: &Operation| Command::Finish { attempt, report: report.clone() };
        match self.runtime.command(tenant, call_id, finish).await {
            Ok(operation) => {
                let state = operation.state.as_str();
                tracing::info!(tenant, call_id, attempt, state, "operation attempt ended");
                Ok(())
            }
            Err(CommandError::Refused(refusal)) => {
                let code = Refusal::code(&refusal);
                tracing::warn!(tenant, call_id, attempt, code, "report came too late");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Runs one attempt within its timeout. A panic is an outcome nobody knows.
    async fn run(&self, operation: &Operation) -> Report {
        let definition = self.runtime.config.operation(&operation.function);
        let Some(executor) = definition.and_then(|definition| definition.executor.as_ref()) else {
            return Report::Rejected(failure(
                "not_configured",
                "placet.yaml runs nothing for this function",
            ));
        };
        let call = Call::of(operation);
        let mut task = JoinSet::new();
        match executor {
            Executor::Function(name) => match self.functions.get(name) {
                Some(function) => task.spawn(function(call)),
                None => {
                    return Report::Rejected(failure(
                        "no_such_function",
                        &format!("function {name} is not compiled into the worker"),
                    ));
                }
            },
            Executor::Http(http) => {
                let (client, http, runtime) =
                    (self.http.clone(), http.clone(), self.runtime.clone());
                task.spawn(async move { client.run(&http, &call, &runtime).await })
            }
        };
        match tokio::time::timeout(executor.timeout(), task.join_next()).await {
            Ok(Some(Ok(report))) => report,
            Ok(Some(Err(panicked))) => Report::Unclear(failure("panicked", &panicked.to_string())),
            Ok(None) | Err(_) => {
                Report::Unclear(failure("timeout", "no answer within the time an attempt may take"))
            }
        }
    }
}

/// A failure with at most a thousand characters of message: it is kept in the history.
pub(crate) fn failure(code: &str, message: &str) -> Failure {
    Failure { code: code.to_owned(), message: message.chars().take(1000).collect() }
}

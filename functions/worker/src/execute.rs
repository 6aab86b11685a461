//! Runs one approved operation: take the lease, run it, record what came of it.
//!
//! Whatever happens between the lease and the record, `placet_core`'s state machine makes of it
//! what can be known; see the essay in its `transition.rs`.

use std::time::Duration;

use placet_core::{Command, Failure, Operation, OperationId, Plan, Refusal, Report, State};
use placet_runtime::CommandError;
use placet_runtime::config::Executor;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{Call, JobError, Worker};

/// The most of a result that is kept, in bytes of JSON.
const LARGEST_RESULT: usize = 64 * 1024;

/// How much longer than its executor an attempt may take, for an answer that was cut off in time.
const ANSWER: Duration = Duration::from_secs(1);

impl Worker {
    /// Whoever wants to know is told of the decision first: a slow endpoint is waited for a moment, and
    /// goes on with its answer while the operation runs.
    pub(crate) async fn execute(&self, id: &OperationId) -> Result<(), JobError> {
        let Some(operation) = self.runtime.store.operation(id, true).await? else {
            tracing::error!(tenant = id.tenant, call_id = id.call_id, "there is no such operation");
            return Ok(());
        };
        let slow = self.tell_of(&operation).await?;
        let executed = self.start(operation).await;
        slow.finish().await?;
        executed
    }

    async fn start(&self, operation: Operation) -> Result<(), JobError> {
        let id = operation.id();
        let (tenant, call_id) = (id.tenant.as_str(), id.call_id.as_str());
        let config = &self.runtime.config;
        let plan = |operation: &Operation| config.plan(operation.content.function()?);
        let start = |operation: &Operation| Command::Start { plan: plan(operation) };
        let started = match self.runtime.change(operation, start).await {
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
        let report = within_bounds(self.run(&started).await);
        self.record_report(started, report).await
    }

    async fn record_report(&self, started: Operation, report: Report) -> Result<(), JobError> {
        let (id, attempt) = (started.id(), started.attempts);
        let (tenant, call_id) = (id.tenant.as_str(), id.call_id.as_str());
        let finish = |_: &Operation| Command::Finish { attempt, report: report.clone() };
        match self.runtime.change(started, finish).await {
            Ok(operation) => {
                let state = operation.state.as_str();
                tracing::info!(tenant, call_id, attempt, state, "operation attempt ended");
                Ok(())
            }
            Err(CommandError::Refused(refusal)) => {
                let code = Refusal::code(&refusal);
                let took_effect = matches!(report, Report::Succeeded(_));
                tracing::error!(
                    tenant,
                    call_id,
                    attempt,
                    code,
                    took_effect,
                    "report came too late"
                );
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Runs one attempt within its timeout. A panic is an outcome nobody knows.
    async fn run(&self, operation: &Operation) -> Report {
        let (Some(plan), Some(lease)) = (&operation.plan, &operation.lease) else {
            return not_run("not_configured", "nothing runs this function");
        };
        // Whoever was stopped since it took the lease must not start now: the timer may have given
        // the attempt up.
        if self.runtime.clock.now().plus(plan.timeout) > lease.until {
            return not_run("lease_too_short", "the worker was held up before it could start");
        }
        let mut task = JoinSet::new();
        if let Err(failure) = self.spawn(&mut task, operation, plan) {
            return Report::Rejected(failure);
        }
        match tokio::time::timeout(plan.timeout + ANSWER, task.join_next()).await {
            Ok(Some(Ok(report))) => report,
            Ok(Some(Err(panicked))) => {
                Report::Unclear(Failure::new("panicked", &panicked.to_string()))
            }
            Ok(None) | Err(_) => Report::Unclear(Failure::new(
                "timeout",
                "no answer within the time an attempt may take",
            )),
        }
    }

    fn spawn(
        &self,
        task: &mut JoinSet<Report>,
        operation: &Operation,
        plan: &Plan,
    ) -> Result<(), Failure> {
        let call = Call::of(operation);
        let definition =
            call.as_ref().and_then(|call| self.runtime.config.operation(&call.function));
        let executor = definition.and_then(|definition| definition.executor.as_ref());
        match executor.zip(call) {
            Some((Executor::Function(name), call)) => {
                let function = self.functions.get(name).ok_or_else(|| {
                    let message = format!("function {name} is not compiled into the worker");
                    Failure::new("no_such_function", &message)
                })?;
                task.spawn(function(call));
            }
            Some((Executor::Http(http), call)) => {
                let (client, runtime) = (self.http.clone(), self.runtime.clone());
                let (http, timeout) = (http.clone(), plan.timeout);
                task.spawn(async move { client.run(&http, timeout, &call, &runtime).await });
            }
            None => {
                return Err(Failure::new(
                    "not_configured",
                    "placet.yaml runs nothing for this function",
                ));
            }
        }
        Ok(())
    }
}

fn not_run(code: &str, message: &str) -> Report {
    Report::NotDone(Failure::new(code, message), None)
}

/// A result too large to be kept is left out: that it ran must be recorded in any case.
fn within_bounds(report: Report) -> Report {
    match report {
        Report::Succeeded(result) if result.to_string().len() > LARGEST_RESULT => {
            Report::Succeeded(json!({"result_left_out": "it has more than 64 KB"}))
        }
        report => report,
    }
}

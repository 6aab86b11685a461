//! Runs one attempt at an approved operation whose lease this worker holds.
//!
//! The state machine derives the outcome from the report: see the essay in
//! `shared/core/src/operation/transition.rs`.

use std::time::{Duration, Instant};

use placet_core::breaker::End;
use placet_core::item::Item;
use placet_core::limits::{DEEPEST_SPECIFICATION, LARGEST_RESULT};
use placet_core::operation::{Failure, Operation, Plan, Report};
use placet_core::strict_json;
use placet_runtime::config::Executor;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{Call, Worker};

/// The code of a failure: the executor did not answer in time.
pub(crate) const TIMEOUT: &str = "timeout";

/// How much longer than the timeout of its executor an attempt may take, so that an answer just in time
/// counts.
const ANSWER: Duration = Duration::from_secs(1);

impl Worker {
    /// Runs one attempt. Returns its report, and how the call of the executor ended, for the circuit breaker.
    /// A panic is an unknown outcome.
    pub(crate) async fn run(&self, operation: &Item<Operation>) -> (Report, End) {
        let begun = Instant::now();
        let (report, end) = self.attempt(operation).await;
        // An endless response counts as a timeout, too.
        let late = operation.plan.as_ref().is_some_and(|plan| begun.elapsed() >= plan.timeout);
        (within_bounds(report), if late { End::TimedOut } else { end })
    }

    async fn attempt(&self, operation: &Item<Operation>) -> (Report, End) {
        let (Some(plan), Some(until)) = (&operation.plan, operation.leased_until) else {
            return not_run("not_configured", "this function has no executor");
        };
        // A worker that was frozen after it took the lease must not start now: the lease may expire during
        // the run.
        if self.runtime.engine.now().plus(plan.timeout) > until {
            return not_run(
                "lease_too_short",
                "too little of the lease was left to start the attempt",
            );
        }
        let mut task = JoinSet::new();
        if let Err(failure) = self.spawn(&mut task, operation, plan) {
            return (Report::Rejected(failure), End::Unknown);
        }
        match tokio::time::timeout(plan.timeout + ANSWER, task.join_next()).await {
            Ok(Some(Ok(ended))) => ended,
            Ok(Some(Err(panicked))) => {
                (Report::Unclear(Failure::new("panicked", &panicked.to_string())), End::Unknown)
            }
            Ok(None) | Err(_) => {
                let message = "no answer within the timeout";
                (Report::Unclear(Failure::new(TIMEOUT, message)), End::TimedOut)
            }
        }
    }

    fn spawn(
        &self,
        task: &mut JoinSet<(Report, End)>,
        operation: &Item<Operation>,
        plan: &Plan,
    ) -> Result<(), Failure> {
        let call = Call::of(operation);
        let definition =
            call.as_ref().and_then(|call| self.runtime.config.operation(&call.function));
        let executor = definition.and_then(|definition| definition.executor.as_ref());
        match executor.zip(call) {
            Some((Executor::Function(name), call)) => {
                let running = self.functions.find(name)?(call);
                task.spawn(async move { (running.await, End::Answered) });
            }
            Some((Executor::Http(http), call)) => {
                let (worker, http, timeout) = (self.clone(), http.clone(), plan.timeout);
                task.spawn(async move { worker.post(&http, timeout, &call).await });
            }
            None => {
                return Err(Failure::new(
                    "not_configured",
                    "placet.yaml has no executor for this function: add one",
                ));
            }
        }
        Ok(())
    }
}

/// The report of an attempt that was not started.
pub(crate) fn not_run(code: &str, message: &str) -> (Report, End) {
    (Report::NotDone(Failure::new(code, message), None), End::Unknown)
}

/// Leaves out a result that is too large to store or nested too deeply to read again: the report that the
/// operation ran must be recorded in any case.
fn within_bounds(report: Report) -> Report {
    let Report::Succeeded(result) = &report else { return report };
    let text = result.to_string();
    if text.len() > LARGEST_RESULT {
        return Report::Succeeded(json!({"result_left_out": "it has more than 64 KB"}));
    }
    if strict_json::depth(text.as_bytes()) > DEEPEST_SPECIFICATION {
        let why = format!("it is nested more than {DEEPEST_SPECIFICATION} deep");
        return Report::Succeeded(json!({"result_left_out": why}));
    }
    report
}

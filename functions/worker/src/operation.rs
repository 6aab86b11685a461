//! Operations: run them, poll upstream approvers, and record what is due, with the notifications that this needs.

use placet_core::item::Item;
use placet_core::operation::{Command, Operation, Outcome, Refusal, Report, State, Work};
use placet_runtime::engine::{self, Context, Destination, Name, WorkError};

use crate::Worker;

impl engine::Work<Operation> for Worker {
    fn destination(&self, item: &Item<Operation>, work: &Work) -> Option<Destination> {
        let name = match work {
            Work::Expire | Work::Remind | Work::Escalate | Work::ExpireLease => return None,
            Work::Poll => Name::Upstream(item.upstream.as_ref()?.base_url.clone()),
            Work::Run => Name::Executor(item.content.function()?.to_owned()),
        };
        Some(Destination { project: item.project().to_owned(), name })
    }

    fn lease(&self, item: &Item<Operation>, work: &Work) -> Option<Command> {
        let Work::Run = work else { return None };
        let (config, function) = (&self.runtime.config, item.content.function());
        let definition = function.and_then(|function| config.operation(function));
        let missing = definition
            .and_then(|definition| self.functions.missing(definition, &self.runtime.environment));
        let notify = self.runtime.notices(item);
        let plan = || function.and_then(|function| config.plan(function));
        Some(match missing {
            Some(missing) => Command::Block { missing, notify },
            None => Command::Start { plan: plan(), notify },
        })
    }

    async fn perform(
        &self,
        context: Context,
        item: Item<Operation>,
        work: Work,
    ) -> Result<Command, WorkError> {
        let notices = || self.runtime.notices(&item);
        Ok(match work {
            Work::Expire => Command::Expire { notify: notices() },
            Work::Remind => Command::Remind { notify: notices() },
            Work::Escalate => self.escalate(&item),
            Work::ExpireLease => {
                Command::LeaseExpired { attempt: item.attempts, notify: notices() }
            }
            Work::Poll => self.poll(&context, &item).await,
            Work::Run => {
                let (report, end) = self.run(&item).await;
                context.note_end(end);
                Command::Finish { attempt: item.attempts, report, notify: notices() }
            }
        })
    }

    fn log(&self, item: &Item<Operation>, command: &Command) {
        let (project, call_id) = (item.project(), item.call_id());
        let (state, attempt) = (item.state.as_str(), item.attempts);
        match command {
            Command::Start { .. } if item.state == State::Running => {
                tracing::info!(project, call_id, attempt, "operation started");
            }
            Command::Start { .. } | Command::Block { .. } if item.state == State::Blocked => {
                let (code, error) = failure(item);
                tracing::error!(
                    project,
                    call_id,
                    code,
                    error,
                    "operation blocked: it runs as soon as its configuration is there"
                );
            }
            Command::Start { .. } | Command::Block { .. } | Command::Abandon { .. } => {
                let (code, error) = failure(item);
                tracing::error!(project, call_id, state, code, error, "operation not run");
            }
            Command::Finish { report, .. } => log_finish(item, report),
            Command::LeaseExpired { .. } => {
                tracing::warn!(
                    project,
                    call_id,
                    attempt,
                    state,
                    "lease expired before the worker reported"
                );
            }
            Command::Expire { .. } => tracing::info!(project, call_id, "operation expired"),
            Command::Remind { .. } if item.state == State::Pending => {
                tracing::info!(project, call_id, "operation still waits for a decision");
            }
            Command::Remind { .. } => tracing::error!(
                project,
                call_id,
                "operation has an unknown outcome: settle it in the inbox"
            ),
            Command::EscalateInTime { .. } => {
                let to = item.escalated_to();
                tracing::warn!(project, call_id, to, "operation escalated: nobody has decided");
            }
            Command::Decide { .. } => {
                tracing::info!(
                    project,
                    call_id,
                    state,
                    "operation decided by the upstream approver"
                );
            }
            Command::Polled
            | Command::Cancel { .. }
            | Command::Escalate { .. }
            | Command::Link { .. }
            | Command::RevokeLink { .. }
            | Command::Settle { .. } => {}
        }
    }

    fn log_refusal(&self, item: &Item<Operation>, command: &Command, refusal: &Refusal) {
        let (project, call_id, code) = (item.project(), item.call_id(), refusal.code());
        match command {
            Command::Finish { attempt, report, .. } => {
                let took_effect = matches!(report, Report::Succeeded(_));
                tracing::error!(
                    project,
                    call_id,
                    attempt,
                    code,
                    took_effect,
                    "report of the attempt refused: it came too late"
                );
            }
            _ => tracing::info!(
                project,
                call_id,
                code,
                "another request changed the operation first"
            ),
        }
    }
}

impl Worker {
    /// The escalation that is due, with the notifications that this needs.
    fn escalate(&self, item: &Item<Operation>) -> Command {
        let to = item.escalation.as_ref().map_or("", |escalation| escalation.to.as_str());
        let people = self.runtime.config.people.members(to);
        let notify = self.runtime.notices_of_escalation(item, to, &people);
        Command::EscalateInTime { people, notify }
    }
}

/// Logs the end of an attempt. The message of a report may quote the answer of an endpoint, so only its code is logged.
fn log_finish(item: &Item<Operation>, report: &Report) {
    let (project, call_id) = (item.project(), item.call_id());
    let (state, attempt, code) = (item.state.as_str(), item.attempts, report_code(report));
    match item.state {
        State::Unknown => tracing::error!(
            project,
            call_id,
            attempt,
            code,
            "operation has an unknown outcome: settle it in the inbox"
        ),
        State::Failed => {
            tracing::error!(project, call_id, attempt, state, code, "operation not run");
        }
        State::Queued | State::Blocked => {
            let function = item.content.function();
            let next_attempt_at = item.not_before.map(|at| at.to_string());
            tracing::warn!(
                project,
                call_id,
                function,
                attempt,
                state,
                code,
                next_attempt_at,
                "attempt failed, will retry"
            );
        }
        _ => tracing::info!(project, call_id, attempt, state, "operation attempt ended"),
    }
}

fn report_code(report: &Report) -> Option<&str> {
    match report {
        Report::Succeeded(_) => None,
        Report::Rejected(failure) | Report::NotDone(failure, _) | Report::Unclear(failure) => {
            Some(&failure.code)
        }
    }
}

/// The code and the message of the failure that Placet itself has recorded.
fn failure(item: &Item<Operation>) -> (Option<&str>, Option<&str>) {
    match &item.outcome {
        Some(Outcome::Failure(failure)) => (Some(&failure.code), Some(&failure.message)),
        _ => (None, None),
    }
}

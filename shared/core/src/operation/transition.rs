//! The state machine: one pure function from an operation and a command to the next operation.
//!
//! # Why nothing runs twice
//!
//! A worker may be slow, dead or frozen, or two workers may have received the same message. Nobody can
//! distinguish these cases. So a worker writes `Start` before any effect, and the store grants one `Start`
//! per attempt: each write is conditional on the version that the worker read. An expired lease means only
//! that the worker did not report in time. The call may still have run. After an expired lease:
//!
//! - An idempotent operation is queued again with the same idempotency key.
//! - Any other operation becomes `unknown` and waits for a person. A late report on the same attempt still
//!   counts, because it says how the attempt ended.
//!
//! `failed` means that the call had no effect. If an earlier attempt ended unclear, the call may have had
//! an effect, so the operation becomes `unknown` instead.
//!
//! # Why every notification is sent
//!
//! The write that stores an event also adds a pending delivery for each notification of that event to the header.
//! A worker removes the pending delivery from the header only after the delivery is stored. Its id is derived from
//! the operation, the event and the number of the occurrence, so it is created once. A command carries the notices
//! of all events, because only the state machine knows which event the command causes.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Actor, Command, Decision, Event, Failure, Notice, Notified, Occurrence, Operation, OperationId,
    Outcome, Plan, Refusal, State, is_call_id,
};
use crate::delivery::MailTo;
use crate::item::{Change, Child, Item, Job, Kind, Lane, Need, Next, Write};
use crate::{Digest, Timestamp};

/// The work of a worker for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Record the expiry, with the notifications that this needs.
    Expire,
    /// Record a reminder, with its notifications.
    Remind,
    /// Record the escalation that is due, with its notifications.
    Escalate,
    /// Record that the lease expired, with the notifications of the outcome.
    ExpireLease,
    /// Poll the upstream approver for a decision.
    Poll,
    /// Run the call.
    Run,
}

impl Kind for Operation {
    const NAME: &'static str = "operation";

    type Command = Command;
    type Refusal = Refusal;
    type Work = Work;

    fn apply(
        item: &Item<Self>,
        command: &Command,
        write: &Write<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let mut step = Step::new(item, write);
        match command {
            Command::Decide { verdict, comment, option, by, seen, notify } => {
                let decision = Decision {
                    verdict: *verdict,
                    comment: comment.clone(),
                    option: option.clone(),
                    by: by.clone(),
                    at: write.at,
                    digest: item.digest,
                };
                step.decide(decision, *seen, notify)?;
            }
            Command::Cancel { reason, by, notify } => step.cancel(reason, by, notify)?,
            Command::Escalate { escalation, by, notify } => {
                step.escalate(escalation, by, notify)?;
            }
            Command::EscalateInTime { people, notify } => step.escalate_in_time(people, notify)?,
            Command::Link { id, person, until, by } => {
                step.link(id, person.as_deref(), *until, by)?
            }
            Command::RevokeLink { id, by } => step.revoke_link(id, by)?,
            Command::Expire { notify } => step.expire(notify)?,
            Command::Polled => step.polled()?,
            Command::Start { plan, notify } => step.start(plan.as_ref(), notify)?,
            Command::Block { missing, notify } => step.block(missing, notify)?,
            Command::Finish { attempt, report, notify } => step.finish(*attempt, report, notify)?,
            Command::LeaseExpired { attempt, notify } => step.lease_expired(*attempt, notify)?,
            Command::Remind { notify } => step.remind(notify)?,
            Command::Settle { settlement, comment, by, seen, attempt, notify } => {
                step.check_settlement(*settlement, by, *seen, *attempt)?;
                step.settle(*settlement, comment, by, notify);
            }
            Command::Abandon { reason } => step.abandon(reason)?,
        }
        Ok(Change { body: step.next, children: step.children })
    }

    fn next(item: &Item<Self>, now: Timestamp) -> Next<Self> {
        let work = |lane, at, work| Next::Work(Job { lane, at, work });
        match item.state {
            State::Pending if now > item.deadline => work(Lane::Work, now, Work::Expire),
            State::Pending => {
                let until = item.deadline.plus(Duration::from_millis(1));
                Next::Person { need: Need::Decision, until, meanwhile: meanwhile(item, now) }
            }
            State::Queued => {
                let at = item.not_before.unwrap_or(Timestamp::from_millis(0));
                work(Lane::Calls, at, Work::Run)
            }
            // A person sees it in the inbox meanwhile.
            State::Blocked => match item.not_before {
                Some(until) if now < until => {
                    Next::Person { need: Need::Settlement, until, meanwhile: None }
                }
                _ => work(Lane::Calls, now, Work::Run),
            },
            State::Running => match item.leased_until {
                Some(until) if now < until => Next::Lease(until),
                _ => work(Lane::Work, now, Work::ExpireLease),
            },
            State::Unknown => match item.remind_at {
                Some(remind_at) if now < remind_at => {
                    Next::Person { need: Need::Settlement, until: remind_at, meanwhile: None }
                }
                _ => work(Lane::Work, now, Work::Remind),
            },
            _ => Next::Nothing,
        }
    }

    fn failed(reason: String) -> Command {
        Command::Abandon { reason }
    }

    fn is_id(text: &str) -> bool {
        OperationId::parse("", text).is_some_and(|id| is_call_id(&id.call_id))
    }

    fn digest(&self) -> Option<Digest> {
        Some(self.digest)
    }
}

/// The next work while the operation waits for a decision. What is due of our own table comes before a poll, because
/// the upstream approver may be paused.
fn meanwhile(operation: &Operation, now: Timestamp) -> Option<Job<Operation>> {
    let own = |work| move |at| Job { lane: Lane::Work, at, work };
    let escalation = operation.escalation.as_ref().map(|escalation| escalation.at);
    let poll = operation.upstream.as_ref().and_then(|upstream| upstream.next_poll);
    let all = [
        escalation.map(own(Work::Escalate)),
        operation.next_reminder().map(own(Work::Remind)),
        poll.map(|at| Job { lane: Lane::Calls, at, work: Work::Poll }),
    ];
    all.into_iter().flatten().min_by_key(|job| job.at.max(now))
}

/// A transition under construction.
pub(super) struct Step<'a> {
    pub(super) item: &'a Item<Operation>,
    pub(super) next: Operation,
    pub(super) children: Vec<Child>,
    pub(super) now: Timestamp,
}

impl<'a> Step<'a> {
    fn new(item: &'a Item<Operation>, write: &Write<'_>) -> Self {
        Self { item, next: item.body.clone(), children: Vec::new(), now: write.at }
    }

    pub(super) fn record(&mut self, event: &str, by: Actor, detail: Value) {
        self.next.history.record(self.item.identity(), self.now, event, by, detail);
    }

    /// Adds the notifications of an event that has just been recorded.
    pub(super) fn notify(&mut self, event: Event, notices: &[Notice]) {
        let id = self.item.id();
        let occurrence = Occurrence { event, number: self.next.times(event), at: self.now };
        let wanted = notices.iter().filter(|notice| notice.event == event && self.needs(notice));
        let children: Vec<Child> = wanted.map(|notice| notice.child(&id, occurrence)).collect();
        self.children.extend(children);
    }

    /// Whether a notification tells its person something new. Who decided knows it, and the mail about an expiry says
    /// all that a mail about the end would say.
    fn needs(&self, notice: &Notice) -> bool {
        let Notified::Mail(to) = &notice.to else { return true };
        let decided = self.next.decision.as_ref().and_then(|decision| decision.by.person());
        let by = decided.map(|person| person.id.as_str());
        notice.event != Event::Completed
            || self.next.state != State::Expired
                && !matches!(to, MailTo::Person(id) if Some(id.as_str()) == by)
    }

    pub(super) fn end(&mut self, state: State, outcome: Option<Outcome>) {
        self.next.state = state;
        self.next.leased_until = None;
        self.next.not_before = None;
        self.next.outcome = outcome;
        self.next.remind_at = self.reminder_in(state);
    }

    pub(super) fn fail(&mut self, state: State, failure: Failure, by: Actor, notify: &[Notice]) {
        self.record(state.as_str(), by, json!({"code": failure.code, "message": failure.message}));
        self.end(state, Some(Outcome::Failure(failure)));
        // A late report on an unknown outcome is no new event.
        if state != self.item.state {
            let event = if state == State::Unknown { Event::Unknown } else { Event::Failed };
            self.notify(event, notify);
        }
    }

    /// Queues the operation for a worker. The next attempt starts after `delay` or later.
    pub(super) fn queue(&mut self, delay: Duration) {
        self.next.state = State::Queued;
        self.next.outcome = None;
        self.next.leased_until = None;
        self.next.remind_at = None;
        self.next.not_before = (!delay.is_zero()).then(|| self.now.plus(delay));
    }

    pub(super) fn plan<T: Default>(&self, field: impl Fn(&Plan) -> T) -> T {
        self.next.plan.as_ref().map(field).unwrap_or_default()
    }
}

//! An independent and simple model of the laws, without digests, headers and history.

mod note;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use placet_core::Timestamp;
use placet_core::item::Lane;
use placet_core::operation::{
    Actor, Command, Event, NewOperation, OperationKind, Plan, Report, Settlement, State, Verdict,
};

use crate::requests::UPSTREAM;

/// The pauses in seconds between two polls of an upstream approver. The last pause repeats.
const PAUSES: [u64; 6] = [30, 60, 120, 240, 480, 900];

/// The people who may decide every operation of these tests.
const APPROVERS: [&str; 2] = ["ana", "bo"];

const DAY: Duration = Duration::from_secs(86_400);

/// The expected result of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    Becomes(State),
    /// Refused with this code.
    Refused(&'static str),
}

/// The state of an operation as an observer derives it from commands, answers and the clock.
#[derive(Debug)]
pub struct Model {
    pub state: State,
    pub decided: Option<(Verdict, Actor)>,
    /// For each granted attempt: whether the attempt may have had its effect, according to the reports.
    pub effects: Vec<bool>,
    /// Whether another attempt is allowed, because the end of the previous attempt is known or harmless.
    pub licensed: bool,
    /// Whether an attempt or a person reported success.
    pub success: bool,
    /// The endpoints for which a delivery must still be created, with the event and its number.
    pub unnotified: BTreeSet<(String, Event, u32)>,
    /// How often each event took place.
    times: BTreeMap<Event, u32>,
    /// The code of what is missing, if that blocks the operation.
    blocked_by: Option<String>,
    /// The times of the reminders that are still to come, the earliest first.
    reminders: Vec<Timestamp>,
    /// The time of the escalation that is still to come.
    escalation: Option<Timestamp>,
    /// The number of polls of the upstream approver.
    pub polls: u32,
    /// The time of the next poll; `None` if there is no upstream approver or no time left.
    pub next_poll: Option<Timestamp>,
    /// When the lease expires or the next reminder is due.
    pub wakes_at: Option<Timestamp>,
    has_upstream: bool,
    escalations: u32,
    /// How many links were made.
    links: u32,
    /// The ids of the revoked links.
    revoked: BTreeSet<String>,
    /// How many times a person ran the operation again.
    runs_again: u32,
    /// Whether an attempt of an idempotent operation ended unclear and no person has settled it since.
    doubt: bool,
    kind: OperationKind,
    plan: Option<Plan>,
    attempts_left: u32,
    /// Until when an attempt that did not run is retried.
    retry_until: Option<Timestamp>,
    deadline: Timestamp,
    /// Copied from the operation. The laws and the examples check how long a retry waits.
    not_before: Option<Timestamp>,
}

impl Model {
    pub fn new(new: &NewOperation, now: Timestamp) -> Self {
        let in_time = |after: Vec<Duration>| -> Vec<Timestamp> {
            let times = after.into_iter().filter(|after| *after < new.time_to_decide);
            times.map(|after| now.plus(after)).collect()
        };
        Self {
            state: State::Pending,
            decided: None,
            effects: Vec::new(),
            licensed: true,
            success: false,
            unnotified: BTreeSet::new(),
            times: BTreeMap::new(),
            blocked_by: None,
            reminders: in_time(new.follow_up.remind.clone()),
            escalation: in_time(new.follow_up.escalate.iter().map(|(after, _)| *after).collect())
                .pop(),
            polls: 0,
            next_poll: new.upstream.as_ref().map(|_| now),
            wakes_at: None,
            has_upstream: new.upstream.is_some(),
            escalations: 0,
            runs_again: 0,
            links: 0,
            revoked: BTreeSet::new(),
            doubt: false,
            kind: new.id.kind,
            plan: new.plan.clone(),
            attempts_left: new.plan.as_ref().map_or(0, |plan| plan.max_attempts),
            retry_until: None,
            deadline: now.plus(new.time_to_decide),
            not_before: None,
        }
    }

    pub fn attempts(&self) -> u32 {
        u32::try_from(self.effects.len()).unwrap()
    }

    pub fn idempotent(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.idempotent)
    }

    /// The expected result of `command`. `shown` says whether its digest is the shown digest.
    pub fn expect(&self, command: &Command, shown: bool, now: Timestamp) -> Answer {
        match command {
            Command::Decide { by, .. } if self.refuses(by).is_some() => {
                Answer::Refused(self.refuses(by).unwrap_or_default())
            }
            Command::Settle { by, .. } if self.refuses_settlement(by).is_some() => {
                Answer::Refused(self.refuses_settlement(by).unwrap_or_default())
            }
            Command::Decide { verdict, comment, .. } => {
                self.expect_decision(*verdict, comment, shown, now)
            }
            Command::Cancel { .. } => self.undecided(now, Answer::Becomes(State::Cancelled)),
            Command::Escalate { .. } if self.escalations < 10 => {
                self.undecided(now, Answer::Becomes(State::Pending))
            }
            Command::Escalate { .. } => self.undecided(now, Answer::Refused("escalated_enough")),
            Command::Link { person, .. } => {
                self.expect_link(person.as_deref().unwrap_or_default(), now)
            }
            Command::RevokeLink { id, .. } => match self.revoked.len() {
                _ if !self.waits_for_a_person(now) => Answer::Refused("nothing_to_decide"),
                _ if self.revoked.contains(id) => Answer::Refused("link_revoked"),
                20.. => Answer::Refused("links_enough"),
                _ => Answer::Becomes(self.state),
            },
            Command::Expire { .. } => {
                self.due(self.is_past_deadline(now), Answer::Becomes(State::Expired))
            }
            Command::Polled => {
                let due = self.next_poll.is_some_and(|at| at <= now);
                self.undecided(now, self.due(due, Answer::Becomes(State::Pending)))
            }
            Command::Start { plan: None, .. } | Command::Block { .. } => self.expect_block(now),
            Command::Start { plan, .. } => self.expect_start(plan.as_ref(), now),
            Command::Finish { attempt, report, .. } => self.expect_report(*attempt, report, now),
            Command::LeaseExpired { attempt, .. } => self.expect_expired_lease(*attempt, now),
            Command::Remind { .. } => {
                let due = match self.state {
                    State::Pending => self.is_due(self.reminders.first().copied(), now),
                    state => state == State::Unknown && self.is_awake(now),
                };
                self.due(due, Answer::Becomes(self.state))
            }
            Command::EscalateInTime { .. } => {
                let due = self.state == State::Pending && self.is_due(self.escalation, now);
                self.due(due, Answer::Becomes(State::Pending))
            }
            Command::Settle { settlement, attempt, .. } => {
                self.expect_settlement(*settlement, *attempt, shown)
            }
            Command::Abandon { .. } => match self.state {
                State::Queued | State::Blocked => Answer::Becomes(self.not_succeeded()),
                State::Running => Answer::Becomes(State::Unknown),
                _ => Answer::Refused("not_queued"),
            },
        }
    }

    /// The refusal of somebody who may not decide this operation.
    fn refuses(&self, by: &Actor) -> Option<&'static str> {
        match by {
            Actor::Api { key, .. } => (key == "key-of-agent").then_some("own_operation"),
            Actor::Link { id, .. } if self.revoked.contains(id) => Some("link_revoked"),
            Actor::Link { person: None, .. } => Some("not_an_approver"),
            Actor::Inbox { .. } | Actor::Link { .. } => {
                let person = by.person().map(|person| person.id.as_str());
                person.filter(|id| !APPROVERS.contains(id)).map(|_| "not_an_approver")
            }
            Actor::Webhook { source, .. } if source == "humanlayer" => None,
            Actor::Upstream { url } if self.has_upstream && url == UPSTREAM => None,
            _ => Some("not_an_approver"),
        }
    }

    /// The refusal of somebody who may not settle this operation.
    fn refuses_settlement(&self, by: &Actor) -> Option<&'static str> {
        match by {
            Actor::Inbox { .. } => None,
            by => self.refuses(by),
        }
    }

    fn expect_link(&self, person: &str, now: Timestamp) -> Answer {
        match APPROVERS.contains(&person) {
            _ if !self.waits_for_a_person(now) => Answer::Refused("nothing_to_decide"),
            false => Answer::Refused("not_an_approver"),
            true if self.links >= 20 => Answer::Refused("links_enough"),
            true => Answer::Becomes(self.state),
        }
    }

    fn waits_for_a_person(&self, now: Timestamp) -> bool {
        match self.state {
            State::Pending => now <= self.deadline,
            State::Unknown | State::Blocked | State::Failed => true,
            _ => false,
        }
    }

    fn is_past_deadline(&self, now: Timestamp) -> bool {
        self.state == State::Pending && now > self.deadline
    }

    /// Whether a time has come and the deadline has not passed.
    fn is_due(&self, at: Option<Timestamp>, now: Timestamp) -> bool {
        at.is_some_and(|at| at <= now) && now <= self.deadline
    }

    fn is_awake(&self, now: Timestamp) -> bool {
        self.wakes_at.is_some_and(|at| at <= now)
    }

    fn due(&self, due: bool, answer: Answer) -> Answer {
        if due { answer } else { Answer::Refused("nothing_due") }
    }

    /// `answer` if the operation can still be decided; otherwise the refusal.
    fn undecided(&self, now: Timestamp, answer: Answer) -> Answer {
        match self.state {
            State::Expired => Answer::Refused("expired"),
            State::Pending if now > self.deadline => Answer::Refused("expired"),
            State::Pending => answer,
            _ => Answer::Refused("already_decided"),
        }
    }

    fn expect_decision(
        &self,
        verdict: Verdict,
        words: &str,
        shown: bool,
        now: Timestamp,
    ) -> Answer {
        let answer = match (self.kind, verdict) {
            _ if !shown => Answer::Refused("digest_mismatch"),
            (OperationKind::FunctionCall, Verdict::Deny) => Answer::Becomes(State::Denied),
            (OperationKind::FunctionCall, Verdict::Approve) if self.plan.is_some() => {
                Answer::Becomes(State::Queued)
            }
            (OperationKind::FunctionCall, Verdict::Approve) => Answer::Becomes(State::Approved),
            (OperationKind::HumanContact, Verdict::Answer) if words.is_empty() => {
                Answer::Refused("empty_answer")
            }
            (OperationKind::HumanContact, Verdict::Answer) => Answer::Becomes(State::Answered),
            _ => Answer::Refused("wrong_verdict"),
        };
        self.undecided(now, answer)
    }

    fn expect_block(&self, now: Timestamp) -> Answer {
        match self.expect_start(self.plan.as_ref(), now) {
            Answer::Becomes(State::Running) => Answer::Becomes(State::Blocked),
            refused => refused,
        }
    }

    fn expect_start(&self, configured: Option<&Plan>, now: Timestamp) -> Answer {
        match self.state {
            State::Running => Answer::Refused("lease_held"),
            State::Queued | State::Blocked
                if self.not_before.is_some_and(|moment| now < moment) =>
            {
                Answer::Refused("too_early")
            }
            State::Queued | State::Blocked if configured == self.plan.as_ref() => {
                Answer::Becomes(State::Running)
            }
            State::Queued | State::Blocked => Answer::Becomes(self.not_succeeded()),
            _ => Answer::Refused("not_queued"),
        }
    }

    fn expect_report(&self, attempt: u32, report: &Report, now: Timestamp) -> Answer {
        let open = matches!(self.state, State::Running | State::Unknown);
        if !open || attempt != self.attempts() {
            return Answer::Refused("stale_attempt");
        }
        Answer::Becomes(match report {
            Report::Succeeded(_) => State::Succeeded,
            Report::Rejected(_) => self.not_succeeded(),
            Report::NotDone(..) if self.retry_until.is_some_and(|until| now < until) => {
                State::Queued
            }
            Report::NotDone(..) => self.not_succeeded(),
            Report::Unclear(_) => self.after_an_unclear_attempt(),
        })
    }

    fn expect_expired_lease(&self, attempt: u32, now: Timestamp) -> Answer {
        if self.state != State::Running || !self.is_awake(now) {
            return Answer::Refused("nothing_due");
        }
        if attempt != self.attempts() {
            return Answer::Refused("stale_attempt");
        }
        Answer::Becomes(self.after_an_unclear_attempt())
    }

    fn expect_settlement(&self, settlement: Settlement, attempt: u32, shown: bool) -> Answer {
        match settlement {
            Settlement::Happened if self.state == State::Blocked => Answer::Refused("not_unknown"),
            Settlement::Happened | Settlement::DidNotHappen if self.state == State::Failed => {
                Answer::Refused("not_unknown")
            }
            _ if !matches!(self.state, State::Unknown | State::Blocked | State::Failed) => {
                Answer::Refused("not_unknown")
            }
            _ if !shown => Answer::Refused("digest_mismatch"),
            Settlement::RunAgain if self.runs_again >= 10 => Answer::Refused("run_enough"),
            _ if attempt != self.attempts() => Answer::Refused("stale_attempt"),
            Settlement::Happened => Answer::Becomes(State::Succeeded),
            Settlement::DidNotHappen => Answer::Becomes(State::Failed),
            Settlement::RunAgain => Answer::Becomes(State::Queued),
        }
    }

    fn not_succeeded(&self) -> State {
        if self.doubt { State::Unknown } else { State::Failed }
    }

    fn after_an_unclear_attempt(&self) -> State {
        let again = self.state == State::Running && self.idempotent() && self.attempts_left > 0;
        if again { State::Queued } else { State::Unknown }
    }

    /// The expected due time and pointer. Work that a worker does at once with the message it holds needs no
    /// pointer.
    pub fn schedule(
        &self,
        now: Timestamp,
        held: bool,
    ) -> (Option<Timestamp>, Option<(Lane, Timestamp)>) {
        let end = self.deadline.plus(Duration::from_millis(1));
        let first = Timestamp::from_millis(0);
        let (due, own) = match self.state {
            State::Pending if now > self.deadline => (None, Some((Lane::Work, now))),
            State::Pending => self.schedule_of_pending(now, end),
            State::Queued => (None, Some((Lane::Calls, self.not_before.unwrap_or(first)))),
            State::Blocked if self.not_before.is_some_and(|moment| now < moment) => {
                (self.not_before, None)
            }
            State::Blocked => (None, Some((Lane::Calls, now))),
            State::Running | State::Unknown if self.is_awake(now) => {
                (None, Some((Lane::Work, now)))
            }
            State::Unknown => (self.wakes_at, None),
            // A lease relies on the message of the worker that took it.
            _ => (None, None),
        };
        let pointer = if self.unnotified.is_empty() { own } else { Some((Lane::Calls, now)) };
        (due, pointer.filter(|(_, at)| !held || *at > now))
    }

    /// The earliest of the escalation, the reminder and the poll has a message if it is near; otherwise the due time.
    fn schedule_of_pending(
        &self,
        now: Timestamp,
        end: Timestamp,
    ) -> (Option<Timestamp>, Option<(Lane, Timestamp)>) {
        let jobs = [
            self.escalation.map(|at| (Lane::Work, at)),
            self.reminders.first().map(|at| (Lane::Work, *at)),
            self.next_poll.map(|at| (Lane::Calls, at)),
        ];
        let first = jobs.into_iter().flatten().min_by_key(|(_, at)| *at.max(&now));
        match first {
            Some((_, at)) if at > now.plus(Duration::from_secs(900)) => (Some(at.min(end)), None),
            first => (Some(end), first),
        }
    }
}

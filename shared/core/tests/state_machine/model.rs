//! The laws once more, as simply as they can be said: no digests, no leases, no history.

use placet_core::{
    Command, Effect, Operation, Plan, Report, Settlement, State, Timestamp, Verdict,
};

/// What the laws let a command come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    Becomes(State),
    /// Refused with this code.
    Refused(&'static str),
}

/// What an observer knows who sees only commands, answers and the clock.
#[derive(Debug)]
pub struct Model {
    pub state: State,
    pub decided: Option<(Verdict, String)>,
    /// One for each granted attempt: whether it may have had its effect, for all that was said.
    pub effects: Vec<bool>,
    /// Whether another attempt is licensed: nothing is open about the one before.
    pub licensed: bool,
    /// Whether an attempt reported success, or a person did.
    pub success: bool,
    /// An attempt of an idempotent operation ended unclear and no person has settled it since.
    doubt: bool,
    plan: Option<Plan>,
    attempts_left: u32,
    deadline: Timestamp,
    not_before: Option<Timestamp>,
    due: Option<Timestamp>,
}

impl Model {
    pub fn new(operation: &Operation) -> Self {
        Self {
            state: State::Pending,
            decided: None,
            effects: Vec::new(),
            licensed: true,
            success: false,
            doubt: false,
            plan: operation.plan.clone(),
            attempts_left: operation.plan.as_ref().map_or(0, |plan| plan.max_attempts),
            deadline: operation.deadline,
            not_before: None,
            due: operation.due,
        }
    }

    pub fn attempts(&self) -> u32 {
        u32::try_from(self.effects.len()).unwrap()
    }

    pub fn idempotent(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.idempotent)
    }

    /// What `command` must come to. `shown` is whether its digest is the one that was shown.
    pub fn expect(&self, command: &Command, shown: bool, now: Timestamp) -> Answer {
        match command {
            Command::Decide { verdict, .. } => self.expect_decision(*verdict, shown, now),
            Command::Start { plan } => self.expect_start(plan.as_ref(), now),
            Command::Finish { attempt, report } => self.expect_report(*attempt, report),
            Command::Redrive => self.expect_redrive(now),
            Command::Settle { .. } if self.state != State::Unknown => {
                Answer::Refused("not_unknown")
            }
            Command::Settle { .. } if !shown => Answer::Refused("digest_mismatch"),
            Command::Settle { attempt, .. } if *attempt != self.attempts() => {
                Answer::Refused("stale_attempt")
            }
            Command::Settle { settlement, .. } => Answer::Becomes(match settlement {
                Settlement::Happened => State::Succeeded,
                Settlement::DidNotHappen => State::Failed,
                Settlement::RunAgain => State::Queued,
            }),
        }
    }

    fn expect_decision(&self, verdict: Verdict, shown: bool, now: Timestamp) -> Answer {
        match self.state {
            State::Expired => Answer::Refused("expired"),
            State::Pending if now > self.deadline => Answer::Refused("expired"),
            State::Pending if !shown => Answer::Refused("digest_mismatch"),
            State::Pending => Answer::Becomes(match verdict {
                Verdict::Deny => State::Denied,
                Verdict::Approve if self.plan.is_some() => State::Queued,
                Verdict::Approve => State::Approved,
            }),
            _ => Answer::Refused("already_decided"),
        }
    }

    fn expect_start(&self, configured: Option<&Plan>, now: Timestamp) -> Answer {
        match self.state {
            State::Running => Answer::Refused("lease_held"),
            State::Queued if self.not_before.is_some_and(|moment| now < moment) => {
                Answer::Refused("too_early")
            }
            State::Queued if configured == self.plan.as_ref() => Answer::Becomes(State::Running),
            State::Queued => Answer::Becomes(self.not_succeeded()),
            _ => Answer::Refused("not_queued"),
        }
    }

    fn expect_report(&self, attempt: u32, report: &Report) -> Answer {
        let open = matches!(self.state, State::Running | State::Unknown);
        if !open || attempt != self.attempts() {
            return Answer::Refused("stale_attempt");
        }
        Answer::Becomes(match report {
            Report::Succeeded(_) => State::Succeeded,
            Report::Rejected(_) => self.not_succeeded(),
            Report::NotDone(..) if self.attempts_left > 0 => State::Queued,
            Report::NotDone(..) => self.not_succeeded(),
            Report::Unclear(_) => self.nobody_knows(),
        })
    }

    fn expect_redrive(&self, now: Timestamp) -> Answer {
        if self.due.is_none_or(|due| now < due) {
            return Answer::Refused("nothing_due");
        }
        Answer::Becomes(match self.state {
            State::Pending => State::Expired,
            State::Running => self.nobody_knows(),
            state => state,
        })
    }

    fn not_succeeded(&self) -> State {
        if self.doubt { State::Unknown } else { State::Failed }
    }

    fn nobody_knows(&self) -> State {
        let again = self.state == State::Running && self.idempotent() && self.attempts_left > 0;
        if again { State::Queued } else { State::Unknown }
    }

    /// Takes note of an accepted command and of what the store and the queue now hold.
    pub fn note(
        &mut self,
        command: &Command,
        stored: &Operation,
        effect: Option<&Effect>,
        now: Timestamp,
    ) {
        match command {
            Command::Decide { verdict, by, .. } => self.decided = Some((*verdict, by.clone())),
            Command::Start { .. } if stored.state == State::Running => {
                self.effects.push(true);
                self.licensed = false;
                self.attempts_left -= 1;
            }
            Command::Finish { report, .. } => self.note_report(report),
            Command::Redrive if self.state == State::Running => self.doubt |= self.idempotent(),
            Command::Settle { settlement, .. } => self.note_settlement(*settlement),
            Command::Start { .. } | Command::Redrive => {}
        }
        self.state = stored.state;
        self.due = stored.due;
        self.not_before = effect.map(|Effect::Execute(delay)| now.plus(*delay));
    }

    fn note_report(&mut self, report: &Report) {
        let Some(last) = self.effects.last_mut() else { return };
        match report {
            Report::Succeeded(_) => self.success = true,
            Report::Rejected(_) => *last = false,
            Report::NotDone(..) => (*last, self.licensed) = (false, true),
            Report::Unclear(_) => self.doubt |= self.idempotent(),
        }
    }

    fn note_settlement(&mut self, settlement: Settlement) {
        self.doubt = false;
        match settlement {
            Settlement::Happened => self.success = true,
            Settlement::DidNotHappen => self.effects.fill(false),
            Settlement::RunAgain => {
                self.effects.fill(false);
                self.licensed = true;
                self.attempts_left = self.plan.as_ref().map_or(0, |plan| plan.max_attempts);
            }
        }
    }
}

//! The laws once more, as simply as they can be said: no digests, no leases, no history.

use std::time::Duration;

use placet_core::{
    Command, Effect, Kind, NewOperation, Plan, Report, Settlement, State, Timestamp, Transition,
    Verdict,
};

/// The pauses in seconds before another server is asked for the answer; the last one stays.
const PAUSES: [u64; 6] = [30, 60, 120, 240, 480, 900];

/// How long until somebody is reminded of what nobody else waits for.
const DAY: Duration = Duration::from_secs(86_400);

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
    /// Whether somebody has still to be told of the decision.
    pub untold: bool,
    /// How often another server was asked; `None` if there is none.
    pub consulted: Option<u32>,
    pub escalations: u32,
    /// An attempt of an idempotent operation ended unclear and no person has settled it since.
    doubt: bool,
    kind: Kind,
    plan: Option<Plan>,
    attempts_left: u32,
    deadline: Timestamp,
    not_before: Option<Timestamp>,
    /// When the timer looks. The model takes it over while a worker is busy or called: how long that
    /// may take is in the laws.
    pub due: Option<Timestamp>,
}

impl Model {
    pub fn new(asked: &NewOperation, now: Timestamp) -> Self {
        let mut model = Self {
            state: State::Pending,
            decided: None,
            effects: Vec::new(),
            licensed: true,
            success: false,
            untold: false,
            consulted: asked.upstream.as_ref().map(|_| 0),
            escalations: 0,
            doubt: false,
            kind: asked.content.kind(),
            plan: asked.plan.clone(),
            attempts_left: asked.plan.as_ref().map_or(0, |plan| plan.max_attempts),
            deadline: now.plus(asked.time_to_decide),
            not_before: None,
            due: None,
        };
        model.due = Some(model.next_look(now));
        model
    }

    /// After the deadline, or when another server is asked before that.
    fn next_look(&self, now: Timestamp) -> Timestamp {
        let end = self.deadline.plus(Duration::from_millis(1));
        let Some(times) = self.consulted else { return end };
        let pause = PAUSES[(times as usize).min(PAUSES.len() - 1)];
        let last = self.deadline.minus(Duration::from_secs(90));
        if now < last { last.min(now.plus(Duration::from_secs(pause))) } else { end }
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
            Command::Decide { verdict, comment, .. } => {
                self.expect_decision(*verdict, comment, shown, now)
            }
            Command::Cancel { .. } => {
                self.refuses_decision(now).unwrap_or(Answer::Becomes(State::Cancelled))
            }
            Command::Escalate { .. } => self.refuses_decision(now).unwrap_or({
                if self.escalations < 10 {
                    Answer::Becomes(State::Pending)
                } else {
                    Answer::Refused("escalated_enough")
                }
            }),
            Command::Told if self.is_over() && self.untold => Answer::Becomes(self.state),
            Command::Told => Answer::Refused("nothing_to_tell"),
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

    /// Why there is nothing to decide any more.
    fn refuses_decision(&self, now: Timestamp) -> Option<Answer> {
        match self.state {
            State::Expired => Some(Answer::Refused("expired")),
            State::Pending if now > self.deadline => Some(Answer::Refused("expired")),
            State::Pending => None,
            _ => Some(Answer::Refused("already_decided")),
        }
    }

    fn expect_decision(
        &self,
        verdict: Verdict,
        words: &str,
        shown: bool,
        now: Timestamp,
    ) -> Answer {
        if let Some(refused) = self.refuses_decision(now) {
            return refused;
        }
        match (self.kind, verdict) {
            _ if !shown => Answer::Refused("digest_mismatch"),
            (Kind::FunctionCall, Verdict::Deny) => Answer::Becomes(State::Denied),
            (Kind::FunctionCall, Verdict::Approve) if self.plan.is_some() => {
                Answer::Becomes(State::Queued)
            }
            (Kind::FunctionCall, Verdict::Approve) => Answer::Becomes(State::Approved),
            (Kind::HumanContact, Verdict::Answer) if words.is_empty() => {
                Answer::Refused("empty_answer")
            }
            (Kind::HumanContact, Verdict::Answer) => Answer::Becomes(State::Answered),
            _ => Answer::Refused("wrong_verdict"),
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
            State::Pending if now > self.deadline => State::Expired,
            State::Running => self.nobody_knows(),
            state => state,
        })
    }

    fn is_over(&self) -> bool {
        !matches!(self.state, State::Pending | State::Queued | State::Running | State::Unknown)
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
        stored: &Transition,
        now: Timestamp,
        announce: Option<Duration>,
    ) {
        let before = self.state;
        self.state = stored.operation.state;
        match command {
            Command::Decide { verdict, by, .. } => self.decided = Some((*verdict, by.clone())),
            Command::Start { .. } => self.note_start(),
            Command::Finish { report, .. } => self.note_report(report),
            Command::Redrive => self.note_redrive(before),
            Command::Settle { settlement, .. } => self.note_settlement(*settlement),
            Command::Escalate { .. } => self.escalations += 1,
            Command::Told => self.untold = false,
            Command::Cancel { .. } => {}
        }
        if before == State::Pending && self.state != State::Pending {
            self.untold = announce.is_some();
        }
        let escalated = matches!(command, Command::Escalate { .. });
        self.due = match self.state {
            State::Pending if escalated => self.due,
            State::Pending => Some(self.next_look(now)),
            State::Unknown => Some(now.plus(DAY)),
            State::Queued | State::Running => stored.operation.due,
            _ if self.untold => Some(now.plus(announce.unwrap_or(DAY))),
            _ => None,
        };
        self.not_before = match stored.effect {
            Some(Effect::Execute(delay)) => Some(now.plus(delay)),
            _ => None,
        };
    }

    fn note_start(&mut self) {
        self.untold = false;
        if self.state == State::Running {
            self.effects.push(true);
            self.licensed = false;
            self.attempts_left -= 1;
        }
    }

    fn note_redrive(&mut self, before: State) {
        match before {
            State::Pending if self.state == State::Pending => {
                self.consulted = self.consulted.map(|times| times + 1);
            }
            State::Running => self.doubt |= self.idempotent(),
            _ => {}
        }
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

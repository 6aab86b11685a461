//! How the model follows an accepted command.

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::operation::{Command, Event, Operation, Report, Settlement, State};

use super::*;

impl Model {
    /// Records an accepted command and its result.
    pub fn note(&mut self, command: &Command, after: &Operation, now: Timestamp) {
        let before = self.state;
        self.state = after.state;
        self.note_event(command, before);
        self.not_before = after.not_before;
        match command {
            Command::Decide { verdict, by, .. } => self.decided = Some((*verdict, by.clone())),
            Command::Cancel { .. } | Command::Expire { .. } => {}
            Command::Escalate { .. } => self.escalations += 1,
            Command::EscalateInTime { .. } => {
                self.escalations += 1;
                self.escalation = None;
            }
            Command::Link { .. } => {
                self.links += 1;
                return;
            }
            Command::RevokeLink { id, .. } => {
                self.revoked.insert(id.clone());
                return;
            }
            Command::Polled => self.note_poll(now),
            Command::Start { .. } => self.note_start(now),
            Command::Block { .. } => self.retry_until = None,
            Command::Finish { report, .. } => self.note_report(report),
            Command::LeaseExpired { .. } => self.doubt |= self.idempotent(),
            Command::Abandon { .. } => self.doubt |= self.idempotent() && !self.licensed,
            Command::Settle { settlement, .. } => self.note_settlement(*settlement),
            Command::Remind { .. } => {
                self.reminders.retain(|at| *at > now || before != State::Pending)
            }
        }
        match self.state {
            State::Unknown => self.wakes_at = Some(now.plus(DAY)),
            State::Running => {}
            _ => self.wakes_at = None,
        }
    }

    /// Records the events of an accepted command. An unknown outcome that stays unknown is recorded and notifies
    /// nobody.
    fn note_event(&mut self, command: &Command, before: State) {
        let missing = match command {
            Command::Block { missing, .. } => Some(missing.code.as_str()),
            Command::Start { .. } => Some("not_configured"),
            _ => None,
        };
        let (events, notify): (&[Event], _) = match command {
            Command::Decide { notify, .. } | Command::Cancel { notify, .. } => {
                (&[Event::Completed], Some(notify))
            }
            Command::Expire { notify } => (&[Event::Completed, Event::Expired], Some(notify)),
            Command::Escalate { notify, .. } | Command::EscalateInTime { notify, .. } => {
                (&[Event::Escalated], Some(notify))
            }
            Command::Remind { notify } => (&[Event::Reminded], Some(notify)),
            Command::Start { notify, .. }
            | Command::Block { notify, .. }
            | Command::Finish { notify, .. }
            | Command::LeaseExpired { notify, .. }
            | Command::Settle { notify, .. } => {
                let stays = (before, self.state) == (State::Unknown, State::Unknown);
                (self.outcome(missing), Some(notify).filter(|_| !stays))
            }
            Command::Abandon { .. } => (self.outcome(missing), None),
            Command::Polled | Command::Link { .. } | Command::RevokeLink { .. } => (&[], None),
        };
        for event in events {
            let number = self.times.entry(*event).or_default();
            *number += 1;
            let notices = notify.into_iter().flatten();
            let wanted = notices.filter(|notice| notice.event == *event);
            self.unnotified.extend(wanted.map(|notice| (notice.to.destination(), *event, *number)));
        }
        self.blocked_by = missing.filter(|_| self.state == State::Blocked).map(str::to_owned);
    }

    /// The event of the state after an attempt or a settlement, if it is one.
    fn outcome(&self, missing: Option<&str>) -> &'static [Event] {
        match self.state {
            State::Failed => &[Event::Failed],
            State::Unknown => &[Event::Unknown],
            State::Blocked if self.blocked_by.as_deref() != missing => &[Event::Blocked],
            _ => &[],
        }
    }

    fn note_poll(&mut self, now: Timestamp) {
        let pause = PAUSES[(self.polls as usize).min(PAUSES.len() - 1)];
        let last = self.deadline.minus(Duration::from_secs(90));
        let next = now.plus(Duration::from_secs(pause)).min(last);
        self.next_poll = Some(next).filter(|_| self.has_upstream && now < last);
        self.polls += 1;
    }

    fn note_start(&mut self, now: Timestamp) {
        if self.state == State::Blocked {
            self.retry_until = None;
        }
        if self.state == State::Running {
            let retry_for = self.plan.as_ref().unwrap().retry_for;
            self.retry_until.get_or_insert(now.plus(retry_for));
            let timeout = self.plan.as_ref().unwrap().timeout;
            self.wakes_at = Some(now.plus(timeout + Duration::from_secs(10)));
            self.effects.push(true);
            self.licensed = false;
            self.attempts_left -= 1;
        }
    }

    fn note_report(&mut self, report: &Report) {
        let Some(last) = self.effects.last_mut() else { return };
        match report {
            Report::Succeeded(_) => self.success = true,
            Report::Rejected(_) => *last = false,
            Report::NotDone(..) => {
                (*last, self.licensed) = (false, true);
                self.attempts_left += 1;
            }
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
                self.runs_again += 1;
                self.retry_until = None;
                self.attempts_left = self.plan.as_ref().map_or(0, |plan| plan.max_attempts);
            }
        }
    }
}

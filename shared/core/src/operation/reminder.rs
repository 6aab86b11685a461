//! Reminders and escalations that are due at a time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::transition::Step;
use super::{Actor, Event, Notice, Operation, Refusal, State};
use crate::Timestamp;

/// The time between two reminders of an unknown outcome.
const REMINDER: Duration = Duration::from_secs(24 * 60 * 60);

/// What happens while an operation waits for a decision, at times after its creation. Placet fixes it at the creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FollowUp {
    /// When to remind of the operation.
    pub remind: Vec<Duration>,
    /// When and to whom to escalate the operation.
    pub escalate: Option<(Duration, String)>,
}

/// An escalation that is still to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueEscalation {
    /// When the operation is escalated.
    pub at: Timestamp,
    /// The name of whom to escalate it to, as `placet.yaml` has it.
    pub to: String,
}

impl FollowUp {
    /// The times of the reminders of an operation, the earliest first. A reminder that is not before the deadline is
    /// left out.
    pub(super) fn reminders(&self, created: Timestamp, deadline: Timestamp) -> Vec<Timestamp> {
        let mut times: Vec<_> = self.remind.iter().map(|after| created.plus(*after)).collect();
        times.retain(|at| *at < deadline);
        times.sort_unstable();
        times.dedup();
        times
    }

    /// The escalation of an operation, if it is before the deadline.
    pub(super) fn escalation(
        &self,
        created: Timestamp,
        deadline: Timestamp,
    ) -> Option<DueEscalation> {
        let (after, to) = self.escalate.clone()?;
        let at = created.plus(after);
        (at < deadline).then_some(DueEscalation { at, to })
    }
}

impl Operation {
    /// Whom the operation was escalated to, because the configured time had come.
    pub fn escalated_to(&self) -> Option<&str> {
        self.history.of("escalated").find_map(|entry| entry.detail["to"].as_str())
    }

    /// The first reminder of a pending operation that is still to come.
    pub(super) fn next_reminder(&self) -> Option<Timestamp> {
        self.reminders.first().copied()
    }
}

impl Step<'_> {
    /// The time of the next reminder of an operation that comes to this state now.
    pub(super) fn reminder_in(&self, state: State) -> Option<Timestamp> {
        (state == State::Unknown).then(|| self.now.plus(REMINDER))
    }

    /// A reminder is due. If several are due, one is sent.
    pub(super) fn remind(&mut self, notify: &[Notice]) -> Result<(), Refusal> {
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= self.now);
        match self.next.state_at(self.now) {
            State::Pending if due(self.next.next_reminder()) => {
                let now = self.now;
                self.next.reminders.retain(|at| *at > now);
                self.record("reminded", Actor::Timer, json!({"deadline": self.next.deadline}));
            }
            State::Unknown if self.next.remind_at.is_none() || due(self.next.remind_at) => {
                self.next.remind_at = self.reminder_in(State::Unknown);
            }
            _ => return Err(Refusal::NothingDue),
        }
        self.next.reminded = self.next.reminded.saturating_add(1);
        self.notify(Event::Reminded, notify);
        Ok(())
    }

    /// The configured time of the escalation has come. The people may decide from now on.
    pub(super) fn escalate_in_time(
        &mut self,
        people: &[String],
        notify: &[Notice],
    ) -> Result<(), Refusal> {
        if self.next.state_at(self.now) != State::Pending {
            return Err(Refusal::NothingDue);
        }
        let due = self.next.escalation.take_if(|escalation| escalation.at <= self.now);
        let DueEscalation { to, .. } = due.ok_or(Refusal::NothingDue)?;
        self.record("escalated", Actor::Timer, json!({"to": to, "people": people}));
        self.next.approvers.add(people);
        self.notify(Event::Escalated, notify);
        Ok(())
    }
}

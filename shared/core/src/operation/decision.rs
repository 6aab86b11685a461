//! Transitions of a pending operation.

use std::time::Duration;

use serde_json::json;

use super::transition::Step;
use super::{Actor, Decision, Escalation, Event, Notice, OperationKind, Refusal, State, Verdict};
use crate::limits::MOST_ESCALATIONS;
use crate::{Digest, Timestamp};

/// The pause between the first two polls of an upstream approver. The pause doubles after each poll.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause between two polls.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The last poll is this long before the deadline, so that there is time to apply its decision.
const LAST_POLL: Duration = Duration::from_secs(90);

impl Step<'_> {
    fn check_undecided(&self, seen: Option<Digest>) -> Result<(), Refusal> {
        match self.next.state_at(self.now) {
            State::Pending => self.check_seen(seen.unwrap_or(self.next.digest)),
            State::Expired => Err(Refusal::Expired { deadline: self.next.deadline }),
            state => Err(Refusal::AlreadyDecided { state }),
        }
    }

    pub(super) fn check_seen(&self, seen: Digest) -> Result<(), Refusal> {
        if seen == self.next.digest && seen == self.item.content_digest() {
            Ok(())
        } else {
            Err(Refusal::DigestMismatch)
        }
    }

    fn check_verdict(&self, verdict: Verdict, comment: &str) -> Result<(), Refusal> {
        match (self.next.kind(), verdict) {
            (OperationKind::HumanContact, Verdict::Answer) if comment.trim().is_empty() => {
                Err(Refusal::EmptyAnswer)
            }
            (OperationKind::HumanContact, Verdict::Answer)
            | (OperationKind::FunctionCall, Verdict::Approve | Verdict::Deny) => Ok(()),
            (kind, _) => Err(Refusal::WrongVerdict { kind }),
        }
    }

    pub(super) fn decide(
        &mut self,
        decision: Decision,
        seen: Option<Digest>,
        notify: &[Notice],
    ) -> Result<(), Refusal> {
        self.next.check_approver(&decision.by)?;
        self.check_undecided(seen)?;
        self.check_verdict(decision.verdict, &decision.comment)?;
        let state = match decision.verdict {
            Verdict::Approve => State::Approved,
            Verdict::Deny => State::Denied,
            Verdict::Answer => State::Answered,
        };
        let detail = json!({
            "comment": decision.comment,
            "option": decision.option,
            "digest": decision.digest,
        });
        self.record(state.as_str(), decision.by.clone(), detail);
        self.next.decision = Some(decision);
        if state == State::Approved && self.next.plan.is_some() {
            self.queue(Duration::ZERO);
        } else {
            self.end(state, None);
        }
        self.notify(Event::Completed, notify);
        Ok(())
    }

    pub(super) fn cancel(
        &mut self,
        reason: &str,
        by: &Actor,
        notify: &[Notice],
    ) -> Result<(), Refusal> {
        self.check_undecided(None)?;
        self.record("cancelled", by.clone(), json!({"reason": reason}));
        self.end(State::Cancelled, None);
        self.notify(Event::Completed, notify);
        Ok(())
    }

    pub(super) fn expire(&mut self, notify: &[Notice]) -> Result<(), Refusal> {
        if self.next.state != State::Pending || self.now <= self.next.deadline {
            return Err(Refusal::NothingDue);
        }
        self.record("expired", Actor::Timer, json!({"deadline": self.next.deadline}));
        self.end(State::Expired, None);
        self.notify(Event::Completed, notify);
        self.notify(Event::Expired, notify);
        Ok(())
    }

    pub(super) fn escalate(
        &mut self,
        escalation: &Escalation,
        by: &Actor,
        notify: &[Notice],
    ) -> Result<(), Refusal> {
        self.check_undecided(None)?;
        if self.next.history.of("escalated").count() >= MOST_ESCALATIONS {
            return Err(Refusal::EscalatedEnough);
        }
        let own = self.next.channel.as_ref().and_then(|channel| channel.email.as_ref());
        let recipients = escalation.all_recipients(own);
        let detail = json!({"message": escalation.message, "recipients": recipients});
        self.record("escalated", by.clone(), detail);
        self.notify(Event::Escalated, notify);
        Ok(())
    }

    pub(super) fn polled(&mut self) -> Result<(), Refusal> {
        self.check_undecided(None)?;
        let (now, deadline) = (self.now, self.next.deadline);
        let Some(upstream) = &mut self.next.upstream else { return Err(Refusal::NothingDue) };
        if upstream.next_poll.is_none_or(|due| now < due) {
            return Err(Refusal::NothingDue);
        }
        upstream.next_poll = next_poll(upstream.polls, now, deadline);
        upstream.polls = upstream.polls.saturating_add(1);
        Ok(())
    }
}

/// The time of the next poll, after one poll `now` and `polls` polls before; `None` if there is no time
/// left before the deadline.
fn next_poll(polls: u32, now: Timestamp, deadline: Timestamp) -> Option<Timestamp> {
    let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(polls)).min(LONGEST_PAUSE);
    let last = deadline.minus(LAST_POLL);
    (now < last).then(|| last.min(now.plus(pause)))
}

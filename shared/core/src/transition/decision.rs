//! What askers and persons do while an operation is pending, and who is told of it.

use std::time::Duration;

use serde_json::json;

use super::Step;
use crate::{Decision, Digest, Kind, Refusal, State, Verdict};

/// How often an asker may ask for attention: every time stays in the history.
const MOST_ESCALATIONS: usize = 10;

impl Step<'_> {
    pub(super) fn check_undecided(&self, seen: Option<Digest>) -> Result<(), Refusal> {
        let operation = &self.next;
        match operation.state_at(self.now) {
            State::Pending => self.check_seen(seen.unwrap_or(operation.digest)),
            State::Expired => Err(Refusal::Expired { deadline: operation.deadline }),
            state => Err(Refusal::AlreadyDecided { state }),
        }
    }

    pub(super) fn check_seen(&self, seen: Digest) -> Result<(), Refusal> {
        if seen == self.next.digest && seen == self.next.content_digest() {
            Ok(())
        } else {
            Err(Refusal::DigestMismatch)
        }
    }

    pub(super) fn check_verdict(&self, verdict: Verdict, comment: &str) -> Result<(), Refusal> {
        match (self.next.kind(), verdict) {
            (Kind::HumanContact, Verdict::Answer) if comment.trim().is_empty() => {
                Err(Refusal::EmptyAnswer)
            }
            (Kind::HumanContact, Verdict::Answer)
            | (Kind::FunctionCall, Verdict::Approve | Verdict::Deny) => Ok(()),
            (kind, _) => Err(Refusal::WrongVerdict { kind }),
        }
    }

    pub(super) fn decide(&mut self, decision: Decision) {
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
        self.record(state.as_str(), &decision.by, detail);
        self.next.decision = Some(decision);
        self.next.untold = self.write.announce.is_some();
        if state == State::Approved && self.next.plan.is_some() {
            self.queue(Duration::ZERO);
        } else {
            self.end(state, None);
        }
    }

    pub(super) fn cancel(&mut self, reason: &str, by: &str) {
        self.record("cancelled", by, json!({"reason": reason}));
        self.next.untold = self.write.announce.is_some();
        self.end(State::Cancelled, None);
    }

    pub(super) fn expire(&mut self) {
        self.record("expired", "timer", json!({"deadline": self.next.deadline}));
        self.next.untold = self.write.announce.is_some();
        self.end(State::Expired, None);
    }

    pub(super) fn escalate(
        &mut self,
        message: &str,
        recipients: &[String],
        by: &str,
    ) -> Result<(), Refusal> {
        let entries = self.next.history.entries().iter();
        if entries.filter(|entry| entry.event == "escalated").count() >= MOST_ESCALATIONS {
            return Err(Refusal::EscalatedEnough { most: MOST_ESCALATIONS });
        }
        self.record("escalated", by, json!({"message": message, "recipients": recipients}));
        Ok(())
    }

    pub(super) fn told(&mut self) -> Result<(), Refusal> {
        if !self.next.state.is_terminal() || !self.next.untold {
            return Err(Refusal::NothingToTell { state: self.next.state });
        }
        self.next.untold = false;
        self.next.due = None;
        Ok(())
    }
}

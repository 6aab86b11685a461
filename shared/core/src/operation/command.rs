use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{Actor, Escalation, Failure, Notice, Plan, Verdict};
use crate::Digest;

/// What changes an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A person decides.
    Decide {
        /// What the person decides.
        verdict: Verdict,
        /// What the person wrote.
        comment: String,
        /// The reject option or response option that was chosen.
        option: Option<String>,
        /// How it came, and from whom.
        by: Actor,
        /// The digest the person saw, where the channel shows it.
        seen: Option<Digest>,
        /// Who is to be notified.
        notify: Vec<Notice>,
    },
    /// The requester withdraws it.
    Cancel {
        /// Why; may be empty.
        reason: String,
        /// How it came, and from whom.
        by: Actor,
        /// Who is to be notified.
        notify: Vec<Notice>,
    },
    /// The requester wants more attention for what still waits for a person.
    Escalate {
        /// The message, and to whom.
        escalation: Escalation,
        /// How it came, and from whom.
        by: Actor,
    },
    /// Its deadline has passed.
    Expire {
        /// Who is to be notified.
        notify: Vec<Notice>,
    },
    /// The upstream approver was polled, and has no decision that counts.
    Polled,
    /// A worker is about to run it.
    Start {
        /// The plan of the worker's configuration; `None` if it runs no such function.
        plan: Option<Plan>,
    },
    /// A worker reports how an attempt ended.
    Finish {
        /// The attempt it held the lease for.
        attempt: u32,
        /// What came of it.
        report: Report,
    },
    /// The worker did not report in time.
    LeaseExpired {
        /// The attempt it held the lease for.
        attempt: u32,
    },
    /// A person is reminded of its unknown outcome.
    Remind,
    /// A person has found out what came of an unknown outcome.
    Settle {
        /// What the person found.
        settlement: Settlement,
        /// What the person wrote.
        comment: String,
        /// How it came, and from whom.
        by: Actor,
        /// The digest the person saw.
        seen: Digest,
        /// The attempt the person was asked about: what settles one attempt does not settle the next.
        attempt: u32,
    },
    /// It can never be run.
    Abandon {
        /// Why.
        reason: String,
    },
}

/// What a worker knows at the end of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// It ran, with this result.
    Succeeded(Value),
    /// It did not run, and another attempt would end the same.
    Rejected(Failure),
    /// It did not run. Another attempt may, no earlier than the target asks for.
    NotDone(Failure, Option<Duration>),
    /// It may have run, or not.
    Unclear(Failure),
}

/// What a person found out about an unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// It ran.
    Happened,
    /// It did not run and shall not.
    DidNotHappen,
    /// It did not run and shall run now.
    RunAgain,
}

impl Settlement {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Happened, Self::DidNotHappen, Self::RunAgain];

    /// Its name in forms, requests and the history.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Happened => "happened",
            Self::DidNotHappen => "did_not_happen",
            Self::RunAgain => "run_again",
        }
    }

    /// The settlement of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

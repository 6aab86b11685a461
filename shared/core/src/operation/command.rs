use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{Actor, Escalation, Failure, Notice, Plan, Verdict};
use crate::{Digest, Timestamp};

/// A command that changes an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// An approver decides.
    Decide {
        /// The verdict of the approver.
        verdict: Verdict,
        /// The comment of the person.
        comment: String,
        /// The name of the reject option or response option that the approver chose.
        option: Option<String>,
        /// Who gives the command.
        by: Actor,
        /// The digest that the approver saw; `None` if the channel does not show it.
        seen: Option<Digest>,
        /// Whom to notify of which events.
        notify: Vec<Notice>,
    },
    /// The requester cancels the operation.
    Cancel {
        /// The reason; may be empty.
        reason: String,
        /// Who gives the command.
        by: Actor,
        /// Whom to notify of which events.
        notify: Vec<Notice>,
    },
    /// The requester escalates a pending operation.
    Escalate {
        /// The message and its recipients.
        escalation: Escalation,
        /// Who gives the command.
        by: Actor,
        /// Whom to notify of which events.
        notify: Vec<Notice>,
    },
    /// The configured time of the escalation has come.
    EscalateInTime {
        /// The ids of the people whom the escalation names.
        people: Vec<String>,
        /// Whom to notify of which events.
        notify: Vec<Notice>,
    },
    /// Somebody made a decision link.
    Link {
        /// The id of the link.
        id: String,
        /// The id of the person; `None` for a link of its bearer.
        person: Option<String>,
        /// The last moment at which the link is valid.
        until: Timestamp,
        /// Who gives the command.
        by: Actor,
    },
    /// Somebody revokes a decision link.
    RevokeLink {
        /// The id of the link.
        id: String,
        /// Who gives the command.
        by: Actor,
    },
    /// The deadline has passed.
    Expire {
        /// Whom to notify of which events.
        notify: Vec<Notice>,
    },
    /// A poll of the upstream approver returned no decision that counts.
    Polled,
    /// A worker is about to run the operation.
    Start {
        /// The plan in the worker's configuration; `None` if the configuration does not run this function.
        plan: Option<Plan>,
        /// Whom to notify of which events.
        notify: Vec<Notice>,
    },
    /// A worker cannot run the operation, because its configuration is missing.
    Block {
        /// What is missing, and how to add it.
        missing: Failure,
        /// Whom to notify of which events.
        notify: Vec<Notice>,
    },
    /// A worker reports the end of an attempt.
    Finish {
        /// The attempt of the worker's lease, from 1.
        attempt: u32,
        /// The report of the worker.
        report: Report,
        /// Whom to notify of which events.
        notify: Vec<Notice>,
    },
    /// The lease expired before the worker reported.
    LeaseExpired {
        /// The attempt of the worker's lease, from 1.
        attempt: u32,
        /// Whom to notify of which events.
        notify: Vec<Notice>,
    },
    /// Remind people of the pending operation, or of the unknown outcome.
    Remind {
        /// Whom to notify of which events.
        notify: Vec<Notice>,
    },
    /// A person settles an unknown outcome, or runs a failed or blocked operation again.
    Settle {
        /// The finding of the person.
        settlement: Settlement,
        /// The comment of the person.
        comment: String,
        /// Who gives the command.
        by: Actor,
        /// The digest that the person saw.
        seen: Digest,
        /// The attempt that the person settles. A settlement of one attempt does not settle the next.
        attempt: u32,
        /// Whom to notify of which events.
        notify: Vec<Notice>,
    },
    /// The operation can never run.
    Abandon {
        /// The reason.
        reason: String,
    },
}

/// A worker's report on an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// The call ran and returned this result.
    Succeeded(Value),
    /// The call did not run. Another attempt would fail, too.
    Rejected(Failure),
    /// The call did not run. Another attempt may succeed. If the target asked for a wait, the next attempt
    /// starts no earlier than that.
    NotDone(Failure, Option<Duration>),
    /// The call may have run.
    Unclear(Failure),
}

/// How a person settles an unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// The call ran.
    Happened,
    /// The call did not run. It must not run any more.
    DidNotHappen,
    /// The call did not run. It must run now.
    RunAgain,
}

impl Settlement {
    /// All settlements.
    pub const ALL: [Self; 3] = [Self::Happened, Self::DidNotHappen, Self::RunAgain];

    /// The name in forms, requests and the history.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Happened => "happened",
            Self::DidNotHappen => "did_not_happen",
            Self::RunAgain => "run_again",
        }
    }

    /// The settlement with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

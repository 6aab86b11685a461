use std::time::Duration;

use serde_json::Value;

use crate::{Digest, Failure, Plan, Verdict};

/// Something that wants to change an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A person decides.
    Decide {
        /// Yes, no, or an answer in words.
        verdict: Verdict,
        /// What the person wrote.
        comment: String,
        /// The reject option or response option that was chosen.
        option: Option<String>,
        /// Through which door it came.
        by: String,
        /// The digest the person saw, where the door shows it.
        seen: Option<Digest>,
    },
    /// The asker does not want it any more.
    Cancel {
        /// Why; may be empty.
        reason: String,
        /// Through which door it came.
        by: String,
    },
    /// The asker wants more attention for what still waits for a person.
    Escalate {
        /// What the person is to be told.
        message: String,
        /// Who is to be told: addresses, as the asker gave them.
        recipients: Vec<String>,
        /// Through which door it came.
        by: String,
    },
    /// All who want to know of the decision have been told, or are being told.
    Told,
    /// A worker is about to run the operation as `plan` says, which is the plan configured now.
    Start {
        /// The plan of the worker's configuration; `None` if it knows no such function.
        plan: Option<Plan>,
    },
    /// A worker reports how an attempt ended.
    Finish {
        /// The attempt it held the lease for.
        attempt: u32,
        /// What came of it.
        report: Report,
    },
    /// The timer found the operation past its due time.
    Redrive,
    /// A person has found out what came of an unknown outcome.
    Settle {
        /// What the person found.
        settlement: Settlement,
        /// What the person wrote.
        comment: String,
        /// Through which door it came.
        by: String,
        /// The digest the person saw.
        seen: Digest,
        /// The attempt whose outcome the person was asked about: what is said of one can not settle
        /// the next.
        attempt: u32,
    },
}

/// What a worker knows at the end of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// It ran, with this result.
    Succeeded(Value),
    /// It did not run and never will: another attempt would end the same.
    Rejected(Failure),
    /// It did not run, but may at another attempt, no earlier than the target wishes.
    NotDone(Failure, Option<Duration>),
    /// It may or may not have run.
    Unclear(Failure),
}

/// What a person found out about an unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It ran.
    Happened,
    /// It did not run and shall not.
    DidNotHappen,
    /// It did not run and shall run now.
    RunAgain,
}

//! Random things that happen to an operation: persons, workers, the timer, the clock.

use std::time::Duration;

use placet_core::{
    Command, Digest, Operation, Plan, Report, Settlement, State, Timestamp, Verdict,
};
use proptest::prelude::*;

use crate::case::{SECOND, failure, finish, not_done, plan, rejected, settle, succeeded, unclear};

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Act {
    /// What comes next if all goes its way: approve, start, report, settle. Without a report, the
    /// worker is not heard of until the timer looks.
    Onward {
        report: Option<Report>,
        settlement: Option<Settlement>,
    },
    Decide {
        verdict: Verdict,
        by: &'static str,
        seen: Seen,
    },
    Start {
        plan: Configured,
    },
    /// The worker of the newest attempt, or of one so many before it, reports.
    Report {
        report: Report,
        before_newest: u32,
    },
    /// A report about an attempt nobody was granted.
    Invent {
        report: Report,
        beyond_newest: u32,
    },
    /// The worker of the newest attempt dies: it reports nothing any more.
    Crash,
    Redrive,
    Settle {
        settlement: Settlement,
        seen: Seen,
    },
    /// An earlier command once more, as it was.
    Again(prop::sample::Index),
    Wait(Wait),
}

/// Which digest a person's door brings.
#[derive(Clone, Copy, Debug)]
pub enum Seen {
    NotShown,
    Shown,
    Other,
}

/// What the worker's configuration says.
#[derive(Clone, Copy, Debug)]
pub enum Configured {
    AsApproved,
    Otherwise,
    NoLonger,
}

/// How far the clock goes.
#[derive(Clone, Copy, Debug)]
pub enum Wait {
    For(Duration),
    /// Up to so many milliseconds from the moment, unless that has passed.
    Until(Moment, i64),
}

/// A moment at which something changes.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    Deadline,
    NotBefore,
    Due,
}

/// An operation without a plan, or with one of any limit, and up to 40 acts.
pub fn history() -> impl Strategy<Value = (Option<Plan>, Vec<Act>)> {
    let plans = prop_oneof![
        1 => Just(None),
        9 => (any::<bool>(), 1..=4_u32)
            .prop_map(|(idempotent, max_attempts)| Some(Plan { max_attempts, ..plan(idempotent) })),
    ];
    (plans, prop::collection::vec(act(), 1..=40))
}

fn act() -> impl Strategy<Value = Act> {
    let report = || {
        prop_oneof![
            1 => Just(succeeded()),
            1 => Just(rejected()),
            4 => Just(not_done()),
            1 => Just(Report::NotDone(failure("busy"), Some(90 * SECOND))),
            4 => Just(unclear()),
        ]
    };
    let seen =
        || prop_oneof![1 => Just(Seen::NotShown), 4 => Just(Seen::Shown), 1 => Just(Seen::Other)];
    let verdict = prop_oneof![5 => Just(Verdict::Approve), 1 => Just(Verdict::Deny)];
    let configured = prop_oneof![
        12 => Just(Configured::AsApproved),
        1 => Just(Configured::Otherwise),
        1 => Just(Configured::NoLonger),
    ];
    let settlement = || {
        prop_oneof![
            1 => Just(Settlement::Happened),
            1 => Just(Settlement::DidNotHappen),
            3 => Just(Settlement::RunAgain),
        ]
    };
    prop_oneof![
        20 => (prop::option::weighted(0.7, report()), prop::option::weighted(0.5, settlement()))
            .prop_map(|(report, settlement)| Act::Onward { report, settlement }),
        4 => (verdict, prop::sample::select(vec!["inbox", "link", "api"]), seen())
            .prop_map(|(verdict, by, seen)| Act::Decide { verdict, by, seen }),
        8 => configured.prop_map(|plan| Act::Start { plan }),
        5 => (report(), prop_oneof![5 => Just(0), 1 => 1..4_u32])
            .prop_map(|(report, before_newest)| Act::Report { report, before_newest }),
        1 => (report(), 1..3_u32)
            .prop_map(|(report, beyond_newest)| Act::Invent { report, beyond_newest }),
        1 => Just(Act::Crash),
        5 => Just(Act::Redrive),
        3 => (settlement(), seen()).prop_map(|(settlement, seen)| Act::Settle { settlement, seen }),
        3 => any::<prop::sample::Index>().prop_map(Act::Again),
        8 => wait().prop_map(Act::Wait),
    ]
}

fn wait() -> impl Strategy<Value = Wait> {
    let moment = prop_oneof![
        1 => Just(Moment::Deadline),
        6 => Just(Moment::NotBefore),
        6 => Just(Moment::Due),
    ];
    prop_oneof![
        2 => (0..200_000_u64).prop_map(|millis| Wait::For(Duration::from_millis(millis))),
        1 => (0..100_u64).prop_map(|hours| Wait::For(Duration::from_secs(3600 * hours))),
        8 => (moment, -1..=1_i64).prop_map(|(moment, offset)| Wait::Until(moment, offset)),
    ]
}

impl Act {
    /// The moment up to which the clock goes before anything else happens, if it goes on at all.
    pub fn waits_until(&self, operation: &Operation, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Wait(Wait::For(duration)) => Some(now.plus(*duration)),
            Self::Wait(Wait::Until(moment, offset)) => {
                let moment = match moment {
                    Moment::Deadline => Some(operation.deadline),
                    Moment::NotBefore => operation.not_before,
                    Moment::Due => operation.due,
                };
                moment.map(|moment| Timestamp::from_millis(moment.millis() + offset))
            }
            Self::Onward { report: None, .. } if operation.state == State::Running => operation.due,
            Self::Onward { .. } => operation.not_before,
            _ => None,
        }
    }

    /// The command that is sent, if one is.
    pub fn command(&self, operation: &Operation, attempts: u32) -> Option<Command> {
        Some(match self {
            Self::Onward { report, settlement } => {
                return onward(operation, report.as_ref(), *settlement);
            }
            Self::Decide { verdict, by, seen } => decide(*verdict, by, seen.digest(operation)),
            Self::Start { plan } => Command::Start { plan: plan.plan(operation) },
            Self::Report { report, before_newest } => {
                finish(attempts.saturating_sub(*before_newest), report.clone())
            }
            Self::Invent { report, beyond_newest } => {
                finish(attempts + beyond_newest, report.clone())
            }
            Self::Redrive => Command::Redrive,
            Self::Settle { settlement, seen } => {
                let seen = seen.digest(operation).unwrap_or(operation.digest);
                settle(*settlement, seen, operation.attempts)
            }
            Self::Crash | Self::Again(_) | Self::Wait(_) => return None,
        })
    }
}

fn onward(
    operation: &Operation,
    report: Option<&Report>,
    settlement: Option<Settlement>,
) -> Option<Command> {
    let reported = report.map(|report| finish(operation.attempts, report.clone()));
    match operation.state {
        State::Pending => Some(decide(Verdict::Approve, "inbox", Some(operation.digest))),
        State::Queued => Some(Command::Start { plan: operation.plan.clone() }),
        State::Running => Some(reported.unwrap_or(Command::Redrive)),
        State::Unknown => {
            settlement.map(|found| settle(found, operation.digest, operation.attempts)).or(reported)
        }
        _ => None,
    }
}

fn decide(verdict: Verdict, by: &str, seen: Option<Digest>) -> Command {
    Command::Decide { verdict, comment: String::new(), option: None, by: by.to_owned(), seen }
}

impl Seen {
    fn digest(self, operation: &Operation) -> Option<Digest> {
        match self {
            Self::NotShown => None,
            Self::Shown => Some(operation.digest),
            Self::Other => Some(Digest::of_bytes(b"something else")),
        }
    }
}

impl Configured {
    fn plan(self, operation: &Operation) -> Option<Plan> {
        let approved = operation.plan.clone();
        match self {
            Self::AsApproved => approved,
            Self::Otherwise => Some(Plan { executor: "function other".into(), ..plan(true) }),
            Self::NoLonger => None,
        }
    }
}

//! Random things that happen to an operation: persons, workers, the timer, the clock.

use std::time::Duration;

use placet_core::{
    Command, Digest, Kind, NewOperation, Operation, Plan, Report, Settlement, State, Timestamp,
    Verdict,
};
use proptest::prelude::*;

use crate::case::{
    SECOND, call, cancel, escalate, failure, finish, not_done, plan, question, rejected, settle,
    succeeded, unclear, upstream,
};

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Act {
    /// What comes next if all goes its way: approve or answer, tell, start, report, settle. Without a report, the
    /// worker is not heard of until the timer looks.
    Onward {
        report: Option<Report>,
        settlement: Option<Settlement>,
    },
    Decide {
        verdict: Verdict,
        comment: &'static str,
        by: &'static str,
        seen: Seen,
    },
    Cancel,
    /// The asker wants attention, so many times in a row.
    Escalate(usize),
    /// A worker has told the endpoints.
    Tell,
    /// From now on endpoints want to be told of decisions, or no longer.
    Announce(Option<Duration>),
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
    /// The timer comes when it has to.
    Timer,
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

/// What is asked, whether endpoints want to be told, and up to 40 acts.
pub fn history() -> impl Strategy<Value = (NewOperation, Option<Duration>, Vec<Act>)> {
    (asked(), announce(), prop::collection::vec(act(), 1..=40))
}

/// A question, or a call without a plan or with one of any limit; some asked of another server too.
fn asked() -> impl Strategy<Value = NewOperation> {
    let plans = prop_oneof![
        1 => Just(None),
        9 => (any::<bool>(), 1..=4_u32)
            .prop_map(|(idempotent, max_attempts)| Some(Plan { max_attempts, ..plan(idempotent) })),
    ];
    let new = prop_oneof![2 => plans.prop_map(call), 1 => Just(()).prop_map(|()| question())];
    let minutes = prop::sample::select(vec![0, 10, 60, 3 * 24 * 60]);
    (new, any::<bool>(), minutes).prop_map(|(new, elsewhere, minutes)| {
        let new = NewOperation { time_to_decide: (60 * minutes + 20) * SECOND, ..new };
        if elsewhere { upstream(new) } else { new }
    })
}

fn announce() -> impl Strategy<Value = Option<Duration>> + Clone {
    prop::sample::select(vec![None, Some(60 * SECOND), Some(300 * SECOND)])
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
        8 => decision(),
        1 => Just(Act::Cancel),
        2 => prop_oneof![2 => Just(1), 1 => 19..=22_usize].prop_map(Act::Escalate),
        2 => Just(Act::Tell),
        1 => announce().prop_map(Act::Announce),
        8 => configured.prop_map(|plan| Act::Start { plan }),
        5 => (report(), prop_oneof![5 => Just(0), 1 => 1..4_u32])
            .prop_map(|(report, before_newest)| Act::Report { report, before_newest }),
        1 => (report(), 1..3_u32)
            .prop_map(|(report, beyond_newest)| Act::Invent { report, beyond_newest }),
        1 => Just(Act::Crash),
        3 => Just(Act::Redrive),
        4 => Just(Act::Timer),
        3 => (settlement(), seen()).prop_map(|(settlement, seen)| Act::Settle { settlement, seen }),
        3 => any::<prop::sample::Index>().prop_map(Act::Again),
        8 => wait().prop_map(Act::Wait),
    ]
}

fn decision() -> impl Strategy<Value = Act> {
    let verdict = prop_oneof![
        3 => Just(Verdict::Approve),
        2 => Just(Verdict::Deny),
        3 => Just(Verdict::Answer),
    ];
    let comment = prop::sample::select(vec!["", "oak"]);
    let door = prop::sample::select(vec!["inbox", "link", "api"]);
    (verdict, comment, door, seen()).prop_map(|(verdict, comment, by, seen)| Act::Decide {
        verdict,
        comment,
        by,
        seen,
    })
}

fn seen() -> impl Strategy<Value = Seen> {
    prop_oneof![1 => Just(Seen::NotShown), 4 => Just(Seen::Shown), 1 => Just(Seen::Other)]
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
            Self::Timer => operation.due,
            Self::Onward { .. } => operation.not_before,
            _ => None,
        }
    }

    /// How often its command is sent.
    pub fn times(&self) -> usize {
        if let Self::Escalate(times) = self { *times } else { 1 }
    }

    /// The command that is sent, if one is.
    pub fn command(&self, operation: &Operation, attempts: u32) -> Option<Command> {
        Some(match self {
            Self::Onward { report, settlement } => {
                return onward(operation, report.as_ref(), *settlement);
            }
            Self::Decide { verdict, comment, by, seen } => {
                decide(*verdict, comment, by, seen.digest(operation))
            }
            Self::Cancel => cancel(),
            Self::Escalate(_) => escalate(),
            Self::Tell => Command::Told,
            Self::Start { plan } => Command::Start { plan: plan.plan(operation) },
            Self::Report { report, before_newest } => {
                finish(attempts.saturating_sub(*before_newest), report.clone())
            }
            Self::Invent { report, beyond_newest } => {
                finish(attempts + beyond_newest, report.clone())
            }
            Self::Redrive | Self::Timer => Command::Redrive,
            Self::Settle { settlement, seen } => {
                let seen = seen.digest(operation).unwrap_or(operation.digest);
                settle(*settlement, seen, operation.attempts)
            }
            Self::Announce(_) | Self::Crash | Self::Again(_) | Self::Wait(_) => return None,
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
        State::Pending => {
            let verdict = match operation.kind() {
                Kind::FunctionCall => Verdict::Approve,
                Kind::HumanContact => Verdict::Answer,
            };
            Some(decide(verdict, "oak", "inbox", Some(operation.digest)))
        }
        State::Queued => Some(Command::Start { plan: operation.plan.clone() }),
        State::Running => Some(reported.unwrap_or(Command::Redrive)),
        State::Unknown => {
            settlement.map(|found| settle(found, operation.digest, operation.attempts)).or(reported)
        }
        _ => operation.untold.then_some(Command::Told),
    }
}

fn decide(verdict: Verdict, comment: &str, by: &str, seen: Option<Digest>) -> Command {
    let (comment, by) = (comment.to_owned(), by.to_owned());
    Command::Decide { verdict, comment, option: None, by, seen }
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

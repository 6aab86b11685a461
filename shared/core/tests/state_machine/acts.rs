//! Random events of an operation: actions of people, workers, the timer and the clock.

use std::time::Duration;

use placet_core::item::Item;
use placet_core::operation::{
    Actor, Command, NewOperation, Operation, OperationKind, Plan, Report, Settlement, State,
    Verdict,
};
use placet_core::{Digest, Timestamp};
use proptest::prelude::*;

use crate::commands::{
    abandon, block, cancel, done, escalate, escalate_in_time, expire, failure, finish,
    lease_expired, link, not_done, person, rejected, remind, revoke_link, settle, settle_by, start,
    start_with, succeeded, unclear,
};
use crate::requests::{
    SECOND, UPSTREAM, call, plan, question, with_follow_up, with_time_to_decide, with_upstream,
};

/// One event.
#[derive(Clone, Debug)]
pub enum Act {
    /// The next step of the usual course: approve or answer, start, report, settle. Without a report, the
    /// lease expires.
    Onward {
        report: Option<Report>,
        settlement: Option<Settlement>,
    },
    /// A worker arrives when the state needs a worker, and does the work.
    Work,
    Decide {
        verdict: Verdict,
        comment: &'static str,
        by: Actor,
        seen: Seen,
    },
    Cancel,
    /// The requester escalates this many times in a row.
    Escalate(usize),
    /// From now on the configuration notifies these endpoints of every event.
    Configure(&'static [&'static str]),
    /// The worker creates up to this many pending children and records their creation.
    CreateChildren(usize),
    Expire,
    Polled,
    Start(Configured),
    Block,
    /// The worker of the newest attempt reports, or the worker of an earlier attempt.
    Report {
        report: Report,
        before_newest: u32,
    },
    /// A report about an attempt that was never granted.
    Invent {
        report: Report,
        beyond_newest: u32,
    },
    /// The worker of the newest attempt dies and never reports.
    Crash,
    LeaseExpired {
        before_newest: u32,
    },
    Remind,
    EscalateInTime,
    Abandon,
    Settle {
        settlement: Settlement,
        by: Actor,
        seen: Seen,
    },
    /// A link is made for this person.
    Link(&'static str),
    /// The link of the acts is revoked, or one of many others.
    RevokeLink(Option<u8>),
    /// An earlier command is repeated unchanged.
    Again(prop::sample::Index),
    Wait(Wait),
}

/// The digest that a person's channel sends.
#[derive(Clone, Copy, Debug)]
pub enum Seen {
    NotShown,
    Shown,
    Other,
}

/// The plan in the worker's configuration.
#[derive(Clone, Copy, Debug)]
pub enum Configured {
    AsApproved,
    Otherwise,
    NoLonger,
}

/// How far the clock advances.
#[derive(Clone, Copy, Debug)]
pub enum Wait {
    For(Duration),
    /// To this many milliseconds after the moment, unless that time has passed.
    Until(Moment, i64),
}

/// A moment at which something changes.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    Deadline,
    NotBefore,
    LeaseEnd,
    Wanted,
}

/// A request and up to 40 acts.
pub fn history() -> impl Strategy<Value = (NewOperation, Vec<Act>)> {
    (requested(), prop::collection::vec(act(), 1..=40))
}

/// A question, a call without a plan, or a call with a plan of any limit. Some have an upstream approver, some have
/// reminders and an escalation.
fn requested() -> impl Strategy<Value = NewOperation> {
    let plans = prop_oneof![
        1 => Just(None),
        9 => (any::<bool>(), 1..=4_u32)
            .prop_map(|(idempotent, max_attempts)| Some(Plan { max_attempts, ..plan(idempotent) })),
    ];
    let new = prop_oneof![2 => plans.prop_map(call), 1 => Just(()).prop_map(|()| question())];
    let minutes = prop::sample::select(vec![0, 10, 60, 3 * 24 * 60]);
    let options = (any::<bool>(), any::<bool>());
    (new, options, minutes).prop_map(|(new, (upstream, follow_up), minutes)| {
        let new = with_time_to_decide((60 * minutes + 20) * SECOND, new);
        let new = if follow_up { with_follow_up(new) } else { new };
        if upstream { with_upstream(new) } else { new }
    })
}

fn act() -> impl Strategy<Value = Act> {
    let endpoints = prop::sample::select(vec![&[][..], &["app"], &["app", "audit"]]);
    let configured = prop_oneof![
        12 => Just(Configured::AsApproved),
        1 => Just(Configured::Otherwise),
        1 => Just(Configured::NoLonger),
    ];
    let before = || prop_oneof![5 => Just(0), 1 => 1..4_u32];
    prop_oneof![
        18 => (prop::option::weighted(0.7, report()), prop::option::weighted(0.5, settlement()))
            .prop_map(|(report, settlement)| Act::Onward { report, settlement }),
        10 => Just(Act::Work),
        8 => decision(),
        1 => Just(Act::Cancel),
        2 => prop_oneof![2 => Just(1), 1 => 9..=12_usize].prop_map(Act::Escalate),
        3 => endpoints.prop_map(Act::Configure),
        4 => (0..3_usize).prop_map(Act::CreateChildren),
        2 => Just(Act::Expire),
        3 => Just(Act::Polled),
        8 => configured.prop_map(Act::Start),
        1 => Just(Act::Block),
        5 => (report(), before())
            .prop_map(|(report, before_newest)| Act::Report { report, before_newest }),
        1 => (report(), 1..3_u32)
            .prop_map(|(report, beyond_newest)| Act::Invent { report, beyond_newest }),
        1 => Just(Act::Crash),
        3 => before().prop_map(|before_newest| Act::LeaseExpired { before_newest }),
        2 => Just(Act::Remind),
        1 => Just(Act::EscalateInTime),
        1 => Just(Act::Abandon),
        3 => (settlement(), actor(), seen())
            .prop_map(|(settlement, by, seen)| Act::Settle { settlement, by, seen }),
        2 => prop::sample::select(vec!["ana", "cy"]).prop_map(Act::Link),
        1 => prop::option::of(any::<u8>()).prop_map(Act::RevokeLink),
        3 => any::<prop::sample::Index>().prop_map(Act::Again),
        8 => wait().prop_map(Act::Wait),
    ]
}

fn report() -> impl Strategy<Value = Report> {
    prop_oneof![
        1 => Just(succeeded()),
        1 => Just(rejected()),
        4 => Just(not_done()),
        1 => Just(Report::NotDone(failure("busy"), Some(90 * SECOND))),
        4 => Just(unclear()),
    ]
}

fn settlement() -> impl Strategy<Value = Settlement> {
    prop_oneof![
        1 => Just(Settlement::Happened),
        1 => Just(Settlement::DidNotHappen),
        3 => Just(Settlement::RunAgain),
    ]
}

fn decision() -> impl Strategy<Value = Act> {
    let verdict = prop_oneof![
        3 => Just(Verdict::Approve),
        2 => Just(Verdict::Deny),
        3 => Just(Verdict::Answer),
    ];
    let comment = prop::sample::select(vec!["", "oak"]);
    (verdict, comment, actor(), seen()).prop_map(|(verdict, comment, by, seen)| Act::Decide {
        verdict,
        comment,
        by,
        seen,
    })
}

/// The id of the link in these acts.
const LINK: &str = "0123456789ab";

/// Somebody who may decide, or who may not.
fn actor() -> impl Strategy<Value = Actor> {
    let source = |source: &str| Actor::Webhook {
        source: source.to_owned(),
        receipt: format!("{source}.1"),
        event: None,
    };
    let upstream = |url: &str| Actor::Upstream { url: url.to_owned() };
    prop::sample::select(vec![
        Actor::LOCAL,
        Actor::LOCAL,
        Actor::Inbox { person: Some(person("ana")) },
        Actor::Inbox { person: Some(person("cy")) },
        Actor::Link { id: LINK.to_owned(), person: None },
        Actor::Link { id: LINK.to_owned(), person: Some(person("bo")) },
        Actor::Link { id: LINK.to_owned(), person: Some(person("cy")) },
        Actor::api("key-of-ana", "ana"),
        Actor::api("key-of-agent", "agent"),
        source("humanlayer"),
        source("github"),
        upstream(UPSTREAM),
        upstream("https://evil.example"),
        Actor::Demo,
        Actor::Worker,
        Actor::Timer,
        Actor::Test,
    ])
}

fn seen() -> impl Strategy<Value = Seen> {
    prop_oneof![1 => Just(Seen::NotShown), 4 => Just(Seen::Shown), 1 => Just(Seen::Other)]
}

fn wait() -> impl Strategy<Value = Wait> {
    let moment = prop_oneof![
        1 => Just(Moment::Deadline),
        4 => Just(Moment::NotBefore),
        3 => Just(Moment::LeaseEnd),
        6 => Just(Moment::Wanted),
    ];
    prop_oneof![
        2 => (0..200_000_u64).prop_map(|millis| Wait::For(Duration::from_millis(millis))),
        1 => (0..100_u64).prop_map(|hours| Wait::For(Duration::from_secs(3600 * hours))),
        8 => (moment, -1..=1_i64).prop_map(|(moment, offset)| Wait::Until(moment, offset)),
    ]
}

impl Act {
    /// The time to which the clock advances before the act; `None` if the clock stays.
    pub fn waits_until(&self, item: &Item<Operation>, now: Timestamp) -> Option<Timestamp> {
        let wanted = || item.wants(now).map(|(_, at)| at);
        match self {
            Self::Wait(Wait::For(duration)) => Some(now.plus(*duration)),
            Self::Wait(Wait::Until(moment, offset)) => {
                let moment = match moment {
                    Moment::Deadline => Some(item.deadline),
                    Moment::NotBefore => item.not_before,
                    Moment::LeaseEnd => item.leased_until,
                    Moment::Wanted => wanted(),
                };
                moment.map(|moment| Timestamp::from_millis(moment.millis() + offset))
            }
            Self::Onward { report: None, .. } if item.state == State::Running => item.leased_until,
            Self::Onward { .. } => item.not_before,
            Self::Work => wanted(),
            _ => None,
        }
    }

    /// How many times the command of the act is sent.
    pub fn times(&self) -> usize {
        if let Self::Escalate(times) = self { *times } else { 1 }
    }

    /// The command of the act, if it has one.
    pub fn command(
        &self,
        item: &Item<Operation>,
        attempts: u32,
        now: Timestamp,
    ) -> Option<Command> {
        Some(match self {
            Self::Onward { report, settlement } => {
                return onward(item, report.as_ref(), *settlement);
            }
            Self::Work => return done(item, now),
            Self::Decide { verdict, comment, by, seen } => {
                decide(*verdict, comment, by.clone(), seen.digest(item))
            }
            Self::Cancel => cancel(),
            Self::Escalate(_) => escalate(),
            Self::Expire => expire(),
            Self::Polled => Command::Polled,
            Self::Block => block(),
            Self::Start(configured) => start_with(configured.plan(item)),
            Self::Report { report, before_newest } => {
                finish(attempts.saturating_sub(*before_newest), report.clone())
            }
            Self::Invent { report, beyond_newest } => {
                finish(attempts + beyond_newest, report.clone())
            }
            Self::LeaseExpired { before_newest } => {
                lease_expired(attempts.saturating_sub(*before_newest))
            }
            Self::Remind => remind(),
            Self::EscalateInTime => escalate_in_time(),
            Self::Abandon => abandon(),
            Self::Settle { settlement, by, seen } => {
                let seen = seen.digest(item).unwrap_or(item.digest);
                settle_by(by.clone(), *settlement, seen, item.attempts)
            }
            Self::Link(person) => link(person, now),
            Self::RevokeLink(other) => {
                revoke_link(&other.map_or(LINK.to_owned(), |other| other.to_string()))
            }
            Self::Configure(_)
            | Self::CreateChildren(_)
            | Self::Crash
            | Self::Again(_)
            | Self::Wait(_) => return None,
        })
    }
}

fn onward(
    item: &Item<Operation>,
    report: Option<&Report>,
    settlement: Option<Settlement>,
) -> Option<Command> {
    let reported = report.map(|report| finish(item.attempts, report.clone()));
    match item.state {
        State::Pending => {
            let verdict = match item.kind() {
                OperationKind::FunctionCall => Verdict::Approve,
                OperationKind::HumanContact => Verdict::Answer,
            };
            Some(decide(verdict, "oak", Actor::LOCAL, Some(item.digest)))
        }
        State::Queued => Some(start(item)),
        State::Running => Some(reported.unwrap_or_else(|| lease_expired(item.attempts))),
        State::Unknown => {
            settlement.map(|found| settle(found, item.digest, item.attempts)).or(reported)
        }
        _ => None,
    }
}

fn decide(verdict: Verdict, comment: &str, by: Actor, seen: Option<Digest>) -> Command {
    let comment = comment.to_owned();
    Command::Decide { verdict, comment, option: None, by, seen, notify: Vec::new() }
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
        match self {
            Self::AsApproved => operation.plan.clone(),
            Self::Otherwise => Some(Plan { executor: "function other".to_owned(), ..plan(true) }),
            Self::NoLonger => None,
        }
    }
}

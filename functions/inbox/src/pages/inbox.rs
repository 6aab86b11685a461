use std::time::Duration;

use askama::Template;
use placet_core::Timestamp;
use placet_core::item::Item;
use placet_core::operation::{Content, Operation, State};
use placet_runtime::Rest;

use super::Rests;
use super::address::{Frame, Projects};
use super::record::Escalations;
use super::visible::Shown;
use super::words::Moment;

/// With less time than this left, a row highlights the time.
const SOON: Duration = Duration::from_secs(15 * 60);

/// A row shows only the beginning of a text that is longer than this, in characters.
const LONGEST_HEADING: usize = 120;
const LONGEST_TEXT: usize = 200;
const LONGEST_RUN: usize = 40;

#[derive(Template)]
#[template(path = "inbox.html")]
pub(super) struct Page {
    frame: Frame,
    projects: Vec<Project>,
    pending: Rows,
    unknown: Rows,
    blocked: Rows,
}

/// The first operations of a list, and the number of all.
struct Rows {
    shown: Vec<Row>,
    count: String,
    /// Whether the list has more operations than are shown.
    more: bool,
}

/// A link to the inbox of a project.
struct Project {
    name: Shown,
    href: String,
    shown: bool,
}

struct Row {
    href: String,
    asks: Asks,
    run_id: Shown,
    escalations: Option<Escalations>,
    requested: Moment,
    left: Moment,
    soon: bool,
}

enum Asks {
    Call { function: Shown, arguments: Shown },
    Question { subject: Option<Shown>, message: Shown },
}

impl Page {
    pub(super) fn new(
        operations: &[Item<Operation>],
        rests: Rests,
        projects: &Projects<'_>,
        now: Timestamp,
    ) -> Self {
        let rows = |state: State, rest: Rest, order: fn(&Item<Operation>) -> Timestamp| {
            let mut found: Vec<_> =
                operations.iter().filter(|operation| operation.state_at(now) == state).collect();
            found.sort_by_key(|operation| order(operation));
            let shown: Vec<_> =
                found.into_iter().map(|operation| Row::new(operation, projects, now)).collect();
            let count = count(shown.len() + rest.counted, rest.more);
            Rows { shown, count, more: rest.counted > 0 || rest.more }
        };
        let project = |name: &&str| Project {
            name: Shown::text(name),
            href: projects.inbox(name),
            shown: *name == projects.shown,
        };
        Self {
            frame: Frame::of("inbox", projects),
            projects: projects.all.iter().map(project).collect(),
            pending: rows(State::Pending, rests.pending, |operation| operation.deadline),
            unknown: rows(State::Unknown, rests.unknown, |operation| operation.header.created_at),
            blocked: rows(State::Blocked, Rest::default(), |operation| operation.header.created_at),
        }
    }
}

/// The number of operations, exact up to 1,000.
fn count(counted: usize, more: bool) -> String {
    match counted {
        _ if more => "1,000+".to_owned(),
        0..1000 => counted.to_string(),
        1000 => "1,000".to_owned(),
        _ => "1,000+".to_owned(),
    }
}

impl Row {
    fn new(operation: &Item<Operation>, projects: &Projects<'_>, now: Timestamp) -> Self {
        Self {
            href: projects.operation(&operation.id()),
            asks: Asks::new(&operation.content),
            run_id: Shown::text(&operation.run_id).shorten(LONGEST_RUN),
            escalations: Escalations::of(operation, now),
            requested: Moment::ago(operation.header.created_at, now),
            left: Moment::left(operation.deadline, now),
            soon: operation.deadline.since(now) < SOON,
        }
    }
}

impl Asks {
    fn new(content: &Content) -> Self {
        match content {
            Content::Call { function, kwargs } => Self::Call {
                function: Shown::text(function).shorten(LONGEST_HEADING),
                arguments: Shown::line(kwargs),
            },
            Content::Question { message, subject } => Self::Question {
                subject: subject.as_ref().map(|text| Shown::text(text).shorten(LONGEST_HEADING)),
                message: Shown::text(message).shorten(LONGEST_TEXT),
            },
        }
    }
}

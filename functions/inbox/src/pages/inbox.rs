use std::time::Duration;

use askama::Template;
use placet_core::{Operation, State, Timestamp};

use super::href;
use super::visible::Shown;
use super::words::Moment;

/// With less time than this left, a row says so loudly.
const SOON: Duration = Duration::from_secs(15 * 60);

#[derive(Template)]
#[template(path = "inbox.html")]
pub(super) struct Page {
    here: &'static str,
    pending: Vec<Row>,
    unknown: Vec<Row>,
}

struct Row {
    href: String,
    function: Shown,
    arguments: Shown,
    asked: Moment,
    left: Moment,
    soon: bool,
}

impl Page {
    pub(super) fn new(operations: &[Operation], now: Timestamp) -> Self {
        let rows = |state: State, order: fn(&Operation) -> Timestamp| {
            let mut found: Vec<_> =
                operations.iter().filter(|operation| operation.state_at(now) == state).collect();
            found.sort_by_key(|operation| order(operation));
            found.into_iter().map(|operation| Row::new(operation, now)).collect()
        };
        Self {
            here: "inbox",
            pending: rows(State::Pending, |operation| operation.deadline),
            unknown: rows(State::Unknown, |operation| operation.created_at),
        }
    }
}

impl Row {
    fn new(operation: &Operation, now: Timestamp) -> Self {
        Self {
            href: href(operation),
            function: Shown::text(&operation.function).shorten(120),
            arguments: Shown::line(&operation.kwargs),
            asked: Moment::ago(operation.created_at, now),
            left: Moment::left(operation.deadline, now),
            soon: operation.deadline.since(now) < SOON,
        }
    }
}

use askama::Template;
use placet_core::item::Item;
use placet_core::operation::{Operation, Outcome};
use placet_core::{Timestamp, purchase};
use serde_json::Value;

use super::address::Frame;
use super::visible::Shown;
use super::words::Moment;

/// A cell shows only the beginning of a text that is longer than this, in characters. The page of the
/// operation shows the complete text.
const LONGEST_CELL: usize = 200;

#[derive(Template)]
#[template(path = "purchase_form.html")]
pub(super) struct Form<'a> {
    frame: Frame,
    call_id: &'a str,
    default: purchase::Purchase,
}

impl<'a> Form<'a> {
    pub(super) fn new(call_id: &'a str) -> Self {
        Self { frame: Frame::new("purchase"), call_id, default: purchase::Purchase::default() }
    }
}

#[derive(Template)]
#[template(path = "purchases.html")]
pub(super) struct Page {
    frame: Frame,
    rows: Vec<Row>,
}

struct Row {
    href: String,
    material: Shown,
    quantity: Shown,
    status: &'static str,
    requested: Moment,
    comment: Option<Shown>,
    result: Option<Shown>,
}

impl Page {
    pub(super) fn new(operations: &[Item<Operation>], now: Timestamp) -> Self {
        let rows = operations.iter().map(|operation| Row::new(operation, now)).collect();
        Self { frame: Frame::new("purchases"), rows }
    }
}

impl Row {
    fn new(operation: &Item<Operation>, now: Timestamp) -> Self {
        let kwargs = operation.content.kwargs();
        let argument =
            |name| cell(kwargs.and_then(|kwargs| kwargs.get(name)).unwrap_or(&Value::Null));
        let comment = operation.decision.as_ref().map(|decision| decision.comment.as_str());
        Self {
            href: operation.id().inbox_address(operation.project()),
            material: argument("material"),
            quantity: argument("quantity"),
            status: purchase::status(operation.state_at(now)),
            requested: Moment::ago(operation.header.created_at, now),
            comment: comment
                .filter(|comment| !comment.is_empty())
                .map(|comment| Shown::text(comment).shorten(LONGEST_CELL)),
            result: operation.outcome.as_ref().and_then(result),
        }
    }
}

fn result(outcome: &Outcome) -> Option<Shown> {
    match outcome {
        Outcome::Result(Value::Null) => None,
        Outcome::Result(value) => Some(cell(value)),
        Outcome::Failure(failure) => Some(Shown::text(&failure.message).shorten(LONGEST_CELL)),
    }
}

fn cell(value: &Value) -> Shown {
    match value {
        Value::String(text) => Shown::text(text).shorten(LONGEST_CELL),
        other => Shown::line(other),
    }
}

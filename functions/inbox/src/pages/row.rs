//! The rows of a list.

use placet_core::Timestamp;
use placet_core::delivery::{self, Attempt, Delivery, MailTo};
use placet_core::item::Item;
use placet_core::operation::{Content, Operation, State};

use super::address::Projects;
use super::list::SOON;
use super::record::Escalations;
use super::visible::Shown;
use super::words::{Moment, Standing, channel, relative, requester};

/// A row shows only the beginning of a text that is longer than this, in characters.
const LONGEST_HEADING: usize = 120;
const LONGEST_TEXT: usize = 200;
const LONGEST_NAME: usize = 60;

/// An operation in a list.
pub(super) struct Row {
    pub(super) href: String,
    pub(super) asks: Asks,
    pub(super) requester: Shown,
    pub(super) escalations: Option<Escalations>,
    pub(super) requested: Moment,
    /// How long a person can still decide.
    pub(super) left: Option<Moment>,
    pub(super) soon: bool,
    /// The state of an operation that does not wait for a decision.
    pub(super) standing: Option<Standing>,
    /// The channel and the time of the decision.
    pub(super) decided: Option<(Shown, Moment)>,
}

/// What an operation asks for.
pub(super) enum Asks {
    Call { function: Shown, arguments: Shown },
    Question { subject: Option<Shown>, message: Shown },
}

impl Row {
    pub(super) fn new(
        operation: &Item<Operation>,
        projects: &Projects<'_>,
        now: Timestamp,
    ) -> Self {
        let pending = operation.state_at(now) == State::Pending;
        let decision = operation.decision.as_ref();
        Self {
            href: projects.operation(&operation.id()),
            asks: Asks::new(&operation.content),
            requester: Shown::text(&requester(operation)).shorten(LONGEST_NAME),
            escalations: Escalations::of(operation, now),
            requested: Moment::ago(operation.header.created_at, now),
            left: pending.then(|| Moment::left(operation.deadline, now)),
            soon: operation.deadline.since(now) < SOON,
            standing: (!pending).then(|| Standing::of(operation, now)),
            decided: decision.map(|decision| {
                let channel = Shown::text(&channel(&decision.by)).shorten(LONGEST_NAME);
                (channel, Moment::ago(decision.at, now))
            }),
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

/// A delivery that does not get through.
pub(super) struct Notification {
    pub(super) event: Shown,
    pub(super) endpoint: Shown,
    pub(super) href: String,
    /// What happened so far and what happens next.
    pub(super) words: String,
    /// The result of the last attempt.
    pub(super) last: Shown,
    pub(super) created: Moment,
}

impl Notification {
    pub(super) fn new(delivery: &Item<Delivery>, projects: &Projects<'_>, now: Timestamp) -> Self {
        Self {
            event: Shown::text(&delivery.event_type).shorten(LONGEST_NAME),
            endpoint: Shown::text(&recipient(delivery)).shorten(LONGEST_NAME),
            href: projects.delivery(&delivery.header.id),
            words: progress(delivery, now),
            last: Shown::text(&last(delivery)).shorten(LONGEST_TEXT),
            created: Moment::ago(delivery.header.created_at, now),
        }
    }
}

/// Who gets a delivery, by the name or the id in `placet.yaml`.
pub(super) fn recipient(delivery: &Delivery) -> String {
    match &delivery.mail {
        None => delivery.endpoint.clone(),
        Some(MailTo::Person(to) | MailTo::Address(to)) => to.clone(),
    }
}

/// How often a delivery was tried, and when it is tried again.
pub(super) fn progress(delivery: &Delivery, now: Timestamp) -> String {
    let attempts = match delivery.attempts {
        1 => "1 attempt".to_owned(),
        many => format!("{many} attempts"),
    };
    match delivery.state {
        delivery::State::Failed => format!("Failed after {attempts}"),
        delivery::State::Skipped => "Not needed any more".to_owned(),
        delivery::State::Delivered => attempts,
        delivery::State::Pending if delivery.not_before > now => {
            format!("{attempts}, the next {}", relative(delivery.not_before, now))
        }
        delivery::State::Pending => format!("{attempts}, the next now"),
    }
}

/// The result of the last attempt.
pub(super) fn last(delivery: &Delivery) -> String {
    match delivery.log.last() {
        None => "no attempt yet".to_owned(),
        Some(attempt) => result(attempt),
    }
}

/// The result of an attempt.
pub(super) fn result(attempt: &Attempt) -> String {
    match (&attempt.error, attempt.status) {
        (Some(error), _) => error.clone(),
        (None, Some(status)) => format!("the endpoint answered {status}"),
        (None, None) => "no answer".to_owned(),
    }
}

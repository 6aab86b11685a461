use askama::Template;
use placet_core::Timestamp;
use placet_core::delivery::{Delivery, State};
use placet_core::item::Item;

use super::address::{Frame, Projects};
use super::row::{progress, recipient, result};
use super::visible::Shown;
use super::words::Moment;

#[derive(Template)]
#[template(path = "delivery.html")]
pub(super) struct Page<'a> {
    frame: Frame,
    title: String,
    class: &'static str,
    sign: &'static str,
    words: &'static str,
    progress: String,
    event: Shown,
    endpoint: Shown,
    id: &'a str,
    /// The address that the form posts to.
    action: String,
    /// The operation that it reports on, with its page.
    operation: Option<(Shown, String)>,
    created: Moment,
    message: Option<&'a str>,
    /// Whether it is a mail.
    mail: bool,
    /// Whether it was not needed any more.
    skipped: bool,
    /// Whether the endpoint accepted it before, so that it gets the same event twice.
    delivered: bool,
    /// The attempts, newest first.
    attempts: Vec<Attempt>,
}

struct Attempt {
    number: u32,
    at: Moment,
    result: Shown,
    took: String,
    answer: Option<Shown>,
}

impl<'a> Page<'a> {
    pub(super) fn new(
        delivery: &'a Item<Delivery>,
        projects: &Projects<'_>,
        message: Option<&'a str>,
        now: Timestamp,
    ) -> Self {
        let (class, sign, words) = match delivery.body.state {
            State::Pending => ("waits", "…", "Not delivered yet"),
            State::Delivered => ("good", "✓", "Delivered"),
            State::Failed => ("bad", "✕", "Not delivered"),
            State::Skipped => ("past", "–", "Not needed any more"),
        };
        let (event, endpoint) =
            (Shown::text(&delivery.event_type), Shown::text(&recipient(delivery)));
        let attempt = |one: &placet_core::delivery::Attempt| Attempt {
            number: one.attempt,
            at: Moment::date(one.at),
            result: Shown::text(&result(one)),
            took: format!("{} ms", one.duration_ms),
            answer: (!one.answer.is_empty()).then(|| Shown::text(&one.answer)),
        };
        Self {
            frame: Frame::of("inbox", projects),
            title: format!("{} to {}", event.plain(), endpoint.plain()),
            class,
            sign,
            words,
            progress: progress(delivery, now),
            event,
            endpoint,
            id: &delivery.header.id,
            action: projects.delivery(&delivery.header.id),
            operation: delivery
                .notifies_of()
                .map(|(id, _)| (Shown::text(&id.call_id), projects.operation(&id))),
            created: Moment::date(delivery.header.created_at),
            message,
            mail: delivery.mail.is_some(),
            skipped: delivery.body.state == State::Skipped,
            delivered: delivery.body.state == State::Delivered,
            attempts: delivery.log.iter().rev().map(attempt).collect(),
        }
    }
}

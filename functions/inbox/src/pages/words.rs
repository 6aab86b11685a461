//! Times and states in words.

use std::time::Duration;

use askama::Template;
use askama::filters::HtmlSafe;
use placet_core::Timestamp;
use placet_core::operation::{Actor, Identity, Operation, OperationKind, Proof, State};

/// A moment as a `<time>` element, in words or as date and time in UTC.
#[derive(Clone, Debug, Template)]
#[template(source = r#"<time datetime="{{ datetime }}">{{ words }}</time>"#, ext = "html")]
pub(super) struct Moment {
    datetime: String,
    words: String,
}

impl HtmlSafe for Moment {}

impl Moment {
    /// Date and time, to the second.
    pub(super) fn date(at: Timestamp) -> Self {
        let datetime = at.to_string();
        let words = match datetime.split_once('T') {
            Some((date, time)) => format!("{date} {} UTC", time.get(..8).unwrap_or(time)),
            None => datetime.clone(),
        };
        Self { datetime, words }
    }

    /// How long ago the moment was.
    pub(super) fn ago(at: Timestamp, now: Timestamp) -> Self {
        Self { datetime: at.to_string(), words: format!("{} ago", span(now.since(at))) }
    }

    /// How long it is until the moment.
    pub(super) fn left(at: Timestamp, now: Timestamp) -> Self {
        Self { datetime: at.to_string(), words: format!("{} left", span(at.since(now))) }
    }
}

/// A duration in at most two units, rounded down.
pub(super) fn span(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    let (hours, days) = (minutes / 60, minutes / (24 * 60));
    match (days, hours, minutes) {
        (0, 0, 0) => "under a minute".to_owned(),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => with_rest(format!("{hours} h"), minutes % 60, "min"),
        (1, _, _) => with_rest("1 day".to_owned(), hours % 24, "h"),
        _ => with_rest(format!("{days} days"), hours % 24, "h"),
    }
}

fn with_rest(whole: String, rest: u64, unit: &str) -> String {
    if rest == 0 { whole } else { format!("{whole} {rest} {unit}") }
}

/// The state of an operation: a sentence, a sign and a CSS class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
    pub(super) words: String,
}

impl Standing {
    /// The state of `operation` at `now`.
    pub(super) fn of(operation: &Operation, now: Timestamp) -> Self {
        let attempts = operation.attempts;
        let question = operation.kind() == OperationKind::HumanContact;
        let (class, sign, words) = match operation.state_at(now) {
            State::Pending if question => ("waits", "●", "Waits for an answer".to_owned()),
            State::Pending => ("waits", "●", "Waits for a decision".to_owned()),
            State::Approved => {
                ("good", "✓", "Approved: the requester acts on the decision".to_owned())
            }
            State::Denied => ("bad", "✕", "Denied: nothing runs".to_owned()),
            State::Answered => ("good", "✓", "Answered".to_owned()),
            State::Cancelled => ("past", "–", "Cancelled by the requester".to_owned()),
            State::Expired if question => {
                ("past", "–", "Expired: nobody answered before the deadline".to_owned())
            }
            State::Expired => {
                ("past", "–", "Expired: nobody decided before the deadline".to_owned())
            }
            State::Queued if attempts == 0 => ("busy", "…", "Approved: about to run".to_owned()),
            State::Queued => ("busy", "…", next_attempt(operation, now)),
            State::Blocked => {
                ("unknown", "!", "Approved, but blocked: its configuration is missing".to_owned())
            }
            State::Running => ("busy", "…", format!("Running: attempt {attempts}")),
            State::Succeeded => ("good", "✓", "Done".to_owned()),
            State::Failed => ("bad", "✕", "Failed: it did not take effect".to_owned()),
            State::Unknown => {
                ("unknown", "?", "Outcome unknown: it may or may not have run".to_owned())
            }
        };
        Self { class, sign, words }
    }
}

/// When the next attempt starts, after at least one attempt.
fn next_attempt(operation: &Operation, now: Timestamp) -> String {
    let next = operation.attempts.saturating_add(1);
    match operation.not_before.filter(|at| now < *at) {
        Some(at) => {
            format!("Approved: attempt {next} starts in {}", span(at.since(now)))
        }
        None => format!("Approved: attempt {next} starts now"),
    }
}

/// The channel of a decision or event, in words.
pub(super) fn channel(by: &Actor) -> String {
    match by {
        Actor::Inbox { person: None } => "through the inbox".to_owned(),
        Actor::Link { id, person: None } => format!("through the decision link {id}"),
        Actor::Inbox { person: Some(person) } => format!("by {}, {}", person.name, proof(person)),
        Actor::Link { id, person: Some(person) } => {
            format!("by {}, {} {id}", person.name, proof(person))
        }
        Actor::Api { key, name } => format!("through the API, with the key {name} ({key})"),
        Actor::Webhook { source, receipt, event: None } => {
            format!("through the webhook source {source}, in the receipt {receipt}")
        }
        Actor::Webhook { source, receipt, event: Some(event) } => {
            format!(
                "through the webhook source {source}, in the receipt {receipt} of the event {event:?}"
            )
        }
        Actor::Upstream { url } => format!("through the upstream approver {url}"),
        Actor::Demo => "through the demo page".to_owned(),
        Actor::Worker => "by the worker".to_owned(),
        Actor::Timer => "by the timer".to_owned(),
        Actor::Test => "by a test event".to_owned(),
    }
}

/// How a person proved who they are, in words.
const fn proof(person: &Identity) -> &'static str {
    match person.proof {
        Proof::Session => "who signed in with a one-time link",
        Proof::Oidc => "who signed in with OpenID Connect",
        Proof::Link => "with the decision link",
        Proof::Slack => "in Slack",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_down_to_two_units() {
        let span = |seconds| span(Duration::from_secs(seconds));
        assert_eq!(span(59), "under a minute");
        assert_eq!(span(3 * 60 + 59), "3 min");
        assert_eq!(span(3600), "1 h");
        assert_eq!(span(3600 + 125 * 60), "3 h 5 min");
        assert_eq!(span(24 * 3600), "1 day");
        assert_eq!(span(51 * 3600), "2 days 3 h");
    }

    #[test]
    fn a_moment_has_the_exact_time_besides_its_words() {
        let asked = Timestamp::from_millis(1_795_165_200_120);
        let later = asked.plus(Duration::from_secs(180));
        let html = |moment: Moment| moment.render().unwrap();
        let datetime = "<time datetime=\"2026-11-20T09:00:00.120Z\">";
        assert_eq!(html(Moment::ago(asked, later)), format!("{datetime}3 min ago</time>"));
        assert_eq!(html(Moment::date(asked)), format!("{datetime}2026-11-20 09:00:00 UTC</time>"));
        assert!(html(Moment::left(later, asked)).contains(">3 min left<"));
        assert!(html(Moment::date(Timestamp::from_millis(i64::MAX))).contains("ms</time>"));
    }
}

//! The decision, the outcome and the history of an operation.

use placet_core::operation::{Actor, Entry, Operation, Outcome, State, Verdict};
use placet_core::{Digest, Timestamp};
use serde_json::Value;

use super::field::Folded;
use super::visible::Shown;
use super::words::{Moment, channel};

/// A row shows only the beginning of a message that is longer than this, in characters.
const LONGEST_MESSAGE: usize = 120;

/// A decision, or a cancellation.
pub(super) struct Answer {
    pub(super) verdict: &'static str,
    pub(super) channel: Shown,
    pub(super) ago: Moment,
    pub(super) at: Moment,
    pub(super) words: Option<Shown>,
    pub(super) warnings: Vec<String>,
    pub(super) option: Option<Shown>,
}

impl Answer {
    pub(super) fn of(operation: &Operation, now: Timestamp) -> Option<Self> {
        if let Some(decision) = &operation.decision {
            let verdict = match decision.verdict {
                Verdict::Approve => "Approved",
                Verdict::Deny => "Denied",
                Verdict::Answer => "Answered",
            };
            let option = decision.option.as_ref().map(|name| {
                Shown::text(operation.option(name).map_or(name, |option| option.label()))
            });
            let answer = Self::new(verdict, &decision.by, &decision.comment, decision.at, now);
            return Some(Self { option, ..answer });
        }
        let cancelled = operation.history.of("cancelled").next()?;
        let reason = text(cancelled, "reason");
        Some(Self::new("Cancelled", &cancelled.by, reason, cancelled.at, now))
    }

    fn new(verdict: &'static str, by: &Actor, words: &str, at: Timestamp, now: Timestamp) -> Self {
        let words = Some(words).filter(|words| !words.is_empty());
        let (words, warnings) = words.map(Shown::warned).unzip();
        Self {
            verdict,
            channel: Shown::text(&channel(by)),
            ago: Moment::ago(at, now),
            at: Moment::date(at),
            warnings: warnings.unwrap_or_default(),
            words,
            option: None,
        }
    }
}

/// The escalations of an operation.
pub(super) struct Escalations {
    pub(super) times: String,
    pub(super) last: Moment,
    pub(super) message: Shown,
    /// Whether nobody has asked for it: its time had come.
    pub(super) in_time: bool,
    pub(super) warnings: Vec<String>,
}

impl Escalations {
    /// The escalations of a pending operation.
    pub(super) fn of(operation: &Operation, now: Timestamp) -> Option<Self> {
        if operation.state_at(now) != State::Pending {
            return None;
        }
        let last = operation.history.of("escalated").next_back()?;
        let to = last.detail.get("to").and_then(Value::as_str);
        let message = to.map(|to| format!("nobody had decided, so it was escalated to {to}"));
        let message = message.as_deref().unwrap_or(text(last, "message"));
        let (message, warnings) = Shown::warned(message);
        Some(Self {
            times: match operation.history.of("escalated").count() {
                1 => "Escalated".to_owned(),
                2 => "Escalated twice".to_owned(),
                many => format!("Escalated {many} times"),
            },
            last: Moment::ago(last.at, now),
            in_time: to.is_some(),
            warnings,
            message,
        })
    }

    /// The message, folded if it is long.
    pub(super) fn folded(&self) -> Folded {
        Folded::new(self.message.clone())
    }

    /// The message, shortened for a row.
    pub(super) fn beginning(&self) -> Shown {
        self.message.clone().shorten(LONGEST_MESSAGE)
    }
}

fn text<'a>(entry: &'a Entry, member: &str) -> &'a str {
    entry.detail.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// How the execution ended.
pub(super) enum Ending {
    Returned(Shown),
    Nothing,
    Failure { code: Shown, message: Shown },
}

impl Ending {
    pub(super) fn new(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Result(Value::Null) => Self::Nothing,
            Outcome::Result(value) => Self::Returned(Shown::value(value)),
            Outcome::Failure(failure) => Self::Failure {
                code: Shown::text(&failure.code),
                message: Shown::text(&failure.message),
            },
        }
    }
}

/// An entry of the history.
pub(super) struct Event {
    pub(super) what: Shown,
    pub(super) channel: Shown,
    pub(super) at: Moment,
    pub(super) details: Vec<(String, Detail)>,
}

/// A detail of an event.
pub(super) enum Detail {
    Time(Moment),
    Value(Shown),
}

impl Event {
    /// `digest` is the digest of the operation.
    pub(super) fn new(entry: &Entry, digest: Digest) -> Self {
        let shown = digest.to_string();
        let shown_detail = |member| detail(member, &shown);
        Self {
            what: Shown::text(&what(entry)),
            channel: Shown::text(&channel(&entry.by)),
            at: Moment::date(entry.at),
            details: entry
                .detail
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(shown_detail)
                .collect(),
        }
    }
}

fn what(entry: &Entry) -> String {
    let attempt = entry.detail.get("attempt").and_then(Value::as_u64).unwrap_or_default();
    match entry.event.as_str() {
        "created" => "Requested".to_owned(),
        "linked" => "Decision link made".to_owned(),
        "link_revoked" => "Decision link revoked".to_owned(),
        "approved" => "Approved".to_owned(),
        "denied" => "Denied".to_owned(),
        "answered" => "Answered".to_owned(),
        "reminded" => "Reminded".to_owned(),
        "escalated" => "Escalated".to_owned(),
        "cancelled" => "Cancelled".to_owned(),
        "expired" => "Expired".to_owned(),
        "started" => format!("Attempt {attempt} started"),
        "retrying" => format!("Attempt {attempt} failed and will be retried"),
        "succeeded" => format!("Attempt {attempt} succeeded"),
        "failed" => "Failed".to_owned(),
        "blocked" => "Blocked: its configuration is missing".to_owned(),
        "unknown" => "Outcome unknown".to_owned(),
        "settled" => settled(&entry.detail).to_owned(),
        other => other.to_owned(),
    }
}

fn settled(detail: &Value) -> &'static str {
    match detail.get("found").and_then(Value::as_str) {
        Some("happened") => "Settled: it happened",
        Some("did_not_happen") => "Settled: it did not happen",
        Some("run_again") => "Settled: run again",
        _ => "Settled",
    }
}

/// A detail of an event; `None` if it is empty or already part of the name of the event. `digest` is the
/// digest of the operation, which another part of the page shows in full.
fn detail((name, value): (&String, &Value), digest: &str) -> Option<(String, Detail)> {
    let empty = value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
    let left_out = empty || matches!(name.as_str(), "attempt" | "found");
    if left_out {
        return None;
    }
    let label = match name.as_str() {
        "until" => "lease until".to_owned(),
        "not_before" => "next attempt not before".to_owned(),
        other => other.to_owned(),
    };
    let time = matches!(name.as_str(), "deadline" | "until" | "not_before");
    let detail = match value.as_i64().filter(|_| time) {
        Some(millis) => Detail::Time(Moment::date(Timestamp::from_millis(millis))),
        None if name == "digest" && value == digest => Detail::Value(Shown::text("same as above")),
        None => Detail::Value(Shown::value(value)),
    };
    Some((label, detail))
}

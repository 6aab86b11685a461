//! What was decided, what came of it, and the history.

use placet_core::{Digest, Entry, Operation, Outcome, Timestamp, Verdict};
use serde_json::Value;

use super::operation::reject_options;
use super::visible::Shown;
use super::words::{Moment, door};

/// A person's decision.
pub(super) struct Answer {
    pub(super) approved: bool,
    pub(super) door: Shown,
    pub(super) ago: Moment,
    pub(super) at: Moment,
    pub(super) comment: Option<Shown>,
    pub(super) option: Option<Shown>,
}

impl Answer {
    pub(super) fn of(operation: &Operation, now: Timestamp) -> Option<Self> {
        let decision = operation.decision.as_ref()?;
        let title = |name: &String| {
            let options = reject_options(operation);
            let chosen = options.iter().find(|option| option.name == name);
            Shown::text(chosen.and_then(|option| option.title).unwrap_or(name))
        };
        Some(Self {
            approved: decision.verdict == Verdict::Approve,
            door: Shown::text(door(&decision.by)),
            ago: Moment::ago(decision.at, now),
            at: Moment::date(decision.at),
            comment: Some(&decision.comment)
                .filter(|text| !text.is_empty())
                .map(|text| Shown::text(text)),
            option: decision.option.as_ref().map(title),
        })
    }
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
    pub(super) door: Shown,
    pub(super) at: Moment,
    pub(super) details: Vec<(String, Detail)>,
}

/// A particular of an event.
pub(super) enum Detail {
    Time(Moment),
    Value(Shown),
}

impl Event {
    /// `digest` is the operation's.
    pub(super) fn new(entry: &Entry, digest: Digest) -> Self {
        let shown = digest.to_string();
        let particular = |member| detail(member, &shown);
        Self {
            what: Shown::text(&what(entry)),
            door: Shown::text(door(&entry.by)),
            at: Moment::date(entry.at),
            details: entry
                .detail
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(particular)
                .collect(),
        }
    }
}

fn what(entry: &Entry) -> String {
    let attempt = entry.detail.get("attempt").and_then(Value::as_u64).unwrap_or_default();
    match entry.event.as_str() {
        "created" => "Asked".to_owned(),
        "approved" => "Approved".to_owned(),
        "denied" => "Denied".to_owned(),
        "expired" => "Expired".to_owned(),
        "started" => format!("Attempt {attempt} started"),
        "retrying" => format!("Attempt {attempt} did not get through"),
        "succeeded" => format!("Attempt {attempt} succeeded"),
        "failed" => "Failed".to_owned(),
        "unknown" => "Outcome unknown".to_owned(),
        "settled" => settled(&entry.detail).to_owned(),
        other => other.to_owned(),
    }
}

fn settled(detail: &Value) -> &'static str {
    match detail.get("found").and_then(Value::as_str) {
        Some("happened") => "A person found that it happened",
        Some("did_not_happen") => "A person found that it did not happen",
        Some("run_again") => "A person let it run again",
        _ => "A person settled it",
    }
}

/// A particular that says something and is not part of the event's name already. `digest` is the
/// one that stands in full elsewhere on the page.
fn detail((name, value): (&String, &Value), digest: &str) -> Option<(String, Detail)> {
    let said = value.is_null() || value == "" || matches!(name.as_str(), "attempt" | "found");
    if said {
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
        None if name == "digest" && value == digest => Detail::Value(Shown::text("as above")),
        None => Detail::Value(Shown::value(value)),
    };
    Some((label, detail))
}

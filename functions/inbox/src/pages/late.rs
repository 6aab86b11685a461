//! What a person reads after a form that changed nothing: the truth first, then their own comment to copy.

use placet_core::Timestamp;
use placet_core::operation::{
    Command, Decision, Entry, Operation, Refusal, Settlement, State, Verdict,
};

use super::words::{channel, span};

/// The message at the top of the page after a form that changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// What happened, and what counts instead.
    pub(super) text: String,
    /// Whether the person must know that something else counts; not after a second click on one button.
    pub(super) warning: bool,
    /// The comment that the person wrote. Placet stores it nowhere, so the page shows it again.
    pub(super) comment: Option<String>,
}

impl Late {
    /// The message for this command of a person, which `operation` refused at `now`.
    pub fn new(command: &Command, refusal: Refusal, operation: &Operation, now: Timestamp) -> Self {
        let (what, comment) = sent(command);
        let again = operation.decision.as_ref().is_some_and(|decision| is_same(command, decision));
        let text = match instead(refusal, operation, now) {
            Some(instead) if again => {
                format!("{instead} You sent the same {what} again: that changed nothing.")
            }
            Some(instead) => format!("Your {what} did not count. {instead}"),
            None => format!("Your {what} did not count: {refusal}."),
        };
        let comment = Some(comment.to_owned()).filter(|comment| !comment.is_empty() && !again);
        Self { text, warning: !again, comment }
    }
}

/// What the person sent, in words, and the comment.
fn sent(command: &Command) -> (&'static str, &str) {
    match command {
        Command::Decide { verdict, comment, .. } => match verdict {
            Verdict::Approve => ("approval", comment),
            Verdict::Deny => ("denial", comment),
            Verdict::Answer => ("answer", comment),
        },
        Command::Settle { settlement: Settlement::RunAgain, comment, .. } => {
            ("request to run it again", comment)
        }
        Command::Settle { comment, .. } => ("finding", comment),
        _ => ("request", ""),
    }
}

/// Whether the command repeats the decision that counts, as a second click does.
fn is_same(command: &Command, decision: &Decision) -> bool {
    matches!(
        command,
        Command::Decide { verdict, comment, option, by, .. }
            if (verdict, comment, option, by)
                == (&decision.verdict, &decision.comment, &decision.option, &decision.by)
    )
}

/// What counts instead: an earlier decision, finding or cancellation, or the deadline.
fn instead(refusal: Refusal, operation: &Operation, now: Timestamp) -> Option<String> {
    let (what, at, by) = match refusal {
        Refusal::Expired { deadline } => ("The deadline passed", deadline, None),
        Refusal::AlreadyDecided { state: State::Expired } => {
            ("The deadline passed", operation.deadline, None)
        }
        Refusal::AlreadyDecided { .. } => {
            let entry = last(operation, |entry| decided(&entry.event).is_some())?;
            (decided(&entry.event)?, entry.at, Some(&entry.by))
        }
        Refusal::NotUnknown { .. } | Refusal::StaleAttempt => {
            let entry = last(operation, |entry| entry.event == "settled")?;
            (found(entry)?, entry.at, Some(&entry.by))
        }
        _ => return None,
    };
    let by = by.map(|by| format!(" {}", channel(by))).unwrap_or_default();
    Some(format!("{what} {}{by}.", earlier(at, now)))
}

fn last(operation: &Operation, wanted: impl Fn(&Entry) -> bool) -> Option<&Entry> {
    operation.history.entries().iter().rev().find(|entry| wanted(entry))
}

fn decided(event: &str) -> Option<&'static str> {
    match event {
        "approved" => Some("It was approved"),
        "denied" => Some("It was denied"),
        "answered" => Some("It was answered"),
        "cancelled" => Some("It was cancelled"),
        _ => None,
    }
}

fn found(settled: &Entry) -> Option<&'static str> {
    match Settlement::parse(settled.detail.get("found")?.as_str()?)? {
        Settlement::Happened => Some("It was recorded as done"),
        Settlement::DidNotHappen => Some("It was recorded as not done"),
        Settlement::RunAgain => Some("It was sent to run again"),
    }
}

/// How long before `now`; to the second if it is less than a minute.
fn earlier(at: Timestamp, now: Timestamp) -> String {
    let since = now.since(at);
    match since.as_secs() {
        0 => "less than a second earlier".to_owned(),
        seconds @ 1..60 => format!("{seconds} s earlier"),
        _ => format!("{} earlier", span(since)),
    }
}

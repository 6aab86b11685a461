//! What a mail about an operation says.

use placet_core::item::Item;
use placet_core::limits::{
    LONGEST_IN_MAIL, LONGEST_QUOTE_IN_MAIL, LONGEST_SUBJECT, MOST_ARGUMENTS_IN_MAIL,
};
use placet_core::operation::{
    Actor, Content, EmailContact, Event, Operation, OperationKind, Outcome, ResponseOption, State,
    Verdict,
};
use serde_json::Value;

use super::letter::{Button, Letter, Row};
use super::{template, visible};

/// The longest name of a function, an argument or a person in a mail, in characters.
const LONGEST_NAME: usize = 80;

/// Whether the operation waits for a decision at this event.
const fn waits(event: Event) -> bool {
    matches!(event, Event::Requested | Event::Reminded | Event::Escalated)
}

/// The beginning of a subject outside of a thread.
const fn label(event: Event) -> &'static str {
    match event {
        Event::Requested => "",
        Event::Reminded => "Reminder: ",
        Event::Escalated => "Urgent: ",
        Event::Completed => "Decided: ",
        Event::Expired => "Expired: ",
        Event::Failed => "Failed: ",
        Event::Blocked => "Blocked: ",
        Event::Unknown => "Outcome unknown: ",
    }
}

/// A message to one person about one operation.
#[derive(Clone, Copy, Debug)]
pub struct Notification<'a> {
    /// What has happened.
    pub event: Event,
    /// The operation.
    pub operation: &'a Item<Operation>,
    /// The channel of the operation through which the person is reached, if it is one by e-mail.
    pub contact: Option<&'a EmailContact>,
    /// The address that the button opens: the page of the operation, or a decision link.
    pub page: &'a str,
    /// The address of the page of the operation, for a template of the requester. It is never a decision link: a
    /// template could send the link to its author, for example in the address of a picture.
    pub inbox: &'a str,
    /// Whether the person may decide. Otherwise the mail only informs.
    pub may_decide: bool,
    /// Whether a template of the requester makes the HTML: only for people who are listed, because any requester could
    /// send anything to anybody.
    pub own_template: bool,
}

impl Notification<'_> {
    /// The subject. Every mail in a thread has the subject of its first, because readers group mails by it.
    pub fn subject(&self, in_thread: bool) -> String {
        let own = self.contact.and_then(EmailContact::subject).unwrap_or_default();
        let own = visible::header(own, LONGEST_SUBJECT);
        let subject = if own.is_empty() { self.usual_subject() } else { own };
        let before = if in_thread { "Re: " } else { label(self.event) };
        visible::header(&format!("{before}{subject}"), LONGEST_SUBJECT)
    }

    fn usual_subject(&self) -> String {
        let requester = self.requester();
        match &self.operation.content {
            Content::Call { function, .. } => {
                format!(
                    "Approve {}? Requested by {requester}",
                    visible::header(function, LONGEST_NAME)
                )
            }
            Content::Question { subject: Some(subject), .. } if !subject.trim().is_empty() => {
                subject.clone()
            }
            Content::Question { message, .. } => {
                let message = visible::header(message, LONGEST_NAME);
                format!("{requester} asks: {message}")
            }
        }
    }

    /// The HTML that the requester's own template makes, if there is one and it can be rendered.
    pub fn own_html(&self) -> Option<String> {
        let written = self.contact.filter(|_| self.own_template)?.template()?;
        let rendered = template::render(written, self.operation, self.inbox);
        let (project, call_id) = (self.operation.project(), self.operation.call_id());
        rendered
            .inspect_err(|error| {
                tracing::warn!(
                    project,
                    call_id,
                    error,
                    "mail template of the requester not rendered, the usual mail is sent"
                );
            })
            .ok()
    }

    /// The content of the mail.
    pub fn letter(&self) -> Letter {
        let operation = self.operation;
        let mut rows = self.arguments();
        rows.extend(self.options());
        rows.extend(self.decision());
        Letter {
            heading: self.heading(),
            quote: self.quote().map(|text| visible::lines(&text, LONGEST_QUOTE_IN_MAIL)),
            paragraphs: self.paragraphs(),
            rows,
            button: Some(Button { label: self.label().to_owned(), url: self.page.to_owned() }),
            footer: vec![
                self.how_to_answer().to_owned(),
                format!(
                    "{} of project {}, run {}",
                    visible::line(&operation.id().path(), LONGEST_IN_MAIL),
                    operation.project(),
                    visible::line(&operation.run_id, LONGEST_IN_MAIL)
                ),
                format!("Digest {}", operation.digest),
            ],
        }
    }

    fn heading(&self) -> String {
        let requester = self.requester();
        let function = self.operation.content.function();
        let Some(function) = function.map(|name| visible::line(name, LONGEST_NAME)) else {
            return match self.event {
                Event::Requested => format!("{requester} asks a question."),
                Event::Reminded => format!("Reminder: {requester} still waits for an answer."),
                Event::Escalated => format!("{requester} needs an answer soon."),
                Event::Completed if self.is_cancelled() => {
                    format!("{requester} cancelled a question.")
                }
                Event::Completed => format!("The question of {requester} was answered."),
                Event::Expired => format!("Nobody answered the question of {requester} in time."),
                Event::Failed | Event::Blocked | Event::Unknown => {
                    format!("The question of {requester} needs a look.")
                }
            };
        };
        match self.event {
            Event::Requested if self.may_decide => {
                format!("{requester} asks you to approve {function}.")
            }
            Event::Requested => format!("{requester} requests approval of {function}."),
            Event::Reminded => {
                format!("Reminder: {requester} still waits for a decision on {function}.")
            }
            Event::Escalated => format!("{requester} needs a decision on {function} soon."),
            Event::Completed if self.is_cancelled() => format!("{requester} cancelled {function}."),
            Event::Completed if self.is_denied() => format!("{function} was denied."),
            Event::Completed => format!("{function} was approved."),
            Event::Expired => format!("Nobody decided on {function} in time."),
            Event::Failed => format!("{function} was approved and has failed."),
            Event::Blocked => format!("{function} was approved and cannot run yet."),
            Event::Unknown => format!("The outcome of {function} is unknown."),
        }
    }

    fn is_cancelled(&self) -> bool {
        self.operation.state == State::Cancelled
    }

    fn is_denied(&self) -> bool {
        self.operation.decision.as_ref().is_some_and(|one| one.verdict == Verdict::Deny)
    }

    /// The words that the heading speaks of: the question, the reason of an escalation, or what went wrong.
    fn quote(&self) -> Option<String> {
        let words = match self.event {
            Event::Escalated => {
                let last = self.operation.history.of("escalated").next_back();
                last.and_then(|entry| entry.detail["message"].as_str())
            }
            Event::Failed | Event::Blocked | Event::Unknown => match &self.operation.outcome {
                Some(Outcome::Failure(failure)) => Some(failure.message.as_str()),
                _ => None,
            },
            _ => None,
        };
        let question = match &self.operation.content {
            Content::Question { message, .. } => Some(message.as_str()),
            Content::Call { .. } => None,
        };
        let words = words.or(question).filter(|words| !words.trim().is_empty());
        words.map(str::to_owned)
    }

    fn paragraphs(&self) -> Vec<String> {
        let deadline = self.operation.deadline.in_words();
        let question = self.operation.kind() == OperationKind::HumanContact;
        let text = match self.event {
            _ if waits(self.event) && !self.may_decide => {
                let wait = if question { "an answer" } else { "a decision" };
                format!("It waits for {wait} until {deadline}. This mail only informs you.")
            }
            _ if waits(self.event) && question => format!("Answer by {deadline}."),
            _ if waits(self.event) => {
                format!("Decide by {deadline}. Without a decision, nothing runs.")
            }
            Event::Completed if self.is_cancelled() => "There is nothing to do.".to_owned(),
            Event::Completed if self.is_denied() => "It does not run.".to_owned(),
            Event::Completed if question || self.operation.plan.is_some() => return Vec::new(),
            Event::Completed => "The requester now acts on the decision.".to_owned(),
            Event::Expired if question => format!("It expired on {deadline}."),
            Event::Expired => format!("It expired on {deadline}. Nothing runs."),
            Event::Failed => "It had no effect. You can run it again on the page.".to_owned(),
            Event::Blocked => {
                "Its configuration is missing. It runs within five minutes after the configuration is repaired and \
                 Placet is started again."
                    .to_owned()
            }
            _ => "It may or may not have had its effect, and it does not run again by itself. Check where it \
                  would have its effect, then record on the page what happened."
                .to_owned(),
        };
        vec![text]
    }

    fn label(&self) -> &'static str {
        let call = self.operation.kind() == OperationKind::FunctionCall;
        match self.event {
            _ if waits(self.event) && self.may_decide && call => "Approve or deny",
            _ if waits(self.event) && self.may_decide => "Answer",
            Event::Unknown if self.may_decide => "Record what happened",
            _ => "Open the page",
        }
    }

    /// Where a person answers: not in a reply.
    const fn how_to_answer(&self) -> &'static str {
        match self.may_decide {
            true => "Answer on the page. Nobody reads replies to this mail.",
            false => "Nobody reads replies to this mail.",
        }
    }

    /// The arguments of a call, in the requester's order.
    fn arguments(&self) -> Vec<Row> {
        let row = |name: &str, value: &Value| Row {
            name: visible::line(name, LONGEST_NAME),
            value: shown(value),
        };
        match self.operation.content.kwargs() {
            None => Vec::new(),
            Some(Value::Object(members)) => {
                let shown = members.iter().take(MOST_ARGUMENTS_IN_MAIL);
                let mut rows: Vec<Row> = shown.map(|(name, value)| row(name, value)).collect();
                let more = members.len().saturating_sub(MOST_ARGUMENTS_IN_MAIL);
                if more > 0 {
                    let value =
                        format!("{} more arguments are on the page", visible::grouped(more));
                    rows.push(Row { name: "…".to_owned(), value });
                }
                rows
            }
            Some(value) => vec![row("arguments", value)],
        }
    }

    /// The options among which the person chooses.
    fn options(&self) -> Option<Row> {
        let options = &self.operation.options;
        if options.is_empty() || !waits(self.event) {
            return None;
        }
        let labels: Vec<&str> = options.iter().map(ResponseOption::label).collect();
        let question = self.operation.kind() == OperationKind::HumanContact;
        let name = if question { "possible answers" } else { "reasons to deny" };
        Some(Row {
            name: name.to_owned(),
            value: visible::line(&labels.join(", "), LONGEST_IN_MAIL),
        })
    }

    /// Who decided, and what they said.
    fn decision(&self) -> Vec<Row> {
        let Some(decision) = &self.operation.decision else { return Vec::new() };
        let words = match decision.verdict {
            Verdict::Answer => "answer",
            Verdict::Approve | Verdict::Deny => "comment",
        };
        let person = decision.by.person().map(|person| person.name.clone());
        let by = person.unwrap_or_else(|| decision.by.to_string());
        let by = visible::line(&by, LONGEST_NAME);
        let mut rows = vec![Row { name: "decided by".to_owned(), value: by }];
        if !decision.comment.is_empty() {
            let value = visible::lines(&decision.comment, LONGEST_QUOTE_IN_MAIL);
            rows.push(Row { name: words.to_owned(), value });
        }
        rows
    }

    /// Who requested the operation.
    fn requester(&self) -> String {
        let by = self.operation.history.entries().first().map(|created| &created.by);
        let name = match by {
            Some(Actor::Api { name, .. }) => name.clone(),
            Some(Actor::Webhook { source, .. }) => format!("the webhook source {source}"),
            Some(Actor::Demo) => "the demo".to_owned(),
            Some(other) => other.to_string(),
            None => "somebody".to_owned(),
        };
        visible::line(&name, LONGEST_NAME)
    }
}

/// An argument: a text as it is, any other value as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "(empty)".to_owned(),
        Value::String(text) => visible::lines(text, LONGEST_IN_MAIL),
        Value::Array(_) | Value::Object(_) => {
            visible::lines(&format!("{value:#}"), LONGEST_IN_MAIL)
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests;

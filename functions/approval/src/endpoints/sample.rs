//! The sample operation in a test event.

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::humanlayer::Subscription;
use placet_core::item::{Item, Write};
use placet_core::operation::{
    Actor, Command, Content, Escalation, Event, Failure, NewOperation, Occurrence, Operation,
    OperationId, OperationKind, Plan, Report, Specification, Verdict,
};
use serde_json::json;

/// What every sample says, wherever a person would have written something.
const COMMENT: &str = "This is a test event: nobody has requested or decided anything.";

/// A sample operation of this kind to which this event happened at `now`, and the occurrence. It is not stored.
pub(super) fn of(
    project: &str,
    Subscription { kind, event, .. }: &Subscription,
    now: Timestamp,
) -> (Item<Operation>, Occurrence) {
    let created = created(project, *kind, now);
    let deadline = created.deadline;
    let commands = commands(*kind, *event, &created);
    let happened = commands.iter().enumerate().fold(created, |operation, (index, command)| {
        let at = if *event == Event::Expired { deadline.plus(Duration::from_secs(1)) } else { now };
        // A question has no execution. Its sample of such an event has no failure.
        operation.apply(command, &Write::new(&format!("test-{index}"), at)).unwrap_or(operation)
    });
    (happened, Occurrence { event: *event, number: 1, at: now })
}

fn created(project: &str, kind: OperationKind, now: Timestamp) -> Item<Operation> {
    let content = match kind {
        OperationKind::FunctionCall => {
            let (function, kwargs) = ("test_function".to_owned(), json!({"example": true}));
            Content::Call { function, kwargs }
        }
        OperationKind::HumanContact => {
            let message = "This is a test event: does it arrive?".to_owned();
            Content::Question { message, subject: Some("Test".to_owned()) }
        }
    };
    let plan = Plan {
        executor: "function test_function".to_owned(),
        idempotent: false,
        max_attempts: 1,
        retry_for: Duration::from_secs(60),
        timeout: Duration::from_secs(20),
    };
    let new = NewOperation {
        plan: (kind == OperationKind::FunctionCall).then_some(plan),
        ..NewOperation::plain(
            OperationId::new(project, kind, "call-test"),
            "run-test",
            Specification::of(content),
            Duration::from_secs(60),
            Actor::Test,
        )
    };
    Operation::create(new, &Write::new("test", now))
}

/// The commands that lead from the creation of the sample to the event.
fn commands(kind: OperationKind, event: Event, created: &Item<Operation>) -> Vec<Command> {
    let decide = |verdict| Command::Decide {
        verdict,
        comment: COMMENT.to_owned(),
        option: None,
        by: Actor::Test,
        seen: None,
        notify: Vec::new(),
    };
    let failure = || Failure::new("rejected", COMMENT);
    let start = || Command::Start { plan: created.plan.clone(), notify: Vec::new() };
    let finish = |report| Command::Finish { attempt: 1, report, notify: Vec::new() };
    let approve = || decide(Verdict::Approve);
    match (event, kind) {
        (Event::Requested | Event::Reminded, _) => Vec::new(),
        (Event::Escalated, _) => {
            let (message, recipients) = (COMMENT.to_owned(), Vec::new());
            let escalation = Escalation { message, recipients, redirects: false };
            vec![Command::Escalate { escalation, by: Actor::Test, notify: Vec::new() }]
        }
        // A denial, because a receiver of bare items may not check whether the event is a test.
        (Event::Completed, OperationKind::FunctionCall) => vec![decide(Verdict::Deny)],
        (Event::Completed, OperationKind::HumanContact) => vec![decide(Verdict::Answer)],
        (Event::Expired, _) => vec![Command::Expire { notify: Vec::new() }],
        (Event::Failed, _) => vec![approve(), start(), finish(Report::Rejected(failure()))],
        (Event::Blocked, _) => {
            vec![approve(), Command::Block { missing: failure(), notify: Vec::new() }]
        }
        (Event::Unknown, _) => vec![approve(), start(), finish(Report::Unclear(failure()))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_took_place_at_its_sample() {
        let execution = [Event::Failed, Event::Blocked, Event::Unknown];
        for subscription in Subscription::all() {
            let now = Timestamp::from_millis(1_795_000_000_000);
            let (sample, occurrence) = of("default", &subscription, now);
            let Subscription { kind, event, .. } = subscription;
            let times = match (kind, event) {
                (_, Event::Reminded) => 0,
                (OperationKind::HumanContact, event) if execution.contains(&event) => 0,
                _ => 1,
            };
            assert_eq!((sample.kind(), sample.times(event)), (kind, times), "{subscription}");
            assert_eq!((occurrence.event, occurrence.number), (event, 1));
        }
    }
}

//! Commands of people, requesters, workers and the timer.

use placet_core::Digest;
use placet_core::Timestamp;
use placet_core::item::{Item, Kind as _, Next};
use placet_core::operation::{
    Actor, Command, Escalation, Failure, Identity, Notice, Operation, Proof, Report, Settlement,
    Verdict, Work,
};
use serde_json::json;

/// A decision in the inbox.
pub fn decide(verdict: Verdict, seen: Option<Digest>) -> Command {
    Command::Decide {
        verdict,
        comment: "fine by me".to_owned(),
        option: Some("later".to_owned()),
        by: Actor::LOCAL,
        seen,
        notify: Vec::new(),
    }
}

pub fn approve() -> Command {
    decide(Verdict::Approve, None)
}

pub fn deny() -> Command {
    decide(Verdict::Deny, None)
}

pub fn answer() -> Command {
    decide(Verdict::Answer, None)
}

/// An answer with this text.
pub fn answer_with(words: &str) -> Command {
    Command::Decide {
        verdict: Verdict::Answer,
        comment: words.to_owned(),
        option: Some("oak".to_owned()),
        by: Actor::api("key-of-ana", "ana"),
        seen: None,
        notify: Vec::new(),
    }
}

pub fn cancel() -> Command {
    let (reason, by) = ("bought from another shop".to_owned(), Actor::api("key-of-agent", "agent"));
    Command::Cancel { reason, by, notify: Vec::new() }
}

pub fn expire() -> Command {
    Command::Expire { notify: Vec::new() }
}

/// The same decision, cancellation or expiry, with these endpoints to notify.
pub fn notifying(mut command: Command, endpoints: &[&str]) -> Command {
    let notices = endpoints.iter().map(|endpoint| notice(endpoint));
    match &mut command {
        Command::Decide { notify, .. }
        | Command::Cancel { notify, .. }
        | Command::Expire { notify } => notify.extend(notices),
        other => panic!("nobody is notified of {other:?}"),
    }
    command
}

pub fn notice(endpoint: &str) -> Notice {
    let event = "v1beta2.function_call.completed".to_owned();
    Notice { endpoint: endpoint.to_owned(), event }
}

pub fn escalate() -> Command {
    let escalation = Escalation {
        message: "still waiting".to_owned(),
        recipients: vec!["boss@example.org".to_owned()],
        redirects: false,
    };
    Command::Escalate { escalation, by: Actor::api("key-of-agent", "agent") }
}

pub fn settle(settlement: Settlement, seen: Digest, attempt: u32) -> Command {
    settle_by(Actor::LOCAL, settlement, seen, attempt)
}

pub fn settle_by(by: Actor, settlement: Settlement, seen: Digest, attempt: u32) -> Command {
    Command::Settle { settlement, comment: "I looked".to_owned(), by, seen, attempt }
}

/// A person of `placet.yaml` in a session.
pub fn person(id: &str) -> Identity {
    let (id, name) = (id.to_owned(), id.to_uppercase());
    Identity { id, name, proof: Proof::Session, from: None }
}

/// Somebody made a link for this person.
pub fn link(person: &str, now: Timestamp) -> Command {
    let (id, person) = ("0123456789ab".to_owned(), Some(person.to_owned()));
    Command::Link { id, person, until: now, by: Actor::api("key-of-ana", "ana") }
}

pub fn revoke_link(id: &str) -> Command {
    Command::RevokeLink { id: id.to_owned(), by: Actor::api("key-of-ana", "ana") }
}

/// A start by a worker whose configured plan is the approved plan.
pub fn start(operation: &Operation) -> Command {
    Command::Start { plan: operation.plan.clone() }
}

/// A worker finds that the secret of the executor is missing.
pub fn block() -> Command {
    Command::Block { missing: failure("no_secret") }
}

pub fn finish(attempt: u32, report: Report) -> Command {
    Command::Finish { attempt, report }
}

pub fn abandon() -> Command {
    Command::Abandon { reason: "the layer with the executor is gone".to_owned() }
}

pub fn succeeded() -> Report {
    Report::Succeeded(json!({"order": 7}))
}

pub fn rejected() -> Report {
    Report::Rejected(failure("rejected"))
}

pub fn not_done() -> Report {
    Report::NotDone(failure("busy"), None)
}

pub fn unclear() -> Report {
    Report::Unclear(failure("timeout"))
}

pub fn failure(code: &str) -> Failure {
    Failure::new(code, &format!("it was {code}"))
}

/// The command of a worker that did the work which the state needs at `now`; `None` if the state needs no
/// worker.
pub fn done(item: &Item<Operation>, now: Timestamp) -> Option<Command> {
    match Operation::next(item, now) {
        Next::Transition(command) => Some(command),
        next => next.job().filter(|job| job.at <= now).map(|job| match job.work {
            Work::Expire => expire(),
            Work::Poll => Command::Polled,
            Work::Run => start(item),
        }),
    }
}

/// Whether a worker writes this command. That worker holds a message.
pub const fn is_by_worker(command: &Command) -> bool {
    !matches!(
        command,
        Command::Decide { .. }
            | Command::Cancel { .. }
            | Command::Escalate { .. }
            | Command::Settle { .. }
    )
}

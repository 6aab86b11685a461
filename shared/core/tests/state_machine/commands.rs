//! Commands of people, requesters, workers and the timer.

use placet_core::Digest;
use placet_core::Timestamp;
use placet_core::delivery::Delivery;
use placet_core::item::{Child, Item, Kind as _, Write};
use placet_core::operation::{
    Actor, Command, Escalation, Event, Failure, Identity, Notice, Notified, Occurrence, Operation,
    Plan, Proof, Report, Settlement, Verdict, Work,
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

/// The same command, with these endpoints to notify of every event.
pub fn notifying(mut command: Command, endpoints: &[&str]) -> Command {
    if let Some(notify) = notices_of(&mut command) {
        *notify = notices(endpoints);
    }
    command
}

/// The notices of a command; `None` for a command that notifies nobody.
fn notices_of(command: &mut Command) -> Option<&mut Vec<Notice>> {
    match command {
        Command::Decide { notify, .. }
        | Command::Cancel { notify, .. }
        | Command::Escalate { notify, .. }
        | Command::EscalateInTime { notify, .. }
        | Command::Expire { notify }
        | Command::Start { notify, .. }
        | Command::Block { notify, .. }
        | Command::Finish { notify, .. }
        | Command::LeaseExpired { notify, .. }
        | Command::Remind { notify }
        | Command::Settle { notify, .. } => Some(notify),
        Command::Polled
        | Command::Abandon { .. }
        | Command::Link { .. }
        | Command::RevokeLink { .. } => None,
    }
}

/// A notice of each event to each of these endpoints.
pub fn notices(endpoints: &[&str]) -> Vec<Notice> {
    let of = |name: &&str| Event::ALL.map(|event| notice(name, event));
    endpoints.iter().flat_map(of).collect()
}

pub fn notice(endpoint: &str, event: Event) -> Notice {
    let (name, event_type) = (endpoint.to_owned(), event_type(event));
    Notice { to: Notified::Endpoint { name, event_type }, event }
}

pub fn event_type(event: Event) -> String {
    format!("v1beta2.function_call.{event}")
}

/// The endpoint and the occurrence of which a pending child notifies.
pub fn notified(child: &Child) -> Option<(String, Occurrence)> {
    let delivery: Delivery = serde_json::from_value(child.body.clone()).ok()?;
    let write = Write::new("", delivery.since);
    let item = Item::new("default", &child.id, delivery, &write);
    let (_, occurrence) = item.notifies_of()?;
    Some((item.body.endpoint, occurrence))
}

pub fn escalate() -> Command {
    let escalation = Escalation {
        message: "still waiting".to_owned(),
        recipients: vec!["boss@example.org".to_owned()],
        redirects: false,
    };
    Command::Escalate { escalation, by: Actor::api("key-of-agent", "agent"), notify: Vec::new() }
}

pub fn settle(settlement: Settlement, seen: Digest, attempt: u32) -> Command {
    settle_by(Actor::LOCAL, settlement, seen, attempt)
}

pub fn settle_by(by: Actor, settlement: Settlement, seen: Digest, attempt: u32) -> Command {
    Command::Settle {
        settlement,
        comment: "I looked".to_owned(),
        by,
        seen,
        attempt,
        notify: Vec::new(),
    }
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
    start_with(operation.plan.clone())
}

/// A start by a worker with this configured plan.
pub const fn start_with(plan: Option<Plan>) -> Command {
    Command::Start { plan, notify: Vec::new() }
}

/// A worker finds that the secret of the executor is missing.
pub fn block() -> Command {
    Command::Block { missing: failure("no_secret"), notify: Vec::new() }
}

pub fn finish(attempt: u32, report: Report) -> Command {
    Command::Finish { attempt, report, notify: Vec::new() }
}

pub const fn lease_expired(attempt: u32) -> Command {
    Command::LeaseExpired { attempt, notify: Vec::new() }
}

pub const fn remind() -> Command {
    Command::Remind { notify: Vec::new() }
}

pub const fn escalate_in_time() -> Command {
    Command::EscalateInTime { people: Vec::new(), notify: Vec::new() }
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
    let next = Operation::next(item, now);
    next.job().filter(|job| job.at <= now).map(|job| match job.work {
        Work::Expire => expire(),
        Work::Remind => remind(),
        Work::Escalate => escalate_in_time(),
        Work::ExpireLease => lease_expired(item.attempts),
        Work::Poll => Command::Polled,
        Work::Run => start(item),
    })
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

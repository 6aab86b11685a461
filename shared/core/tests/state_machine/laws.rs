//! The laws that every write must obey.

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::delivery::{self, Delivery};
use placet_core::item::{
    Child, Header, Hold, Item, Kind as _, LONGEST_DELAY, Lane, Next, Rests, Schedule, Write,
};
use placet_core::operation::{Event, Notice, Operation, Outcome, State};

use crate::commands::{done, notified as notified_of};

/// A version of an operation and the next version.
pub struct Step<'a> {
    pub before: &'a Item<Operation>,
    pub after: &'a Item<Operation>,
    pub schedule: Schedule,
    pub write: &'a Write<'a>,
    /// The message of the worker that writes the next version.
    pub hold: Option<Hold>,
}

type Rules = Vec<(&'static str, bool)>;

/// Checks one write. The error names the first law that the write breaks.
pub fn check(step: &Step<'_>) -> Result<(), String> {
    let rules = [
        written(step),
        unchanged(step),
        recorded(step),
        never_forgotten(step),
        scheduled(step),
        goes_on(step),
        notified(step),
        polled(step),
        leased(step),
        ended(step),
    ];
    match rules.concat().into_iter().find(|(_, holds)| !holds) {
        None => Ok(()),
        Some((rule, _)) => {
            let (from, to) = (step.before.state.as_str(), step.after.state.as_str());
            let version = step.after.header.version;
            Err(format!("broken: {rule} ({from} to {to}, version {version}, {:?})", step.schedule))
        }
    }
}

/// The operation as the store returns it, including the header fields in the row's key.
pub fn stored(item: &Item<Operation>) -> Item<Operation> {
    let header: Header =
        serde_json::from_str(&serde_json::to_string(&item.header).unwrap()).unwrap();
    let Header { project, id, version, due, .. } = item.header.clone();
    let header = Header { project, id, version, due, ..header };
    let body = serde_json::from_str(&serde_json::to_string(&item.body).unwrap()).unwrap();
    Item { header, body }
}

/// Law 2.
fn written(Step { before, after, write, .. }: &Step<'_>) -> Rules {
    let (old, new) = (&before.header, &after.header);
    let kept = old.writes.iter().rev().take(3).zip((1..=old.version).rev());
    let mut kept = kept.map(|(id, version)| new.wrote(id, version));
    vec![
        ("the version counts every write", new.version == old.version + 1),
        ("a write is known by its id", new.wrote(write.id, new.version) == Some(true)),
        ("the writes before it are known", kept.all(|known| known == Some(true))),
        ("another write is not ours", new.wrote("of another", new.version) == Some(false)),
        ("at most four writes are kept", new.writes.len() <= 4),
        ("it says when it was written", new.changed_at == write.at),
        ("what is read is what was stored", stored(after) == **after),
    ]
}

/// Law 1.
fn unchanged(Step { before, after, .. }: &Step<'_>) -> Rules {
    let requested = |item: &Item<Operation>| {
        let operation = item.body.clone();
        let upstream = operation.upstream.map(|upstream| upstream.base_url);
        (
            (item.id(), item.header.id.clone(), item.header.created_at),
            (operation.run_id, operation.content, operation.channel, operation.options),
            (operation.requester_state, operation.other, operation.plan),
            (operation.deadline, upstream),
        )
    };
    let decided = !matches!(after.state, State::Pending | State::Expired | State::Cancelled);
    vec![
        ("what was requested never changes", requested(before) == requested(after)),
        ("the digest never changes", before.digest == after.digest),
        ("the digest is that of the content", after.digest == after.content_digest()),
        ("every write is conditional on it", after.body.digest() == Some(after.digest)),
        (
            "every attempt has the same idempotency key",
            before.idempotency_key() == after.idempotency_key(),
        ),
        (
            "a decision never changes",
            before.decision.is_none() || before.decision == after.decision,
        ),
        ("nothing moves on without a decision", after.decision.is_some() == decided),
    ]
}

fn recorded(Step { before, after, write, .. }: &Step<'_>) -> Rules {
    let (old, all) = (before.history.entries(), after.history.entries());
    let new = all.get(old.len()..).unwrap_or_default();
    vec![
        ("history only grows", all.starts_with(old)),
        ("history verifies", after.verify_history().is_ok()),
        ("what is new was recorded now", new.iter().all(|entry| entry.at == write.at)),
        ("a change of state is recorded", before.state == after.state || !new.is_empty()),
    ]
}

/// Law 3.
fn never_forgotten(Step { before, after, schedule, write, hold }: &Step<'_>) -> Rules {
    let now = write.at;
    let Schedule { due, pointer, rests } = *schedule;
    let terminal = after.is_terminal(now);
    let (old_lease, lease) = (lease_of(before, now), lease_of(after, now));
    let same_lease = lease.is_some() && old_lease == lease;
    // A lease relies on the message of its holder. Nobody else deletes that message.
    let on_a_message = pointer.is_some() || hold.is_some() || same_lease;
    vec![
        ("it is terminal by its state", terminal == is_over(after)),
        (
            "an item that is not terminal has a due time or a message",
            terminal || due.is_some() || on_a_message,
        ),
        ("what is terminal needs nothing", !terminal || (due, pointer) == (None, None)),
        ("it rests on nothing if it is terminal", terminal == (rests == Rests::Nothing)),
        ("it rests on a due time that it has", rests != Rests::Due || due.is_some()),
        ("it rests on a message that is there", rests != Rests::Message || on_a_message),
        ("the due time lies ahead", due.is_none_or(|due| due > now)),
        (
            "a write under a lease keeps the due time of the lease",
            !same_lease || due == before.header.due,
        ),
    ]
}

fn is_over(item: &Item<Operation>) -> bool {
    item.state.is_terminal() && item.header.children.is_empty()
}

fn lease_of(item: &Item<Operation>, now: Timestamp) -> Option<Timestamp> {
    match Operation::next(item, now) {
        Next::Lease(until) => Some(until),
        _ => None,
    }
}

/// The pointer is on the slowest lane that is needed now.
fn scheduled(Step { after, schedule, write, .. }: &Step<'_>) -> Rules {
    let now = write.at;
    let next = Operation::next(after, now);
    let own = next.job().map(|job| (job.lane, job.at));
    let children = after.header.children.iter().map(|child| (child.lane, now));
    let needed_now = own.into_iter().chain(children.clone()).filter(|(_, at)| *at <= now);
    let slowest = needed_now.map(|(lane, _)| lane).max();
    let (lane, at) = schedule.pointer.unzip();
    vec![
        (
            "a pointer for now is on the slowest lane that is needed now",
            at.is_none_or(|at| at > now) || lane == slowest,
        ),
        (
            "a pointer for later is visible when its work is due",
            at.is_none_or(|at| at <= now) || schedule.pointer == own,
        ),
        ("a pointer for children is for now", children.len() == 0 || at.is_none_or(|at| at == now)),
        (
            "a message is delayed no longer than the queue allows",
            at.is_none_or(|at| at <= now.plus(LONGEST_DELAY)),
        ),
    ]
}

/// The work that a state needs is possible at the moment at which the state needs it.
fn goes_on(Step { after, write, .. }: &Step<'_>) -> Rules {
    let wanted = after.wants(write.at).map_or(write.at, |(_, at)| at.max(write.at));
    let possible = |at: Timestamp| {
        let Some(command) = done(after, at) else { return true };
        after.apply(&command, &Write::new("next", at)).is_ok()
    };
    let after_deadline = after.deadline.plus(Duration::from_millis(1));
    let moments = [after.leased_until, after.remind_at, after.not_before, Some(after_deadline)];
    let mut later = moments.into_iter().flatten().filter(|at| *at > write.at);
    vec![
        ("the work that is needed now is possible now", possible(write.at)),
        ("what is wanted can be done when it is wanted", possible(wanted)),
        ("the work that is needed later is possible later", later.all(possible)),
    ]
}

/// Every notification is about an event that has just taken place.
fn notified(Step { before, after, write, .. }: &Step<'_>) -> Rules {
    let (old, all) = (&before.header.children, &after.header.children);
    let left: Vec<&Child> = old.iter().filter(|one| !write.created.contains(&one.id)).collect();
    let new = all.get(left.len()..).unwrap_or_default();
    let took_place = |event: Event| after.times(event) == before.times(event) + 1;
    let is_right = |child: &Child| {
        let Some((endpoint, occurrence)) = notified_of(child) else { return false };
        let (event, number) = (occurrence.event, occurrence.number);
        let id = Notice::delivery_id(&endpoint, &after.id(), event, number);
        let delivery: Delivery = serde_json::from_value(child.body.clone()).unwrap();
        (child.id.as_str(), child.kind.as_str()) == (id.as_str(), Delivery::NAME)
            && took_place(event)
            && number == after.times(event)
            && occurrence.at == write.at
            && delivery.operation == Some(after.id().path())
            && (delivery.state, delivery.not_before) == (delivery::State::Pending, write.at)
    };
    vec![
        (
            "children stay until a write records their creation",
            left.iter().zip(all).all(|(old, kept)| *old == kept) && all.len() >= left.len(),
        ),
        ("a child notifies of what has just taken place", new.iter().all(is_right)),
        ("an event takes place once in a write", {
            Event::ALL.iter().all(|event| after.times(*event) <= before.times(*event) + 1)
        }),
        ("endpoints are called on a lane of their own", {
            all.iter().all(|child| child.lane == Lane::Calls)
        }),
    ]
}

/// An upstream approver is polled until the deadline, with growing pauses.
fn polled(Step { before, after, write, .. }: &Step<'_>) -> Rules {
    let (old, new) = (before.upstream.as_ref(), after.upstream.as_ref());
    let polls = old.zip(new).map_or(0, |(old, new)| new.polls - old.polls);
    let next = new.and_then(|new| new.next_poll);
    let pending = after.state == State::Pending;
    let last = after.deadline.minus(Duration::from_secs(90));
    vec![
        ("a poll is counted once", polls <= 1),
        ("only what is pending is polled", polls == 0 || pending),
        (
            "only a poll changes the time of the next poll",
            polls == 1 || old.map(|old| old.next_poll) == new.map(|new| new.next_poll),
        ),
        (
            "the next poll is within a quarter of an hour",
            polls == 0 || next.is_none_or(|at| at <= write.at.plus(Duration::from_secs(900))),
        ),
        (
            "the last poll leaves time for a decision",
            polls == 0 || next.is_none_or(|at| at <= last),
        ),
    ]
}

/// Law 4.
fn leased(Step { before, after, write, .. }: &Step<'_>) -> Rules {
    let running = after.state == State::Running;
    let granted = running && before.state != State::Running;
    let timeout = after.plan.as_ref().map(|plan| plan.timeout).unwrap_or_default();
    let lease = after.leased_until;
    let expected = write.at.plus(timeout).plus(Duration::from_secs(10));
    vec![
        ("who runs it has the lease, and nobody else", lease.is_some() == running),
        ("every start is one attempt", after.attempts == before.attempts + u32::from(granted)),
        ("a lease outlasts the timeout by ten seconds", !granted || lease == Some(expected)),
        ("a lease is not prolonged", granted || !running || lease == before.leased_until),
        ("attempts stay within their limit", after.attempts <= after.attempt_limit),
        (
            "only a queued or blocked operation has a not_before",
            after.not_before.is_none() || matches!(after.state, State::Queued | State::Blocked),
        ),
        (
            "only an unknown outcome has a reminder",
            after.remind_at.is_some() == (after.state == State::Unknown),
        ),
    ]
}

fn ended(Step { before, after, .. }: &Step<'_>) -> Rules {
    let outcome_fits = match (after.state, &after.outcome) {
        (State::Succeeded, Some(Outcome::Result(_))) => true,
        (State::Failed | State::Blocked | State::Unknown, Some(Outcome::Failure(_))) => true,
        (State::Succeeded | State::Failed | State::Blocked | State::Unknown, _) => false,
        (_, outcome) => outcome.is_none(),
    };
    vec![
        ("the end is the end, unless a person runs it again, or gets a link for that", {
            let again = (before.state, after.state) == (State::Failed, State::Queued);
            let last = after.history.entries().last().map(|entry| entry.event.as_str());
            let link = matches!(last, Some("linked" | "link_revoked"));
            let linked = link && (before.state, after.state) == (State::Failed, State::Failed);
            !before.state.is_terminal() || before.body == after.body || again || linked
        }),
        ("an outcome is there exactly when it ended or is unknown", outcome_fits),
    ]
}

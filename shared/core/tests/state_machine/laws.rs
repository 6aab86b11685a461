//! What holds for every accepted command, whatever it is.

use std::time::Duration;

use placet_core::{Effect, Operation, Outcome, State, Timestamp, Transition, Write};

type Rules = Vec<(&'static str, bool)>;

/// Checks one transition; the error names the first law it breaks.
pub fn check(before: &Operation, transition: &Transition, write: Write<'_>) -> Result<(), String> {
    let (after, effect) = (&transition.operation, transition.effect);
    let rules = [
        written(before, after, write),
        unchanged(before, after),
        recorded(before, after, write),
        never_stuck(before, after, write.at),
        never_untold(before, after, write, effect),
        consulted(before, after, write.at, effect),
        leased(before, after, write.at),
        called(after, write.at, effect),
        ended(before, after),
    ];
    match rules.concat().into_iter().find(|(_, holds)| !holds) {
        None => Ok(()),
        Some((rule, _)) => {
            let (from, to) = (before.state.as_str(), after.state.as_str());
            Err(format!("broken: {rule} ({from} to {to}, version {})", after.version))
        }
    }
}

/// The operation as the store gives it back.
pub fn stored(operation: &Operation) -> Operation {
    serde_json::from_str(&serde_json::to_string(operation).unwrap()).unwrap()
}

/// Law 2.
fn written(before: &Operation, after: &Operation, write: Write<'_>) -> Rules {
    vec![
        ("the version counts every write", after.version == before.version + 1),
        ("the last write is known by its id", after.last_write == write.id),
        ("what is read is what was stored", stored(after) == *after),
    ]
}

/// Law 1.
fn unchanged(before: &Operation, after: &Operation) -> Rules {
    let asked = |operation: &Operation| {
        let upstream = operation.upstream.clone();
        (
            (operation.id(), operation.run_id.clone(), operation.content.clone()),
            (operation.extras.clone(), operation.plan.clone()),
            (operation.created_at, operation.deadline),
            upstream.map(|upstream| upstream.base_url),
        )
    };
    let decided = !matches!(after.state, State::Pending | State::Expired | State::Cancelled);
    vec![
        ("what was asked never changes", asked(before) == asked(after)),
        ("the digest never changes", before.digest == after.digest),
        ("the digest is that of the content", after.digest == after.content_digest()),
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

fn recorded(before: &Operation, after: &Operation, write: Write<'_>) -> Rules {
    let (old, all) = (before.history.entries(), after.history.entries());
    let new = all.get(old.len()..).unwrap_or_default();
    let written_now = new.iter().all(|new| new.write == write.id && new.at == write.at);
    vec![
        ("history only grows", all.starts_with(old)),
        ("history verifies", after.verify_history().is_ok()),
        ("what is new was written now", written_now),
        ("a change of state is recorded", before.state == after.state || !new.is_empty()),
    ]
}

/// Law 3.
fn never_stuck(before: &Operation, after: &Operation, now: Timestamp) -> Rules {
    // Who asks for attention does not put off what the timer is late for.
    let last = after.history.entries().last().filter(|entry| entry.write == after.last_write);
    let escalated = last.is_some_and(|entry| entry.event == "escalated");
    let settled = after.state.is_terminal() && !after.untold;
    vec![
        (
            "a due time is missing exactly where nothing is left to do",
            after.due.is_none() == settled,
        ),
        (
            "the due time lies ahead",
            if escalated { after.due == before.due } else { after.due.is_none_or(|due| due > now) },
        ),
    ]
}

/// Who wants to know of a decision is told of it: by who starts it, or by whom it ended with.
fn never_untold(
    before: &Operation,
    after: &Operation,
    write: Write<'_>,
    effect: Option<Effect>,
) -> Rules {
    let decided_now = before.state == State::Pending && after.state != State::Pending;
    let wanted = write.announce.is_some();
    let taken_back = before.untold && !after.untold;
    let started = before.state == State::Queued && after.state != State::Queued;
    let ended = after.state.is_terminal();
    vec![
        ("a decision is to be told where it is wanted", !decided_now || after.untold == wanted),
        ("nothing else is to be told", before.untold || decided_now || !after.untold),
        (
            "what is to be told stays so until it is started or told",
            !taken_back || started || before.state.is_terminal(),
        ),
        (
            "nothing runs of which nobody was told",
            !after.untold || ended || after.state == State::Queued,
        ),
        (
            "what ended untold is told, and never else",
            (effect == Some(Effect::Tell)) == (ended && after.untold),
        ),
    ]
}

/// Another server is asked for the answer until the deadline, more and more rarely.
fn consulted(
    before: &Operation,
    after: &Operation,
    now: Timestamp,
    effect: Option<Effect>,
) -> Rules {
    let times = |operation: &Operation| operation.upstream.as_ref().map(|one| one.consulted);
    let consulted = effect == Some(Effect::Consult);
    let counted = times(before).map(|times| times + u32::from(consulted));
    let pending = after.state == State::Pending;
    let end = after.deadline.plus(Duration::from_millis(1));
    let next = after.due.filter(|_| pending);
    let latest = now.plus(Duration::from_secs(15 * 60));
    vec![
        ("every consultation is counted", times(after) == counted),
        ("only who waits asks another server", !consulted || (pending && after.upstream.is_some())),
        ("the deadline is never missed", next.is_none_or(|due| due <= end)),
        (
            "without another server nothing is due before the deadline",
            next.is_none_or(|due| after.upstream.is_some() || due == end),
        ),
        (
            "another server is asked within a quarter of an hour",
            next.is_none_or(|due| after.upstream.is_none() || due <= latest),
        ),
    ]
}

/// Law 4.
fn leased(before: &Operation, after: &Operation, now: Timestamp) -> Rules {
    let running = after.state == State::Running;
    let granted = u32::from(running && before.state != State::Running);
    let timeout = after.plan.as_ref().map(|plan| plan.timeout).unwrap_or_default();
    let redrive = after.plan.as_ref().map(|plan| plan.redrive).unwrap_or_default();
    let (earliest, latest) = (now.plus(timeout), now.plus(timeout).plus(redrive));
    let lease = after.lease.as_ref();
    vec![
        ("who runs has the lease, and nobody else", lease.is_some() == running),
        ("every start is one attempt", after.attempts == before.attempts + granted),
        ("the lease is that of the attempt", lease.is_none_or(|l| l.attempt == after.attempts)),
        ("the timer looks when the lease ends", lease.is_none_or(|l| after.due == Some(l.until))),
        ("the lease outlasts the timeout", lease.is_none_or(|l| l.until > earliest)),
        ("a dead worker is noticed in time", lease.is_none_or(|l| l.until <= latest)),
        ("attempts stay within their limit", after.attempts <= after.attempt_limit),
    ]
}

fn called(after: &Operation, now: Timestamp, effect: Option<Effect>) -> Rules {
    let called = match effect {
        Some(Effect::Execute(delay)) => Some(now.plus(delay)),
        _ => None,
    };
    let redrive = after.plan.as_ref().map(|plan| plan.redrive).unwrap_or_default();
    let in_time = |due, not_before: Timestamp| due > not_before && due <= not_before.plus(redrive);
    let moment = (after.state == State::Queued).then(|| after.not_before.unwrap_or(now));
    let window = moment.zip(after.due);
    vec![
        ("only what is queued waits for a moment", {
            after.not_before.is_none() || after.state == State::Queued
        }),
        ("a worker is called for that moment, and never else", called == moment),
        (
            "a lost call is made good",
            window.is_none_or(|(not_before, due)| in_time(due, not_before)),
        ),
    ]
}

fn ended(before: &Operation, after: &Operation) -> Rules {
    let outcome_fits = match (after.state, &after.outcome) {
        (State::Succeeded, Some(Outcome::Result(_))) => true,
        (State::Failed | State::Unknown, Some(Outcome::Failure(_))) => true,
        (State::Succeeded | State::Failed | State::Unknown, _) => false,
        (_, outcome) => outcome.is_none(),
    };
    // Telling takes a note back and moves a due time.
    let told = Operation {
        version: after.version,
        last_write: after.last_write.clone(),
        due: after.due,
        untold: after.untold,
        ..before.clone()
    };
    vec![
        ("the end is the end", !before.state.is_terminal() || told == *after),
        ("nothing is written of what is over", !before.state.is_terminal() || before.untold),
        ("an outcome is there exactly when it ended or nobody knows", outcome_fits),
    ]
}

//! What holds for every accepted command, whatever it is.

use placet_core::{Effect, Operation, Outcome, State, Timestamp, Transition};

type Rules = Vec<(&'static str, bool)>;

/// Checks one transition; the error names the first law it breaks.
pub fn check(
    before: &Operation,
    transition: &Transition,
    write: &str,
    now: Timestamp,
) -> Result<(), String> {
    let after = &transition.operation;
    let rules = [
        written(before, after, write),
        unchanged(before, after),
        recorded(before, after, write, now),
        never_stuck(after, now),
        leased(before, after, now),
        followed_up(transition, now),
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

/// Law 2.
fn written(before: &Operation, after: &Operation, write: &str) -> Rules {
    vec![
        ("the version counts every write", after.version == before.version + 1),
        ("the last write is known by its id", after.last_write == write),
    ]
}

/// Law 1.
fn unchanged(before: &Operation, after: &Operation) -> Rules {
    let asked = |operation: &Operation| {
        (
            (operation.tenant.clone(), operation.kind, operation.call_id.clone()),
            (operation.run_id.clone(), operation.function.clone(), operation.kwargs.clone()),
            (operation.extras.clone(), operation.plan.clone()),
            (operation.created_at, operation.deadline),
        )
    };
    let decided = !matches!(after.state, State::Pending | State::Expired);
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

fn recorded(before: &Operation, after: &Operation, write: &str, now: Timestamp) -> Rules {
    let (old, all) = (before.history.entries(), after.history.entries());
    let new = all.get(old.len()..).unwrap_or_default();
    vec![
        ("history only grows", all.starts_with(old)),
        ("history verifies", after.verify_history().is_ok()),
        ("what is new was written now", new.iter().all(|new| new.write == write && new.at == now)),
        ("a change of state is recorded", before.state == after.state || !new.is_empty()),
    ]
}

/// Law 3.
fn never_stuck(after: &Operation, now: Timestamp) -> Rules {
    vec![
        (
            "what is not terminal has a due time, what is terminal has none",
            after.due.is_some() != after.state.is_terminal(),
        ),
        ("the due time lies ahead", after.due.is_none_or(|due| due > now)),
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

fn followed_up(transition: &Transition, now: Timestamp) -> Rules {
    let after = &transition.operation;
    let called = transition.effect.as_ref().map(|Effect::Execute(delay)| now.plus(*delay));
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
    vec![
        ("the end is the end", !before.state.is_terminal()),
        ("an outcome is there exactly when it ended or nobody knows", outcome_fits),
    ]
}

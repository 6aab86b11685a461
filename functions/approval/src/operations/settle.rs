//! Settles unknown outcomes: a person found out how an attempt ended.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use lambda_http::http::StatusCode;
use placet_core::Digest;
use placet_core::item::Item;
use placet_core::limits::MOST_SETTLED;
use placet_core::operation::{Command, Operation, OperationId, OperationKind, Settlement, State};
use placet_runtime::http::Response;
use placet_runtime::problem::Problem;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{answer, named};
use crate::call::Call;
use crate::error::Error;
use crate::read::{self, CallId, Comment, Wrong};
use crate::reply::json;

/// How many settlements are under way at the same time.
const AT_ONCE: usize = 10;

/// No settlement starts later than this. Lambda stops the function after 30 s, and the table and the queue
/// may take 24 s for one settlement.
const STOPS_AFTER: Duration = Duration::from_secs(5);

/// What a person found out about an unknown outcome.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewSettlement {
    /// What the person found out.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::Settlement"))]
    settlement: Settlement,
    /// What the person wrote.
    comment: Option<Comment>,
    /// The `digest` of what the person saw.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::SeenDigest"))]
    digest: Digest,
    /// The `attempts` that the person saw.
    #[cfg_attr(test, schemars(range(max = u32::MAX)))]
    attempt: u32,
}

/// What a person found out about many unknown outcomes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewSettlements {
    /// What the person found out about all of them.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::Settlement"))]
    settlement: Settlement,
    /// What the person wrote.
    comment: Option<Comment>,
    /// The operations. Each operation may be named once.
    #[cfg_attr(test, schemars(length(min = 1, max = MOST_SETTLED)))]
    operations: Vec<SeenOperation>,
}

/// An operation as a person saw it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SeenOperation {
    /// The kind of the operation.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::OperationKind"))]
    kind: OperationKind,
    /// The requester's id of the operation.
    call_id: CallId,
    /// The `digest` of what the person saw.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::SeenDigest"))]
    digest: Digest,
    /// The `attempts` that the person saw.
    #[cfg_attr(test, schemars(range(max = u32::MAX)))]
    attempt: u32,
}

/// What a person saw of an operation.
#[derive(Clone, Copy)]
struct Seen {
    digest: Digest,
    attempt: u32,
}

/// The result for each operation, in the order of the request.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Settled {
    items: Vec<SettledOperation>,
}

/// The result for one operation.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SettledOperation {
    /// The kind of the operation.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::OperationKind"))]
    kind: OperationKind,
    /// The requester's id of the operation.
    call_id: String,
    /// The current state; null if the operation is not settled.
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::types::OperationState>"))]
    state: Option<State>,
    /// Why the operation is not settled; null if it is settled.
    error: Option<NotSettled>,
}

/// Why an operation is not settled.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct NotSettled {
    /// The stable code. The route that settles one operation returns the same code in its error.
    #[cfg_attr(test, schemars(example = &"not_unknown"))]
    code: &'static str,
    /// A sentence that says what is wrong.
    detail: String,
}

/// Settles an unknown outcome.
pub(crate) async fn settle(call: Call<'_>) -> Result<Response, Error> {
    let id = named(&call)?;
    let NewSettlement { settlement, comment, digest, attempt } =
        read::value(read::object(call.body())?.into())?;
    let comment = comment.unwrap_or_default().0;
    let seen = Seen { digest, attempt };
    let operation = apply(&call, &id, seen, settlement, &comment).await?;
    answer(&call, StatusCode::OK, &operation).await
}

/// Settles many unknown outcomes in the same way. An operation that cannot be settled does not stop the
/// others.
pub(crate) async fn settle_many(call: Call<'_>) -> Result<Response, Error> {
    let NewSettlements { settlement, comment, operations } = NewSettlements::read(call.body())?;
    let comment = comment.unwrap_or_default().0;
    let settlements = operations.iter().map(|SeenOperation { kind, call_id, digest, attempt }| {
        let id = call.operation_id(*kind, &call_id.0);
        let seen = Seen { digest: *digest, attempt: *attempt };
        let (call, comment) = (&call, &comment);
        // Only the state is kept, because a hundred operations would take tens of megabytes.
        async move {
            let settled = apply(call, &id, seen, settlement, comment).await;
            settled.map(|operation| operation.state)
        }
    });
    let settlements = settlements.collect();
    let outcomes = a_few_at_a_time(settlements, Instant::now() + STOPS_AFTER).await;
    let items = operations.into_iter().zip(report(outcomes)).map(|(seen, outcome)| {
        let (state, error) = match outcome {
            Ok(state) => (Some(state), None),
            Err(Problem { code, detail, .. }) => (None, Some(NotSettled { code, detail })),
        };
        SettledOperation { kind: seen.kind, call_id: seen.call_id.0, state, error }
    });
    Ok(json(StatusCode::OK, &Settled { items: items.collect() }))
}

async fn apply(
    call: &Call<'_>,
    id: &OperationId,
    seen: Seen,
    settlement: Settlement,
    comment: &str,
) -> Result<Item<Operation>, Error> {
    let settle = |operation: &Item<Operation>| Command::Settle {
        settlement,
        comment: comment.to_owned(),
        by: call.by(),
        seen: seen.digest,
        attempt: seen.attempt,
        notify: call.runtime().notices(operation),
    };
    let operation = call.engine().command(call.project(), &id.path(), settle).await?;
    let (project, call_id) = (operation.project(), operation.call_id());
    tracing::info!(project, call_id, state = operation.state.as_str(), "operation settled");
    Ok(operation)
}

/// Awaits the futures, at most `AT_ONCE` at the same time, and returns their outputs in order. A future that
/// has not started before `stop` does not start, and its output is `None`.
async fn a_few_at_a_time<F: Future>(futures: Vec<F>, stop: Instant) -> Vec<Option<F::Output>> {
    let begin =
        |future: F| async move { if Instant::now() < stop { Some(future.await) } else { None } };
    stream::iter(futures).map(begin).buffered(AT_ONCE).collect().await
}

/// Logs each error and returns the half of each outcome that is for the caller.
fn report(
    outcomes: Vec<Option<Result<State, Error>>>,
) -> impl Iterator<Item = Result<State, Problem>> {
    const ROUTE: Option<&str> = Some("settle_operations");
    let left = outcomes.iter().filter(|outcome| outcome.is_none()).count();
    if left > 0 {
        Error::Unavailable(format!("no time was left to settle {left} operations")).log(ROUTE);
    }
    outcomes.into_iter().map(|outcome| match outcome {
        Some(Ok(state)) => Ok(state),
        Some(Err(error)) => {
            error.log(ROUTE);
            Err(error.into_problem())
        }
        None => Err(Problem::unavailable()),
    })
}

impl NewSettlements {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// If the body is not JSON, if a member is missing, wrong or unknown, or if the body names no operation,
    /// too many operations, or one operation twice.
    fn read(body: &[u8]) -> Result<Self, Problem> {
        let new: Self = read::value(read::object(body)?.into())?;
        if !(1..=MOST_SETTLED).contains(&new.operations.len()) {
            let detail = format!("must have 1 to {MOST_SETTLED} operations");
            return Err(Wrong::at(&["operations"], detail).into());
        }
        let mut named = BTreeSet::new();
        for (index, SeenOperation { kind, call_id, .. }) in new.operations.iter().enumerate() {
            if !named.insert((kind, call_id.0.as_str())) {
                let detail = "repeats an operation: name each operation once";
                return Err(Wrong::at(&["operations", &index.to_string()], detail).into());
            }
        }
        Ok(new)
    }
}

#[cfg(test)]
mod tests;

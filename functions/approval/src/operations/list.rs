//! The list of operations.

use placet_core::Timestamp;
use placet_core::item::Item;
use placet_core::operation::{Operation, OperationKind, State};
use placet_runtime::http::Response;
use serde::Deserialize;

use super::reply::ListedOperation;
use crate::call::Call;
use crate::error::Error;
use crate::read::{Number, When, invalid_query};
use crate::reply::Page;

/// How many operations a page has if the client does not say.
const PAGE: Number<1, 100> = Number(50);

/// Which operations are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ListOperations {
    /// Only this kind.
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::types::OperationKind>"))]
    kind: Option<OperationKind>,
    /// Only this state, as of now.
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::types::OperationState>"))]
    state: Option<State>,
    /// Only calls of this function.
    #[serde(rename = "fn")]
    function: Option<String>,
    /// Only this run.
    run_id: Option<String>,
    /// Not before this moment, or not longer ago.
    since: Option<When>,
    /// Not after this moment, or at least so long ago.
    until: Option<When>,
    /// How many at most; 50 if left out.
    limit: Option<Number<1, 100>>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Lists operations, the newest first.
pub(crate) async fn list(call: Call<'_>) -> Result<Response, Error> {
    let query: ListOperations = call.query()?;
    let now = call.now();
    let since = query.since.map(|since| since.at(now));
    let until = query.until.map(|until| until.at(now));
    if let (Some(since), Some(until)) = (since, until)
        && since > until
    {
        return Err(invalid_query("since must not be after until").into());
    }
    let Number(limit) = query.limit.unwrap_or(PAGE);
    let cursor = call.cursor::<Operation>(query.cursor.as_deref())?;
    let wanted = |operation: &Item<Operation>| query.wants(operation, now);
    let (store, project) = (&call.engine().store, call.project());
    let page = store.newest::<Operation>(project, (since, until), wanted, limit, cursor).await?;
    Ok(Page::reply(&page, project, |operation| ListedOperation::new(operation, now)))
}

impl ListOperations {
    fn wants(&self, operation: &Operation, now: Timestamp) -> bool {
        self.kind.is_none_or(|kind| kind == operation.kind())
            && self.state.is_none_or(|state| state == operation.state_at(now))
            && self.run_id.as_ref().is_none_or(|run_id| *run_id == operation.run_id)
            && (self.function.is_none() || self.function.as_deref() == operation.content.function())
    }
}

//! The list of operations.

use placet_core::Timestamp;
use placet_core::item::Item;
use placet_core::limits::MOST_LISTED;
use placet_core::operation::{Operation, OperationKind, State};
use placet_runtime::http::Response;
use serde::Deserialize;

use super::reply::ListedOperation;
use crate::call::Call;
use crate::error::Error;
use crate::read::{Number, When, invalid_query};
use crate::reply::Page;

/// The default number of operations on a page.
const PAGE: Number<1, MOST_LISTED> = Number(50);

/// The filters and the page of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ListOperations {
    /// Only operations of this kind.
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::types::OperationKind>"))]
    kind: Option<OperationKind>,
    /// Only operations that are in this state now.
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::types::OperationState>"))]
    state: Option<State>,
    /// Only calls of this function.
    #[serde(rename = "fn")]
    function: Option<String>,
    /// Only operations of this run.
    run_id: Option<String>,
    /// Only operations created at or after this time. `24h` means 24 hours ago.
    since: Option<When>,
    /// Only operations created at or before this time. `24h` means 24 hours ago.
    until: Option<When>,
    /// The maximum number of operations on the page; 50 if left out.
    limit: Option<Number<1, MOST_LISTED>>,
    /// The `next` of the previous page.
    cursor: Option<String>,
}

/// Lists operations, newest first.
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

//! The list of pending operations.

use lambda_http::http::StatusCode;
use placet_core::Timestamp;
use placet_core::humanlayer;
use placet_core::item::{Item, Need};
use placet_core::limits::{LARGEST_PENDING_LIST, MOST_LISTED};
use placet_core::operation::{Operation, OperationKind, State};
use placet_runtime::Rest;
use placet_runtime::http::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::call::Call;
use crate::error::Error;
use crate::read::Number;
use crate::reply::json;

/// The maximum number of pages that are read for one list.
const PAGES: usize = 10;

/// The parameters of the list. Unknown parameters are ignored, because it is not known for sure which ones
/// clients send.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ListPending {
    /// The maximum number of operations; a value above 100 means 100.
    limit: Option<Number<1, { usize::MAX }>>,
    /// The number of operations to skip.
    offset: Option<Number<0, { usize::MAX }>>,
    /// `array`: a bare array, the format before June 2025.
    format: Option<Format>,
}

/// The format of the list.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Format {
    Array,
}

/// The pending operations.
#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Pending{T}"))]
pub(crate) enum Pending<T> {
    /// The format since June 2025.
    Page(PendingPage<T>),
    /// The format before June 2025.
    Array(Vec<T>),
}

/// A page of pending operations.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Pending{T}Page"))]
pub(crate) struct PendingPage<T> {
    items: Vec<T>,
    /// The number of pending operations, exact up to 1,000.
    total: usize,
    limit: usize,
    offset: usize,
    has_more: bool,
}

/// Lists the pending operations, nearest deadline first.
///
/// `total` is exact up to 1,000 operations. Beyond that it is the number of operations that were counted.
pub(crate) async fn pending(call: Call<'_>, kind: OperationKind) -> Result<Response, Error> {
    let ListPending { limit, offset, format } = call.query()?;
    let limit = limit.map_or(MOST_LISTED, |Number(limit)| limit.min(MOST_LISTED));
    let offset = offset.map_or(0, |Number(offset)| offset);
    let now = call.now();
    let waits = |operation: &Item<Operation>| operation.state_at(now) == State::Pending;
    let (store, project) = (&call.engine().store, call.project());
    let ids = format!("{}/", kind.as_str());
    let mut list = List { offset, limit, ..List::default() };
    let most = offset.saturating_add(limit).min(MOST_LISTED);
    let (mut rest, mut cursor) = (Rest::default(), None);
    for _ in 0..PAGES {
        let page = store.waiting(project, Need::Decision, &ids, waits, most, cursor).await?;
        page.0.items.iter().for_each(|operation| list.count(operation, now));
        (rest, cursor) = (page.1, page.0.next);
        if cursor.is_none() || list.is_full() {
            break;
        }
    }
    let reply = match format {
        Some(Format::Array) => Pending::Array(list.items),
        None => Pending::Page(list.page(rest)),
    };
    Ok(json(StatusCode::OK, &reply))
}

/// A list that is being built.
#[derive(Default)]
struct List {
    offset: usize,
    limit: usize,
    counted: usize,
    bytes: usize,
    /// The operations as JSON text, because parsed values take up to a hundred times the memory.
    items: Vec<Box<RawValue>>,
}

impl List {
    fn count(&mut self, operation: &Item<Operation>, now: Timestamp) {
        self.counted += 1;
        if self.counted > self.offset
            && !self.is_full()
            && let Ok(item) = to_raw_value(&humanlayer::item(operation, now))
        {
            self.bytes += item.get().len();
            self.items.push(item);
        }
    }

    fn is_full(&self) -> bool {
        self.items.len() == self.limit || self.bytes >= LARGEST_PENDING_LIST
    }

    /// The finished page. `rest` describes the operations after those that were counted.
    fn page(self, rest: Rest) -> PendingPage<Box<RawValue>> {
        let Self { offset, limit, counted, items, .. } = self;
        let total = counted + rest.counted;
        let has_more = offset.saturating_add(items.len()) < total || rest.more && !items.is_empty();
        PendingPage { items, total, limit, offset, has_more }
    }
}

#[cfg(test)]
mod tests;

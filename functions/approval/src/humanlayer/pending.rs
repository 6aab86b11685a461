//! The list of what waits for a decision.

use lambda_http::http::StatusCode;
use placet_core::Timestamp;
use placet_core::humanlayer;
use placet_core::item::{Item, Need};
use placet_core::operation::{Operation, OperationKind, State};
use placet_runtime::Rest;
use placet_runtime::http::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::call::Call;
use crate::error::Error;
use crate::read::Number;
use crate::reply::json;

/// How many operations the list shows at most, and if the client does not say.
const MOST_SHOWN: usize = 100;

/// After so many bytes it shows no more: an answer of Lambda has 6 MB at most.
const LARGEST: usize = 4 * 1024 * 1024;

/// How many pages are read for one list, and how many operations a page has.
const PAGES: usize = 10;
const PAGE: usize = 100;

/// What the list is to show. Unknown parameters are ignored: nobody knows for sure which ones clients send.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ListPending {
    /// How many at most; more than 100 are 100.
    limit: Option<Number<1, { usize::MAX }>>,
    /// How many are left out before the first.
    offset: Option<Number<0, { usize::MAX }>>,
    /// A bare array, as before June 2025.
    format: Option<Format>,
}

/// The shape of the list.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Format {
    Array,
}

/// What waits for a decision.
#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Pending{T}"))]
pub(crate) enum Pending<T> {
    /// In the shape that clients have expected since June 2025.
    Page(PendingPage<T>),
    /// In the shape before.
    Array(Vec<T>),
}

/// A page of what waits for a decision.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Pending{T}Page"))]
pub(crate) struct PendingPage<T> {
    items: Vec<T>,
    /// How many there are, as far as they were counted.
    total: usize,
    limit: usize,
    offset: usize,
    has_more: bool,
}

/// What waits for a decision, the nearest deadline first.
///
/// `total` is what waits, exact up to 1,000 operations. Beyond them it says what was counted.
pub(crate) async fn pending(call: Call<'_>, kind: OperationKind) -> Result<Response, Error> {
    let ListPending { limit, offset, format } = call.query()?;
    let limit = limit.map_or(MOST_SHOWN, |Number(limit)| limit.min(MOST_SHOWN));
    let offset = offset.map_or(0, |Number(offset)| offset);
    let now = call.now();
    let waits = |operation: &Item<Operation>| operation.state_at(now) == State::Pending;
    let (store, project) = (&call.engine().store, call.project());
    let ids = format!("{}/", kind.as_str());
    let mut list = List { offset, limit, ..List::default() };
    let most = offset.saturating_add(limit).min(PAGE);
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

/// The list in the making.
#[derive(Default)]
struct List {
    offset: usize,
    limit: usize,
    counted: usize,
    bytes: usize,
    /// As text: as values they would be up to a hundred times as large.
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
        self.items.len() == self.limit || self.bytes >= LARGEST
    }

    /// The list, after which this follows.
    fn page(self, rest: Rest) -> PendingPage<Box<RawValue>> {
        let Self { offset, limit, counted, items, .. } = self;
        let total = counted + rest.counted;
        let has_more = offset.saturating_add(items.len()) < total || rest.more && !items.is_empty();
        PendingPage { items, total, limit, offset, has_more }
    }
}

#[cfg(test)]
mod tests;

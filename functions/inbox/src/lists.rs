//! The lists of operations. An unfiltered page makes a constant number of calls. A filter looks at a bounded number of
//! entries, and the page offers to look further.

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::delivery::{self, Delivery};
use placet_core::item::{Item, Kind as _, Need};
use placet_core::limits::{MOST_ENTRIES, MOST_LISTED, MOST_LOOKED_AT};
use placet_core::operation::{Operation, OperationId, OperationKind, State, is_call_id};
use placet_runtime::{Cursor, Rest};

use crate::fields::Fields;
use crate::pages::{After, Filter, Found, List, Listing, More};
use crate::reply::Page;
use crate::subject::unavailable;
use crate::visitor::Visitor;
use crate::{Inbox, pages};

/// For how long after a decision its page shows what waits next.
const JUST_DECIDED: Duration = Duration::from_secs(10 * 60);

/// The index of items that wait for a person, in cursors.
const WAITING: &str = "waiting";

/// A list, as a visitor asks for it.
struct Search<'a> {
    project: &'a str,
    listing: &'a Listing,
    /// The parameters of the address, which hold the cursors.
    query: &'a Fields,
    visitor: &'a Visitor,
    now: Timestamp,
}

impl Search<'_> {
    /// Whether the visitor may see an operation, and the filter wants it.
    fn shows(&self, operation: &Item<Operation>) -> bool {
        self.listing.filter.wants(operation, self.now) && self.visitor.sees(operation)
    }

    fn is_pending(&self, operation: &Operation) -> bool {
        operation.state_at(self.now) == State::Pending
    }

    /// The cursor in a parameter of the address.
    fn cursor(&self, parameter: &str, index: &str) -> Result<Option<Cursor>, Page> {
        let Some(text) = self.query.get(parameter) else { return Ok(None) };
        Cursor::read(text, index, self.project).map(Some).ok_or_else(Page::not_found)
    }
}

impl Inbox {
    /// A list, or the page of the operation whose id the person looks for.
    pub(crate) async fn list(&self, query: &Fields, visitor: &Visitor) -> Result<Page, Page> {
        let project = self.project(query)?;
        let list = List::parse(query.get("list")).ok_or_else(Page::not_found)?;
        let filter =
            Filter::read(|name| query.get(name)).map_err(|text| Page::bad_filter(&text))?;
        let id = query.get("id").unwrap_or_default().trim().to_owned();
        let continued = query.get("cursor").or(query.get("deliveries")).is_some();
        let listing = Listing { list, filter, id, continued };
        let (listing, now) = (&listing, self.runtime.engine.now());
        let search = Search { project, listing, query, visitor, now };
        let found = match list {
            _ if !listing.id.is_empty() => {
                let found = self.find(&search).await?;
                if let [only] = found.operations.as_slice() {
                    return Ok(Page::see_other(self.runtime.config.inbox_address(&only.id())));
                }
                found
            }
            List::ForYou => {
                let found = self.waiting(&search).await?;
                Found { settlements_rest: self.unsettled(project, visitor).await?, ..found }
            }
            List::Waiting => self.waiting(&search).await?,
            List::Decided => {
                self.newest(&search, |item| !search.is_pending(item) && search.shows(item)).await?
            }
            List::Problems => self.problems(&search).await?,
        };
        let projects = self.projects(project, visitor.viewer());
        Ok(Page::ok(pages::list(listing, &found, &projects, now)))
    }

    /// The operations of both kinds that have the wanted id.
    async fn find(&self, search: &Search<'_>) -> Result<Found, Page> {
        let id = search.listing.id.as_str();
        let mut found = Found::default();
        for kind in OperationKind::ALL.into_iter().filter(|_| is_call_id(id)) {
            let id = OperationId::new(search.project, kind, id);
            let item = self.runtime.engine.store.item(search.project, &id.path(), true).await;
            let item = item.map_err(unavailable)?;
            found.operations.extend(item.filter(|item| search.visitor.sees(item)));
        }
        Ok(found)
    }

    /// Operations that wait for a decision, the nearest deadline first.
    async fn waiting(&self, search: &Search<'_>) -> Result<Found, Page> {
        let &Search { project, listing, visitor, .. } = search;
        let for_you = listing.list == List::ForYou;
        let wanted = |item: &Item<Operation>| {
            search.is_pending(item) && search.shows(item) && (!for_you || visitor.decides(item))
        };
        let after = search.cursor("cursor", WAITING)?;
        let all = visitor.decides_all() || !for_you && visitor.operates();
        let whole = all && after.is_none() && listing.filter.is_empty();
        let store = &self.runtime.engine.store;
        let read = store.waiting(project, Need::Decision, "", wanted, MOST_LISTED, after).await;
        let (page, rest) = read.map_err(unavailable)?;
        let next = page.next.map(|next| next.text(WAITING, project));
        let rest = whole.then_some(rest);
        Ok(Found { operations: page.items, rest, next, ..Found::default() })
    }

    /// How many operations are blocked or have an unknown outcome. Only a visitor who sees all of them learns it.
    async fn unsettled(&self, project: &str, visitor: &Visitor) -> Result<Rest, Page> {
        if !visitor.operates() {
            return Ok(Rest::default());
        }
        let store = &self.runtime.engine.store;
        let nothing = |_: &Item<Operation>| false;
        let read = store.waiting(project, Need::Settlement, "", nothing, 0, None).await;
        read.map(|(_, rest)| rest).map_err(unavailable)
    }

    /// Operations and deliveries that need attention.
    async fn problems(&self, search: &Search<'_>) -> Result<Found, Page> {
        let &Search { project, listing, query, visitor, .. } = search;
        let store = &self.runtime.engine.store;
        let (is_first, unfiltered) = (!listing.continued, listing.filter.is_empty());
        let mut found = Found::default();
        if is_first || query.get("cursor").is_some() {
            let wanted = |item: &Item<Operation>| is_in_trouble(item) && search.shows(item);
            found = self.newest(search, wanted).await?;
        }
        if is_first {
            let wanted = |item: &Item<Operation>| search.shows(item);
            let read =
                store.waiting(project, Need::Settlement, "", wanted, MOST_LISTED, None).await;
            let (page, rest) = read.map_err(unavailable)?;
            found.settlements = page.items;
            let all = unfiltered && visitor.operates();
            found.settlements_rest = if all { rest } else { Rest::default() };
        }
        if visitor.operates() && unfiltered && (is_first || query.get("deliveries").is_some()) {
            let after = search.cursor("deliveries", Delivery::NAME)?;
            let wanted = |item: &Item<Delivery>| does_not_get_through(item);
            let everything = (None, None);
            let read =
                store.recent(project, everything, wanted, MOST_LISTED, MOST_LOOKED_AT, after);
            let page = read.await.map_err(unavailable)?;
            found.next_delivery = page.next.map(|next| next.text(Delivery::NAME, project));
            found.deliveries = page.items;
        }
        Ok(found)
    }

    /// The newest operations that are wanted. Without a filter, fewer entries are looked at.
    async fn newest(
        &self,
        search: &Search<'_>,
        wanted: impl Fn(&Item<Operation>) -> bool,
    ) -> Result<Found, Page> {
        let &Search { project, listing, .. } = search;
        let after = search.cursor("cursor", Operation::NAME)?;
        let entries = if listing.filter.is_empty() { MOST_LOOKED_AT } else { MOST_ENTRIES };
        let store = &self.runtime.engine.store;
        let created = listing.filter.created();
        let read = store.recent(project, created, wanted, MOST_LISTED, entries, after).await;
        let page = read.map_err(unavailable)?;
        let next = page.next.map(|next| next.text(Operation::NAME, project));
        Ok(Found { operations: page.items, next, ..Found::default() })
    }

    /// What follows the decision on this operation.
    pub(crate) async fn after(
        &self,
        operation: &Item<Operation>,
        visitor: &Visitor,
    ) -> Result<After, Page> {
        let notified = self.notified(operation, visitor).await?;
        Ok(After { more: self.more(operation, visitor).await?, notified })
    }

    /// What waits for the viewer beside this operation, if it was decided just now.
    async fn more(
        &self,
        operation: &Item<Operation>,
        visitor: &Visitor,
    ) -> Result<Option<More>, Page> {
        let (now, project) = (self.runtime.engine.now(), operation.project());
        let decided = operation.decision.as_ref().map(|decision| decision.at);
        if decided.is_none_or(|at| now.since(at) > JUST_DECIDED) {
            return Ok(None);
        }
        let wanted = |item: &Item<Operation>| {
            item.state_at(now) == State::Pending
                && item.header.id != operation.header.id
                && visitor.decides(item)
        };
        let store = &self.runtime.engine.store;
        let all = visitor.decides_all();
        let most = if all { 1 } else { MOST_LISTED };
        let read = store.waiting(project, Need::Decision, "", wanted, most, None).await;
        let (page, rest) = read.map_err(unavailable)?;
        // The rest counts what others decide, too.
        let rest = if all { rest } else { Rest { counted: 0, more: page.next.is_some() } };
        let next = page.items.first().map(|next| self.runtime.config.inbox_address(&next.id()));
        Ok(Some(More::new(page.items.len(), rest, next)))
    }
}

/// Whether an operation failed, or was tried and is tried again.
fn is_in_trouble(operation: &Operation) -> bool {
    match operation.state {
        State::Failed => true,
        State::Queued | State::Running => operation.attempts > 1 || operation.not_before.is_some(),
        _ => false,
    }
}

/// Whether a delivery failed, or its endpoint did not accept the last attempts.
fn does_not_get_through(delivery: &Delivery) -> bool {
    match delivery.state {
        delivery::State::Failed => true,
        delivery::State::Pending => delivery.failed_attempts > 0,
        delivery::State::Delivered | delivery::State::Skipped => false,
    }
}

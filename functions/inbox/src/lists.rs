//! The lists of operations. An unfiltered page makes a constant number of calls. A filter looks at a bounded number of
//! entries, and the page offers to look further.

use std::time::Duration;

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
        if !listing.id.is_empty() {
            return self.find(project, &listing, visitor).await;
        }
        let found = match list {
            List::ForYou => {
                let found = self.waiting(project, &listing, query, visitor).await?;
                Found { settlements_rest: self.unsettled(project, visitor).await?, ..found }
            }
            List::Waiting => self.waiting(project, &listing, query, visitor).await?,
            List::Decided => self.decided(project, &listing, query, visitor).await?,
            List::Problems => self.problems(project, &listing, query, visitor).await?,
        };
        Ok(self.listed(project, &listing, &found, visitor))
    }

    fn listed(&self, project: &str, listing: &Listing, found: &Found, visitor: &Visitor) -> Page {
        let projects = self.projects(project, visitor.viewer());
        let now = self.runtime.engine.now();
        Page::ok(pages::list(listing, found, &projects, now))
    }

    /// The operations of both kinds that have an id.
    async fn find(
        &self,
        project: &str,
        listing: &Listing,
        visitor: &Visitor,
    ) -> Result<Page, Page> {
        let mut found = Found::default();
        let kinds = OperationKind::ALL.into_iter().filter(|_| is_call_id(&listing.id));
        for kind in kinds {
            let id = OperationId::new(project, kind, listing.id.as_str());
            let item = self.runtime.engine.store.item(project, &id.path(), true).await;
            let item = item.map_err(unavailable)?;
            found.operations.extend(item.filter(|item| visitor.may(item).is_some()));
        }
        match found.operations.as_slice() {
            [only] => {
                Ok(Page::see_other(only.id().inbox_address(self.runtime.config.project.as_str())))
            }
            _ => Ok(self.listed(project, listing, &found, visitor)),
        }
    }

    /// Operations that wait for a decision, the nearest deadline first.
    async fn waiting(
        &self,
        project: &str,
        listing: &Listing,
        query: &Fields,
        visitor: &Visitor,
    ) -> Result<Found, Page> {
        let now = self.runtime.engine.now();
        let wanted = |item: &Item<Operation>| {
            item.state_at(now) == State::Pending
                && listing.filter.wants(item, now)
                && match listing.list {
                    List::ForYou => visitor.decides(item),
                    _ => visitor.may(item).is_some(),
                }
        };
        let after = cursor(query, "cursor", WAITING, project)?;
        let all =
            matches!(visitor, Visitor::Local) || listing.list != List::ForYou && visitor.operates();
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

    /// Operations that do not wait for a decision, newest first.
    async fn decided(
        &self,
        project: &str,
        listing: &Listing,
        query: &Fields,
        visitor: &Visitor,
    ) -> Result<Found, Page> {
        let now = self.runtime.engine.now();
        let wanted = |item: &Item<Operation>| {
            item.state_at(now) != State::Pending
                && listing.filter.wants(item, now)
                && visitor.may(item).is_some()
        };
        self.newest(project, listing, query, wanted).await
    }

    /// Operations and deliveries that need attention.
    async fn problems(
        &self,
        project: &str,
        listing: &Listing,
        query: &Fields,
        visitor: &Visitor,
    ) -> Result<Found, Page> {
        let now = self.runtime.engine.now();
        let filter = &listing.filter;
        let is_first = !listing.continued;
        let mut found = Found::default();
        if is_first || query.get("cursor").is_some() {
            let wanted = |item: &Item<Operation>| {
                is_in_trouble(item) && filter.wants(item, now) && visitor.may(item).is_some()
            };
            found = self.newest(project, listing, query, wanted).await?;
        }
        if is_first {
            let wanted =
                |item: &Item<Operation>| filter.wants(item, now) && visitor.may(item).is_some();
            let store = &self.runtime.engine.store;
            let read =
                store.waiting(project, Need::Settlement, "", wanted, MOST_LISTED, None).await;
            let (page, rest) = read.map_err(unavailable)?;
            found.settlements = page.items;
            let all = filter.is_empty() && visitor.operates();
            found.settlements_rest = if all { rest } else { Rest::default() };
        }
        if visitor.operates()
            && filter.is_empty()
            && (is_first || query.get("deliveries").is_some())
        {
            let after = cursor(query, "deliveries", Delivery::NAME, project)?;
            let store = &self.runtime.engine.store;
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
        project: &str,
        listing: &Listing,
        query: &Fields,
        wanted: impl Fn(&Item<Operation>) -> bool,
    ) -> Result<Found, Page> {
        let after = cursor(query, "cursor", Operation::NAME, project)?;
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
        let all = matches!(visitor, Visitor::Local);
        let most = if all { 1 } else { MOST_LISTED };
        let read = store.waiting(project, Need::Decision, "", wanted, most, None).await;
        let (page, rest) = read.map_err(unavailable)?;
        // The rest counts what others decide, too.
        let rest = if all { rest } else { Rest { counted: 0, more: page.next.is_some() } };
        let next = page
            .items
            .first()
            .map(|next| next.id().inbox_address(self.runtime.config.project.as_str()));
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

/// The cursor in a parameter of the address.
fn cursor(
    query: &Fields,
    parameter: &str,
    index: &str,
    project: &str,
) -> Result<Option<Cursor>, Page> {
    let Some(text) = query.get(parameter) else { return Ok(None) };
    Cursor::read(text, index, project).map(Some).ok_or_else(Page::not_found)
}

//! The list of operations, newest first.

use placet_core::{Kind, Operation, State, Timestamp};
use placet_runtime::ApiKey;
use placet_runtime::http::{Request, Response};
use placet_runtime::index::Cursor;
use placet_runtime::problem::Problem;

use super::describe::summary;
use crate::query::{Query, invalid, listed};
use crate::{Approval, unavailable};

/// How many operations a page has if nothing is said, and at most.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 100;

/// What `GET /v1/operations` is asked for.
struct Wanted {
    kind: Option<Kind>,
    state: Option<State>,
    function: Option<String>,
    run_id: Option<String>,
}

impl Approval {
    pub(super) async fn list(&self, key: &ApiKey, request: &Request) -> Result<Response, Problem> {
        let known = ["kind", "state", "fn", "run_id", "since", "until", "limit", "cursor"];
        let query = Query::read(request, &known)?;
        let now = self.runtime.clock.now();
        let wanted = Wanted::read(&query)?;
        let (since, until) = (query.moment("since", now)?, query.moment("until", now)?);
        if let (Some(since), Some(until)) = (since, until)
            && since > until
        {
            return Err(invalid("since is after until"));
        }
        let limit = query.limit(LARGEST_PAGE)?.unwrap_or(PAGE);
        let cursor = query.cursor(|text| Cursor::operation(&key.tenant, text))?;
        let fits = |operation: &Operation| wanted.fits(operation, now);
        let store = &self.runtime.store;
        let page = store.list_operations(&key.tenant, (since, until), fits, limit, cursor).await;
        let page = page.map_err(|error| unavailable(&error))?;
        Ok(listed(page, |operation| summary(operation, now)))
    }
}

impl Wanted {
    fn read(query: &Query) -> Result<Self, Problem> {
        let text = |text: &str| Some(text.to_owned());
        let states = State::ALL.map(State::as_str).join(", ");
        Ok(Self {
            kind: query.parse("kind", "function_call or human_contact", Kind::parse)?,
            state: query.parse("state", &format!("one of {states}"), State::parse)?,
            function: query.parse("fn", "the name of a function", text)?,
            run_id: query.parse("run_id", "the id of a run", text)?,
        })
    }

    fn fits(&self, operation: &Operation, now: Timestamp) -> bool {
        self.kind.is_none_or(|kind| kind == operation.kind())
            && self.state.is_none_or(|state| state == operation.state_at(now))
            && self.run_id.as_ref().is_none_or(|run_id| *run_id == operation.run_id)
            && (self.function.is_none() || self.function.as_deref() == operation.content.function())
    }
}

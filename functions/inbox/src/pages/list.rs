//! The lists of operations, with their filters.

use std::time::Duration;

use askama::Template;
use placet_core::Timestamp;
use placet_core::delivery::Delivery;
use placet_core::item::Item;
use placet_core::operation::{Operation, State};
use placet_runtime::Rest;

use super::address::{Frame, Projects};
use super::filter::{Filter, List};
use super::row::{Asks, Notification, Row};
use super::visible::Shown;
use super::words::state;

/// What a list shows: its address, as values.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The list.
    pub list: List,
    /// The filters of the list.
    pub filter: Filter,
    /// The id that the person looked for.
    pub id: String,
    /// Whether the page continues an earlier one.
    pub continued: bool,
}

/// What was found for a list.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The operations of the list, in its order.
    pub operations: Vec<Item<Operation>>,
    /// How many operations follow, if they were counted.
    pub rest: Option<Rest>,
    /// The cursor of the operations that follow.
    pub next: Option<String>,
    /// Of the problems: operations that are blocked, or whose outcome is unknown.
    pub settlements: Vec<Item<Operation>>,
    /// How many of these follow.
    pub settlements_rest: Rest,
    /// Of the problems: deliveries that do not get through, newest first.
    pub deliveries: Vec<Item<Delivery>>,
    /// The cursor of the deliveries that follow.
    pub next_delivery: Option<String>,
}

#[derive(Template)]
#[template(path = "list.html")]
pub(super) struct Page<'a> {
    frame: Frame,
    projects: Vec<Link>,
    lists: Vec<Link>,
    /// How many operations are blocked or have an unknown outcome, if the list of the problems is not shown.
    problems: Option<String>,
    list: List,
    /// The project, if the form must name it.
    project: Option<&'a str>,
    filter: &'a Filter,
    id: &'a str,
    states: Vec<Choice>,
    /// The address of the list without filters, if there are filters.
    clear: Option<String>,
    count: String,
    now_millis: i64,
    sections: Vec<Section>,
    deliveries: Vec<Notification>,
    next: Option<String>,
    next_delivery: Option<String>,
    continued: bool,
    /// Whether nothing at all was found.
    empty: bool,
}

/// Operations under one heading.
struct Section {
    id: &'static str,
    /// The heading, if the title of the page is not enough.
    title: &'static str,
    explanation: &'static str,
    rows: Vec<Row>,
    count: String,
}

/// A link to another list or project.
struct Link {
    name: Shown,
    href: String,
    shown: bool,
}

/// A state to filter by.
struct Choice {
    value: &'static str,
    words: &'static str,
    chosen: bool,
}

impl<'a> Page<'a> {
    pub(super) fn new(
        listing: &'a Listing,
        found: &Found,
        projects: &'a Projects<'a>,
        now: Timestamp,
    ) -> Self {
        let Listing { list, filter, id, continued } = listing;
        let list = *list;
        let sections = sections(list, found, projects, now);
        let deliveries: Vec<_> =
            found.deliveries.iter().map(|one| Notification::new(one, projects, now)).collect();
        let shown: usize = sections.iter().map(|section| section.rows.len()).sum();
        let settlements = found.settlements_rest;
        let counted = match list {
            List::Problems => settlements,
            _ => found.rest.unwrap_or_default(),
        };
        let problems = (list != List::Problems && settlements != Rest::default())
            .then(|| count(settlements.counted, settlements.more));
        let open = found.rest.is_none() && (found.next.is_some() || found.next_delivery.is_some());
        let cursor = |name, cursor: &Option<String>| {
            let mut parameters = vec![("list", list.parameter())];
            parameters.extend(filter.parameters());
            Some(projects.list(&[&parameters[..], &[(name, cursor.as_deref()?)]].concat()))
        };
        Self {
            frame: Frame::of("inbox", projects),
            projects: links(projects),
            lists: List::ALL
                .map(|one| Link {
                    name: Shown::text(one.title()),
                    href: projects.list(&[("list", one.parameter())]),
                    shown: one == list,
                })
                .into(),
            problems,
            list,
            project: projects.named(),
            filter,
            id,
            states: list
                .states()
                .map(|one| Choice {
                    value: one.as_str(),
                    words: state(one),
                    chosen: filter.state == Some(one),
                })
                .collect(),
            clear: (!filter.is_empty() || !id.is_empty())
                .then(|| projects.list(&[("list", list.parameter())])),
            count: match count(shown + deliveries.len() + counted.counted, counted.more) {
                exact if !open => exact,
                part => format!("{part}+"),
            },
            now_millis: now.millis(),
            empty: shown == 0 && deliveries.is_empty(),
            sections,
            deliveries,
            next: cursor("cursor", &found.next),
            next_delivery: cursor("deliveries", &found.next_delivery),
            continued: *continued,
        }
    }

    fn is_problems(&self) -> bool {
        self.list == List::Problems
    }
}

fn links(projects: &Projects<'_>) -> Vec<Link> {
    let link = |name: &&str| Link {
        name: Shown::text(name),
        href: projects.inbox(name),
        shown: *name == projects.shown,
    };
    projects.all.iter().map(link).collect()
}

/// The operations of a list, under their headings.
fn sections(list: List, found: &Found, projects: &Projects<'_>, now: Timestamp) -> Vec<Section> {
    let section = |operations: Vec<&Item<Operation>>, id, title, explanation, rest: Rest| {
        let rows: Vec<_> = operations.into_iter().map(|one| Row::new(one, projects, now)).collect();
        let count = count(rows.len() + rest.counted, rest.more);
        Section { id, title, explanation, rows, count }
    };
    let mut main: Vec<_> = found.operations.iter().collect();
    if list == List::ForYou {
        main.sort_by_key(|operation| (!is_escalated(operation), operation.deadline));
    }
    if list != List::Problems {
        return vec![section(main, "operations", "", "", found.rest.unwrap_or_default())];
    }
    let of = |wanted: State| {
        let settlements = found.settlements.iter();
        settlements.filter(|operation| operation.state_at(now) == wanted).collect()
    };
    let all = [
        section(
            of(State::Unknown),
            "unknown",
            "Outcome unknown: find out what happened",
            "These operations were approved and started, but it is unknown whether they took effect. Open each one, find out what happened, and record it there. None of them runs again until you have recorded it.",
            found.settlements_rest,
        ),
        section(
            of(State::Blocked),
            "blocked",
            "Approved, but blocked",
            "The configuration that runs these operations is missing. Open one to see what is missing. Repair the configuration and start Placet again; then each runs within five minutes.",
            Rest::default(),
        ),
        section(
            main,
            "failed",
            "Failed, or being tried again",
            "Nothing happened. An operation that failed runs again only if you say so on its page.",
            Rest::default(),
        ),
    ];
    all.into_iter().filter(|section| !section.rows.is_empty()).collect()
}

fn is_escalated(operation: &Operation) -> bool {
    operation.history.of("escalated").next().is_some()
}

/// With less time than this left, a row highlights the time.
pub(super) const SOON: Duration = Duration::from_secs(15 * 60);

/// The number of operations, exact up to 1,000.
pub(super) fn count(counted: usize, more: bool) -> String {
    match counted {
        _ if more => "1,000+".to_owned(),
        0..1000 => counted.to_string(),
        1000 => "1,000".to_owned(),
        _ => "1,000+".to_owned(),
    }
}

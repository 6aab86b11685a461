use std::time::Duration;

use placet_core::item::Write;
use placet_core::operation::{Actor, Content, NewOperation, OperationId, Specification};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(0);

const NOTHING: Rest = Rest { counted: 0, more: false };
const MORE: Rest = Rest { counted: 0, more: true };

fn question(text: &str) -> Item<Operation> {
    let content = Content::Question { message: text.to_owned(), subject: None };
    let new = NewOperation::plain(
        OperationId::new("default", content.kind(), "q"),
        "r",
        Specification::of(content),
        Duration::from_secs(60),
        Actor::Test,
    );
    Operation::create(new, &Write::new("w", NOW))
}

/// Items, total and `has_more` of a page when this many questions are pending.
fn page(waiting: usize, offset: usize, limit: usize, rest: Rest) -> (usize, usize, bool) {
    let mut list = List { offset, limit, ..List::default() };
    (0..waiting).for_each(|_| list.count(&question("Oak?"), NOW));
    let page = list.page(rest);
    (page.items.len(), page.total, page.has_more)
}

#[test]
fn a_page_counts_all_and_shows_some() {
    assert_eq!(page(0, 0, 100, NOTHING), (0, 0, false));
    assert_eq!(page(3, 0, 100, NOTHING), (3, 3, false));
    assert_eq!(page(3, 0, 2, NOTHING), (2, 3, true));
    assert_eq!(page(3, 2, 2, NOTHING), (1, 3, false));
    assert_eq!(page(3, 3, 2, NOTHING), (0, 3, false));
    assert_eq!(page(3, usize::MAX, 2, NOTHING), (0, 3, false));
}

#[test]
fn after_an_incomplete_count_a_page_has_more_unless_it_is_empty() {
    assert_eq!(page(3, 1, 2, MORE), (2, 3, true));
    assert_eq!(page(3, 3, 2, MORE), (0, 3, false));
    let rest = Rest { counted: 4, more: false };
    assert_eq!(page(3, 1, 2, rest), (2, 7, true));
}

#[test]
fn a_page_fits_into_a_response_of_lambda() {
    let large = question(&"x".repeat(150 * 1024));
    let mut list = List { limit: 100, ..List::default() };
    (0..50).for_each(|_| list.count(&large, NOW));
    let page = list.page(NOTHING);
    assert!(page.items.len() < 30 && page.has_more, "{}", page.items.len());
    assert_eq!(page.total, 50);
}

//! The lists, their filters and the next operation after a decision.

use placet_core::delivery::{self, Answer, Delivery};
use placet_core::item::Item;
use placet_core::operation::{Escalation, State};
use placet_runtime::Rest;

use super::*;

fn until(minutes: u64) -> Item<Operation> {
    let mut operation = plain();
    operation.body.deadline = NOW.plus(Duration::from_secs(minutes * 60));
    operation
}

fn escalated(operation: &Item<Operation>) -> Item<Operation> {
    let message = "The customer waits".to_owned();
    let escalation = Escalation { message, recipients: Vec::new(), redirects: false };
    after(
        operation,
        Command::Escalate { escalation, by: Actor::api("k1", "ci"), notify: Vec::new() },
    )
}

#[test]
fn what_waits_for_the_viewer_is_ordered_by_escalation_and_deadline() {
    let html = list(&[until(57), until(5), escalated(&until(50))]);
    has(
        &html,
        &[
            "<title>(3) For you · Placet</title>",
            "href=\"/inbox/call%201%2F%C3%A4\"",
            "<bdi>amount</bdi>: 10",
            "<strong><bdi>ci</bdi></strong>, <time datetime=\"2026-11-20T08:57:00.000Z\">3 min ago</time>",
            "<span class=\"left soon\"><time datetime=\"2026-11-20T09:05:00.000Z\">5 min left",
            "<span class=\"left\"><time datetime=\"2026-11-20T09:57:00.000Z\">57 min left",
        ],
    );
    let at = |part: &str| html.find(part).unwrap();
    assert!(
        at("50 min left") < at("5 min left</time>") || at("The customer waits") < at(">5 min left")
    );
    assert!(at(">5 min left") < at("57 min left"));
}

#[test]
fn the_title_counts_what_is_not_shown() {
    let found = |rest, next: Option<&str>| Found {
        operations: vec![plain()],
        rest,
        next: next.map(str::to_owned),
        ..Found::default()
    };
    let count = |found| {
        let html = listed(List::Waiting, found);
        let (_, rest) = html.split_once("<title>(").unwrap();
        rest.split_once(')').unwrap().0.to_owned()
    };
    let rest = |counted, more| Some(Rest { counted, more });
    assert_eq!(count(found(rest(0, false), None)), "1");
    assert_eq!(count(found(rest(41, false), Some("x"))), "42");
    assert_eq!(count(found(rest(1999, true), Some("x"))), "1,000+");
    assert_eq!(count(found(None, Some("x"))), "1+");
    has(
        &listed(List::Waiting, found(None, Some("x"))),
        &["/inbox?list=waiting&#38;cursor=x\">Show more"],
    );
}

#[test]
fn every_list_says_what_to_do_when_it_is_empty() {
    for (list, words) in [
        (List::ForYou, "Nothing is waiting for you"),
        (List::Waiting, "Nothing waits for a decision"),
        (List::Decided, "Nothing was decided yet"),
        (List::Problems, "No problems"),
    ] {
        let html = listed(list, Found::default());
        has(&html, &[words, "aria-current=\"page\""]);
        has_not(&html, &["<li>", "<title>("]);
    }
}

#[test]
fn a_filter_stays_in_the_address_and_can_be_cleared() {
    let filter =
        Filter { function: "pay & go".into(), state: Some(State::Denied), ..Filter::default() };
    let listing = Listing { filter, ..listing(List::Decided) };
    let found = Found { next: Some("x".into()), ..Found::default() };
    let html = super::super::list(&listing, &found, &projects(), NOW).unwrap();
    has(
        &html,
        &[
            "<details class=\"filters\" open>",
            "name=\"fn\" value=\"pay &#38; go\"",
            "<option value=\"denied\" selected>Denied</option>",
            "<a href=\"/inbox?list=decided\">Clear</a>",
            "Nothing found",
            "There are more to look through.",
            "/inbox?list=decided&#38;fn=pay%20%26%20go&#38;state=denied&#38;cursor=x\">Look further</a>",
        ],
    );
    has_not(&html, &["<option value=\"pending\""]);
}

#[test]
fn a_filter_finds_operations_by_every_part() {
    let denied = decided(&plain(), Verdict::Deny, "", None);
    let read = |query: &'static str| {
        let (name, value) = query.split_once('=').unwrap();
        Filter::read(|wanted| (wanted == name).then_some(value))
    };
    for (query, wanted) in [
        ("fn=TRANS", true),
        ("fn=other", false),
        ("run=run-1", true),
        ("run=run-2", false),
        ("from=CI", true),
        ("from=bot", false),
        ("person=inbox", true),
        ("person=ana", false),
        ("state=denied", true),
        ("state=pending", false),
        ("since=2026-11-20", true),
        ("since=2026-11-21", false),
        ("until=2026-11-20", true),
        ("until=2026-11-19", false),
    ] {
        assert_eq!(read(query).unwrap().wants(&denied, NOW), wanted, "{query}");
    }
    for wrong in ["state=open", "since=today", "until=2026-02-30"] {
        assert!(read(wrong).unwrap_err().starts_with("The filter"), "{wrong}");
    }
}

#[test]
fn the_problems_are_listed_by_what_a_person_has_to_do() {
    let failure = Failure { code: "rejected".into(), message: "no such account".into() };
    let failed = finished(true, Report::Rejected(failure));
    let endpoint = Delivery::of("billing", "function_call.completed", "", Default::default(), NOW);
    let delivery =
        Item::new("default", &Delivery::id("billing", "x"), endpoint, &Write::new("w", NOW));
    let answer = Answer::Nothing("connection refused".into());
    let record = delivery::Command::Record { attempt: 1, answer, took: Duration::from_secs(1) };
    let delivery = delivery.apply(&record, &Write::new("w2", NOW)).unwrap();
    let found = Found {
        operations: vec![failed],
        settlements: vec![unknown()],
        deliveries: vec![delivery],
        ..Found::default()
    };
    let html = listed(List::Problems, found);
    has(
        &html,
        &[
            "<title>(3) Problems",
            "Outcome unknown: find out what happened",
            "Failed, or being tried again",
            "Failed: it did not take effect",
            "Notifications that do not get through",
            "to <strong><bdi>billing</bdi></strong>",
            "<bdi>connection refused</bdi>",
            "1 attempt, the next in ",
        ],
    );
    has_not(&html, &["Approved, but blocked"]);
}

#[test]
fn after_a_decision_the_page_leads_to_the_next_operation() {
    let denied = decided(&plain(), Verdict::Deny, "", None);
    let page = |of, more: &More| {
        let after = After { more: Some(more.clone()), notified: Vec::new() };
        operation(of, &View { after: Some(&after), ..view() }).unwrap()
    };
    let with = |more: &More| page(&denied, more);
    let seven = More { count: "7".into(), next: Some("/inbox/next".into()) };
    has(&with(&seven), &["7 more wait:", "<a class=\"button\" href=\"/inbox/next\""]);
    has(&with(&More { count: "1".into(), next: Some("/inbox/next".into()) }), &["1 more waits:"]);
    has(&with(&More { count: "0".into(), next: None }), &["Nothing else waits for you."]);
    has_not(&page(&plain(), &seven), &["more wait"]);
}

#[test]
fn a_person_who_signed_in_sees_their_name_and_every_form_has_the_token() {
    let viewer = Viewer { name: Some("Ana"), csrf: Some("token-1") };
    let projects = Projects { viewer, ..projects() };
    let token = "<input type=\"hidden\" name=\"csrf\" value=\"token-1\">";
    for of in [plain(), unknown()] {
        let html = operation(&of, &View { projects: projects.clone(), ..view() }).unwrap();
        has(&html, &["<span><bdi>Ana</bdi></span>", "action=\"/sign-out\"", "Sign out"]);
        assert_eq!(html.matches(token).count(), html.matches("method=\"post\"").count());
    }
    has_not(&page(&plain()), &["Sign out", "csrf"]);
}

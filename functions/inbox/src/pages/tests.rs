use std::time::Duration;

use placet_core::Timestamp;
use placet_core::humanlayer;
use placet_core::item::{Item, Write};
use placet_core::operation::{
    Actor, Command, Content, Failure, NewOperation, Operation, OperationId, OperationKind, Plan,
    Report, Settlement, Verdict,
};
use serde_json::{Value, json};

use super::*;

mod arguments;
mod cannot_run;
mod lists;
mod lookalikes;
mod purchases;
mod questions;

const NOW: Timestamp = Timestamp::from_millis(1_795_165_200_000);

fn plan(idempotent: bool) -> Plan {
    Plan {
        executor: "POST https://bank.example/transfers".into(),
        idempotent,
        max_attempts: 3,
        retry_for: Duration::from_secs(24 * 3600),
        timeout: Duration::from_secs(20),
    }
}

fn requested(kwargs: Value, rest: Value, plan: Option<Plan>) -> Item<Operation> {
    created(Content::Call { function: "transfer".into(), kwargs }, rest, plan)
}

/// An operation that was requested three minutes ago, with an hour to decide. `rest` has the other members of
/// the specification of a HumanLayer client.
fn created(content: Content, mut rest: Value, plan: Option<Plan>) -> Item<Operation> {
    let (kind, member) = match &content {
        Content::Call { .. } => (OperationKind::FunctionCall, "fn"),
        Content::Question { .. } => (OperationKind::HumanContact, "msg"),
    };
    rest[member] = "replaced below".into();
    let body = json!({"run_id": "run-1", "spec": rest}).to_string();
    let mut specification = humanlayer::create(kind, body.as_bytes()).unwrap().specification;
    specification.content = content;
    let new = NewOperation {
        plan,
        ..NewOperation::plain(
            OperationId::new("default", kind, "call 1/ä"),
            "run-1",
            specification,
            Duration::from_secs(3600),
            Actor::api("k1", "ci"),
        )
    };
    Operation::create(new, &Write::new("w1", NOW.minus(Duration::from_secs(180))))
}

fn plain() -> Item<Operation> {
    requested(json!({"amount": 10}), json!({}), None)
}

fn after(operation: &Item<Operation>, command: Command) -> Item<Operation> {
    operation.apply(&command, &Write::new("w2", NOW)).unwrap()
}

fn decided(
    operation: &Item<Operation>,
    verdict: Verdict,
    comment: &str,
    option: Option<&str>,
) -> Item<Operation> {
    let command = Command::Decide {
        verdict,
        comment: comment.to_owned(),
        option: option.map(str::to_owned),
        by: Actor::LOCAL,
        seen: None,
        notify: Vec::new(),
    };
    after(operation, command)
}

fn finished(idempotent: bool, report: Report) -> Item<Operation> {
    let pending = requested(json!({"amount": 10}), json!({}), Some(plan(idempotent)));
    let queued = decided(&pending, Verdict::Approve, "fine", None);
    let running =
        after(&queued, Command::Start { plan: Some(plan(idempotent)), notify: Vec::new() });
    after(&running, Command::Finish { attempt: 1, report, notify: Vec::new() })
}

fn unknown() -> Item<Operation> {
    let failure = Failure { code: "timeout".into(), message: "no answer in time".into() };
    finished(false, Report::Unclear(failure))
}

fn projects() -> Projects<'static> {
    Projects { all: vec!["default"], shown: "default", demo: false, viewer: Viewer::default() }
}

fn view() -> View<'static> {
    let projects = projects();
    View {
        now: NOW,
        projects,
        action: Some("/inbox/here"),
        option: None,
        late: None,
        after: None,
        cannot_run: None,
    }
}

fn page(of: &Item<Operation>) -> String {
    operation(of, &view()).unwrap()
}

/// The first page of a list without a filter.
fn listing(list: List) -> Listing {
    Listing { list, filter: Filter::default(), id: String::new(), continued: false }
}

/// The list of the viewer, with these operations.
fn list(of: &[Item<Operation>]) -> String {
    listed(List::ForYou, Found { operations: of.to_vec(), ..Found::default() })
}

fn listed(list: List, found: Found) -> String {
    super::list(&listing(list), &found, &projects(), NOW).unwrap()
}

#[track_caller]
fn has(html: &str, parts: &[&str]) {
    for part in parts {
        assert!(html.contains(part), "{part:?} is missing in\n{html}");
    }
}

#[track_caller]
fn has_not(html: &str, parts: &[&str]) {
    for part in parts {
        assert!(!html.contains(part), "{part:?} is in\n{html}");
    }
}

#[test]
fn hostile_text_is_escaped_on_every_page() {
    let evil = "</textarea><script>alert(1)</script>\"'>";
    let mut operation = requested(
        json!({evil: evil}),
        json!({"state": {evil: evil}, "reject_options": [
            {"name": evil, "title": evil, "description": evil, "prompt_fill": evil}]}),
        None,
    );
    operation.body.content = Content::Call { function: evil.into(), kwargs: json!({"amount": 10}) };
    operation.header.id = format!("function_call/{evil}");
    operation.body.run_id = evil.into();
    operation.body.digest = operation.content_digest();
    let denied = decided(&operation, Verdict::Deny, evil, Some(evil));
    let action = Some("/inbox/\"><script>");
    let late = Late { text: evil.to_owned(), warning: true, comment: Some(evil.to_owned()) };
    let view = View { action, late: Some(&late), ..view() };
    for html in [
        super::operation(&operation, &view).unwrap(),
        super::operation(&denied, &view).unwrap(),
        list(&[operation.clone()]),
        purchases(&[operation, denied], NOW).unwrap(),
        purchase_form(evil).unwrap(),
        message(evil, evil).unwrap(),
    ] {
        has(&html, &["&#60;script&#62;"]);
        has_not(&html, &["<script>", "</textarea><", "\"'>", "style=", "onclick", "javascript:"]);
    }
}

#[test]
fn a_pending_operation_can_be_decided_with_the_digest_that_was_shown() {
    let options = json!({"reject_options": [
        {"name": "later", "title": "Not now", "description": "After lunch", "prompt_fill": "Ask again"},
        {"name": "other"}]});
    let operation = requested(json!({"amount": 10}), options, None);
    let html = page(&operation);
    let digest = operation.digest.to_string();
    has(
        &html,
        &[
            "<form class=\"card\" method=\"post\" action=\"/inbox/here\">",
            &format!("<input type=\"hidden\" name=\"digest\" value=\"{digest}\">"),
            &format!("<span>{}</span> <span>{}</span>", &digest[..8], &digest[8..16]),
            "<label for=\"comment\">",
            "name=\"comment\"",
            "name=\"option\" value=\"\" checked",
            "name=\"option\" value=\"later\"><span><bdi>Not now</bdi>",
            "After lunch",
            "the requester reads: “<bdi>Ask again</bdi>”",
            "name=\"option\" value=\"other\"><span><bdi>other</bdi>",
            "name=\"verdict\" value=\"approve\"",
            "name=\"verdict\" value=\"deny\"",
        ],
    );
    has_not(&html, &["name=\"settlement\"", "What else the requester sent"]);
    let at = |part: &str| html.find(part).unwrap();
    assert!(at("id=\"arguments\"") < at("name=\"verdict\""), "a person reads before deciding");
}

#[test]
fn enter_in_a_field_decides_nothing() {
    let html = page(&plain());
    let first = html.find("<button").unwrap();
    assert!(
        html[first..]
            .starts_with("<button class=\"nothing\" type=\"submit\" formmethod=\"dialog\"")
    );
}

#[test]
fn there_is_no_form_if_nothing_can_be_decided() {
    let late = NOW.plus(Duration::from_secs(3600));
    let mut changed = plain();
    changed.body.content =
        Content::Call { function: "transfer".into(), kwargs: json!({"amount": 1000}) };
    let done = finished(true, Report::Succeeded(json!({"order": 7})));
    for html in [
        operation(&plain(), &View { action: None, ..view() }).unwrap(),
        operation(&plain(), &View { now: late, ..view() }).unwrap(),
        page(&changed),
        page(&decided(&plain(), Verdict::Approve, "", None)),
        page(&decided(&plain(), Verdict::Deny, "", None)),
        page(&done),
        operation(&unknown(), &View { action: None, ..view() }).unwrap(),
    ] {
        has_not(&html, &["<form", "<button", "name=\"digest\""]);
    }
}

#[test]
fn a_change_in_the_store_is_reported() {
    let mut changed = plain();
    changed.body.content =
        Content::Call { function: "transfer".into(), kwargs: json!({"amount": 1000}) };
    has(&page(&changed), &["The stored content does not match the digest"]);
    let entries = json!([{"at": 0, "event": "created", "by": {"channel": "inbox"}, "detail": {},
        "hash": changed.digest}]);
    changed.body.history = serde_json::from_value(entries).unwrap();
    has(&page(&changed), &["This history was changed after it was written"]);
    has_not(&page(&plain()), &["does not match the digest", "is broken"]);
}

#[test]
fn an_unknown_outcome_can_be_settled_in_three_ways() {
    let operation = unknown();
    let html = page(&operation);
    has(
        &html,
        &[
            "Outcome unknown: it may or may not have run",
            "no answer in time",
            &format!("name=\"digest\" value=\"{}\"", operation.digest),
            "name=\"comment\"",
            "name=\"settlement\" value=\"happened\"",
            "name=\"settlement\" value=\"did_not_happen\"",
            "name=\"settlement\" value=\"run_again\"",
            "the function takes effect twice",
        ],
    );
    has_not(&html, &["name=\"verdict\"", "name=\"option\""]);
}

#[test]
fn the_page_says_what_runs_on_approval() {
    let with = |plan| page(&requested(json!({}), json!({}), plan));
    has(&with(None), &["Placet runs nothing: the requester acts on the decision."]);
    let executor = "<code><bdi>POST https://bank.example/transfers</bdi></code>";
    has(&with(Some(plan(true))), &[executor, "(idempotent)", "up to 3 attempts"]);
    has(&with(Some(plan(false))), &[executor, "(not idempotent)", "a person must find out"]);
}

#[test]
fn a_decision_and_its_outcome_are_shown() {
    let options = json!({"reject_options": [{"name": "later", "title": "Not now"}]});
    let operation = requested(json!({}), options, None);
    let html = page(&decided(&operation, Verdict::Deny, "too early", Some("later")));
    has(&html, &["Denied: nothing runs", "Reason: <bdi>Not now</bdi>", "<bdi>too early</bdi>"]);

    let html = page(&finished(true, Report::Succeeded(json!({"order": 7}))));
    has(
        &html,
        &[
            "Done",
            "<strong>Approved</strong> <bdi>through the inbox</bdi>",
            "&#34;<bdi>order</bdi>&#34;: 7",
        ],
    );

    let failure = Failure { code: "rejected".into(), message: "no such account".into() };
    let html = page(&finished(true, Report::Rejected(failure)));
    has(
        &html,
        &["Failed: it did not take effect", "no such account", "<code><bdi>rejected</bdi></code>"],
    );
}

#[test]
fn the_history_names_each_event_in_words() {
    let settle = Command::Settle {
        settlement: Settlement::RunAgain,
        comment: "not in the ledger".into(),
        by: Actor::LOCAL,
        seen: unknown().digest,
        attempt: unknown().attempts,
        notify: Vec::new(),
    };
    let html = page(&after(&unknown(), settle));
    has(
        &html,
        &[
            "<strong><bdi>Requested</bdi></strong> <span><bdi>through the API, with the key ci (k1)</bdi></span>",
            "<strong><bdi>Attempt 1 started</bdi></strong> <span><bdi>by the worker</bdi></span>",
            "<dt>lease until</dt><dd><time datetime=\"2026-11-20T09:0",
            "<bdi>Outcome unknown</bdi>",
            "<bdi>Settled: run again</bdi>",
            "<bdi>not in the ledger</bdi>",
            "Approved: attempt 2 starts now",
            "<a class=\"button\" href=\"\">Reload this page</a>",
        ],
    );
}

#[test]
fn every_page_is_a_document_that_loads_only_our_own_files() {
    for html in [
        list(&[plain(), unknown()]),
        page(&plain()),
        page(&unknown()),
        purchase_form("c").unwrap(),
        purchases(&[plain()], NOW).unwrap(),
        message("Not found", "There is no such operation.").unwrap(),
    ] {
        assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
        has(
            &html,
            &["<link rel=\"stylesheet\" href=\"/inbox/assets/style.css\">", "<h1", "</html>"],
        );
        has_not(&html, &["style=\"", "http://"]);
        assert_eq!(html.matches("<script").count(), 1);
        assert_eq!(html.matches("src=").count(), 1);
        has(&html, &["<script src=\"/inbox/assets/app.js\" defer></script>"]);
    }
    has(STYLE, &["prefers-color-scheme: dark", ":focus-visible"]);
    has_not(STYLE, &["url(", "@import"]);
    has_not(SCRIPT, &["http://", "https://", "innerHTML", "eval("]);
}

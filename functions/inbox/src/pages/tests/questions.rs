//! Questions, options that a person edits before sending, escalations, other projects and upstream approvers.

use std::slice::from_ref;

use placet_core::operation::{Actor, Escalation, Upstream};

use super::*;

fn question(message: &str, subject: Option<&str>, extras: Value) -> Item<Operation> {
    let subject = subject.map(str::to_owned);
    created(Content::Question { message: message.into(), subject }, extras, None)
}

fn with_options() -> Item<Operation> {
    let options = json!({"response_options": [
        {"name": "yes", "title": "Go ahead", "description": "Ship it", "prompt_fill": "Yes, ship"},
        {"name": "no"},
        {"name": "later", "title": "Later", "prompt_fill": "Not before <Monday>", "interactive": true}],
        "state": {"ticket": 41}, "channel": {"email": {"address": "ann@example.com"}}});
    question("Shall we ship?", Some("Release 7"), options)
}

fn escalated(operation: &Item<Operation>, message: &str) -> Item<Operation> {
    let message = message.to_owned();
    let escalation = Escalation { message, recipients: Vec::new(), redirects: false };
    let by = Actor::api("key-of-ops", "ops");
    after(operation, Command::Escalate { escalation, by, notify: Vec::new() })
}

#[test]
fn the_list_distinguishes_questions_from_function_calls() {
    let long = format!("{}the end", "Which colour? ".repeat(40));
    let html = list(&[
        plain(),
        with_options(),
        question("a\u{202e}b", None, json!({})),
        question(&long, None, json!({})),
    ]);
    has(
        &html,
        &[
            "<a class=\"function\" href=\"/inbox/call%201%2F%C3%A4\"><bdi>transfer</bdi></a>",
            "<p class=\"who\">by <strong><bdi>ci</bdi></strong>, <time",
            "<a class=\"question\" href=\"/inbox/questions/call%201%2F%C3%A4\"><bdi>Release 7</bdi></a>",
            "<p class=\"begins\"><bdi>Shall we ship?</bdi></p>",
            "<bdi>a</bdi><b class=\"mark\">U+202E</b><bdi>b</bdi></a>",
            "Which colour? ",
        ],
    );
    has_not(&html, &["the end", "Outcome unknown"]);
}

#[test]
fn a_question_is_shown_completely_with_its_run_and_its_background() {
    let operation = with_options();
    let html = page(&operation);
    let digest = operation.digest.to_string();
    has(
        &html,
        &[
            "Waits for an answer",
            "<h1><bdi>Release 7</bdi></h1>",
            "<div class=\"value\"><bdi>Shall we ship?</bdi></div>",
            "Asked by</span> <strong><bdi>ci</bdi></strong>",
            "<dt>Run</dt><dd><code data-copy><bdi>run-1</bdi></code>",
            "57 min left",
            "What else the requester sent",
            "ticket",
            "ann@example.com",
            &digest[..8],
            "<bdi>Requested</bdi>",
        ],
    );
    has_not(&html, &["on approval", "Arguments", "Function", "function", "name=\"verdict\""]);
    let long = "0123456789\n".repeat(2000);
    let whole = page(&question(&long, None, json!({})));
    let (beginning, complete) = whole.split_once("Show all 22000 characters").unwrap();
    assert!(beginning.matches("<bdi>0123456789</bdi>").count() < 30);
    assert_eq!(complete.matches("<bdi>0123456789</bdi>").count(), 2000);
}

#[test]
fn hidden_characters_in_a_question_are_shown() {
    let evil = "</textarea><script>alert(1)</script>\"'>";
    let fill = "pay\u{202e}\u{200b} ann";
    let options = json!({"response_options": [
        {"name": evil, "title": evil, "description": evil, "prompt_fill": evil, "interactive": true},
        {"name": "hides", "prompt_fill": fill, "interactive": true}]});
    let operation = question(evil, Some(evil), options);
    let escalated = escalated(&operation, evil);
    let answered = decided(&operation, Verdict::Answer, evil, Some(evil));
    let edits = View { option: Some(evil), ..view() };
    for html in [
        page(&operation),
        page(&escalated),
        page(&answered),
        super::operation(&operation, &edits).unwrap(),
        list(&[operation.clone(), escalated]),
    ] {
        has(&html, &["&#60;script&#62;"]);
        has_not(&html, &["<script>", "</textarea><", "\"'>", "\u{202e}", "\u{200b}"]);
    }
    let edits = View { option: Some("hides"), ..view() };
    let html = super::operation(&operation, &edits).unwrap();
    let shown = "<bdi>pay</bdi><b class=\"mark\">U+202E</b><b class=\"mark\">U+200B</b>";
    has(
        &html,
        &[
            "are invisible or cover others: zero width space (U+200B), right-to-left override",
            shown,
        ],
    );
    assert_eq!(html.matches(shown).count(), 1);
    let html = page(&question("a\u{202e}\0b", None, json!({})));
    has(&html, &["U+202E", "U+0000", "are invisible or cover others"]);
}

#[test]
fn a_question_is_answered_with_a_text_or_with_one_click() {
    let operation = with_options();
    let html = page(&operation);
    has(
        &html,
        &[
            &format!("<input type=\"hidden\" name=\"digest\" value=\"{}\">", operation.digest),
            "<label for=\"response\">Your answer</label>\n\
             <textarea id=\"response\" name=\"response\" rows=\"4\" maxlength=\"5000\" required>",
            "<button class=\"approve\" type=\"submit\">Answer</button>",
            "<button type=\"submit\" name=\"option\" value=\"yes\" aria-describedby=\"choice-1\"><span><bdi>Go ahead</bdi>",
            "<p id=\"choice-1\"><span><bdi>Ship it</bdi></span> <span>The requester reads: “<bdi>Yes, ship</bdi>”</span></p>",
            "name=\"option\" value=\"no\" aria-describedby=\"choice-2\"><span><bdi>no</bdi>",
            "<p id=\"choice-2\"><span>The requester reads: “<bdi>no</bdi>”</span></p>",
            "href=\"/inbox/here?option=later#decide\"",
            "<bdi>Later</bdi>… (edit before you send)",
        ],
    );
    has_not(&html, &["value=\"later\"", "type=\"hidden\" name=\"option\""]);
    let html = page(&question("Why?", None, json!({})));
    has_not(&html, &["A click sends the answer", "name=\"option\""]);
}

#[test]
fn only_an_interactive_option_can_be_edited_before_it_is_sent() {
    let edited = |option| operation(&with_options(), &View { option, ..view() }).unwrap();
    let html = edited(Some("later"));
    has(
        &html,
        &[
            "<input type=\"hidden\" name=\"option\" value=\"later\">",
            "required>\nNot before &#60;Monday&#62;</textarea>",
            "You chose <strong><bdi>Later</bdi></strong>",
            "href=\"/inbox/here#decide\">Choose something else",
        ],
    );
    has_not(&html, &["value=\"yes\"", "A click sends the answer"]);
    for option in [Some("yes"), Some("never"), Some("")] {
        assert_eq!(edited(option), edited(None), "{option:?}");
    }
}

#[test]
fn an_edited_reason_can_only_be_given_with_a_denial() {
    let options = json!({"reject_options": [
        {"name": "later", "title": "Later", "prompt_fill": "Ask on Monday", "interactive": true},
        {"name": "never", "prompt_fill": "No"}]});
    let operation = requested(json!({"amount": 10}), options, None);
    let html = page(&operation);
    has(
        &html,
        &["name=\"option\" value=\"later\"><span>", "href=\"/inbox/here?option=later#decide\""],
    );
    has_not(&html, &["option=never#"]);
    let html = super::operation(&operation, &View { option: Some("later"), ..view() }).unwrap();
    has(
        &html,
        &[
            "<input type=\"hidden\" name=\"option\" value=\"later\">",
            "required>\nAsk on Monday</textarea>",
            "name=\"verdict\" value=\"deny\"",
            "href=\"/inbox/here#decide\">Choose something else",
        ],
    );
    has_not(&html, &["value=\"approve\"", "type=\"radio\""]);
}

#[test]
fn an_answer_is_shown_and_is_not_a_denial() {
    let operation = with_options();
    let html = page(&decided(&operation, Verdict::Answer, "Yes, ship", Some("yes")));
    has(
        &html,
        &[
            "</span> Answered</p>",
            "<h2 id=\"answer\">Answer</h2>",
            "<strong>Answered</strong> <bdi>through the inbox</bdi>, <time",
            "Chosen: <bdi>Go ahead</bdi>",
            "<blockquote class=\"value words\"><bdi>Yes, ship</bdi></blockquote>",
            "<strong><bdi>Answered</bdi></strong>",
        ],
    );
    has_not(&html, &["Denied", "Approved", "Decision", "<form", "<button"]);
    has(&html, &["<bdi>options</bdi>", "<bdi>Not before &#60;Monday&#62;</bdi>"]);
}

#[test]
fn a_cancelled_or_expired_operation_says_so() {
    let late = NOW.plus(Duration::from_secs(3600));
    let cancel = Command::Cancel {
        reason: "found it".into(),
        by: Actor::api("key-of-ops", "ops"),
        notify: Vec::new(),
    };
    for (operation, expired) in [
        (question("Why?", None, json!({})), "Expired: nobody answered before the deadline"),
        (plain(), "Expired: nobody decided before the deadline"),
    ] {
        let html = page(&after(&operation, cancel.clone()));
        has(
            &html,
            &[
                "Cancelled by the requester",
                "<strong>Cancelled</strong> <bdi>through the API, with the key ops (key-of-ops)</bdi>",
                "<bdi>found it</bdi>",
            ],
        );
        has_not(&html, &["<form", "Denied", "Answered"]);
        let html = super::operation(&operation, &View { now: late, ..view() }).unwrap();
        has(&html, &[expired]);
        has_not(&html, &["<form", "Denied", "Answered"]);
    }
}

#[test]
fn an_escalation_is_shown_until_somebody_answers() {
    let once = escalated(&with_options(), "Please!");
    has(&list(from_ref(&once)), &["<strong>Escalated</strong>, last <time", "<bdi>Please!</bdi>"]);
    let twice = escalated(&once, "The customer waits");
    has(&list(from_ref(&twice)), &["<strong>Escalated twice</strong>", "The customer waits"]);
    let html = page(&twice);
    has(
        &html,
        &[
            "</time>: the requester asks you to decide soon",
            "<div class=\"value\"><bdi>The customer waits</bdi></div>",
            "<strong><bdi>Escalated</bdi></strong> <span><bdi>through the API, with the key ops (key-of-ops)</bdi>",
            "<bdi>Please!</bdi>",
            "<dt>recipients</dt>",
        ],
    );
    let at = |part: &str| html.find(part).unwrap();
    assert!(at("Escalated twice") < at("id=\"message\""), "the escalation is above the message");
    let answered = page(&decided(&twice, Verdict::Answer, "Yes", None));
    has_not(&answered, &["Escalated twice", "asks you to decide soon"]);
}

#[test]
fn the_page_names_the_upstream_approver() {
    let mut operation = with_options();
    operation.body.upstream = Some(Upstream {
        base_url: "https://approvals.example/humanlayer/v1".into(),
        polls: 3,
        next_poll: None,
    });
    let notice = "Also sent to the upstream approver \
                  <code><bdi>https://approvals.example/humanlayer/v1</bdi></code>. \
                  The first decision counts, there or here.";
    has(&page(&operation), &[notice]);
    has_not(&page(&with_options()), &["Also sent to"]);
}

#[test]
fn pages_stay_in_their_project() {
    let new = |project: &str| {
        let mut operation = with_options();
        operation.header.project = project.into();
        operation.body.digest = operation.content_digest();
        operation
    };
    let projects = || Projects { all: vec!["default", "team-a"], shown: "team-a", ..projects() };
    let found = Found { operations: vec![new("team-a")], ..Found::default() };
    let html = super::super::list(&listing(List::Decided), &found, &projects(), NOW).unwrap();
    has(
        &html,
        &[
            "<nav class=\"projects\" aria-label=\"Projects\">",
            "<a href=\"/inbox\"><bdi>default</bdi></a>",
            "<a href=\"/inbox?project=team-a\" aria-current=\"page\"><bdi>team-a</bdi></a>",
            "<a class=\"question\" href=\"/inbox/questions/call%201%2F%C3%A4?project=team-a\">",
            "<a href=\"/inbox?project=team-a&#38;list=problems\"><bdi>Problems</bdi></a>",
            "<input type=\"hidden\" name=\"project\" value=\"team-a\">",
            "<input type=\"hidden\" name=\"list\" value=\"decided\">",
        ],
    );
    let action = Some("/inbox/questions/q?project=team-a");
    let html = operation(&new("team-a"), &View { projects: projects(), action, ..view() }).unwrap();
    has(
        &html,
        &[
            "action=\"/inbox/questions/q?project=team-a\"",
            "href=\"/inbox/questions/q?project=team-a&#38;option=later#decide\"",
            "<a href=\"/inbox?project=team-a\">Inbox</a>",
            "<dt>Project</dt><dd><code><bdi>team-a</bdi>",
        ],
    );
    has_not(&list(&[new("default")]), &["aria-label=\"Projects\"", "?project="]);
    has_not(&page(&new("default")), &["<dt>Project</dt>"]);
}

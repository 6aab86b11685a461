use placet_core::item::Write;
use placet_core::operation::{Command, Escalation};
use serde_json::json;

use super::super::testing::{NOW, call, decided, notification, question, with_failure};
use super::*;

fn order() -> Item<Operation> {
    call(json!({"fn": "order_planks", "kwargs": {
        "wood": "oak", "quantity": 1200, "urgent": true, "note": "", "to": {"site": "A7", "gate": null},
        "address": "Mill Lane 7\n1000 Woodtown",
    }}))
}

/// The text, with the digest left out.
fn text(notification: &Notification<'_>) -> String {
    let text = notification.letter().text();
    text.replace(&notification.operation.digest.to_string(), "[digest]")
}

#[test]
fn a_request_says_who_asks_for_what_and_until_when() {
    insta::assert_snapshot!(text(&notification(Event::Requested, &order())), @r#"
    agent asks you to approve order_planks.

    Decide by Fri 20 Nov 2026, 13:00 UTC. Without a decision, nothing runs.

    wood: oak
    quantity: 1200
    urgent: true
    note: (empty)
    to:
        {
          "site": "A7",
          "gate": null
        }
    address:
        Mill Lane 7
        1000 Woodtown

    Approve or deny:
    https://inbox.example.com/d/token

    -- 
    Answer on the page. Nobody reads replies to this mail.
    function_call/call-1 of project default, run run-7
    Digest [digest]
    "#);
}

#[test]
fn a_question_is_quoted_with_its_possible_answers() {
    let question = question(json!({"msg": "Oak or pine?\nThe client waits.", "response_options": [
        {"name": "oak", "title": "Oak"}, {"name": "pine"}]}));
    insta::assert_snapshot!(text(&notification(Event::Requested, &question)), @r"
    agent asks a question.

    > Oak or pine?
    > The client waits.

    Answer by Fri 20 Nov 2026, 13:00 UTC.

    possible answers: Oak, pine

    Answer:
    https://inbox.example.com/d/token

    -- 
    Answer on the page. Nobody reads replies to this mail.
    human_contact/call-1 of project default, run run-7
    Digest [digest]
    ");
}

#[test]
fn a_person_who_may_not_decide_is_only_informed() {
    let order = order();
    let informed = Notification { may_decide: false, ..notification(Event::Requested, &order) };
    let text = text(&informed);
    assert!(
        text.starts_with(
            "agent requests approval of order_planks.\n\nIt waits for a decision until"
        )
    );
    assert!(
        text.contains("This mail only informs you.") && text.contains("Open the page:\n"),
        "{text}"
    );
    assert!(text.contains("-- \nNobody reads replies to this mail.\n"), "{text}");
    assert!(!text.contains("Approve or deny") && !text.contains("Answer"), "{text}");
}

#[test]
fn every_event_has_its_sentence() {
    let order = order();
    let escalation = Escalation {
        message: "The truck leaves at noon".to_owned(),
        recipients: Vec::new(),
        redirects: false,
    };
    let escalate =
        Command::Escalate { escalation, by: Actor::api("k", "agent"), notify: Vec::new() };
    let escalated = order.apply(&escalate, &Write::new("w2", NOW)).unwrap();
    let approved = decided(&order, Verdict::Approve, "");
    let denied = decided(&order, Verdict::Deny, "too much");
    let failed = with_failure(&approved, "the shop answered 403");
    for (event, operation, parts) in [
        (
            Event::Reminded,
            &order,
            vec!["Reminder: agent still waits for a decision on order_planks."],
        ),
        (
            Event::Escalated,
            &escalated,
            vec!["needs a decision on order_planks soon.", "> The truck leaves at noon"],
        ),
        (Event::Completed, &approved, vec!["order_planks was approved.", "decided by: inbox"]),
        (
            Event::Completed,
            &denied,
            vec!["order_planks was denied.", "It does not run.", "comment: too much"],
        ),
        (Event::Expired, &order, vec!["Nobody decided on order_planks in time.", "Nothing runs."]),
        (
            Event::Failed,
            &failed,
            vec!["was approved and has failed.", "> the shop answered 403", "It had no effect."],
        ),
        (
            Event::Blocked,
            &failed,
            vec!["was approved and cannot run yet.", "> the shop answered 403"],
        ),
        (
            Event::Unknown,
            &failed,
            vec!["The outcome of order_planks is unknown.", "Record what happened:"],
        ),
    ] {
        let text = text(&notification(event, operation));
        for part in parts {
            assert!(text.contains(part), "{}: {part}\n{text}", event.as_str());
        }
    }
}

#[test]
fn a_subject_names_the_request_and_outside_of_a_thread_the_event() {
    let order = order();
    let subject = |event, thread| notification(event, &order).subject(thread);
    assert_eq!(subject(Event::Requested, false), "Approve order_planks? Requested by agent");
    assert_eq!(subject(Event::Reminded, true), "Re: Approve order_planks? Requested by agent");
    assert_eq!(
        subject(Event::Escalated, false),
        "Urgent: Approve order_planks? Requested by agent"
    );
    let asked = question(json!({"msg": "Oak or pine?\nNow."}));
    assert_eq!(
        notification(Event::Requested, &asked).subject(false),
        "agent asks: Oak or pine? Now."
    );
    let named = question(json!({"msg": "Oak?", "subject": "Wood"}));
    assert_eq!(notification(Event::Requested, &named).subject(false), "Wood");
    let own = call(json!({"fn": "f", "kwargs": {}, "channel": {"email": {
        "address": "ann@example.org", "experimental_subject_line": "Your order"}}}));
    assert_eq!(notification(Event::Requested, &own).subject(false), "Your order");
    assert_eq!(notification(Event::Expired, &own).subject(true), "Re: Your order");
}

#[test]
fn a_subject_is_one_visible_line() {
    let hostile = "Hi\r\nBcc: all@example.org\r\n\r\n<script>\u{202e}\u{200b}";
    let own = call(json!({"fn": hostile, "kwargs": {}, "channel": {"email": {
        "address": "ann@example.org", "subject": hostile}}}));
    let subject = notification(Event::Requested, &own).subject(false);
    assert_eq!(subject, "Hi Bcc: all@example.org <script>");
    let usual = Notification { contact: None, ..notification(Event::Requested, &own) };
    assert_eq!(
        usual.subject(false),
        "Approve Hi Bcc: all@example.org <script>? Requested by agent"
    );
    let long = call(json!({"fn": "f", "kwargs": {}, "channel": {"email": {
        "address": "ann@example.org", "subject": "x".repeat(400)}}}));
    assert_eq!(
        notification(Event::Requested, &long).subject(false).chars().count(),
        LONGEST_SUBJECT
    );
}

#[test]
fn long_arguments_are_cut_and_counted() {
    let mut kwargs = serde_json::Map::new();
    for index in 0..60 {
        kwargs.insert(format!("a{index}"), json!(index));
    }
    kwargs["a0"] = "x".repeat(4711).into();
    let text = text(&notification(Event::Requested, &call(json!({"fn": "f", "kwargs": kwargs}))));
    assert!(text.contains(&format!("{}… 4,211 more characters\n", "x".repeat(500))), "{text}");
    assert!(text.contains("a49: 49\n…: 10 more arguments are on the page\n"), "{text}");
}

#[test]
fn the_html_escapes_every_text_and_loads_nothing() {
    let evil = "<img src=https://evil.example/x.png onerror=alert(1)>\"'&";
    let operation = call(json!({"fn": evil, "kwargs": {evil: evil, "hidden": "a\u{200b}b"}}));
    let operation = decided(&operation, Verdict::Deny, evil);
    for event in Event::ALL {
        let html = notification(event, &operation).letter().html();
        assert!(!html.contains("<img") && !html.contains("onerror=alert(1)>\"'"), "{html}");
        assert!(!html.contains("src=h") || html.contains("&#60;img src=h"), "{html}");
        for loaded in ["<link", "@import", "url(", "<script", " src=\""] {
            assert!(!html.contains(loaded), "{loaded}: {html}");
        }
        assert!(html.contains("a[zero width space U+200B]b"), "{html}");
        assert_eq!(html.matches("href=").count(), 1, "{html}");
    }
}

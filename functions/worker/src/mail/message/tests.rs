use placet_core::operation::EmailContact;
use serde_json::json;

use super::super::testing::{mail, sender};
use super::super::{Recipients, Thread};
use super::*;

fn formatted(mail: &Mail) -> String {
    String::from_utf8(message(mail, &sender()).unwrap().formatted()).unwrap().replace("\r\n", "\n")
}

fn contact(other: serde_json::Value) -> EmailContact {
    serde_json::from_value(other).unwrap()
}

#[test]
fn a_mail_has_two_parts_and_is_the_same_at_each_attempt() {
    let formatted = |mail: &Mail| {
        let text = formatted(mail);
        assert_eq!(text, self::formatted(mail));
        text.replace(&boundary(mail), "[boundary]")
    };
    insta::assert_snapshot!(formatted(&mail()), @r#"
    From: Placet <approvals@example.com>
    Date: Fri, 20 Nov 2026 09:00:00 +0000
    Message-ID: <msg_1@example.com>
    Subject: Approve order?
    Auto-Submitted: auto-generated
    To: ann@example.org
    MIME-Version: 1.0
    Content-Type: multipart/alternative;
     boundary="[boundary]"

    --[boundary]
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: 7bit

    Decide.

    --[boundary]
    Content-Type: text/html; charset=utf-8
    Content-Transfer-Encoding: 7bit

    <p>Decide.</p>

    --[boundary]--
    "#);
}

#[test]
fn additional_recipients_are_in_the_header_that_they_name() {
    let contact = contact(json!({"address": "ann@example.org", "additional_recipients": [
        {"address": "ben@example.org"}, {"address": "cleo@example.org", "field": "cc"},
        {"address": "dan@example.org", "field": "bcc"}, {"address": "ann@example.org", "field": "cc"}]}));
    let mail = Mail { recipients: Recipients::of(&contact), ..mail() };
    let text = formatted(&mail);
    assert!(text.contains("\nTo: ann@example.org, ben@example.org\n"), "{text}");
    assert!(text.contains("\nCc: cleo@example.org, ann@example.org\n"), "{text}");
    assert!(!text.contains("dan@") && !text.contains("Bcc"), "{text}");
    let envelope = envelope(&mail, &sender()).unwrap();
    let to: Vec<String> = envelope.to().iter().map(ToString::to_string).collect();
    assert_eq!(to, ["ann@example.org", "ben@example.org", "cleo@example.org", "dan@example.org"]);
    assert_eq!(envelope.from().unwrap().to_string(), "approvals@example.com");
}

#[test]
fn a_later_mail_refers_to_the_request_and_to_the_thread_of_the_requester() {
    let contact = contact(json!({"address": "ann@example.org",
        "in_reply_to_message_id": "<a2@x.example>", "references_message_id": "<a1@x.example> a2@x.example"}));
    let headers = |began_with| {
        let mail = Mail { thread: Thread::of(Some(&contact), began_with), ..mail() };
        let text = formatted(&mail).replace("\n ", " ");
        let line = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_once(": ").unwrap().1.to_owned()
        };
        (line("In-Reply-To"), line("References"))
    };
    let first = headers(None);
    assert_eq!(first, ("<a2@x.example>".to_owned(), "<a1@x.example> <a2@x.example>".to_owned()));
    let (reply, references) = headers(Some("msg_0"));
    assert_eq!(reply, "<msg_0@example.com>");
    assert_eq!(references, "<a1@x.example> <a2@x.example> <msg_0@example.com>");
    let without = Mail { thread: Thread::of(None, Some("msg_0")), ..mail() };
    assert!(formatted(&without).contains("\nReferences: <msg_0@example.com>\n"));
}

#[test]
fn an_id_that_could_end_a_header_is_left_out() {
    for (written, read) in [
        ("<1@a>", vec!["<1@a>"]),
        ("1@a", vec!["<1@a>"]),
        ("<1@a>\r\nBcc: b@example.org", vec!["<1@a>", "<Bcc:>", "<b@example.org>"]),
        ("<1@a><2@a>", vec![]),
        ("<ä@a> \u{0}", vec![]),
        ("<>", vec![]),
    ] {
        assert_eq!(ids(written), read, "{written:?}");
    }
    assert_eq!(ids(&"a ".repeat(99)).len(), MOST_IDS);
    assert!(ids(&"a".repeat(251)).is_empty());
}

#[test]
fn no_text_of_a_requester_adds_a_header() {
    let hostile = "x\r\nBcc: all@example.org\r\n\r\n.\r\nMAIL FROM:<a@example.org>\u{1f600}";
    let mail = Mail { subject: hostile.to_owned(), text: hostile.to_owned(), ..mail() };
    let text = formatted(&mail);
    let (headers, _) = text.split_once("\n\n").unwrap();
    assert!(!headers.lines().any(|line| line.starts_with("Bcc") || line.is_empty()), "{headers}");
    assert!(headers.is_ascii());
    for address in
        ["a@example.org\r\nBcc: b@example.org", "<a@example.org>", "a@example.org, b@example.org"]
    {
        let mail = Mail { recipients: Recipients::one(address), ..mail.clone() };
        let error = message(&mail, &sender()).unwrap_err();
        assert!(error.contains("is not an e-mail address that can be reached"), "{error}");
    }
    let nobody = Mail { recipients: Recipients::default(), ..mail };
    assert_eq!(message(&nobody, &sender()).unwrap_err(), "the mail has no recipient");
}

#[test]
fn a_line_of_a_part_is_never_longer_than_servers_take() {
    let mail = Mail { text: "ä".repeat(5000), html: "x".repeat(5000), ..mail() };
    assert!(formatted(&mail).lines().all(|line| line.len() <= 998));
}

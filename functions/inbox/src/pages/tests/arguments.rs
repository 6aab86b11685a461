//! The arguments of a call, and their place on the page.

use super::*;

/// A text has no quotation marks, so the page names its type if the text reads like another value.
#[test]
fn every_argument_is_shown_and_its_type_is_certain() {
    let kwargs = json!({"to": "ann", "n": "10", "amount": 10.5, "sum": 1_250_000, "deep": {"a": [true, null]}});
    let html = page(&requested(kwargs, json!({}), None));
    for (name, value, hint) in [
        ("to", "<bdi>ann</bdi>", ""),
        ("n", "<bdi>10</bdi>", "<p class=\"hint\"><span class=\"kind\">text</span></p>"),
        ("amount", "10.5", ""),
        ("sum", "1250000", "<p class=\"hint\"><span>1 250 000</span></p>"),
        (
            "deep",
            "{\n  &#34;<bdi>a</bdi>&#34;: [\n    true,\n    null\n  ]\n}",
            "<p class=\"hint\"><span class=\"kind\">object of 1</span></p>",
        ),
    ] {
        let row = format!(
            "<dt><span class=\"name\"><bdi>{name}</bdi></span></dt>\n\
             <dd><div class=\"value\">{value}</div>\n{hint}"
        );
        has(&html, &[&row]);
    }
    has(
        &page(&requested(json!({}), json!({}), None)),
        &["The function is called without arguments."],
    );
    has(&page(&requested(json!([1, 2]), json!({}), None)), &["[\n  1,\n  2\n]"]);
}

/// The order of the page: what, who, until when, why, the arguments, the decision, and the rest folded.
#[test]
fn the_decision_follows_directly_after_the_arguments() {
    let operation = requested(json!({"amount": 10}), json!({}), Some(plan(true)));
    let html = page(&operation);
    let parts = [
        "<h1 class=\"function\"><bdi>transfer</bdi></h1>",
        "Requested by</span> <strong><bdi>ci</bdi></strong>",
        "Deadline <time datetime=\"2026-11-20T09:57:00.000Z\">",
        "id=\"arguments\"",
        "id=\"decide\"",
        "<summary>What happens on approval</summary>",
        "<summary>Details</summary>",
        "<summary>History",
    ];
    let places: Vec<_> = parts.iter().map(|part| html.find(part).expect(part)).collect();
    assert!(places.is_sorted(), "{places:?}");
    has_not(&html, &["<details class=\"card\" open>"]);
    has(&page(&decided(&operation, Verdict::Deny, "", None)), &["<details class=\"card\" open>"]);
}

#[test]
fn hidden_characters_in_an_argument_are_shown() {
    let html = page(&requested(json!({"iban": "DE\u{202e}12\0\u{200b}"}), json!({}), None));
    has_not(&html, &["\u{202e}", "\0", "\u{200b}"]);
    has(&html, &["U+202E", "U+0000", "U+200B", "right-to-left override (U+202E)"]);
}

#[test]
fn a_long_argument_is_shown_completely() {
    let long = "0123456789".repeat(10_240);
    let html = page(&requested(json!({"blob": long}), json!({}), None));
    has(
        &html,
        &[
            &long,
            "Show all 102400 characters",
            "One long value is folded. Open it before you approve.",
        ],
    );
}

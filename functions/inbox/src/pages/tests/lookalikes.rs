//! The pages warn of texts that look like other texts.

use super::*;

#[test]
fn the_page_of_an_operation_warns_of_every_kind_of_look_alike() {
    for (kwargs, warning) in [
        (json!({"amount": 1, "\u{430}mount": 2}), "“amount” and “[U+0430]mount”"),
        (json!({"to": "р\u{430}ура\u{6c}.com"}), "Contains words that mix alphabets"),
        (json!({"to": "рау"}), "Contains words that look like Latin words but are not"),
        (
            json!({"to": "re\u{301}sume"}),
            "Contains accents that are separate characters: re[U+0301]sume",
        ),
        (json!({"amount": "１００"}), "U+FF11 for “1”"),
        (json!({"to": "\u{1d41a}nn"}), "U+1D41A for “a”"),
        (json!({"to": "bank.example\u{2215}login"}), "U+2215 for “/”"),
        (json!({"amount": "1\u{336}00"}), "mark that covers a letter (U+0336)"),
    ] {
        let html = page(&requested(kwargs, json!({}), None));
        has(&html, &["<p class=\"warning\">", warning]);
    }
}

#[test]
fn an_option_of_one_click_warns_of_its_title_description_and_text() {
    let options = |kind: &str, option: Value| json!({kind: [{"name": "plain"}, option]});
    for option in [
        json!({"name": "a", "title": "р\u{430}ура\u{6c}.com"}),
        json!({"name": "a", "description": "р\u{430}ура\u{6c}.com"}),
        json!({"name": "a", "prompt_fill": "р\u{430}ура\u{6c}.com"}),
    ] {
        let question = Content::Question { message: "Pay?".into(), subject: None };
        let asked = created(question, options("response_options", option.clone()), None);
        let call = requested(json!({}), options("reject_options", option.clone()), None);
        for operation in [asked, call] {
            has(&page(&operation), &["<p class=\"warning\">Contains words that mix alphabets"]);
        }
    }
    let alike = json!({"reject_options": [
        {"name": "a", "title": "Wait"}, {"name": "b", "title": "W\u{430}it"}]});
    let html = page(&requested(json!({}), alike, None));
    has(&html, &["Contains different names that look alike: “Wait” and “W[U+0430]it”"]);
}

/// A letter of many characters could grow over the texts beside it. Each further character is marked instead.
#[test]
fn a_long_letter_is_shown_completely_and_covers_nothing() {
    let conjunct = format!("{}\u{915}", "\u{915}\u{94d}".repeat(40));
    for text in ["\u{1100}".repeat(100), conjunct, format!("e{}", "\u{301}".repeat(50))] {
        let html = page(&requested(json!({"note": text}), json!({}), None));
        let marks = html.matches("<b class=\"mark\">U+").count();
        assert!(marks > 0, "{text}");
    }
}

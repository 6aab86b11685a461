use serde_json::json;

use super::*;

fn html(shown: &Shown) -> String {
    shown.render().unwrap()
}

#[test]
fn ordinary_text_is_only_escaped() {
    assert_eq!(
        html(&Shown::text("Größe <b> & \"x\"")),
        "<bdi>Größe &#60;b&#62; &#38; &#34;x&#34;</bdi>"
    );
}

#[test]
fn hidden_characters_are_named_and_explained() {
    let shown = Shown::text("pay\u{202e}0001\u{200b}\u{200b}\0");
    assert_eq!(
        html(&shown),
        "<bdi>pay</bdi><b class=\"mark\">U+202E</b><bdi>0001</bdi>\
         <b class=\"mark\">U+200B ×2</b><b class=\"mark\">U+0000</b>"
    );
    assert_eq!(
        Shown::warnings(&[&shown]),
        ["Contains characters that are invisible or cover others: control character (U+0000), \
          zero width space (U+200B), right-to-left override (U+202E)."]
    );
    assert!(Shown::warnings(&[&Shown::text("plain"), &Shown::text("")]).is_empty());
}

#[test]
fn spaces_at_the_ends_and_line_breaks_are_shown() {
    assert_eq!(html(&Shown::text("")), "<b class=\"mark\">empty</b>");
    assert_eq!(html(&Shown::text("  ")), "<b class=\"mark\">space ×2</b>");
    assert_eq!(html(&Shown::text("a ")), "<bdi>a</bdi><b class=\"mark\">space</b>");
    assert_eq!(
        html(&Shown::text("a\u{a0}b")),
        "<bdi>a</bdi><b class=\"mark\">U+00A0</b><bdi>b</bdi>"
    );
    let lines = html(&Shown::text("a\n\tb"));
    assert!(
        lines.starts_with("<bdi>a</bdi><i class=\"sign\">↵</i>\n<i class=\"sign\">⇥</i>\t"),
        "{lines}"
    );
}

#[test]
fn nested_values_are_indented_json_with_isolated_strings() {
    let shown = Shown::value(&json!({"to": ["a\"\n\u{202e}", 1, null], "none": {}, "no": []}));
    assert_eq!(
        shown.plain(),
        "{\n  \"to\": [\n    \"a\\\"\\n[U+202E]\",\n    1,\n    null\n  ],\n  \"none\": {},\n  \"no\": []\n}"
    );
    assert!(html(&shown).contains("<bdi>none</bdi>"));
    assert_eq!(Shown::warnings(&[&shown]).len(), 1);
}

#[test]
fn a_small_value_does_not_make_a_huge_page() {
    let numbers = Value::from(vec![0; 10_000]);
    let deep = (0..100).fold(numbers, |inner, _| json!([inner]));
    assert!(html(&Shown::value(&deep)).len() < 40 * deep.to_string().len());
    assert_eq!(html(&Shown::text(&"\0".repeat(10_000))), "<b class=\"mark\">U+0000 ×10000</b>");
}

#[test]
fn a_letter_that_could_cover_other_text_is_marked() {
    let struck = Shown::text("1\u{336}0\u{336}");
    assert_eq!(struck.plain(), "1[U+0336]0[U+0336]");
    assert!(Shown::warnings(&[&struck])[0].contains("mark that covers a letter (U+0336)"));
    let stacked = Shown::text(&format!("e{}", "\u{301}".repeat(5)));
    assert_eq!(stacked.plain(), "\u{65}\u{301}\u{301}\u{301}[U+0301]");
    let jamo = Shown::text(&"\u{1100}".repeat(100));
    assert_eq!(jamo.plain(), format!("{}[U+1100]", "\u{1100}".repeat(8)));
    assert!(html(&jamo).contains("U+1100 ×92"));
}

#[test]
fn right_to_left_letters_are_shown_with_a_warning() {
    let shown = Shown::value(&json!({"account": "א 0044 0532"}));
    assert!(html(&shown).contains("<bdi>א 0044 0532</bdi>"));
    assert!(Shown::warnings(&[&shown])[0].contains("may be shown in another order"));
}

#[test]
fn a_line_is_short_and_a_long_argument_leaves_room_for_the_others() {
    let line = Shown::line(&json!({"body": "x".repeat(1000), "to": "ann"})).plain();
    assert_eq!(line, format!("body: \"{}…, to: \"ann\"", "x".repeat(59)));
    let many: serde_json::Map<_, _> = (0..100).map(|n| (format!("n{n}"), n.into())).collect();
    assert_eq!(Shown::line(&Value::Object(many)).plain().chars().count(), 161);
    assert_eq!(Shown::line(&json!([1, "two"])).plain(), "[1, \"two\"]");
}

#[test]
fn a_warning_about_many_characters_stays_short() {
    let everything: String = ('\u{2000}'..='\u{2064}').collect();
    let warning = &Shown::warnings(&[&Shown::text(&everything)])[0];
    assert!(warning.contains(" more.") && warning.len() < 300, "{warning}");
}

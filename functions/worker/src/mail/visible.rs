//! Texts of requesters and other persons as a mail shows them.

use std::fmt::Write as _;

use placet_core::characters::{code_point, hidden};

/// A text of several lines with at most `most` characters. It says how much it leaves out, and names every character
/// that a reader would not see.
pub(super) fn lines(text: &str, most: usize) -> String {
    let mut shown = marked(&head(text, most).replace("\r\n", "\n"), true);
    shown.push_str(&rest(text, most));
    shown
}

/// As [`lines`], on one line.
pub(super) fn line(text: &str, most: usize) -> String {
    let mut shown = marked(&head(text, most).replace(['\r', '\n', '\t'], " "), false);
    shown.push_str(&rest(text, most));
    shown
}

/// A text for a header: on one line, without a character that a reader would not see, at most `most` characters.
pub(super) fn header(text: &str, most: usize) -> String {
    let visible = text.chars().map(|sign| if hidden(sign).is_some() { ' ' } else { sign });
    let visible: String = visible.collect();
    let words = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(most) {
        Some(_) => format!("{}…", head(&words, most - 1).trim_end()),
        None => words,
    }
}

/// A number with its digits in groups of three.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn head(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// What is left out of a text, in words.
fn rest(text: &str, most: usize) -> String {
    match text.chars().count().saturating_sub(most) {
        0 => String::new(),
        1 => "… 1 more character".to_owned(),
        more => format!("… {} more characters", grouped(more)),
    }
}

/// The text with every hidden character named. Line breaks and tabs stay if `several` lines are shown.
fn marked(text: &str, several: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let Some(name) = hidden(sign).filter(|_| !(several && (sign == '\n' || sign == '\t')))
        else {
            shown.push(sign);
            continue;
        };
        let mut times = 1;
        while signs.next_if_eq(&sign).is_some() {
            times += 1;
        }
        let times = if times > 1 { format!(" ×{}", grouped(times)) } else { String::new() };
        let _ = write!(shown, "[{name} {}{times}]", code_point(sign));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_says_how_much_is_left() {
        assert_eq!(lines("oak", 3), "oak");
        assert_eq!(lines("oaks", 3), "oak… 1 more character");
        assert_eq!(
            lines(&"ä".repeat(4711), 500),
            format!("{}… 4,211 more characters", "ä".repeat(500))
        );
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn hidden_characters_are_named() {
        assert_eq!(lines("a\u{200b}\u{200b}b\r\nc\td", 99), "a[zero width space U+200B ×2]b\nc\td");
        assert_eq!(line("pay\u{202e}001\nnow", 99), "pay[right-to-left override U+202E]001 now");
    }

    #[test]
    fn a_header_is_one_visible_line() {
        assert_eq!(header("Oak\r\nBcc: b@example.org\0\u{2028} x", 99), "Oak Bcc: b@example.org x");
        assert_eq!(header("0123456789", 10), "0123456789");
        assert_eq!(header("0123456789a", 10), "012345678…");
        assert_eq!(header("\r\n", 10), "");
    }
}

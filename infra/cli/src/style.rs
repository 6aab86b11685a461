//! How the command line looks. What prints colours goes through `anstream`, which removes them where there
//! is no terminal or `NO_COLOR` is set.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

/// Something is wrong.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Somebody may have to look.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Something went well.
pub const GOOD: Style = AnsiColor::Green.on_default();

/// What a reader may skip.
pub const DIM: Style = Style::new().dimmed();

/// What a reader looks for.
pub const STRONG: Style = Style::new().bold();

/// The name of a member.
pub const NAME: Style = AnsiColor::Cyan.on_default();

/// The time of day of a moment in RFC 3339.
pub fn time(moment: &str) -> &str {
    moment.split_once('T').map_or(moment, |(_, time)| time).trim_end_matches('Z')
}

/// A text without control characters: what others wrote must not control the terminal.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    let escaped = text.chars().map(|character| match character.is_control() {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    });
    escaped.collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_control_the_terminal() {
        assert_eq!(printable("caf\u{e9}"), "caf\u{e9}");
        assert_eq!(printable("\u{1b}[2J\u{9b}2J\r\n"), r"\u{1b}[2J\u{9b}2J\r\n");
    }

    #[test]
    fn a_moment_has_a_time_of_day() {
        assert_eq!(time("2026-11-20T09:00:00.000Z"), "09:00:00.000");
        assert_eq!(time("never"), "never");
    }
}

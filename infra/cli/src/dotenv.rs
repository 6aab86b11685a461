//! The file `.env`. A value is what is written there: nothing in it is substituted or unescaped.

use placet_runtime::{Environment, has_another, in_quotes};

/// Why a line of `.env` cannot be read. The line may hold a secret, so an error never has the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DotenvError {
    /// The line is not a variable.
    #[error("line {0}: this line is not NAME=value: correct it, or remove it")]
    Line(usize),
    /// The value needs quotes.
    #[error("line {0}: the value contains white space: put it in quotes")]
    Space(usize),
    /// The quotes do not end, or more follows them.
    #[error("line {0}: the value must end with the quote that it begins with")]
    Quote(usize),
    /// The name has another value on an earlier line.
    #[error("line {0}: {1} has another value on an earlier line: remove one")]
    Twice(usize, String),
}

/// Reads lines of `NAME=value`, with or without `export` before them. A value may be in single or double
/// quotes. A `#` at the beginning of a line, or after white space behind a value, begins a comment. A byte order
/// mark is skipped.
///
/// # Errors
///
/// The first line that cannot be read.
pub fn parse(text: &str) -> Result<Environment, DotenvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let exported = line.strip_prefix("export ").unwrap_or(line);
        let (name, rest) = exported.split_once('=').ok_or(DotenvError::Line(number))?;
        let name = name.trim();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(DotenvError::Line(number));
        }
        let value = value(rest, number)?;
        if has_another(&pairs, name, value) {
            return Err(DotenvError::Twice(number, name.to_owned()));
        }
        pairs.push((name.to_owned(), value.to_owned()));
    }
    Ok(pairs.into_iter().collect())
}

/// The value in what follows the equals sign.
fn value(written: &str, number: usize) -> Result<&str, DotenvError> {
    let ends = |rest: &str| {
        let behind = rest.trim_start();
        behind.is_empty() || (behind.len() < rest.len() && behind.starts_with('#'))
    };
    if ends(written) {
        return Ok("");
    }
    let text = written.trim();
    if let Some(quoted) = in_quotes(text) {
        let closed = quoted.filter(|(_, rest)| ends(rest));
        return closed.map(|(value, _)| value).ok_or(DotenvError::Quote(number));
    }
    let (value, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    if ends(rest) { Ok(value) } else { Err(DotenvError::Space(number)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_is_written() {
        for (line, expected) in [
            ("A=ab$cd", "ab$cd"),
            ("A=\"ab$cd\"", "ab$cd"),
            ("A=${HOME}", "${HOME}"),
            (r"A=a\nb\", r"a\nb\"),
            (r#"A="a\nb""#, r"a\nb"),
            ("A='it is \"so\"'", "it is \"so\""),
            ("A=\"it's\"", "it's"),
            ("A=a#b", "a#b"),
            ("A=#b", "#b"),
            ("A=a # a comment", "a"),
            ("A='a b' # a comment", "a b"),
            ("\u{feff}A=1", "1"),
            ("# first\r\n\r\n  export A = x=y \r\n", "x=y"),
        ] {
            let read = parse(line).unwrap();
            assert_eq!(read.get("A").as_deref(), Some(expected), "{line}");
        }
        for empty in ["A=", "A=\"\"", "A= # a comment"] {
            assert_eq!(parse(empty).unwrap().get("A"), None, "{empty}");
        }
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        for text in ["A=\nA=bbbb", "A=bbbb\nA=''", "A=bbbb\nA=bbbb\nA="] {
            assert_eq!(parse(text).unwrap().get("A").as_deref(), Some("bbbb"), "{text}");
        }
    }

    #[test]
    fn an_error_has_the_number_of_the_line_and_nothing_of_it() {
        for (text, expected) in [
            ("A=1\n\nFOO secret\n", DotenvError::Line(3)),
            ("\u{feff}# a\nsecret", DotenvError::Line(2)),
            ("=secret", DotenvError::Line(1)),
            ("A=a secret", DotenvError::Space(1)),
            ("A=1\nB='secret", DotenvError::Quote(2)),
            ("B=\"a\"secret", DotenvError::Quote(1)),
            ("A=1\nA=secret", DotenvError::Twice(2, "A".to_owned())),
        ] {
            let error = parse(text).err().unwrap();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}

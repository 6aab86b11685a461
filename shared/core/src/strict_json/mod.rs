//! JSON that every reader understands in the same way. An approver must see exactly the values that the
//! sender wrote.
//!
//! Readers disagree on two cases that JSON allows. If two members have the same name, most readers keep
//! the last. A number that neither a 64-bit integer nor a double holds is rounded. This module refuses both.
//!
//! Reading has two strengths. [`Text`] is exact: for what a person approves, what is executed and what a digest
//! covers. [`Lenient`] is for what needs one value only: the type of an event, a time, a token, a handshake. Neither
//! reads a damaged text as an empty one.
//!
//! A [`Value`] tree needs up to a hundred times as much memory as its text. So Placet looks up the fields of
//! webhooks in a [`Text`], and limits the size of a tree.

mod decimal;
mod lenient;
mod scan;
mod text;
mod unique;

use std::ops::Range;

use serde_json::{Number, Value};

pub use decimal::Decimal;
pub use lenient::{Lenient, from_utf16, without_mark};
pub use scan::Unreadable;
pub use text::{Text, is_pointer};

/// The most characters of a name in an error message.
pub const LONGEST_QUOTE: usize = 100;

/// The reason why a text cannot become a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The tree would need too much memory.
    #[error("the JSON has too many members to fit into memory")]
    TooHeavy,
    /// The text is not JSON, or JSON that readers disagree on. The message says what is wrong and where.
    #[error("{0}")]
    Malformed(String),
}

/// Reads one JSON value.
///
/// # Errors
///
/// Says what is wrong and where: the JSON is too large, malformed, nested deeper than 127 levels, has a
/// repeated member, or has a number that would be rounded.
pub fn parse(bytes: &[u8]) -> Result<Value, ParseError> {
    let text = Text::read(bytes).map_err(ParseError::Malformed)?;
    text.exact().map_err(ParseError::Malformed)?;
    text.value()
}

/// The approximate memory of the tree of a text, in bytes. An object with one member needs a hundred times
/// as many bytes as in the text.
fn weight(json: &[u8]) -> usize {
    let of_one = |(byte, _)| match byte {
        b'"' => 32,
        b'{' => 700,
        b':' => 100,
        b',' | b'[' => 40,
        _ => 0,
    };
    json.len() + outside_strings(json).map(of_one).sum::<usize>()
}

/// The number of values in a JSON text without spaces: objects, lists and the values in them.
pub fn count(json: &[u8]) -> usize {
    let begins_one = |pair: &(u8, &[u8])| match pair {
        (b'[', [b']', ..]) | (b'{', [b'}', ..]) => false,
        (byte, _) => b"[{,".contains(byte),
    };
    1 + outside_strings(json).filter(begins_one).count()
}

/// The nesting depth of a valid JSON text. A scalar has depth 0.
pub fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for (byte, _) in outside_strings(json) {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The place of the first number in a valid JSON text that a tree would round. A tree keeps integers of 64 bits and
/// doubles.
fn rounded(json: &[u8]) -> Option<Range<usize>> {
    let mut rest = json;
    while let Some((first, after)) = rest.split_first() {
        if *first == b'"' {
            rest = after_string(after).unwrap_or_default();
        } else if *first == b'-' || first.is_ascii_digit() {
            let in_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
            let end = rest.iter().position(|byte| !in_number(byte)).unwrap_or(rest.len());
            let (number, behind) = rest.split_at(end);
            let start = json.len() - rest.len();
            if !is_kept(&String::from_utf8_lossy(number)) {
                return Some(start..start + end);
            }
            rest = behind;
        } else {
            rest = after;
        }
    }
    None
}

/// Whether a tree keeps the decimal value of a number.
fn is_kept(number: &str) -> bool {
    let short = number.len() <= 18 && number.bytes().skip(1).all(|byte| byte.is_ascii_digit());
    short || {
        let kept = serde_json::from_str(number).map(|kept: Number| kept.to_string());
        let kept = kept.ok().and_then(|kept| Decimal::parse(&kept));
        kept.is_some() && kept == Decimal::parse(number)
    }
}

/// Each byte outside of strings, with the bytes after it. Of a string only the opening quote is returned.
fn outside_strings(json: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = json;
    std::iter::from_fn(move || {
        let (first, after) = rest.split_first()?;
        let after_it = if *first == b'"' { after_string(after) } else { Some(after) };
        rest = after_it.unwrap_or_default();
        Some((*first, after))
    })
}

/// The bytes after the closing quote of a string; `None` if the string has no end. `rest` begins after the opening
/// quote.
fn after_string(mut rest: &[u8]) -> Option<&[u8]> {
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        if rest[at] == b'"' {
            return Some(&rest[at + 1..]);
        }
        rest = rest.get(at + 2..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn valid_json_reads_as_in_serde_json() {
        for text in [
            "null",
            " [1, -2, 3.5, 1e300, true, \"a\\\"7\\\\\", {\"a\": {}}] ",
            "18446744073709551615",
            "100000000000000000000",
            "0.1",
            "-0.0",
            "-9223372036854775808",
            "{\"99999999999999999999\": \"99999999999999999999\"}",
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(serde_json::from_str(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn json_that_readers_disagree_on_is_refused() {
        for (text, part) in [
            (r#"{"a": 1, "b": 2, "a": 3}"#, "\"a\" occurs twice"),
            (r#"[{"x": {"a": 1, "\u0061": 1}}]"#, "\"a\" occurs twice"),
            (r#"{"n": 18446744073709551616}"#, "18446744073709551616 at line 1 column 7 would be"),
            (
                "[\"\\\\\",\n -9223372036854775809]",
                "-9223372036854775809 at line 2 column 2 would be",
            ),
            ("9007199254740993.0", "would be rounded"),
            ("1.123456789012345678", "would be rounded"),
            ("1e-400", "would be rounded"),
            ("1234567890123456789e0", "would be rounded"),
            ("1e999", "out of range"),
            ("{", "EOF"),
            ("[1] 2", "trailing"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(parse(&[b'['; 100_000]).unwrap_err().to_string().contains("recursion"));
    }

    #[test]
    fn json_that_needs_too_much_memory_is_refused() {
        let objects = |count: usize| format!("[{}{{}}]", r#"{"a":0},"#.repeat(count));
        assert!(parse(objects(10_000).as_bytes()).is_ok());
        assert_eq!(parse(objects(100_000).as_bytes()), Err(ParseError::TooHeavy));
        let numbers = format!("[{}0]", "0.25,".repeat(300_000));
        assert!(parse(numbers.as_bytes()).is_ok());
        let text = format!("\"{}\"", "{:,".repeat(1_000_000));
        assert!(parse(text.as_bytes()).is_ok());
    }

    #[test]
    fn the_depth_of_a_text_is_the_depth_of_its_deepest_value() {
        for (text, expected) in
            [("7", 0), ("[]", 1), (r#"{"a":[[1],{}],"b":{}}"#, 3), (r#"["[[\"{",[]]"#, 2)]
        {
            assert_eq!(depth(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn every_value_is_counted() {
        for (text, expected) in
            [("7", 1), ("[]", 1), ("[[],{}]", 3), (r#"{"a":[1,",["],"b":{"c":null}}"#, 6)]
        {
            assert_eq!(count(text.as_bytes()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }
    }
}

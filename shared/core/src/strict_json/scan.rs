//! Finds the values in a JSON text without a tree. The text may be damaged.

use std::borrow::Cow;

use super::after_string;

/// The reason why a reading has no result: a value was sent, but it cannot be read. The text is damaged there, or
/// two values contradict each other. Such a value is not a missing value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value was sent, but it cannot be read")]
pub struct Unreadable;

/// The name of a member (empty for an element) and its value, both as written.
type Part<'a> = (&'a [u8], &'a [u8]);

/// The members of an object, or the elements of a list.
pub(super) struct Parts<'a> {
    rest: &'a [u8],
    close: u8,
    begun: bool,
    ended: bool,
}

impl<'a> Parts<'a> {
    /// The members of an object; `None` if the text is not an object.
    pub(super) fn members(text: &'a [u8]) -> Option<Self> {
        Some(Self::of(text.strip_prefix(b"{")?, b'}'))
    }

    /// The elements of a list; `None` if the text is not a list.
    pub(super) fn elements(text: &'a [u8]) -> Option<Self> {
        Some(Self::of(text.strip_prefix(b"[")?, b']'))
    }

    fn of(rest: &'a [u8], close: u8) -> Self {
        Self { rest, close, begun: false, ended: false }
    }

    /// The next part; `None` at the end of the container.
    fn part(&mut self) -> Result<Option<Part<'a>>, Unreadable> {
        self.rest = self.rest.trim_ascii_start();
        match self.rest {
            [first, rest @ ..] if *first == self.close => {
                return if rest.trim_ascii().is_empty() { Ok(None) } else { Err(Unreadable) };
            }
            [b',', rest @ ..] if self.begun => self.rest = rest,
            _ if self.begun => return Err(Unreadable),
            _ => self.begun = true,
        }
        let mut name: &[u8] = &[];
        if self.close == b'}' {
            name = self.take()?;
            if !name.starts_with(b"\"") {
                return Err(Unreadable);
            }
            self.rest = self.rest.strip_prefix(b":").ok_or(Unreadable)?;
        }
        Ok(Some((name, self.take()?)))
    }

    /// The next value.
    fn take(&mut self) -> Result<&'a [u8], Unreadable> {
        self.rest = self.rest.trim_ascii_start();
        let (value, rest) = self.rest.split_at(length(self.rest)?);
        self.rest = rest.trim_ascii_start();
        Ok(value)
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Part<'a>, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let part = self.part();
        self.ended = !matches!(part, Ok(Some(_)));
        part.transpose()
    }
}

/// The length in bytes of the first value in a text.
pub(super) fn length(text: &[u8]) -> Result<usize, Unreadable> {
    let (mut depth, mut rest) = (0_usize, text);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'"' => rest = after_string(after).ok_or(Unreadable)?,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.checked_sub(1).ok_or(Unreadable)?,
            b',' | b':' if depth == 0 => return Err(Unreadable),
            _ if depth == 0 => {
                let ends = |byte: &u8| b",]}:\" \t\r\n".contains(byte);
                rest = &rest[rest.iter().position(ends).unwrap_or(rest.len())..];
            }
            _ => {}
        }
        if depth == 0 {
            return Ok(text.len() - rest.len());
        }
    }
    Err(Unreadable)
}

/// The characters of a quoted string. Lone surrogates and bytes that are not UTF-8 become U+FFFD.
pub(super) fn unquoted(text: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    let inside = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    let mut rest = inside.ok_or(Unreadable)?;
    if memchr::memchr(b'\\', rest).is_none() {
        return Ok(String::from_utf8_lossy(rest));
    }
    let mut characters = String::with_capacity(rest.len());
    while let Some(at) = memchr::memchr(b'\\', rest) {
        characters.push_str(&String::from_utf8_lossy(&rest[..at]));
        let (character, after) = escaped(&rest[at + 1..]).ok_or(Unreadable)?;
        characters.push(character);
        rest = after;
    }
    characters.push_str(&String::from_utf8_lossy(rest));
    Ok(Cow::Owned(characters))
}

/// The character of an escape, and the text after it. `text` begins after the backslash. `None` if JSON has no
/// such escape.
fn escaped(text: &[u8]) -> Option<(char, &[u8])> {
    let (letter, rest) = text.split_first()?;
    Some(match letter {
        b'"' | b'\\' | b'/' => (char::from(*letter), rest),
        b'b' => ('\u{8}', rest),
        b'f' => ('\u{c}', rest),
        b'n' => ('\n', rest),
        b'r' => ('\r', rest),
        b't' => ('\t', rest),
        b'u' => {
            let (first, rest) = unit(rest)?;
            let second = rest.strip_prefix(b"\\u").and_then(unit);
            let pair = second.and_then(|(second, after)| Some((paired(first, second)?, after)));
            pair.unwrap_or((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), rest))
        }
        _ => return None,
    })
}

/// The four hexadecimal digits of an escape, and the text after them.
fn unit(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let digit = |unit, byte: &u8| Some(unit * 16 + char::from(*byte).to_digit(16)?);
    Some((digits.iter().try_fold(0, digit)?, rest))
}

/// The character of a surrogate pair.
fn paired(high: u32, low: u32) -> Option<char> {
    match (high, low) {
        (0xd800..0xdc00, 0xdc00..0xe000) => {
            char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
        }
        _ => None,
    }
}

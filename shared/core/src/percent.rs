//! Percent-encoding (RFC 3986) and `application/x-www-form-urlencoded`.

use crate::limits::MOST_FIELDS;
use crate::strict_json::Unreadable;

/// Percent-encodes every byte except letters, digits, `-`, `.`, `_` and `~`.
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

/// Decodes percent-encoded bytes; `None` if an escape is broken or the result is not UTF-8.
pub fn decode(encoded: &[u8]) -> Option<String> {
    String::from_utf8(collected(Decoded { rest: encoded, plus: b'+' }, encoded.len())?).ok()
}

/// The decoded bytes of a percent-encoded text, one by one. An item is `None` if an escape is broken.
#[derive(Clone)]
struct Decoded<'a> {
    rest: &'a [u8],
    /// What a `+` stands for: a space in a form, otherwise itself.
    plus: u8,
}

impl<'a> Decoded<'a> {
    fn of_form(rest: &'a [u8]) -> Self {
        Self { rest, plus: b' ' }
    }
}

impl Iterator for Decoded<'_> {
    type Item = Option<u8>;

    fn next(&mut self) -> Option<Self::Item> {
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let (byte, rest) = match self.rest {
            [] => return None,
            [b'%', high, low, rest @ ..] => {
                let value = digit(high).zip(digit(low)).map(|(high, low)| high * 16 + low);
                (value.and_then(|value| u8::try_from(value).ok()), rest)
            }
            [b'%', ..] => (None, [].as_slice()),
            [b'+', rest @ ..] => (Some(self.plus), rest),
            [byte, rest @ ..] => (Some(*byte), rest),
        };
        self.rest = rest;
        Some(byte)
    }
}

/// All bytes; `None` if an escape is broken. `most` is at least their number.
fn collected(decoded: Decoded<'_>, most: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(most);
    for byte in decoded {
        bytes.push(byte?);
    }
    Some(bytes)
}

/// The decoded fields of `application/x-www-form-urlencoded`, in order; `None` if an escape is broken, if a
/// field is not UTF-8, or if there are more than [`MOST_FIELDS`] fields.
pub fn form(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    if pairs(bytes).nth(MOST_FIELDS).is_some() {
        return None;
    }
    let text = |part| String::from_utf8(form_bytes(part)?).ok();
    pairs(bytes).map(|(name, value)| Some((text(name)?, text(value)?))).collect()
}

/// The value of one field of `application/x-www-form-urlencoded`; `None` if the field is missing. Broken escapes in
/// other values do no harm. Bytes that are not UTF-8 become U+FFFD. Of all fields, only this one is kept in memory.
///
/// # Errors
///
/// If the field occurs twice or has a broken escape. If it is missing and the name of another field has one. If there
/// are more than [`MOST_FIELDS`] fields.
pub fn field(bytes: &[u8], name: &str) -> Result<Option<String>, Unreadable> {
    let (mut found, mut damaged) = (None, false);
    for (number, (known, value)) in pairs(bytes).enumerate() {
        let known = Decoded::of_form(known);
        if number >= MOST_FIELDS {
            return Err(Unreadable);
        } else if known.clone().any(|byte| byte.is_none()) {
            damaged = true;
        } else if known.eq(name.bytes().map(Some)) {
            let value = form_bytes(value).ok_or(Unreadable)?;
            if found.replace(value).is_some() {
                return Err(Unreadable);
            }
        }
    }
    match found {
        None if damaged => Err(Unreadable),
        None => Ok(None),
        Some(value) => Ok(Some(
            String::from_utf8(value)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        )),
    }
}

/// The fields of a form, still encoded.
fn pairs(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        (&pair[..at], pair.get(at + 1..).unwrap_or_default())
    })
}

/// The decoded name or value of a field; `None` if an escape is broken.
fn form_bytes(part: &[u8]) -> Option<Vec<u8>> {
    collected(Decoded::of_form(part), part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_forms_decode_and_broken_forms_are_none() {
        let fields = form(b"a=1+2&b=%C3%A9&c&=x&a=").unwrap();
        let expected = [("a", "1 2"), ("b", "\u{e9}"), ("c", ""), ("", "x"), ("a", "")];
        assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for broken in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%ff", b"\xff=1"] {
            assert_eq!(form(broken), None, "{broken:?}");
        }
        assert_eq!(form("a&".repeat(MOST_FIELDS).as_bytes()).unwrap().len(), MOST_FIELDS);
        assert_eq!(form("a&".repeat(MOST_FIELDS + 1).as_bytes()), None);
        let fields = |count: usize| field("a=1&".repeat(count).as_bytes(), "b");
        assert_eq!((fields(MOST_FIELDS), fields(MOST_FIELDS + 1)), (Ok(None), Err(Unreadable)));
        for (body, expected) in [
            (&b"x=%zz&a=1+2&y=%ff"[..], Ok(Some("1 2".to_owned()))),
            (b"a=%e9", Ok(Some("\u{fffd}".to_owned()))),
            (b"%61=x", Ok(Some("x".to_owned()))),
            (b"x=a", Ok(None)),
            (b"a=%4", Err(Unreadable)),
            (b"a=1&a=1", Err(Unreadable)),
            (b"%zz=1", Err(Unreadable)),
        ] {
            assert_eq!(field(body, "a"), expected, "{body:?}");
        }
        assert_eq!(encode("a b/\u{e9}~"), "a%20b%2F%C3%A9~");
        assert_eq!(decode(b"a+b%2B").as_deref(), Some("a+b+"));
    }
}

//! Percent-encoding (RFC 3986) and `application/x-www-form-urlencoded`.

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
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let [first, tail @ ..] = rest {
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        (rest, _) = match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
                (after, bytes.push(byte))
            }
            (b'%', _) => return None,
            (byte, after) => (after, bytes.push(*byte)),
        };
    }
    String::from_utf8(bytes).ok()
}

/// The most fields that a form may have. In memory an empty field is fifty times as large as in the text.
pub const MOST_FIELDS: usize = 10_000;

/// The decoded fields of `application/x-www-form-urlencoded`, in order; `None` if an escape is broken, if a
/// field is not UTF-8, or if there are more than [`MOST_FIELDS`] fields.
pub fn form(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let space = |byte: &u8| if *byte == b'+' { b' ' } else { *byte };
    let text = |part: &[u8]| decode(&part.iter().map(space).collect::<Vec<_>>());
    let pairs = || bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    if pairs().nth(MOST_FIELDS).is_some() {
        return None;
    }
    pairs()
        .map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            Some((text(&pair[..at])?, text(pair.get(at + 1..).unwrap_or_default())?))
        })
        .collect()
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
        assert_eq!(encode("a b/\u{e9}~"), "a%20b%2F%C3%A9~");
        assert_eq!(decode(b"a+b%2B").as_deref(), Some("a+b+"));
    }
}

use std::borrow::Cow;

use serde_json::Number;

use super::scan::{Parts, Unreadable, length, unquoted};

/// A JSON text that may be damaged. It is read for what needs only one value of it: the type of an event, a time, a
/// token, a handshake.
///
/// Damage beside the wanted value does no harm. Lone surrogates and bytes that are not UTF-8 become U+FFFD. A
/// member that occurs twice counts only if both values are the same. In a text that can be read exactly, this
/// reader finds the same values as the exact one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lenient<'a>(&'a [u8]);

impl<'a> Lenient<'a> {
    /// Reads one JSON value. `bytes` must be UTF-8 as far as possible: see [`from_utf16`] and [`without_mark`].
    ///
    /// # Errors
    ///
    /// If the text is not one complete value.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let text = bytes.trim_ascii();
        match length(text)? == text.len() {
            true => Self(text).scalar().map(|_| Self(text)),
            false => Err(Unreadable),
        }
    }

    /// The text of bytes that [`Lenient::read`] or [`Text::read`](super::Text::read) has already checked.
    pub(crate) fn known(bytes: &'a [u8]) -> Self {
        Self(bytes.trim_ascii())
    }

    pub(super) fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The value of a member; `None` if the member is missing or this value is not an object.
    ///
    /// # Errors
    ///
    /// If the object is damaged, or has two such members that differ.
    pub fn member(self, name: &str) -> Result<Option<Self>, Unreadable> {
        let Some(parts) = Parts::members(self.0) else {
            return self.scalar().map(|_| None);
        };
        let (mut found, mut damaged) = (None, false);
        for part in parts {
            let (known, value) = part?;
            match unquoted(known) {
                Ok(known) if known == name => {
                    if *found.get_or_insert(value) != value {
                        return Err(Unreadable);
                    }
                }
                Ok(_) => {}
                Err(Unreadable) => damaged = true,
            }
        }
        match found {
            None if damaged => Err(Unreadable),
            found => Ok(found.map(Self)),
        }
    }

    /// The elements of a list; `None` if this value is not a list.
    pub fn elements(self) -> Option<impl Iterator<Item = Result<Self, Unreadable>>> {
        Some(Parts::elements(self.0)?.map(|part| part.map(|(_, value)| Self(value))))
    }

    /// A string, number or boolean as text; `None` for any other value. A number keeps its digits.
    ///
    /// # Errors
    ///
    /// If this value is not JSON.
    pub fn scalar(self) -> Result<Option<Cow<'a, str>>, Unreadable> {
        match self.0 {
            b"null" | [b'[' | b'{', ..] => Ok(None),
            b"true" => Ok(Some(Cow::Borrowed("true"))),
            b"false" => Ok(Some(Cow::Borrowed("false"))),
            [b'"', ..] => unquoted(self.0).map(Some),
            number => {
                let valid = serde_json::from_slice::<Number>(number).map_err(|_| Unreadable);
                valid.map(|_| Some(String::from_utf8_lossy(number)))
            }
        }
    }

    /// The characters of a string without any replacement; `None` if this value is not such a string.
    pub fn exact_string(self) -> Option<String> {
        serde_json::from_slice(self.0).ok()
    }
}

/// A text in UTF-8 without its byte order mark. RFC 8259 section 8.1 allows to ignore the mark.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// A text in UTF-16 as UTF-8, without its byte order mark; `None` if it is not UTF-16. JSON in UTF-16 begins with
/// the mark, or has a zero among its first two bytes, because it begins with an ASCII character.
pub fn from_utf16(bytes: &[u8]) -> Option<Vec<u8>> {
    let unit = match *bytes.first_chunk()? {
        [0xff, 0xfe] => u16::from_le_bytes,
        [0xfe, 0xff] => u16::from_be_bytes,
        [first, second] if first != 0 && second == 0 => u16::from_le_bytes,
        [first, second] if first == 0 && second != 0 => u16::from_be_bytes,
        _ => return None,
    };
    let pairs = bytes.chunks(2);
    let units = pairs.map(|pair| pair.try_into().map_or(u16::from(b'?'), unit));
    let mut text = String::with_capacity(bytes.len() / 2 * 3);
    let characters = char::decode_utf16(units.skip_while(|unit| *unit == 0xfeff));
    text.extend(characters.map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER)));
    Some(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Text;
    use super::*;

    /// The value at a member of a text, as a person writes it in a test: `Err` is "cannot be read".
    fn member(text: &[u8], name: &str) -> Result<Option<String>, Unreadable> {
        let transcoded = from_utf16(text);
        let text = transcoded.as_deref().unwrap_or_else(|| without_mark(text));
        let found = Lenient::read(text)?.member(name)?;
        found.map_or(Ok(None), |value| value.scalar().map(|text| text.map(Cow::into_owned)))
    }

    #[test]
    fn damage_beside_the_value_does_no_harm() {
        let deep = format!(r#"{{"x":{}{},"type":"a"}}"#, "[".repeat(200), "]".repeat(200));
        let utf16: Vec<u8> = r#"{"type":"a"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> =
            "\u{feff}{\"type\":\"a\"}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for text in [
            br#"{"type":"a","x":"\ud83d"}"#.as_slice(),
            br#"{"x":1e400,"type":"a"}"#,
            br#"{"x":NaN,"type":"a"}"#,
            br#"{"x":1,"x":2,"type":"a"}"#,
            br#"{"type":"a","type":"a"}"#,
            br#"{"type":"\u0061"}"#,
            b"{\"x\":\"\xe9\",\"type\":\"a\"}",
            b"\xef\xbb\xbf{\"type\":\"a\"}",
            deep.as_bytes(),
            &utf16,
            &big,
        ] {
            let shown = String::from_utf8_lossy(text);
            assert_eq!(member(text, "type"), Ok(Some("a".to_owned())), "{shown}");
            assert_eq!(member(text, "none"), Ok(None), "{shown}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_read_is_not_missing() {
        for text in [
            r#"{"type":"a","type":"b"}"#,
            r#"{"type":"a"} x"#,
            r#"{"type":"a""#,
            r#"{"type":"a}"#,
            r#"{"type":}"#,
            r#"{"type" "a"}"#,
            r#"{"type":"a",}"#,
            r#"{"type":"a" "b":1}"#,
            r#"{type:"a"}"#,
            r#"{"type":NaN}"#,
            r#"{"type":1e400}"#,
            r#"{"type":"\q"}"#,
            r#"{"t\qpe":"a"}"#,
            "hello",
            "NaN",
            "",
        ] {
            assert_eq!(member(text.as_bytes(), "type"), Err(Unreadable), "{text}");
        }
        assert_eq!(member(b"\xff\xfe{\0}\0\n", "type"), Err(Unreadable));
        assert_eq!(member(br#"["type"]"#, "type"), Ok(None));
        assert_eq!(member(b"7", "type"), Ok(None));
    }

    #[test]
    fn what_is_no_character_becomes_a_replacement_character() {
        for (text, expected) in [
            (br#""\ud83d\ude00""#.as_slice(), "\u{1f600}"),
            (br#""\ud83d\u0041\udc00""#, "\u{fffd}A\u{fffd}"),
            (br#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (br#""\\\"\/\b\f\n\r\t\u00e9""#, "\\\"/\u{8}\u{c}\n\r\t\u{e9}"),
            (b"\"\xe9\\n\xff\"", "\u{fffd}\n\u{fffd}"),
        ] {
            let read = Lenient::read(text).unwrap();
            assert_eq!(read.scalar(), Ok(Some(Cow::Borrowed(expected))));
        }
        assert_eq!(Lenient::known(br#""\ud83d""#).exact_string(), None);
        assert_eq!(Lenient::known(br#""\u0061""#).exact_string().as_deref(), Some("a"));
    }

    #[test]
    fn a_number_keeps_its_digits() {
        for number in ["0", "-7", "1.0", "1e2", "100000000000000000000"] {
            let read = Lenient::read(number.as_bytes()).unwrap().scalar();
            assert_eq!(read, Ok(Some(Cow::Borrowed(number))));
        }
    }

    proptest! {
        /// The lenient reader never finds another value than the exact reader.
        #[test]
        fn a_text_that_can_be_read_exactly_is_read_the_same(
            text in r#"[\[\]{}:,"a\\u0 1.e-]{0,24}|\{("[ab]":("[a\\n]{0,2}"|[0-9.e-]{1,3}|\[\]|null),?){0,3}\}"#,
        ) {
            let Ok(exact) = Text::read(text.as_bytes()) else { return Ok(()) };
            let lenient = Lenient::read(text.as_bytes()).unwrap();
            for name in ["a", "b"] {
                let found = lenient.member(name).unwrap();
                prop_assert_eq!(found.map(Lenient::bytes), exact.member(name).map(Text::bytes));
            }
        }

        #[test]
        fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = from_utf16(&bytes);
            if let Ok(read) = Lenient::read(&bytes) {
                let _ = (read.scalar(), read.member("a"), read.elements().map(Iterator::count));
            }
        }
    }
}

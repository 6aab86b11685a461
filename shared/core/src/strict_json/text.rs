use std::borrow::Cow;

use serde_json::Value;

use super::{HEAVIEST, ParseError, after_string, large_integer, unique, weight};

/// A JSON text in which no object repeats a member. Values are looked up in the text, so a large text needs
/// no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// The text `null`.
    pub const NULL: Self = Text(b"null");

    /// Reads one JSON value. Integers that do not fit into 64 bits are accepted.
    ///
    /// # Errors
    ///
    /// Says what is wrong and where.
    pub fn read(bytes: &'a [u8]) -> Result<Self, String> {
        unique::check(bytes)?;
        Ok(Self::known(bytes))
    }

    /// The text of bytes that [`Text::read`] has already checked.
    pub(crate) fn known(bytes: &'a [u8]) -> Self {
        Self(bytes.trim_ascii())
    }

    /// Checks that no integer would be rounded.
    ///
    /// # Errors
    ///
    /// Names the first integer that does not fit into 64 bits.
    pub fn exact(self) -> Result<(), String> {
        large_integer(self.0)
    }

    /// The approximate memory of the tree, in bytes.
    pub fn weight(self) -> usize {
        weight(self.0)
    }

    /// The tree of the text.
    ///
    /// # Errors
    ///
    /// If the tree would need too much memory.
    pub fn value(self) -> Result<Value, ParseError> {
        if self.weight() > HEAVIEST {
            return Err(ParseError::TooHeavy);
        }
        serde_json::from_slice(self.0).map_err(|error| ParseError::Malformed(error.to_string()))
    }

    /// The value of a member; `None` if the member is missing or this value is not an object.
    pub fn member(self, name: &str) -> Option<Self> {
        self.parts(b'{').find(|(known, _)| is_name(known, name)).map(second)
    }

    /// The elements of a list; `None` if this value is not a list.
    pub fn elements(self) -> Option<impl Iterator<Item = Self>> {
        self.0.starts_with(b"[").then(|| self.parts(b'[').map(second))
    }

    /// The value at a JSON pointer (RFC 6901).
    pub fn pointer(self, pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |value, segment| {
            match value.elements() {
                None => value.member(&segment.replace("~1", "/").replace("~0", "~")),
                Some(_) if segment.len() > 1 && segment.starts_with('0') => None,
                Some(_) if segment.starts_with('+') => None,
                Some(mut elements) => elements.nth(segment.parse().ok()?),
            }
        })
    }

    /// The characters of a string; `None` if this value is not a string.
    pub fn string(self) -> Option<Cow<'a, str>> {
        unquoted(self.0)
    }

    /// A string, number or boolean as text; `None` for any other value.
    pub fn scalar(self) -> Option<Cow<'a, str>> {
        match self.0 {
            b"true" => Some(Cow::Borrowed("true")),
            b"false" => Some(Cow::Borrowed("false")),
            [b'"', ..] => self.string(),
            [b'-' | b'0'..=b'9', ..] => Some(Cow::Owned(self.value().ok()?.to_string())),
            _ => None,
        }
    }

    /// The values of a container that begins with `bracket`. The values of an object have names.
    fn parts(self, bracket: u8) -> Parts<'a> {
        let rest = self.0.strip_prefix(&[bracket]).unwrap_or_default();
        Parts { rest, named: bracket == b'{' }
    }
}

fn second<'a>((_, value): (&'a [u8], Text<'a>)) -> Text<'a> {
    value
}

/// Whether a quoted string is equal to `name`.
fn is_name(text: &[u8], name: &str) -> bool {
    match inside(text) {
        Some(inside) => inside == name.as_bytes(),
        None => unquoted(text).is_some_and(|unquoted| unquoted == name),
    }
}

/// The bytes between the quotes of a string; `None` if the string contains an escape.
fn inside(text: &[u8]) -> Option<&[u8]> {
    let inside = text.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    memchr::memchr(b'\\', inside).is_none().then_some(inside)
}

/// The characters of a quoted string.
fn unquoted(text: &[u8]) -> Option<Cow<'_, str>> {
    match inside(text) {
        Some(inside) => std::str::from_utf8(inside).ok().map(Cow::Borrowed),
        None => serde_json::from_slice(text).ok().map(Cow::Owned),
    }
}

/// The rest of a valid container, after its opening bracket.
struct Parts<'a> {
    rest: &'a [u8],
    named: bool,
}

impl<'a> Parts<'a> {
    /// The next value.
    fn take(&mut self) -> &'a [u8] {
        self.rest = self.rest.trim_ascii_start();
        let (value, rest) = self.rest.split_at(length(self.rest));
        self.rest = rest.trim_ascii_start();
        value
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = (&'a [u8], Text<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_ascii_start();
        if let [b',', rest @ ..] = self.rest {
            self.rest = rest;
        }
        if let [] | [b']' | b'}', ..] = self.rest {
            return None;
        }
        let mut name: &[u8] = &[];
        if self.named {
            name = self.take();
            self.rest = self.rest.strip_prefix(b":")?;
        }
        Some((name, Text(self.take())))
    }
}

/// The length in bytes of the first value in a valid text.
fn length(text: &[u8]) -> usize {
    let (mut depth, mut rest) = (0_usize, text);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'"' => rest = after_string(after),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => {
                let ends = |byte: &u8| b",]} \t\r\n".contains(byte);
                rest = &rest[rest.iter().position(ends).unwrap_or(rest.len())..];
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    text.len() - rest.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn any_json() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-c\"\\\\\u{e9}\n,:{}]{0,4}".prop_map(Value::from),
        ];
        scalar.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"\\\\/~0-2]{0,2}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Every value in a tree, with its pointer.
    fn all(value: &Value, pointer: String, found: &mut Vec<(String, Value)>) {
        let under =
            |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(n, item)| all(item, under(&n.to_string()), found)),
            Value::Object(members) => {
                members.iter().for_each(|(name, member)| all(member, under(name), found));
            }
            _ => {}
        }
        found.push((pointer, value.clone()));
    }

    proptest! {
        #[test]
        fn pointers_find_the_same_values_as_in_a_tree(value in any_json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = text.unwrap();
            let read = Text::read(text.as_bytes()).unwrap();
            let mut found = Vec::new();
            all(&value, String::new(), &mut found);
            for (pointer, expected) in found {
                let there = read.pointer(&pointer).unwrap();
                prop_assert_eq!(there.value().unwrap(), expected.clone());
                let scalar = match &expected {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(_) | Value::Bool(_) => Some(expected.to_string()),
                    _ => None,
                };
                prop_assert_eq!(there.scalar().map(Cow::into_owned), scalar);
            }
        }

        #[test]
        fn any_pointer_finds_the_same_value_as_in_a_tree(value in any_json(), pointer in "(/[a-c~0-2+]{0,2}){0,3}") {
            let text = value.to_string();
            let found = Text::read(text.as_bytes()).unwrap().pointer(&pointer);
            prop_assert_eq!(found.map(|there| there.value().unwrap()), value.pointer(&pointer).cloned());
        }
    }

    #[test]
    fn names_are_compared_after_unescaping() {
        let text = Text::read(br#" { "\u0061\n" : [ 1 , {} ] , "b" : null } "#).unwrap();
        assert_eq!(text.member("a\n").unwrap().value(), Ok(json!([1, {}])));
        assert_eq!(text.member("b"), Some(Text::NULL));
        assert!(text.member("c").is_none() && text.elements().is_none());
        let list = text.member("a\n").unwrap();
        assert_eq!(list.elements().unwrap().count(), 2);
        assert!(list.member("0").is_none() && list.scalar().is_none());
    }

    #[test]
    fn json_that_readers_disagree_on_is_refused() {
        for wrong in [r#"{"a":1,"a":2}"#, "{", "", "[1] 2", "1e999", "\"\u{1}\""] {
            assert!(Text::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(Text::read(b"\"\xff\"").is_err());
        assert!(Text::read(&[b'['; 100_000]).unwrap_err().contains("recursion"));
        let rounded = Text::read(b"[18446744073709551616]").unwrap();
        assert!(rounded.exact().unwrap_err().contains("18446744073709551616"));
        assert_eq!(Text::read(b"7").unwrap().exact(), Ok(()));
    }
}

use serde_json::Value;

use super::lenient::{Lenient, from_utf16, without_mark};
use super::{Decimal, LONGEST_QUOTE, ParseError, rounded, unique, weight};
use crate::limits::HEAVIEST_JSON;

/// What would happen to a number, and the fix.
const ROUNDED: &str = "would be rounded: send it as a string";

/// A JSON text in which no object repeats a member. Values are looked up in the text, so a large text needs
/// no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// Reads one JSON value. A byte order mark before it is ignored (RFC 8259 section 8.1). Numbers that a tree would
    /// round are accepted.
    ///
    /// # Errors
    ///
    /// Says what is wrong and where.
    pub fn read(bytes: &'a [u8]) -> Result<Self, String> {
        if from_utf16(bytes.get(..2).unwrap_or_default()).is_some() {
            return Err("the text is UTF-16 at line 1 column 1: send JSON as UTF-8".to_owned());
        }
        unique::check(without_mark(bytes))?;
        Ok(Self::known(bytes))
    }

    /// The text of bytes that [`Text::read`] has already checked.
    pub(crate) fn known(bytes: &'a [u8]) -> Self {
        Self(without_mark(bytes).trim_ascii())
    }

    /// The text itself, without the byte order mark.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Checks that the tree keeps every number.
    ///
    /// # Errors
    ///
    /// Names the first number that would be rounded, and its place.
    pub fn exact(self) -> Result<(), String> {
        let Some(number) = rounded(self.0) else { return Ok(()) };
        let (before, _) = self.0.split_at(number.start);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        Err(format!("{} at line {line} column {column} {ROUNDED}", quoted(&self.0[number])))
    }

    /// Checks that the tree keeps every number of the value at a JSON pointer.
    ///
    /// # Errors
    ///
    /// Names the first number that would be rounded, and the pointer.
    pub fn exact_at(self, pointer: &str) -> Result<(), String> {
        match rounded(self.0) {
            None => Ok(()),
            Some(number) => Err(format!("{} at {pointer} {ROUNDED}", quoted(&self.0[number]))),
        }
    }

    /// The value of a number; `None` if this value is not a number.
    pub fn decimal(self) -> Option<Decimal> {
        Decimal::parse(std::str::from_utf8(self.0).ok()?)
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
        if self.weight() > HEAVIEST_JSON {
            return Err(ParseError::TooHeavy);
        }
        serde_json::from_slice(self.0).map_err(|error| ParseError::Malformed(error.to_string()))
    }

    /// The value of a member; `None` if the member is missing or this value is not an object.
    pub fn member(self, name: &str) -> Option<Self> {
        let found = Lenient::known(self.0).member(name);
        found.ok().flatten().map(|value| Self(value.bytes()))
    }

    /// The elements of a list; `None` if this value is not a list.
    pub fn elements(self) -> Option<impl Iterator<Item = Self>> {
        let elements = Lenient::known(self.0).elements()?;
        Some(elements.map_while(|element| element.ok().map(|value| Self(value.bytes()))))
    }

    /// Checks that the value at a JSON pointer is absent, and not hidden behind a value that has no members. A `null`
    /// on the way counts as absent.
    ///
    /// # Errors
    ///
    /// Names the place at which the pointer leads nowhere.
    pub fn may_lack(self, pointer: &str) -> Result<(), String> {
        let (mut value, mut place) = (self, String::new());
        for segment in pointer.split('/').skip(1) {
            let leads = match value.bytes().trim_ascii() {
                [b'{', ..] => true,
                [b'[', ..] => {
                    !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit())
                }
                text => text == b"null" && !place.is_empty(),
            };
            if !leads {
                return Err(format!(
                    "the event has no object at {place:?}, so {pointer:?} leads nowhere"
                ));
            }
            let Some(next) = value.step(segment) else { return Ok(()) };
            value = next;
            place = format!("{place}/{segment}");
        }
        Ok(())
    }

    /// The value at a JSON pointer (RFC 6901).
    pub fn pointer(self, pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, Self::step)
    }

    /// The member or the element that one segment of a JSON pointer names.
    fn step(self, segment: &str) -> Option<Self> {
        match self.elements() {
            None => self.member(&segment.replace("~1", "/").replace("~0", "~")),
            Some(_) if segment.len() > 1 && segment.starts_with('0') => None,
            Some(_) if segment.starts_with('+') => None,
            Some(mut elements) => elements.nth(segment.parse().ok()?),
        }
    }
}

/// Whether a text is a JSON pointer (RFC 6901, section 3).
pub fn is_pointer(text: &str) -> bool {
    let escapes = text.split('~').skip(1);
    (text.is_empty() || text.starts_with('/'))
        && escapes.into_iter().all(|rest| rest.starts_with(['0', '1']))
}

/// The beginning of a number, for a message.
fn quoted(number: &[u8]) -> String {
    let number = number.get(..LONGEST_QUOTE).unwrap_or(number);
    format!("the number {}", String::from_utf8_lossy(number))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

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
                let lenient = Lenient::known(there.bytes()).scalar().unwrap();
                prop_assert_eq!(lenient.map(Cow::into_owned), scalar);
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
        assert_eq!(text.member("b").map(Text::bytes), Some(b"null".as_slice()));
        assert!(text.member("c").is_none() && text.elements().is_none());
        let list = text.member("a\n").unwrap();
        assert_eq!(list.elements().unwrap().count(), 2);
        assert!(list.member("0").is_none());
    }

    #[test]
    fn a_byte_order_mark_is_ignored() {
        let text = Text::read(b"\xef\xbb\xbf {\"a\":1} ").unwrap();
        assert_eq!(text.value(), Ok(json!({"a": 1})));
        assert!(Text::read(b"\xef\xbb\xbf\xef\xbb\xbf{}").is_err());
        assert!(Text::read(b"{\xef\xbb\xbf}").is_err());
    }

    #[test]
    fn json_that_readers_disagree_on_is_refused() {
        for wrong in [r#"{"a":1,"a":2}"#, "{", "", "[1] 2", "1e999", "\"\u{1}\""] {
            assert!(Text::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(Text::read(b"\"\xff\"").is_err());
        assert!(Text::read(&[b'['; 100_000]).unwrap_err().contains("recursion"));
        let utf16 = Text::read(b"{\0}\0").unwrap_err();
        assert!(utf16.contains("UTF-16"), "{utf16}");
        let rounded = Text::read(b"[18446744073709551616]").unwrap();
        assert!(rounded.exact().unwrap_err().contains("18446744073709551616"));
        assert_eq!(Text::read(b"7").unwrap().exact(), Ok(()));
    }
}

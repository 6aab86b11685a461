//! Reads a JSON value as a struct. Unlike the deserializer of `serde_json`, this one does not accept a list
//! for a struct. Its error has the path to the wrong member and says in a sentence what is expected.

use std::fmt::{self, Display};
use std::vec;

use placet_core::strict_json::LONGEST_QUOTE;
use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Value, map};

/// A member that is missing, wrong or unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(super) path: Vec<String>,
    pub(super) detail: String,
}

impl Wrong {
    /// The member at this path, and what is wrong with it.
    pub(crate) fn at(path: &[&str], detail: impl Into<String>) -> Self {
        Self { path: path.iter().map(|part| (*part).to_owned()).collect(), detail: detail.into() }
    }

    /// The same error, with a path that starts at the value that contains this member.
    fn below(mut self, member: String) -> Self {
        self.path.insert(0, member);
        self
    }
}

/// The member and what is wrong with it, in a sentence.
impl Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.path.join("."), self.detail)
    }
}

impl std::error::Error for Wrong {}

impl Error for Wrong {
    fn custom<T: Display>(detail: T) -> Self {
        Self::at(&[], detail.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::at(&[], format!("must be {}, not {}", wanted(expected), found_type(&found)))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::at(&[], format!("must be {}", wanted(expected)))
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::at(&[], format!("must be one of {}", known.join(", ")))
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        let name: String = name.chars().take(LONGEST_QUOTE).collect();
        Self::at(&[&name], format!("is unknown; use one of {}", known.join(", ")))
    }

    fn missing_field(name: &'static str) -> Self {
        Self::at(&[name], "is missing")
    }
}

/// What a type expects, in the words of JSON.
fn wanted(expected: &dyn Expected) -> String {
    match expected.to_string().as_str() {
        "a boolean" => "true or false",
        "a map" => "an object",
        "a sequence" => "a list",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a whole number from 0",
        "a nonzero u32" => "a whole number from 1 to 4294967295",
        "unit" => "null",
        other => other,
    }
    .to_owned()
}

/// The type of a value. The value itself is left out because it may be long.
fn found_type(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
        Unexpected::Float(_) => "a fraction",
        Unexpected::Str(_) => "a string",
        Unexpected::Seq => "a list",
        Unexpected::Map => "an object",
        _ => "null",
    }
}

/// A JSON value to read.
pub(super) struct Member(pub(super) Value);

impl Member {
    fn unexpected<T>(&self, expected: &str) -> Result<T, Wrong> {
        let found = match &self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(_) => Unexpected::Unsigned(0),
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        Err(Wrong::invalid_type(found, &expected))
    }
}

impl<'de> Deserializer<'de> for Member {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), _, _) => visitor.visit_u64(number),
                (None, Some(number), _) => visitor.visit_i64(number),
                (None, None, number) => visitor.visit_f64(number.unwrap_or_default()),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter().enumerate())),
            Value::Object(members) => {
                visitor.visit_map(Members { rest: members.into_iter(), current: None })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        if self.0.is_object() {
            self.deserialize_any(visitor)
        } else {
            self.unexpected("an object")
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(name.into_deserializer()),
            _ => self.unexpected("a string"),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The items of a list.
struct Items(std::iter::Enumerate<vec::IntoIter<Value>>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        let Some((index, item)) = self.0.next() else { return Ok(None) };
        let read = seed.deserialize(Member(item));
        read.map(Some).map_err(|wrong| wrong.below(index.to_string()))
    }
}

/// The members of an object.
struct Members {
    rest: map::IntoIter,
    current: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Members {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        self.current = self.rest.next();
        let Some((name, _)) = &self.current else { return Ok(None) };
        let name: StringDeserializer<Wrong> = name.clone().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let (name, value) = self.current.take().unwrap_or_default();
        seed.deserialize(Member(value)).map_err(|wrong| wrong.below(name))
    }
}

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::LONGEST_QUOTE;

/// Checks that bytes are one JSON value in which no object repeats a member name.
///
/// # Errors
///
/// Says what is wrong and where.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let Unique = serde_json::from_slice(bytes).map_err(|error| reason(&error))?;
    Ok(())
}

/// What is wrong and where. `serde_json` has two messages for a lone surrogate that do not say so.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let surrogate = ["unexpected end of hex escape", "lone leading surrogate in hex escape"];
    match surrogate.iter().find_map(|message| text.strip_prefix(message)) {
        Some(place) => format!("a \\u escape is only half of a character (lone surrogate){place}"),
        None => text,
    }
}

/// A JSON value in which no object repeats a member name. The visitor keeps no values.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut names = Names::default();
        while members.next_key_seed(&mut names)?.is_some() {
            members.next_value::<Self>()?;
        }
        Ok(self)
    }
}

/// The names of an object, as 64-bit hashes, because the names of a large object would not fit into memory.
/// Two names with the same hash are refused like a repeated name. The hash has a random key, so nobody can
/// choose names with the same hash.
#[derive(Default)]
struct Names {
    hashes: BTreeSet<u64>,
    key: RandomState,
}

impl<'de> DeserializeSeed<'de> for &mut Names {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for &mut Names {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<(), E> {
        if self.hashes.insert(self.key.hash_one(name)) {
            return Ok(());
        }
        let name: String = name.chars().take(LONGEST_QUOTE).collect();
        Err(E::custom(format!("the member {name:?} occurs twice")))
    }
}

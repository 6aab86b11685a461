//! JSON that means one thing: what a person is shown must be what the sender wrote.
//!
//! Readers disagree on two things that JSON allows. Of two members with one name most keep the
//! last; an integer too large for 64 bits becomes a rounded double. Both are refused here.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How many characters of a name an error quotes.
pub const LONGEST_QUOTE: usize = 100;

/// The most bytes of memory a value may take: a function has 256 MB.
const HEAVIEST: usize = 64 * 1024 * 1024;

/// Reads one JSON value.
///
/// # Errors
///
/// Says what is wrong and where: too much at once, malformed, nested deeper than 127, a repeated member, or an integer
/// beyond 64 bits.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    let value = without_repeats(bytes)?;
    match large_integer(bytes) {
        None => Ok(value),
        Some(digits) => Err(format!(
            "the integer {digits} does not fit into 64 bits and would be rounded: send it as a string"
        )),
    }
}

/// Reads one JSON value in which no member is repeated. An integer beyond 64 bits is taken, rounded.
///
/// # Errors
///
/// Says what is wrong and where.
pub fn without_repeats(bytes: &[u8]) -> Result<Value, String> {
    if weight(bytes) > HEAVIEST {
        return Err("it has too many members to be read at once".to_owned());
    }
    let Strict(value) = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    Ok(value)
}

/// About how many bytes of memory the value of a text takes: an object of one member takes a hundred times as
/// many as in the text.
fn weight(json: &[u8]) -> usize {
    let (mut weight, mut rest) = (json.len(), json);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'"' => rest = after_string(after),
            b'{' => weight += 700,
            b':' => weight += 100,
            b',' | b'[' => weight += 40,
            _ => {}
        }
    }
    weight
}

/// How deep a valid JSON text is nested: 0 if it is neither a list nor an object.
pub fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut rest) = (0_usize, 0, json);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'"' => rest = after_string(after),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The first integer of a valid JSON text that neither `i64` nor `u64` holds.
fn large_integer(json: &[u8]) -> Option<&str> {
    let mut rest = json;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'"' {
            rest = after_string(after);
        } else if *first == b'-' || first.is_ascii_digit() {
            let start = json.len() - after.len() - 1;
            let in_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
            let end = start + 1 + after.iter().take_while(|byte| in_number(byte)).count();
            rest = &json[end..];
            let number = std::str::from_utf8(&json[start..end]).ok()?;
            let integer = !number.contains(['.', 'e', 'E']);
            if integer && number.parse::<i64>().is_err() && number.parse::<u64>().is_err() {
                return Some(number);
            }
        }
    }
    None
}

/// What follows the closing quote of a string whose opening quote was just read.
fn after_string(mut rest: &[u8]) -> &[u8] {
    loop {
        match rest {
            [b'\\', _, after @ ..] => rest = after,
            [b'"', after @ ..] => return after,
            [_, after @ ..] => rest = after,
            [] => return rest,
        }
    }
}

/// A JSON value whose objects have each name once.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.contains_key(&name) {
                let name: String = name.chars().take(LONGEST_QUOTE).collect();
                return Err(A::Error::custom(format!("the member {name:?} occurs twice")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_serde_json_reads() {
        for text in [
            "null",
            " [1, -2, 3.5, 1e300, true, \"a\\\"7\\\\\", {\"a\": {}}] ",
            "18446744073709551615",
            "-9223372036854775808",
            "{\"99999999999999999999\": \"99999999999999999999\"}",
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(serde_json::from_str(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn refuses_what_readers_disagree_on() {
        for (text, part) in [
            (r#"{"a": 1, "b": 2, "a": 3}"#, "\"a\" occurs twice"),
            (r#"[{"x": {"a": 1, "\u0061": 1}}]"#, "\"a\" occurs twice"),
            (r#"{"n": 18446744073709551616}"#, "18446744073709551616 does not fit"),
            (r#"["\\", -9223372036854775809]"#, "-9223372036854775809 does not fit"),
            ("1e999", "out of range"),
            ("{", "EOF"),
            ("[1] 2", "trailing"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(parse(&[b'['; 100_000]).unwrap_err().contains("recursion"));
    }

    #[test]
    fn refuses_what_is_small_to_send_and_large_to_keep() {
        let objects = |count: usize| format!("[{}{{}}]", r#"{"a":0},"#.repeat(count));
        assert!(parse(objects(10_000).as_bytes()).is_ok());
        assert!(parse(objects(100_000).as_bytes()).unwrap_err().contains("too many members"));
        let numbers = format!("[{}0]", "0.25,".repeat(900_000));
        assert!(parse(numbers.as_bytes()).is_ok());
        let text = format!("\"{}\"", "{:,".repeat(1_000_000));
        assert!(parse(text.as_bytes()).is_ok());
    }

    #[test]
    fn the_depth_of_a_text_is_that_of_its_deepest_value() {
        for (text, expected) in
            [("7", 0), ("[]", 1), (r#"{"a":[[1],{}],"b":{}}"#, 3), (r#"["[[\"{",[]]"#, 2)]
        {
            assert_eq!(depth(text.as_bytes()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }
    }
}

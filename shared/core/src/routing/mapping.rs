//! The mapping from an event to the arguments of an approval.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::limits::HEAVIEST_JSON;
use crate::strict_json::{Text, is_pointer};

/// The mapping from event fields to the arguments of an approval, in the order in which it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping(Vec<(String, Argument)>);

impl<'de> Deserialize<'de> for Mapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self::default())
    }
}

impl<'de> Visitor<'de> for Mapping {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map of arguments")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self, A::Error> {
        while let Some(argument) = members.next_entry()? {
            self.0.push(argument);
        }
        Ok(self)
    }
}

/// The source of one argument.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
enum Argument {
    At { pointer: String, default: Option<Value> },
    Fixed(Value),
}

impl TryFrom<Value> for Argument {
    type Error = String;

    fn try_from(written: Value) -> Result<Self, Self::Error> {
        let wrong = || {
            "an argument must be a JSON pointer such as /data/id, {value: …} for a fixed value, or \
             {at: /data/id, default: …}"
                .to_owned()
        };
        let pointer = |text: &str| match is_pointer(text) {
            true => Ok(text.to_owned()),
            false => Err(wrong()),
        };
        match written {
            Value::String(text) => Ok(Self::At { pointer: pointer(&text)?, default: None }),
            Value::Object(mut members) => {
                let (value, at) = (members.shift_remove("value"), members.shift_remove("at"));
                let default = members.shift_remove("default");
                match (value, at, default, members.is_empty()) {
                    (Some(value), None, None, true) => {
                        not_rounded(&value)?;
                        Ok(Self::Fixed(value))
                    }
                    (None, Some(Value::String(text)), default, true) => {
                        default.iter().try_for_each(not_rounded)?;
                        Ok(Self::At { pointer: pointer(&text)?, default })
                    }
                    _ => Err(wrong()),
                }
            }
            _ => Err(wrong()),
        }
    }
}

/// Refuses a number that the reader of YAML may have rounded. It keeps 64-bit integers and doubles; a double keeps 15
/// digits, and integers below 2^53.
fn not_rounded(value: &Value) -> Result<(), String> {
    const MOST_DIGITS: usize = 15;
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) if number.is_f64() => {
            let text = number.to_string();
            let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
            let digits = mantissa.bytes().filter(u8::is_ascii_digit);
            let digits = digits.skip_while(|digit| *digit == b'0').count();
            let is_large = number.as_f64().is_some_and(|double| double.abs() >= LARGEST_EXACT);
            match is_large || digits > MOST_DIGITS {
                true => Err(format!("the number {text} may be rounded: write it in quotes")),
                false => Ok(()),
            }
        }
        Value::Array(items) => items.iter().try_for_each(not_rounded),
        Value::Object(members) => members.values().try_for_each(not_rounded),
        _ => Ok(()),
    }
}

impl Mapping {
    /// The arguments of an approval for this event. Only fixed values need no reading of the event. A default stands
    /// in for a missing value, never for one that cannot be read.
    ///
    /// # Errors
    ///
    /// The reason why the event cannot be read. Otherwise names the argument that has no value in the event, or at
    /// which the arguments need too much memory, or the number that would be rounded.
    pub fn arguments(&self, event: Result<Text<'_>, String>) -> Result<Value, String> {
        let (mut arguments, mut weight) = (Map::new(), 0_usize);
        for (name, argument) in &self.0 {
            let value = match argument {
                Argument::Fixed(value) => value.clone(),
                Argument::At { pointer, default } => {
                    let event = event.as_ref().map_err(String::clone)?;
                    match (event.pointer(pointer), default) {
                        (Some(found), _) => {
                            weight = weight.saturating_add(found.weight());
                            if weight > HEAVIEST_JSON {
                                return Err(format!(
                                    "the arguments up to {name} have too many members: map smaller fields"
                                ));
                            }
                            found.exact_at(pointer)?;
                            found.value().map_err(|error| error.to_string())?
                        }
                        (None, Some(default)) => {
                            event.may_lack(pointer)?;
                            default.clone()
                        }
                        (None, None) => {
                            return Err(format!(
                                "the event has no value at {pointer:?} for the argument {name}: add a default"
                            ));
                        }
                    }
                }
            };
            arguments.insert(name.clone(), value);
        }
        Ok(Value::Object(arguments))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_default_stands_in_for_what_cannot_be_read() {
        let mapping = |written| serde_json::from_value::<Mapping>(written).unwrap();
        let unreadable = || Err("the body cannot be read".to_owned());
        let read = mapping(json!({"a": {"at": "/a", "default": 1}, "b": {"value": 2}}));
        assert_eq!(read.arguments(unreadable()), unreadable().map(|_: Text<'_>| Value::Null));
        let fixed = mapping(json!({"b": {"value": 2}}));
        assert_eq!(fixed.arguments(unreadable()), Ok(json!({"b": 2})));
    }

    #[test]
    fn a_mapping_takes_arguments_from_event_fields_or_fixed_values() {
        let mapping: Mapping = serde_json::from_value(json!({
            "order": "/data/id", "note": {"value": "/literal"}, "count": {"at": "/data/count", "default": 1},
        }))
        .unwrap();
        let event = Text::read(br#"{"data": {"id": "o-1"}}"#).unwrap();
        let expected = json!({"order": "o-1", "note": "/literal", "count": 1});
        assert_eq!(mapping.arguments(Ok(event)), Ok(expected));
        let rounded = Text::read(br#"{"data": {"id": [1e-400]}, "other": 1e-400}"#).unwrap();
        let reason = "the number 1e-400 at /data/id would be rounded: send it as a string";
        assert_eq!(mapping.arguments(Ok(rounded)), Err(reason.to_owned()));
        let other = Text::read(b"[]").unwrap();
        assert!(mapping.arguments(Ok(other)).unwrap_err().contains("/data/id"));
        for wrong in
            [json!("data"), json!("/a~2"), json!(1), json!({"at": 1}), json!({"value": 1, "x": 2})]
        {
            assert!(serde_json::from_value::<Mapping>(json!({"a": wrong})).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_number_that_yaml_may_have_rounded_is_refused() {
        let read = |value: Value| {
            serde_json::from_value::<Mapping>(json!({"a": {"value": value}}))
                .map_err(|error| error.to_string())
        };
        for rounded in [json!(1e20), json!([{"b": 1.2345678901234567}]), json!(-9007199254740992.0)]
        {
            let refused = read(rounded.clone()).unwrap_err();
            assert!(
                refused.contains(" may be rounded: write it in quotes"),
                "{rounded}: {refused}"
            );
        }
        for exact in [json!(0.1), json!(123.5), json!(u64::MAX), json!(i64::MIN), json!("1e20")] {
            assert!(read(exact.clone()).is_ok(), "{exact}");
        }
    }

    /// A default stands in for a member that is absent, and not for one that cannot be reached.
    #[test]
    fn no_default_stands_in_for_a_value_that_has_no_members() {
        let mapping: Mapping =
            serde_json::from_value(json!({"a": {"at": "/data/amount", "default": 1}})).unwrap();
        let arguments = |event: &str| mapping.arguments(Ok(Text::read(event.as_bytes()).unwrap()));
        for absent in [r#"{"data":{}}"#, "{}", r#"{"data":null}"#, r#"{"data":{"amount":1}}"#] {
            assert_eq!(arguments(absent), Ok(json!({"a": 1})), "{absent}");
        }
        for (event, place) in [
            (r#"[{"data":{"amount":900}}]"#, r#""""#),
            ("900", r#""""#),
            ("null", r#""""#),
            (r#""data""#, r#""""#),
            (r#"{"data":"amount=900"}"#, r#""/data""#),
            (r#"{"data":[900]}"#, r#""/data""#),
        ] {
            let expected =
                format!("the event has no object at {place}, so \"/data/amount\" leads nowhere");
            assert_eq!(arguments(event), Err(expected), "{event}");
        }
        let list: Mapping =
            serde_json::from_value(json!({"a": {"at": "/0/id", "default": 1}})).unwrap();
        assert_eq!(list.arguments(Ok(Text::read(b"[]").unwrap())), Ok(json!({"a": 1})));
    }

    #[test]
    fn arguments_keep_the_order_in_which_they_are_written() {
        let mapping: Mapping =
            serde_json::from_str(r#"{"to": "/to", "amount": "/amount"}"#).unwrap();
        let event = Text::read(br#"{"amount": 1, "to": "ann"}"#).unwrap();
        assert_eq!(mapping.arguments(Ok(event)).unwrap().to_string(), r#"{"to":"ann","amount":1}"#);
    }
}

//! Routing of webhook events: which targets take an event, and how its fields become the arguments of an
//! approval.

mod mapping;

use std::cmp::Ordering;
use std::fmt;

pub use mapping::Mapping;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::canonical;
use crate::strict_json::{self, Decimal, ParseError, Text, is_pointer};

/// The filter of a target. It takes an event if the event has one of the types and all comparisons are true.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Patterns of event types, in which `*` matches any text. An empty list matches every event.
    pub types: Vec<String>,
    /// Comparisons of event fields with values.
    pub comparisons: Vec<Comparison>,
}

impl Filter {
    /// Whether the filter takes events of this type.
    ///
    /// # Errors
    ///
    /// The reason why the type cannot be read, if the filter needs the type.
    pub fn takes_type(&self, event_type: &Result<Option<String>, String>) -> Result<bool, String> {
        if self.types.is_empty() {
            return Ok(true);
        }
        let event_type = event_type.as_ref().map_err(String::clone)?.as_deref();
        let of_type = |pattern: &String| event_type.is_some_and(|found| matches(pattern, found));
        Ok(self.types.iter().any(of_type))
    }

    /// The first comparison that is false for an event; `None` if all are true.
    ///
    /// # Errors
    ///
    /// If a field needs too much memory, or has a number that would be rounded.
    pub fn first_false(&self, event: Text<'_>) -> Result<Option<&Comparison>, ParseError> {
        for comparison in &self.comparisons {
            if !comparison.holds(event)? {
                return Ok(Some(comparison));
            }
        }
        Ok(None)
    }
}

/// Whether a text matches a pattern in which `*` matches any text.
///
/// Each part between two `*` is taken at its first place, which leaves the most text for the parts after it. So no
/// place is tried twice.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let within = text.strip_prefix(start).and_then(|text| text.strip_suffix(end));
    let all = |text| middle.split('*').try_fold(text, after);
    within.is_some_and(|text| all(text).is_some())
}

/// What follows the first occurrence of `part` in `text`.
fn after<'t>(text: &'t str, part: &str) -> Option<&'t str> {
    text.find(part).map(|at| &text[at + part.len()..])
}

/// A comparison of a field with a value, as in `/data/amount > 100` or `/action == "opened"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pointer: String,
    operator: Operator,
    value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

const OPERATORS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Less),
    (">", Operator::More),
];

impl Comparison {
    /// Reads the text of a comparison: a JSON pointer, an operator and a JSON value.
    ///
    /// # Errors
    ///
    /// If the text is not a comparison.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is not a comparison: write a JSON pointer, one of == != < <= > >=, and a \
                 JSON value, as in /data/amount > 100 or /action == \"opened\""
            )
        };
        let mut words = text.trim().splitn(3, ' ');
        let (Some(pointer), Some(sign), Some(value)) = (words.next(), words.next(), words.next())
        else {
            return Err(wrong());
        };
        let known = OPERATORS.iter().find(|(text, _)| *text == sign);
        let operator = known.ok_or_else(wrong)?.1;
        let value = strict_json::parse(value.trim().as_bytes());
        let value = value.map_err(|error| format!("{} ({error})", wrong()))?;
        let orders = !matches!(operator, Operator::Equal | Operator::Unequal);
        if pointer.is_empty() || !is_pointer(pointer) || (orders && !value.is_number()) {
            return Err(wrong());
        }
        Ok(Self { pointer: pointer.to_owned(), operator, value })
    }

    /// A missing field is unequal to every value, and all order comparisons with it are false. Numbers are compared by
    /// their decimal value, without rounding.
    fn holds(&self, event: Text<'_>) -> Result<bool, ParseError> {
        let found = event.pointer(&self.pointer);
        let number = Decimal::parse(&self.value.to_string());
        let order = found.and_then(Text::decimal).zip(number).map(|(found, own)| found.cmp(&own));
        let equal = || match (order, found) {
            (Some(order), _) => Ok(order.is_eq()),
            (None, Some(found)) => self.equals(found),
            (None, None) => Ok(false),
        };
        Ok(match self.operator {
            Operator::Equal => equal()?,
            Operator::Unequal => !equal()?,
            Operator::Less => order.is_some_and(Ordering::is_lt),
            Operator::AtMost => order.is_some_and(Ordering::is_le),
            Operator::More => order.is_some_and(Ordering::is_gt),
            Operator::AtLeast => order.is_some_and(Ordering::is_ge),
        })
    }

    /// Whether a field has this value. Two values are equal if their canonical texts are.
    fn equals(&self, found: Text<'_>) -> Result<bool, ParseError> {
        found.exact_at(&self.pointer).map_err(ParseError::Malformed)?;
        Ok(canonical::to_string(&found.value()?) == canonical::to_string(&self.value))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = OPERATORS.iter().find(|(_, known)| *known == self.operator);
        write!(formatter, "{} {} {}", self.pointer, sign.map_or("", |(text, _)| text), self.value)
    }
}

impl<'de> Deserialize<'de> for Comparison {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(types: &[&str], comparisons: &[&str], event_type: Option<&str>) -> bool {
        let event = br#"{"data": {"amount": 150, "currency": "EUR", "live": true,
            "big": 9007199254740993.0, "list": [1, {"a": 2.0}]}}"#;
        let filter = Filter {
            types: types.iter().map(|text| (*text).to_owned()).collect(),
            comparisons: comparisons.iter().map(|text| Comparison::parse(text).unwrap()).collect(),
        };
        let event_type = Ok(event_type.map(str::to_owned));
        filter.takes_type(&event_type).unwrap()
            && filter.first_false(Text::read(event).unwrap()).unwrap().is_none()
    }

    #[test]
    fn a_filter_takes_events_by_type_and_comparisons() {
        assert!(takes(&[], &[], None));
        assert!(takes(&["order.*"], &[], Some("order.paid")));
        assert!(takes(&["*.paid", "x"], &[], Some("order.paid")));
        assert!(takes(&["o*r.*d"], &[], Some("order.paid")));
        assert!(!takes(&["order.*"], &[], Some("orders")));
        assert!(!takes(&["order"], &[], Some("order.paid")));
        assert!(!takes(&["*"], &[], None));
        let matching = [
            "/data/amount > 100",
            "/data/amount >= 150",
            "/data/amount <= 150",
            "/data/amount < 1e3",
            "/data/amount == 150",
            "/data/amount == 150.0",
            "/data/amount == 15e1",
            "/data/big > 9007199254740992",
            "/data/big != 9007199254740992",
            "/data/list == [1.0, {\"a\": 2}]",
            "/data/currency == \"EUR\"",
            "/data/live == true",
            "/data/currency != \"USD\"",
            "/data/none != 1",
        ];
        assert!(takes(&[], &matching, None));
        for wrong in
            ["/data/amount > 150", "/data/none == null", "/data/none < 1", "/data/currency > 1"]
        {
            assert!(!takes(&[], &[wrong], None), "{wrong}");
        }
    }

    #[test]
    fn a_pattern_matches_any_text_at_each_star() {
        for (pattern, text, expected) in [
            ("push", "push", true),
            ("push", "pushed", false),
            ("*", "", true),
            ("issues.*", "issues.opened", true),
            ("issues.*", "issue.opened", false),
            ("*.created", "charge.created", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXcYb", false),
            ("ab*ba", "aba", false),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_longer_than_the_text() {
        let text = "a".repeat(100_000);
        assert!(!matches("*a*a*a*a*a*a*b", &text));
    }

    #[test]
    fn a_comparison_is_the_same_after_reading_and_writing() {
        for text in ["/a > 1", "/a/b == \"x y\"", "/a != null"] {
            assert_eq!(Comparison::parse(text).unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "/a",
            "/a >",
            "a > 1",
            "/a => 1",
            "/a > \"x\"",
            "/a == x",
            "/a > 1e-400",
            "/a~2 > 1",
        ] {
            assert!(Comparison::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_filter_of_types_needs_a_readable_type() {
        let typed = Filter { types: vec!["*".to_owned()], comparisons: Vec::new() };
        let event_type = Err("the type cannot be read".to_owned());
        assert_eq!(typed.takes_type(&event_type), Err("the type cannot be read".to_owned()));
        assert_eq!(Filter::default().takes_type(&event_type), Ok(true));
    }
}

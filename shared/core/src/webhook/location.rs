use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::limits::MOST_VALUES_AT_LOCATION;
use crate::strict_json::{Lenient, Unreadable};

/// The location of a value in a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// `header:<name>`. A `*` in the name is replaced by the header set that the request uses.
    Header(String),
    /// `query:<name>`, percent-decoded.
    Query(String),
    /// `form:<name>`, or `form:<name>:/<pointer>` for a value in the JSON of a form field.
    Form(String, Option<Pointer>),
    /// `json:/<pointer>`, a value in the JSON body.
    Json(Pointer),
    /// `path:<n>`: the n-th segment, from 1, after the source's own path.
    Path(usize),
}

/// A JSON pointer (RFC 6901) in which the segment `*` means every element of a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer(Vec<String>);

impl Location {
    /// Reads the text of a location.
    ///
    /// # Errors
    ///
    /// If the text is not a location.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is not a location: write header:<name>, query:<name>, form:<name>, \
                 form:<name>:/<pointer>, json:/<pointer> or path:<n>"
            )
        };
        let (place, rest) = text.split_once(':').ok_or_else(wrong)?;
        if rest.is_empty() {
            return Err(wrong());
        }
        match place {
            "header" => Ok(Self::Header(rest.to_ascii_lowercase())),
            "query" => Ok(Self::Query(rest.to_owned())),
            "form" => match rest.split_once(":/") {
                Some((name, pointer)) => {
                    Ok(Self::Form(name.to_owned(), Some(Pointer::parse(&format!("/{pointer}")))))
                }
                None => Ok(Self::Form(rest.to_owned(), None)),
            },
            "json" if rest.starts_with('/') => Ok(Self::Json(Pointer::parse(rest))),
            "path" => match rest.parse() {
                Ok(segment @ 1..) => Ok(Self::Path(segment)),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}

impl Pointer {
    fn parse(text: &str) -> Self {
        let segments = text.split('/').skip(1);
        Self(segments.map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect())
    }

    /// The first segment of the pointer, which is the name of a top-level member.
    pub fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Whether the pointer contains the wildcard `*`.
    pub fn has_wildcard(&self) -> bool {
        self.0.iter().any(|segment| segment == "*")
    }

    /// The scalars at this pointer, in order. If one value is missing, the result is a single `None`, so that
    /// a check of every element cannot pass when an element lacks the value. More than [`MOST_VALUES_AT_LOCATION`] values
    /// count as a missing value.
    ///
    /// # Errors
    ///
    /// If a value is there and cannot be read.
    pub fn values<'a>(&self, root: Lenient<'a>) -> Result<Vec<Option<Cow<'a, str>>>, Unreadable> {
        let mut found = Vec::new();
        Ok(match walk(&self.0, root, &mut found)? {
            true => found.into_iter().map(Some).collect(),
            false => vec![None],
        })
    }

    /// Whether there is a value at this pointer, of any kind. A wildcard finds none.
    ///
    /// # Errors
    ///
    /// If the value cannot be read.
    pub fn finds(&self, root: Lenient<'_>) -> Result<bool, Unreadable> {
        let mut at = Some(root);
        for segment in &self.0 {
            let Some(value) = at else { return Ok(false) };
            at = step(segment, value)?;
        }
        Ok(at.is_some())
    }
}

/// Collects the scalars; `false` if a value is missing.
fn walk<'a>(
    segments: &[String],
    value: Lenient<'a>,
    found: &mut Vec<Cow<'a, str>>,
) -> Result<bool, Unreadable> {
    let Some((segment, rest)) = segments.split_first() else {
        let scalar = value.scalar()?.filter(|_| found.len() < MOST_VALUES_AT_LOCATION);
        let there = scalar.is_some();
        found.extend(scalar);
        return Ok(there);
    };
    if segment == "*"
        && let Some(elements) = value.elements()
    {
        for element in elements {
            if !walk(rest, element?, found)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    step(segment, value)?.map_or(Ok(false), |value| walk(rest, value, found))
}

/// The member with this name, or the element with this number.
fn step<'a>(segment: &str, value: Lenient<'a>) -> Result<Option<Lenient<'a>>, Unreadable> {
    match value.elements() {
        None => value.member(segment),
        Some(mut elements) => {
            segment.parse().ok().and_then(|number| elements.nth(number)).transpose()
        }
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|segment| {
            write!(formatter, "/{}", segment.replace('~', "~0").replace('/', "~1"))
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(formatter, "header:{name}"),
            Self::Query(name) => write!(formatter, "query:{name}"),
            Self::Form(name, None) => write!(formatter, "form:{name}"),
            Self::Form(name, Some(pointer)) => write!(formatter, "form:{name}:{pointer}"),
            Self::Json(pointer) => write!(formatter, "json:{pointer}"),
            Self::Path(segment) => write!(formatter, "path:{segment}"),
        }
    }
}

impl<'de> Deserialize<'de> for Location {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A rule that builds a value from a request: alternatives in order, each with one or more locations. The
/// text form joins locations by ` + `.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(pub Vec<Vec<Location>>);

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(String),
            Several(Vec<String>),
        }
        let alternatives = match Written::deserialize(deserializer)? {
            Written::One(text) => vec![text],
            Written::Several(texts) => texts,
        };
        let parse = |text: &String| text.split(" + ").map(Location::parse).collect();
        let parsed: Result<_, String> = alternatives.iter().map(parse).collect();
        parsed.map(Self).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |parts: &Vec<Location>| {
            parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ")
        };
        let alternatives: Vec<String> = self.0.iter().map(joined).collect();
        formatter.write_str(&alternatives.join(", else "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_the_same_after_reading_and_writing() {
        for text in [
            "header:x-id",
            "query:a",
            "form:payload",
            "form:payload:/type",
            "json:/a/*/b~1c",
            "path:1",
        ] {
            assert_eq!(Location::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "x", "header:", "json:a", "path:0", "path:x", "cookie:a"] {
            assert!(Location::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pointers_find_scalars_only() {
        let body = r#"{"a": [{"b": 1}, {"b": "x"}], "e": [{"b": 1}, {}], "c": {"d/e": true}, "n": null, "x": []}"#;
        let found = |pointer: &str| {
            let body = Lenient::read(body.as_bytes()).unwrap();
            let values = Pointer::parse(pointer).values(body).unwrap();
            values.into_iter().map(|value| value.map(Cow::into_owned)).collect::<Vec<_>>()
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(found("/a/*/b"), [some("1"), some("x")]);
        assert_eq!(found("/a/1/b"), [some("x")]);
        assert_eq!(found("/c/d~1e"), [some("true")]);
        for missing in ["/n", "/x/y", "/a/9/b", "/c", "/a/0/b/z", "/e/*/b"] {
            assert_eq!(found(missing), [None], "{missing}");
        }
        assert_eq!(found("/x/*"), []);
    }

    #[test]
    fn a_list_with_too_many_values_counts_as_missing() {
        let values = |count: usize| {
            let body = format!("[{}0]", "0,".repeat(count - 1));
            Pointer::parse("/*").values(Lenient::read(body.as_bytes()).unwrap()).unwrap().len()
        };
        assert_eq!(
            (values(MOST_VALUES_AT_LOCATION), values(MOST_VALUES_AT_LOCATION + 1)),
            (MOST_VALUES_AT_LOCATION, 1)
        );
    }
}

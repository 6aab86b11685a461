//! One thing that happened, as a line for a person.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};

use anstyle::Style;
use serde_json::Value;

use crate::style::{DIM, ERROR, GOOD, NAME, STRONG, WARNING, printable, time};

/// The most lines of a payload that are shown.
const LINES: usize = 40;

/// The most characters of a text that are shown.
const CHARACTERS: usize = 300;

/// One thing that happened.
pub struct Happening {
    /// The project it happened in, if several are watched.
    pub project: Option<String>,
    /// When, in RFC 3339.
    pub at: String,
    /// To what: an operation, a webhook or a delivery.
    pub what: &'static str,
    /// The state it came to.
    pub state: String,
    /// Its id.
    pub id: String,
    /// Who did it, or what came of it.
    pub note: String,
    /// What it carries.
    pub payload: Option<Payload>,
}

/// What a webhook, an operation or a delivery carries.
pub enum Payload {
    /// A JSON value.
    Json(Value),
    /// Any other text.
    Text(String),
}

impl Payload {
    /// A JSON value, unless there is nothing in it.
    pub fn json(value: Value) -> Option<Self> {
        let nothing = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
        (!nothing).then_some(Self::Json(value))
    }

    /// The body of a webhook, which came or is sent, if it is text.
    pub fn body(webhook: &Value) -> Option<Self> {
        let body = webhook["body"].as_str().filter(|body| !body.is_empty())?;
        match serde_json::from_str(body) {
            Ok(value) => Self::json(value),
            Err(_) => Some(Self::Text(body.to_owned())),
        }
    }
}

impl Display for Happening {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = style(&self.state);
        let (time, state) = (time(&self.at), printable(&self.state));
        let (id, note) = (printable(&self.id), printable(&self.note));
        write!(formatter, "{DIM}{time}{DIM:#} ")?;
        if let Some(project) = &self.project {
            write!(formatter, "{NAME}{project}{NAME:#} ")?;
        }
        write!(formatter, "{:9} {style}{state:9}{style:#} {id} {DIM}{note}{DIM:#}", self.what)?;
        let text = match &self.payload {
            None => return Ok(()),
            Some(Payload::Json(value)) => {
                let mut text = String::new();
                pretty(&mut text, value, 0)?;
                text
            }
            Some(Payload::Text(text)) => {
                text.lines().map(|line| printable(&short(line)).into_owned() + "\n").collect()
            }
        };
        for line in text.lines().take(LINES) {
            write!(formatter, "\n    {line}")?;
        }
        match text.lines().count().saturating_sub(LINES) {
            0 => Ok(()),
            more => write!(formatter, "\n    {DIM}and {more} lines more{DIM:#}"),
        }
    }
}

fn style(state: &str) -> Style {
    match state {
        "failed" | "unknown" => ERROR,
        "denied" | "cancelled" | "expired" | "retrying" | "reminded" | "escalated" => WARNING,
        "approved" | "answered" | "succeeded" | "settled" | "processed" | "delivered" => GOOD,
        _ => STRONG,
    }
}

/// The start of a text, and how much of it is left out.
fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(CHARACTERS) {
        None => text.into(),
        Some((end, _)) => {
            let left_out = text[end..].chars().count();
            format!("{} (and {left_out} characters more)", &text[..end]).into()
        }
    }
}

/// JSON on several lines, in colour.
fn pretty(out: &mut String, value: &Value, depth: usize) -> fmt::Result {
    let (indent, end) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (index, (name, member)) in members.iter().enumerate() {
                let start = if index == 0 { "{" } else { "," };
                let name = Value::from(name.as_str()).to_string();
                write!(out, "{start}\n{indent}{NAME}{}{NAME:#}: ", printable(&name))?;
                pretty(out, member, depth + 1)?;
            }
            write!(out, "\n{end}}}")
        }
        Value::Array(elements) if !elements.is_empty() => {
            for (index, element) in elements.iter().enumerate() {
                let start = if index == 0 { "[" } else { "," };
                write!(out, "{start}\n{indent}")?;
                pretty(out, element, depth + 1)?;
            }
            write!(out, "\n{end}]")
        }
        Value::String(_) => {
            write!(out, "{GOOD}{}{GOOD:#}", printable(&short(&value.to_string())))
        }
        other => write!(out, "{STRONG}{other}{STRONG:#}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_payload_is_cut() {
        let long = "x".repeat(CHARACTERS + 5);
        assert!(short(&long).ends_with("x (and 5 characters more)"));
        let payload = Some(Payload::Text("line\n".repeat(LINES + 2)));
        let happening = Happening {
            project: None,
            at: String::new(),
            what: "webhook",
            state: "received".to_owned(),
            id: "github.1".to_owned(),
            note: String::new(),
            payload,
        };
        let shown = anstream::adapter::strip_str(&happening.to_string()).to_string();
        assert_eq!(shown.lines().count(), LINES + 2);
        assert!(shown.ends_with("and 2 lines more"), "{shown}");
    }
}

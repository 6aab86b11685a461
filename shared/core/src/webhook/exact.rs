//! The exact reading of an event.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::incoming::Incoming;
use super::scheme::Scheme;
use crate::strict_json::{LONGEST_QUOTE, Text};

/// The field of a form in which some senders put JSON.
const PAYLOAD: &str = "payload";

/// The JSON of an event, read exactly: every reader understands it in the same way. What a person approves and what
/// is executed comes from here.
#[derive(Clone, Debug)]
pub struct ExactJson<'a>(Cow<'a, [u8]>);

impl ExactJson<'_> {
    /// The JSON.
    pub fn text(&self) -> Text<'_> {
        Text::known(&self.0)
    }
}

impl Scheme {
    /// The body as JSON. A form is an object of its fields, or the JSON in its field `payload` if the sender uses
    /// that. Numbers that a tree would round are accepted: see [`Text::exact`].
    ///
    /// # Errors
    ///
    /// Why the body cannot be read, and where. An empty body is no JSON.
    pub fn exact_json<'a>(&self, request: &Incoming<'a>) -> Result<ExactJson<'a>, String> {
        if request.body.trim_ascii().is_empty() {
            return Err("the body is empty".to_owned());
        }
        let unreadable = |reason| format!("the body cannot be read: {reason}");
        if !request.is_form() {
            Text::read(request.body).map_err(unreadable)?;
            return Ok(ExactJson(Cow::Borrowed(request.body)));
        }
        let form = request.form();
        let form = form.ok_or("the form has too many fields, or its encoding is invalid")?;
        let mut names = BTreeSet::new();
        if let Some((twice, _)) = form.iter().find(|(name, _)| !names.insert(name)) {
            let twice: String = twice.chars().take(LONGEST_QUOTE).collect();
            return Err(unreadable(format!("the form field {twice:?} occurs twice")));
        }
        let payload = form.iter().find(|(name, _)| name == PAYLOAD && self.reads_payload());
        let json = match payload {
            Some((_, payload)) => {
                let within = |reason| unreadable(format!("in the form field {PAYLOAD}, {reason}"));
                Text::read(payload.as_bytes()).map_err(within)?;
                payload.clone()
            }
            None => {
                let fields = form.iter().map(|(name, value)| (name.clone(), value.clone().into()));
                Value::Object(fields.collect::<Map<_, _>>()).to_string()
            }
        };
        Ok(ExactJson(Cow::Owned(json.into_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::presets;
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn read(preset: &str, content_type: &str, body: &[u8]) -> Result<Value, String> {
        let scheme: Scheme = serde_json::from_value(presets::preset(preset).unwrap()).unwrap();
        let mut request = Incoming::post("/", body);
        request.headers = vec![("content-type", content_type)];
        scheme.exact_json(&request).map(|json| json.text().value().unwrap())
    }

    #[test]
    fn a_body_has_one_exact_reading() {
        for (preset, content_type, body, expected) in [
            ("hmac", "text/plain", "{\"a\":1}", json!({"a": 1})),
            ("hmac", "text/plain", "\u{feff}{\"a\":1}", json!({"a": 1})),
            ("hmac", FORM, "{\"a\":1}", json!({"a": 1})),
            ("hmac", FORM, "a=1&b=+", json!({"a": "1", "b": " "})),
            ("hmac", FORM, "payload=%7B%7D", json!({"payload": "{}"})),
            ("github", FORM, "payload=%7B%22a%22:1%7D&b=2", json!({"a": 1})),
            ("github", FORM, "payload=%EF%BB%BF%7B%22a%22:1%7D", json!({"a": 1})),
            ("github", FORM, "b=2", json!({"b": "2"})),
        ] {
            assert_eq!(read(preset, content_type, body.as_bytes()), Ok(expected), "{body}");
        }
    }

    #[test]
    fn the_reason_says_what_is_wrong_and_where() {
        for (preset, content_type, body, part) in [
            ("hmac", "text/plain", &b"hello"[..], "line 1 column 1"),
            (
                "hmac",
                "application/json",
                br#"{"a":"late \ud83d"}"#,
                "lone surrogate) at line 1 column 18",
            ),
            ("hmac", "application/json", b"{\"a\":\"\xe9\"}", "line 1 column"),
            ("hmac", "application/json", br#"{"a":"\udc00"}"#, "lone surrogate) at line 1"),
            (
                "hmac",
                "application/json",
                br#"{"a":1,"a":2}"#,
                "\"a\" occurs twice at line 1 column",
            ),
            ("hmac", "application/json", b"a=1", "line 1 column 1"),
            ("hmac", "application/json", b"\xff\xfe{\0}\0", "UTF-16"),
            ("hmac", "application/json", b" ", "the body is empty"),
            ("hmac", FORM, b"a=1&a=1", "field \"a\" occurs twice"),
            ("hmac", FORM, b"a=%e9", "encoding is invalid"),
            ("slack", FORM, b"payload=1&payload=2", "field \"payload\" occurs twice"),
            ("slack", FORM, b"payload=%7B", "in the form field payload, EOF"),
        ] {
            let reason = read(preset, content_type, body).unwrap_err();
            assert!(reason.contains(part), "{reason}");
        }
    }
}

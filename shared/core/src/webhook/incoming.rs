use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::OnceLock;

use super::location::Location;
use crate::percent;
use crate::strict_json::{Lenient, Unreadable, from_utf16, without_mark};

/// A received request. All of it is unverified.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The HTTP method, in upper case.
    pub method: &'a str,
    /// The percent-encoded path, as received.
    pub path: &'a str,
    /// The part of the path after the source's own path.
    pub rest: &'a str,
    /// The query without `?`, as received.
    pub query: &'a str,
    /// The headers: names in lower case, and values.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The raw bytes of the body.
    pub body: &'a [u8],
    /// The address of the TCP peer.
    pub source_ip: Option<IpAddr>,
    /// The body as UTF-8 if it is UTF-16, computed once.
    transcoded: OnceLock<Option<Vec<u8>>>,
    /// Whether the text is one JSON value, computed once.
    json: OnceLock<Result<(), Unreadable>>,
    form: OnceLock<Option<Vec<(String, String)>>>,
}

impl<'a> Incoming<'a> {
    /// A POST of this body without headers. The caller sets the other fields afterwards.
    pub fn post(path: &'a str, body: &'a [u8]) -> Self {
        Self {
            method: "POST",
            path,
            rest: "",
            query: "",
            headers: Vec::new(),
            body,
            source_ip: None,
            transcoded: OnceLock::new(),
            json: OnceLock::new(),
            form: OnceLock::new(),
        }
    }

    /// The body alone, read as a form whatever its content type is.
    pub(super) fn as_form(&self) -> Incoming<'a> {
        let mut form = Incoming::post(self.path, self.body);
        form.headers.push(("content-type", "application/x-www-form-urlencoded"));
        form
    }

    /// The value of a header; `None` if the header is missing or repeated.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.one_header(name).ok().flatten()
    }

    /// The value of a header; `None` if the header is missing.
    pub(super) fn one_header(&self, name: &str) -> Result<Option<&'a str>, Unreadable> {
        let mut found = self.headers.iter().filter(|(known, _)| *known == name);
        match (found.next(), found.next()) {
            (found, None) => Ok(found.map(|(_, value)| *value)),
            _ => Err(Unreadable),
        }
    }

    /// The body as UTF-8 as far as possible, without a byte order mark.
    fn text(&self) -> &[u8] {
        let transcoded = self.transcoded.get_or_init(|| from_utf16(self.body)).as_deref();
        transcoded.unwrap_or_else(|| without_mark(self.body))
    }

    /// The body as JSON that may be damaged; `None` if the body is empty or a form.
    pub(super) fn json(&self) -> Result<Option<Lenient<'_>>, Unreadable> {
        let text = self.text();
        if self.is_form() || text.trim_ascii().is_empty() {
            return Ok(None);
        }
        let read = self.json.get_or_init(|| Lenient::read(text).map(drop));
        read.map(|()| Some(Lenient::known(text)))
    }

    /// Whether the body is a form. A body that begins as a JSON object or list is JSON, whatever its content type
    /// says: tools such as curl send JSON as a form unless told otherwise, and a form encodes these characters.
    pub fn is_form(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
            && !matches!(self.text().trim_ascii_start(), [b'{' | b'[', ..])
    }

    /// The decoded fields of a form body, in order; `None` if the body is not a form or not valid.
    pub fn form(&self) -> Option<&[(String, String)]> {
        let read = || if self.is_form() { percent::form(self.body) } else { None };
        self.form.get_or_init(read).as_deref()
    }

    /// The values at a location. A missing value is `None`. If one value under a wildcard is missing, the
    /// result is a single `None`. This reading is lenient: see [`Lenient`].
    ///
    /// # Errors
    ///
    /// If a value was sent, but cannot be read. A repeated header, parameter or form field cannot be read.
    pub fn read(&self, location: &Location) -> Result<Vec<Option<Cow<'_, str>>>, Unreadable> {
        match location {
            Location::Json(pointer) => match self.json()? {
                Some(json) => pointer.values(json),
                None => Ok(vec![None]),
            },
            Location::Form(name, Some(pointer)) => match self.form_field(name)? {
                Some(text) => {
                    let values = pointer.values(Lenient::read(without_mark(text.as_bytes()))?)?;
                    let owned = |value: Cow<'_, str>| Cow::Owned(value.into_owned());
                    Ok(values.into_iter().map(|value| value.map(owned)).collect())
                }
                None => Ok(vec![None]),
            },
            Location::Form(name, None) => Ok(vec![self.form_field(name)?.map(Cow::Owned)]),
            Location::Header(name) => Ok(vec![self.one_header(name)?.map(Cow::Borrowed)]),
            Location::Query(name) => {
                let fields = percent::form(self.query.as_bytes()).ok_or(Unreadable)?;
                let mut found = fields.into_iter().filter(|(known, _)| known == name);
                match (found.next(), found.next()) {
                    (found, None) => Ok(vec![found.map(|(_, value)| Cow::Owned(value))]),
                    _ => Err(Unreadable),
                }
            }
            Location::Path(segment) => {
                let segments = self.rest.split('/').filter(|segment| !segment.is_empty());
                Ok(vec![segments.into_iter().nth(segment - 1).map(Cow::Borrowed)])
            }
        }
    }

    /// The value at a location; `None` if there is not exactly one value that can be read.
    pub fn value(&self, location: &Location) -> Option<Cow<'_, str>> {
        only(self.read(location).ok()?)
    }

    fn form_field(&self, name: &str) -> Result<Option<String>, Unreadable> {
        if self.is_form() { percent::field(self.body, name) } else { Ok(None) }
    }
}

/// The value, if there is exactly one.
pub(super) fn only<T>(values: Vec<Option<T>>) -> Option<T> {
    let mut values = values.into_iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_values_count_as_missing() {
        let mut request = Incoming::post("/", br#"{"a":1,"a":2}"#);
        request.query = "q=1&q=2&r=%20";
        request.headers = vec![("x", "1"), ("x", "1"), ("y", "2")];
        let value =
            |text: &str| request.value(&Location::parse(text).unwrap()).map(Cow::into_owned);
        assert_eq!(value("header:x"), None);
        assert_eq!(value("header:y").as_deref(), Some("2"));
        assert_eq!(value("query:q"), None);
        assert_eq!(value("query:r").as_deref(), Some(" "));
        assert_eq!(value("json:/a"), None);
        let read = |text: &str| request.read(&Location::parse(text).unwrap());
        for repeated in ["header:x", "query:q", "json:/a"] {
            assert_eq!(read(repeated), Err(Unreadable), "{repeated}");
        }
        for missing in ["header:z", "query:z", "json:/z", "form:z", "path:1"] {
            assert_eq!(read(missing), Ok(vec![None]), "{missing}");
        }
    }

    #[test]
    fn a_byte_order_mark_before_the_json_of_a_form_field_is_ignored() {
        let mut request = Incoming::post("/", b"payload=%EF%BB%BF%7B%22action%22:%22opened%22%7D");
        request.headers = vec![("content-type", "application/x-www-form-urlencoded")];
        let value = |text: &str| request.read(&Location::parse(text).unwrap());
        assert_eq!(value("form:payload:/action"), Ok(vec![Some(Cow::Borrowed("opened"))]));
        assert_eq!(value("form:payload:/other"), Ok(vec![None]));
    }

    #[test]
    fn one_body_is_either_a_form_or_json() {
        let form = "application/x-www-form-urlencoded; charset=UTF-8";
        for (content_type, body, form_a, json_a) in [
            (form, "a=1", Some("1"), None),
            (form, " {\"a\":1}", None, Some("1")),
            (form, "\u{feff}{\"a\":1}", None, Some("1")),
            (form, "%7B%22a%22:1}&a=2", Some("2"), None),
            ("application/json", "a=1", None, None),
            ("text/plain", "{\"a\":1}", None, Some("1")),
        ] {
            let mut request = Incoming::post("/", body.as_bytes());
            request.headers = vec![("content-type", content_type)];
            let value =
                |text: &str| request.value(&Location::parse(text).unwrap()).map(Cow::into_owned);
            assert_eq!(value("form:a").as_deref(), form_a, "{body}");
            assert_eq!(value("json:/a").as_deref(), json_a, "{body}");
        }
    }
}

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::OnceLock;

use super::location::Location;
use crate::percent;
use crate::strict_json::Text;

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
    /// Whether the body is JSON, or the reason why it is not. Computed once.
    json: OnceLock<Result<(), String>>,
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
            json: OnceLock::new(),
            form: OnceLock::new(),
        }
    }

    /// The value of a header; `None` if the header is missing or repeated.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut found = self.headers.iter().filter(|(known, _)| *known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// The body as JSON without repeated members. It is parsed once.
    ///
    /// # Errors
    ///
    /// If the body is not such JSON: what is wrong and where.
    pub fn json(&self) -> Result<Text<'a>, &str> {
        let read = self.json.get_or_init(|| Text::read(self.body).map(drop));
        read.as_ref().map(|()| Text::known(self.body)).map_err(String::as_str)
    }

    /// Whether the content type says that the body is a form.
    pub fn is_form(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// The decoded fields of a form body, in order; `None` if the body is not a form or not valid.
    pub fn form(&self) -> Option<&[(String, String)]> {
        let read = || if self.is_form() { percent::form(self.body) } else { None };
        self.form.get_or_init(read).as_deref()
    }

    /// The values at a location. A missing value is `None`. If one value under a wildcard is missing, the
    /// result is a single `None`.
    pub fn values(&self, location: &Location) -> Vec<Option<Cow<'_, str>>> {
        match location {
            Location::Json(pointer) => match self.json() {
                Ok(json) => pointer.values(json),
                Err(_) => vec![None],
            },
            Location::Form(name, Some(pointer)) => {
                let field = self.form_field(name).map(str::as_bytes);
                match field.and_then(|text| Text::read(text).ok()) {
                    Some(json) => pointer.values(json),
                    None => vec![None],
                }
            }
            Location::Form(name, None) => vec![self.form_field(name).map(Cow::Borrowed)],
            Location::Header(name) => vec![self.header(name).map(Cow::Borrowed)],
            Location::Query(name) => vec![query_field(self.query, name).map(Cow::Owned)],
            Location::Path(segment) => {
                let segments = self.rest.split('/').filter(|segment| !segment.is_empty());
                vec![segments.into_iter().nth(segment - 1).map(Cow::Borrowed)]
            }
        }
    }

    /// The value at a location; `None` if there is not exactly one value.
    pub fn value(&self, location: &Location) -> Option<Cow<'_, str>> {
        let mut values = self.values(location).into_iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value,
            _ => None,
        }
    }

    fn form_field(&self, name: &str) -> Option<&str> {
        let mut found = self.form()?.iter().filter(|(known, _)| known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

/// The value of a query parameter; `None` if the parameter is missing or repeated.
fn query_field(query: &str, name: &str) -> Option<String> {
    let fields = percent::form(query.as_bytes())?;
    let mut found = fields.into_iter().filter(|(known, _)| known == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value),
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
    }
}

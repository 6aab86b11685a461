use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::OnceLock;

use super::location::Location;
use crate::percent;
use crate::strict_json::Text;

/// A request as it came: nothing of it is believed yet.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path, percent-encoded as it came.
    pub path: &'a str,
    /// What follows the source's own path.
    pub rest: &'a str,
    /// The query without its `?`, as it came.
    pub query: &'a str,
    /// Names in lower case, and values.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The raw bytes.
    pub body: &'a [u8],
    /// The TCP peer.
    pub source_ip: Option<IpAddr>,
    /// Whether the body is JSON; if not, why.
    json: OnceLock<Result<(), String>>,
    form: OnceLock<Option<Vec<(String, String)>>>,
}

impl<'a> Incoming<'a> {
    /// A POST of this body without headers; the other fields are set after.
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

    /// A header's value; `None` if it is missing or stands there more than once.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut found = self.headers.iter().filter(|(known, _)| *known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// The body as JSON in which no member is repeated, read once.
    ///
    /// # Errors
    ///
    /// If it is none: what is wrong and where.
    pub fn json(&self) -> Result<Text<'a>, &str> {
        let read = self.json.get_or_init(|| Text::read(self.body).map(drop));
        read.as_ref().map(|()| Text::known(self.body)).map_err(String::as_str)
    }

    /// Whether the body is a form by its content type.
    pub fn is_form(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// The fields of a form body, decoded, in order; `None` if it is no form or not UTF-8.
    pub fn form(&self) -> Option<&[(String, String)]> {
        let read = || if self.is_form() { percent::form(self.body) } else { None };
        self.form.get_or_init(read).as_deref()
    }

    /// The values at a location. Those that are not there are `None`: one if the location names one
    /// place, one per element without it under a wildcard.
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

    /// The one value at a location.
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

/// The value of a query parameter; `None` if it is missing or stands there more than once.
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
    fn what_stands_there_twice_is_not_there() {
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

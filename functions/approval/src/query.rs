//! The parameters of a list, and its answer.

use lambda_http::http::StatusCode;
use placet_core::percent::form;
use placet_runtime::Page;
use placet_runtime::http::{Request, Response, json};
use placet_runtime::index::Cursor;
use placet_runtime::problem::Problem;
use serde_json::{Value, json};

/// The parameters of a request: only known ones, each once.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn read(request: &Request, known: &[&str]) -> Result<Self, Problem> {
        let query = request.uri().query().unwrap_or_default();
        let fields = form(query.as_bytes())
            .ok_or_else(|| invalid("the query can not be decoded: it is percent-encoded UTF-8"))?;
        for (index, (name, _)) in fields.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let known = known.join(", ");
                return Err(invalid(format!("{name:?} is not a parameter, known are {known}")));
            }
            if fields[..index].iter().any(|(before, _)| before == name) {
                return Err(invalid(format!("{name} is given more than once")));
            }
        }
        Ok(Self(fields))
    }

    /// The value of a parameter, if it is given; `form` says what it has to be.
    pub(crate) fn parse<T>(
        &self,
        name: &str,
        form: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some((_, value)) = self.0.iter().find(|(known, _)| known == name) else {
            return Ok(None);
        };
        match parse(value) {
            Some(value) => Ok(Some(value)),
            None => Err(invalid(format!("{name} is {form}"))),
        }
    }

    pub(crate) fn limit(&self, most: usize) -> Result<Option<usize>, Problem> {
        let limit = |text: &str| text.parse().ok().filter(|limit| (1..=most).contains(limit));
        self.parse("limit", &format!("1 to {most}"), limit)
    }

    pub(crate) fn cursor(
        &self,
        parse: impl Fn(&str) -> Option<Cursor>,
    ) -> Result<Option<Cursor>, Problem> {
        self.parse("cursor", "the `next` of the page before", parse)
    }
}

/// A page of a list.
pub(crate) fn listed<T>(page: Page<T>, describe: impl Fn(&T) -> Value) -> Response {
    let items: Vec<Value> = page.items.iter().map(describe).collect();
    let next = page.next.and_then(|cursor| cursor.text());
    json(StatusCode::OK, &json!({"items": items, "next": next}))
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
}

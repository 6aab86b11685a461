//! The parameters of a list, and its answer.

use std::time::Duration;

use lambda_http::http::StatusCode;
use placet_core::percent::form;
use placet_core::{Period, Timestamp};
use placet_runtime::Page;
use placet_runtime::http::{Request, Response, json};
use placet_runtime::index::Cursor;
use placet_runtime::problem::Problem;
use serde_json::{Value, json};

/// The parameters of a request: only known ones, each once.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn read(request: &Request, known: &[&str]) -> Result<Self, Problem> {
        let Self(fields) = Self::lenient(request)?;
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

    /// The parameters of a request of which nobody knows for sure which there are.
    pub(crate) fn lenient(request: &Request) -> Result<Self, Problem> {
        let query = request.uri().query().unwrap_or_default();
        form(query.as_bytes())
            .map(Self)
            .ok_or_else(|| invalid("the query can not be decoded: it is percent-encoded UTF-8"))
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

    /// A moment, or how long ago it was.
    pub(crate) fn moment(&self, name: &str, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
        let moment = |text: &str| {
            let period = || Period::try_from(text.to_owned()).ok();
            Timestamp::parse(text).or_else(|| period().map(|period| now.minus(period.0)))
        };
        self.parse(name, "a moment as in RFC 3339, or a period as in 24h", moment)
    }

    /// How long a client wants to be held: at most 25 s, its own patience is often 30.
    pub(crate) fn wait(&self) -> Result<Option<Duration>, Problem> {
        let seconds = |text: &str| {
            let seconds: f64 =
                text.parse().ok().filter(|seconds| (0.0..=25.0).contains(seconds))?;
            Duration::try_from_secs_f64(seconds).ok()
        };
        self.parse("wait", "seconds, 0 to 25", seconds)
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

pub(crate) fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
}

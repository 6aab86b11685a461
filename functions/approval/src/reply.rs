//! Replies that many routes share. Every reply is a struct, from which its schema in the OpenAPI document is
//! derived.

use lambda_http::http::StatusCode;
use placet_core::Timestamp;
use placet_core::item::{Item, Kind};
use placet_runtime::http::{Response, text};
use serde::{Serialize, Serializer};

/// A reply with a JSON body.
pub(crate) fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    text(status, "application/json", serde_json::to_string(body).unwrap_or_default())
}

/// A page of a list.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "{T}Page"))]
pub(crate) struct Page<T> {
    /// A page may be shorter than its limit and still have a next one.
    pub(crate) items: Vec<T>,
    /// The `cursor` of the next page; null after the last.
    pub(crate) next: Option<String>,
}

impl<T: Serialize> Page<T> {
    /// Makes the reply for a page.
    pub(crate) fn reply<'p, K: Kind>(
        page: &'p placet_runtime::Page<Item<K>>,
        project: &str,
        describe: impl Fn(&'p Item<K>) -> T,
    ) -> Response {
        let next = page.next.as_ref().map(|cursor| cursor.text(K::NAME, project));
        json(StatusCode::OK, &Self { items: page.items.iter().map(describe).collect(), next })
    }
}

/// A moment in RFC 3339 format.
#[derive(Clone, Copy)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

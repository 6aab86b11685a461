//! Requests to the front door, and what it answers.

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use crate::world::World;

/// A request in the making.
pub struct Ask<'a> {
    world: &'a World,
    request: http::request::Builder,
    body: Bytes,
}

impl<'a> Ask<'a> {
    pub fn new(world: &'a World, request: http::request::Builder) -> Self {
        Self { world, request, body: Bytes::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub fn form(self, body: &str) -> Self {
        self.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned())
    }

    pub fn page(self) -> Self {
        self.header("accept", "text/html")
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub async fn send(self) -> Answer {
        let request = self.request.body(self.body).unwrap();
        let response = self.world.system.front_door.call(request).await;
        let (parts, body) = response.into_parts();
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        Answer {
            status: parts.status,
            content_type: header("content-type").unwrap_or_default().to_owned(),
            location: header("location").unwrap_or_default().to_owned(),
            retry_after: header("retry-after").unwrap_or_default().to_owned(),
            text: String::from_utf8_lossy(&body).into_owned(),
            headers: parts.headers.clone(),
            bytes: body,
        }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub content_type: String,
    pub location: String,
    pub retry_after: String,
    pub headers: http::HeaderMap,
    pub bytes: Bytes,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The value of a hidden field of the page's form.
    #[track_caller]
    pub fn hidden(&self, name: &str) -> String {
        let before = format!("name=\"{name}\" value=\"");
        let rest = self
            .text
            .split_once(&before)
            .unwrap_or_else(|| panic!("no field {name}: {}", self.text))
            .1;
        rest.split_once('"').unwrap().0.to_owned()
    }
}

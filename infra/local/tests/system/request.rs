//! Requests to the front door, and its replies.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;

use crate::world::World;

/// A request that a test builds and sends.
pub struct Request<'a> {
    world: &'a World,
    request: http::request::Builder,
    body: Bytes,
}

impl<'a> Request<'a> {
    fn new(world: &'a World, method: Method, path: &str) -> Self {
        let request = http::Request::builder().method(method).uri(path);
        Self { world, request: request.header("host", "127.0.0.1:8000"), body: Bytes::new() }
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

    pub async fn send(self) -> Reply {
        let request = self.request.body(self.body).unwrap();
        let response = self.world.system.front_door.call(request).await;
        let (parts, body) = response.into_parts();
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        Reply {
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

impl World {
    pub fn get(&self, path: &str) -> Request<'_> {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Request<'_> {
        self.request(Method::POST, path)
    }

    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        Request::new(self, method, path)
    }

    /// A person opens the page of a call in the inbox and decides.
    pub async fn decide_in_inbox(&self, call_id: &str, verdict: &str) -> Reply {
        let path = format!("/inbox/{call_id}");
        let digest = self.get(&path).page().send().await.hidden("digest");
        let form = format!("digest={digest}&comment=because&verdict={verdict}");
        self.post(&path).page().form(&form).send().await
    }
}

#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub content_type: String,
    pub location: String,
    pub retry_after: String,
    pub headers: http::HeaderMap,
    pub bytes: Bytes,
    pub text: String,
}

impl Reply {
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

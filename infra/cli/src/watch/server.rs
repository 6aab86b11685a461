//! The API of the system that runs on this machine.

use bytes::Bytes;
use http::StatusCode;
use http::header::AUTHORIZATION;
use placet_runtime::{Environment, Https};
use serde_json::Value;

use crate::{Failure, environment};

/// The largest answer that is read, in bytes.
const LARGEST: usize = 4 * 1024 * 1024;

/// The API of the system that runs on this machine.
pub struct Server {
    url: String,
    key: String,
    https: Https,
}

impl Server {
    /// The one that runs on the data folder.
    pub fn running(environment: &Environment) -> Result<Self, Failure> {
        let folder = environment::data_folder(environment);
        let none = || {
            let folder = folder.display();
            format!(
                "no server runs on the data in {folder}: start one with `placet dev`, or name its folder with --data-dir"
            )
        };
        let found = environment::running(environment).map_err(|_| none())?;
        let url = found.get("PLACET_INBOX_URL").ok_or_else(none)?;
        let key = found.get("PLACET_LOCAL_KEY").ok_or_else(none)?;
        Ok(Self { url, key, https: Https::plain() })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Gets what is at a path.
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.url);
        let request = http::Request::get(&url)
            .header(AUTHORIZATION, format!("Bearer {}", self.key))
            .body(Bytes::new())?;
        let answer = self.https.send(request, LARGEST).await.map_err(|_| {
            format!("no server answers at {}: start one with `placet dev`", self.url)
        })?;
        match answer.status() {
            StatusCode::OK => Ok(serde_json::from_slice(answer.body())?),
            StatusCode::UNAUTHORIZED => Err(format!(
                "the server at {} does not take the key of this data folder: it runs on another one, name it with --data-dir",
                self.url
            )
            .into()),
            status => Err(format!("{url} answers {status}: look at the log of the server").into()),
        }
    }
}

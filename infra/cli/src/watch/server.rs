//! The API of the system that runs on this machine.

use bytes::Bytes;
use http::StatusCode;
use http::header::AUTHORIZATION;
use placet_runtime::{Environment, Https};
use serde_json::Value;

use crate::{Failure, command, environment};

/// The largest answer that is read, in bytes.
const LARGEST: usize = 4 * 1024 * 1024;

/// The API of the system that runs on this machine, with the key of one project.
pub struct Server {
    project: String,
    url: String,
    key: String,
    https: Https,
}

impl Server {
    /// The one that runs on the data folder, for each of these projects. If none is named, for each it has.
    pub fn running(environment: &Environment, projects: &[String]) -> Result<Vec<Self>, Failure> {
        let folder = environment::data_folder(environment);
        let none = || {
            let folder = folder.display();
            format!(
                "no server runs on the data in {folder}: start one with `{}`, or name its folder with --data-dir",
                command("dev")
            )
        };
        let found = environment::announced(environment).map_err(|_| none())?;
        let url = found["PLACET_INBOX_URL"].as_str().ok_or_else(none)?;
        let keys = found[environment::API_KEYS].as_object().ok_or_else(none)?;
        if let Some(unknown) = projects.iter().find(|project| !keys.contains_key(*project)) {
            let known: Vec<&str> = keys.keys().map(String::as_str).collect();
            let known = known.join(", ");
            return Err(format!("the server has no project {unknown}; it has {known}").into());
        }
        let wanted =
            |project: &str| projects.is_empty() || projects.iter().any(|name| name == project);
        let server = |(project, key): (&String, &Value)| {
            Some(Self {
                project: project.clone(),
                url: url.to_owned(),
                key: key.as_str()?.to_owned(),
                https: Https::plain(),
            })
        };
        Ok(keys.iter().filter(|(project, _)| wanted(project)).filter_map(server).collect())
    }

    /// Whose key it has.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Gets what is at a path.
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        let nothing = format!("nothing is at {}{path}: look at the log of the server", self.url);
        self.find(path).await?.ok_or_else(|| nothing.into())
    }

    /// Gets what is at a path, if something is there.
    pub async fn find(&self, path: &str) -> Result<Option<Value>, Failure> {
        let url = format!("{}{path}", self.url);
        let request = http::Request::get(&url)
            .header(AUTHORIZATION, format!("Bearer {}", self.key))
            .body(Bytes::new())?;
        let answer = self.https.send(request, LARGEST).await.map_err(|_| {
            format!("no server answers at {}: start one with `{}`", self.url, command("dev"))
        })?;
        match answer.status() {
            StatusCode::OK => Ok(Some(serde_json::from_slice(answer.body())?)),
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED => Err(format!(
                "the server at {} does not take the key of this data folder: it runs on another one, name it with --data-dir",
                self.url
            )
            .into()),
            status => Err(format!("{url} answers {status}: look at the log of the server").into()),
        }
    }
}

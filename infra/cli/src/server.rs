//! The API of a system: the one that runs on this machine, or a deployed one.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use placet_runtime::{Environment, Https};
use serde_json::Value;

use crate::{Failure, command, environment, style};

/// The largest answer that is read, in bytes.
const LARGEST: usize = 4 * 1024 * 1024;

/// Where the API of a deployed system is.
const API_URL: &str = "PLACET_API_URL";

/// The API key for it.
const API_KEY: &str = "PLACET_API_KEY";

/// The API of a system, with the key of one project.
pub struct Server {
    /// Whether it runs on this machine.
    here: bool,
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
                here: true,
                project: project.clone(),
                url: url.to_owned(),
                key: key.as_str()?.to_owned(),
                https: Https::plain(),
            })
        };
        Ok(keys.iter().filter(|(project, _)| wanted(project)).filter_map(server).collect())
    }

    /// The deployed one that the environment names, or the one that runs on the data folder.
    pub fn named(environment: &Environment, project: &str) -> Result<Self, Failure> {
        let Some(url) = environment.get(API_URL) else {
            let running = Self::running(environment, &[project.to_owned()])?;
            return Ok(running
                .into_iter()
                .next()
                .ok_or("the server has no key for this project")?);
        };
        let key = environment.get(API_KEY);
        Ok(Self {
            here: false,
            project: project.to_owned(),
            https: if url.starts_with("http:") { Https::plain() } else { Https::default() },
            url: url.trim_end_matches('/').to_owned(),
            key: key.ok_or_else(|| format!("{API_KEY} is not set: it is the key for {url}"))?,
        })
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
        let request = http::Request::get(format!("{}{path}", self.url)).body(Bytes::new())?;
        let answer = self.send(request).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            _ => self.value(path, &answer).map(Some),
        }
    }

    /// Posts JSON to a path, and returns the answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = http::Request::post(format!("{}{path}", self.url));
        let request = request.header(CONTENT_TYPE, "application/json");
        let answer = self.send(request.body(Bytes::from(body.to_string()))?).await?;
        self.value(path, &answer)
    }

    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let key = HeaderValue::try_from(format!("Bearer {}", self.key));
        let key = key.map_err(|_| format!("the API key for {} is not valid in HTTP", self.url))?;
        request.headers_mut().insert(AUTHORIZATION, key);
        let answer = self.https.send(request, LARGEST).await;
        answer.map_err(|error| match &self.here {
            true => {
                format!("no server answers at {}: start one with `{}`", self.url, command("dev"))
                    .into()
            }
            false => format!("{}: {error}", self.url).into(),
        })
    }

    fn value(&self, path: &str, answer: &Response<Bytes>) -> Result<Value, Failure> {
        let url = &self.url;
        match answer.status() {
            StatusCode::OK | StatusCode::CREATED => Ok(serde_json::from_slice(answer.body())?),
            StatusCode::UNAUTHORIZED if self.here => Err(format!(
                "the server at {url} does not take the key of this data folder: it runs on another one, name it with --data-dir",
            )
            .into()),
            StatusCode::UNAUTHORIZED => {
                Err(format!("the server at {url} does not take the key in {API_KEY}").into())
            }
            status => {
                let problem: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
                let why = problem["detail"].as_str().unwrap_or("look at the log of the server");
                Err(format!("{url}{path} answers {status}: {}", style::printable(why)).into())
            }
        }
    }
}

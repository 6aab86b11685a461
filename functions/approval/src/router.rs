//! Finds the route of a request and runs its handler.

use std::collections::BTreeMap;

use lambda_http::http::{HeaderMap, Method};
use placet_core::Digest;
use placet_runtime::http::{Request, Response};
use placet_runtime::problem::Problem;
use placet_runtime::{ApiKey, Right};

use crate::Approval;
use crate::call::{Call, Parameters};
use crate::error::Error;
use crate::routes::{Api, Handler, Route, needs_key};

/// Finds routes by method and path.
pub(crate) struct Router {
    /// The routes of each path.
    paths: matchit::Router<Vec<&'static Route>>,
}

impl Router {
    /// A router for this table, with or without the demo.
    pub(crate) fn new(routes: &'static [Route], demo: bool) -> Self {
        let mut by_path: BTreeMap<&str, Vec<&'static Route>> = BTreeMap::new();
        for route in routes {
            if matches!(route.handler, Handler::Demo(..)) && !demo {
                continue;
            }
            by_path.entry(route.path).or_default().push(route);
        }
        let mut paths = matchit::Router::new();
        for (path, routes) in by_path {
            if let Err(error) = paths.insert(path, routes) {
                tracing::error!(%error, route = path, "route left out of the table");
            }
        }
        Self { paths }
    }

    /// Whether a route has this path.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.at(&normalised(path)).is_ok()
    }

    /// Finds the route of a request, and the parameters in its path.
    ///
    /// # Errors
    ///
    /// 404 if no route has this path, 405 if no route with this path has this method.
    fn find(&self, method: &Method, path: &str) -> Result<(&'static Route, Parameters), Problem> {
        let found = self.paths.at(path);
        let found = found.map_err(|_| Problem::not_found("there is no such route"))?;
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let Some(route) = found.value.iter().find(|route| route.method == *method) else {
            return Err(Problem::method_not_allowed(allowed(found.value)));
        };
        Ok((route, Parameters::new(found.params.iter())))
    }
}

fn allowed(routes: &[&Route]) -> String {
    let mut methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.join(", ")
}

/// The path without empty segments: doubled and trailing slashes are ignored.
fn normalised(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.fold(String::new(), |path, segment| path + "/" + segment)
}

impl Approval {
    /// Answers a request. An error becomes a response, too.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        let path = normalised(request.uri().path());
        let found = self.router.find(request.method(), &path);
        let name = found.as_ref().ok().map(|(route, _)| route.name);
        let served = match found {
            Ok((route, parameters)) => self.serve(route, parameters, &request).await,
            Err(problem) => Err(self.refuse(problem, &path, &request).await),
        };
        served.unwrap_or_else(|error| {
            error.log(name);
            error.into_response(Api::of(&path))
        })
    }

    /// Authorises the request, then calls the handler.
    async fn serve(
        &self,
        route: &Route,
        parameters: Parameters,
        request: &Request,
    ) -> Result<Response, Error> {
        let ((key_digest, key), right, run) = match route.handler {
            Handler::Open(answer) => return Ok(answer(&self.runtime)),
            Handler::Keyed(right, run) => (self.authorize(request.headers()).await?, right, run),
            Handler::Demo(right, run) => (self.demo_key(request).await?, right, run),
        };
        permit(&key, right)?;
        if route.method == Method::POST
            && let Some(digest) = key_digest
        {
            let written = self.rates.write(digest, self.runtime.engine.now());
            written.map_err(|limit| Error::TooOften { project: key.project.clone(), limit })?;
        }
        run(Call { app: self, request, key, key_digest, parameters }).await
    }

    /// The error for a request without a route. A caller without a key learns only that a key is needed.
    async fn refuse(&self, problem: Problem, path: &str, request: &Request) -> Error {
        if needs_key(path)
            && let Err(error) = self.authorize(request.headers()).await
        {
            return error;
        }
        problem.into()
    }

    /// The key of a request, and its digest.
    async fn authorize(&self, headers: &HeaderMap) -> Result<(Option<Digest>, ApiKey), Error> {
        if !self.access.knows_host(headers) {
            return Err(Error::ForeignHost);
        }
        let (digest, key) = self.keys.authorize(headers).await?;
        Ok((Some(digest), key))
    }

    /// The API key that a request to the demo acts with. On a developer's machine a request needs no key: it gets the
    /// rights of a key of the main project.
    async fn demo_key(&self, request: &Request) -> Result<(Option<Digest>, ApiKey), Error> {
        let headers = request.headers();
        if self.access.lets_in(request.method(), headers) {
            let project = self.runtime.config.project.as_str();
            return Ok((None, ApiKey::new(project, "", self.runtime.engine.now())));
        }
        self.authorize(headers).await
    }
}

/// Checks that the role of the key covers this right.
fn permit(key: &ApiKey, right: Right) -> Result<(), Error> {
    if key.allows(right) {
        return Ok(());
    }
    Err(Error::Forbidden { project: key.project.clone(), role: key.role, right })
}

#[cfg(test)]
mod tests;

//! The routes of our own API, `/v1`, and what each needs of a key. What is not here is not reached.

use lambda_http::http::Method;
use placet_runtime::Right;
use placet_runtime::problem::Problem;

/// A route under `/v1`.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method; a HEAD is answered like a GET.
    pub method: &'static str,
    /// The path below `/v1/`, with `{name}` for what differs.
    pub path: &'static str,
    /// What the key has to allow.
    pub right: Right,
}

/// All of them.
pub const ROUTES: &[Route] = &[
    post("operations", Right::Ask),
    get("operations", Right::Read),
    get("operations/{kind}/{call_id}", Right::Read),
    post("operations/{kind}/{call_id}/decision", Right::Answer),
    post("operations/{kind}/{call_id}/cancel", Right::Ask),
    get("receipts", Right::Operate),
    get("receipts/{id}", Right::Operate),
    get("receipts/{id}/body", Right::Operate),
    post("receipts/{id}/replay", Right::Operate),
    get("deliveries", Right::Operate),
    get("deliveries/{id}", Right::Operate),
    post("deliveries/{id}/redeliver", Right::Operate),
    get("endpoints", Right::Operate),
    post("endpoints/{name}/enable", Right::Operate),
    post("endpoints/{name}/test", Right::Operate),
];

const fn get(path: &'static str, right: Right) -> Route {
    Route { method: "GET", path, right }
}

const fn post(path: &'static str, right: Right) -> Route {
    Route { method: "POST", path, right }
}

impl Route {
    fn is_at(&self, path: &[&str]) -> bool {
        let mut parts = self.path.split('/');
        let fits =
            |part: &&str| parts.next().is_some_and(|own| own.starts_with('{') || own == *part);
        path.iter().all(fits) && parts.next().is_none()
    }
}

/// What this request needs its key for.
pub(crate) fn right(path: &[&str], method: &Method) -> Result<Right, Problem> {
    let here: Vec<&Route> = ROUTES.iter().filter(|route| route.is_at(path)).collect();
    if here.is_empty() {
        return Err(Problem::not_found("there is no such route under /v1"));
    }
    let route = here.iter().find(|route| route.method == method.as_str());
    route.map(|route| route.right).ok_or_else(|| {
        let mut allowed: Vec<&str> = here.iter().map(|route| route.method).collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        Problem::method_not_allowed(allowed.join(", "))
    })
}

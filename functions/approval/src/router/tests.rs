use std::collections::BTreeSet;

use lambda_http::http::{Method, StatusCode};
use placet_runtime::{Access, Role};
use serde_json::json;
use tokio::task::JoinSet;

use super::*;
use crate::error::roles_with;
use crate::routes::{ROUTES, path_of};
use crate::testing::{approval, read, request};

const KEY: (&str, &str) = ("authorization", "Bearer key");
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// A path that fits the pattern: every parameter is `x`.
fn filled(pattern: &str) -> String {
    let segments = pattern.split('/');
    segments
        .map(|part| if part.starts_with('{') { "x" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// The result of the router for a path: the name of the route, or the status of the error.
fn found(router: &Router, method: &Method, path: &str) -> Result<&'static str, u16> {
    let found = router.find(method, &normalised(path));
    found.map(|(route, _)| route.name).map_err(|problem| problem.status.as_u16())
}

#[test]
fn every_route_is_found_by_its_method_and_every_name_is_unique() {
    let router = Router::new(ROUTES, true);
    let names: BTreeSet<&str> = ROUTES.iter().map(|route| route.name).collect();
    assert_eq!(names.len(), ROUTES.len());
    for route in ROUTES {
        let path = filled(route.path);
        let here = ROUTES.iter().filter(|other| other.path == route.path);
        let own: Vec<&Method> = here.map(|route| &route.method).collect();
        assert_eq!(found(&router, &route.method, &path), Ok(route.name));
        for method in METHODS.iter().filter(|method| !own.contains(method)) {
            match found(&router, method, &path) {
                Ok(_) => assert!(*method == Method::HEAD && own.contains(&&Method::GET), "{path}"),
                Err(status) => assert_eq!(status, 405, "{method} {path}"),
            }
        }
    }
}

/// Tries every path that can be made of the segments in the table.
#[test]
fn only_paths_of_the_table_are_found() {
    let router = Router::new(ROUTES, true);
    let segments =
        |path: &str| -> Vec<String> { path.split('/').skip(1).map(str::to_owned).collect() };
    let patterns: Vec<Vec<String>> =
        ROUTES.iter().map(|route| segments(&filled(route.path))).collect();
    let is_in_table = |path: &[String]| {
        let fits = |(own, given): (&String, &String)| own == "x" || own == given;
        patterns.iter().any(|own| own.len() == path.len() && own.iter().zip(path).all(fits))
    };
    for (prefix, depth) in [(vec![], 2), (vec!["v1"], 4), (vec!["humanlayer", "v1"], 4)] {
        let prefix: Vec<String> = prefix.into_iter().map(str::to_owned).collect();
        let below = patterns.iter().filter_map(|path| path.strip_prefix(prefix.as_slice()));
        let words: BTreeSet<&String> = below.flatten().collect();
        let mut paths = vec![prefix.clone()];
        for _ in 0..depth {
            let longer = |path: &Vec<String>| -> Vec<Vec<String>> {
                words.iter().map(|word| [path.as_slice(), &[(*word).clone()]].concat()).collect()
            };
            paths = paths.iter().flat_map(longer).collect();
            for path in &paths {
                let status = found(&router, &Method::PUT, &format!("/{}", path.join("/")));
                let expected = if is_in_table(path) { 405 } else { 404 };
                assert_eq!(status, Err(expected), "{path:?}");
            }
        }
    }
}

#[test]
fn slashes_do_not_matter_and_parameters_are_decoded_after_matching() {
    let router = Router::new(ROUTES, true);
    for path in ["/v1/operations", "//v1//operations", "/v1/operations/", "/v1/operations//"] {
        assert_eq!(found(&router, &Method::GET, path), Ok("list_operations"), "{path}");
    }
    assert_eq!(found(&router, &Method::GET, "/"), Err(404));
    let one = found(&router, &Method::GET, "/v1/operations/function_call/a%2Fdecision");
    assert_eq!(one, Ok("get_operation"));
    let pending = "/humanlayer/v1/agent/human_contacts/pending";
    assert_eq!(found(&router, &Method::GET, pending), Ok("pending_human_contact"));
    let other = format!("{pending}/respond");
    assert_eq!(found(&router, &Method::POST, &other), Ok("respond_human_contact"));
}

#[test]
fn a_405_names_the_allowed_methods() {
    let router = Router::new(ROUTES, true);
    let allowed = |path: &str| router.find(&Method::DELETE, path).err().unwrap().allow;
    assert_eq!(allowed("/v1/operations"), "POST, GET, HEAD");
    assert_eq!(allowed("/v1/receipts/x/replay"), "POST");
    assert_eq!(allowed("/healthz"), "GET, HEAD");
}

#[test]
fn path_of_fills_in_the_pattern() {
    let path = path_of("get_operation", &["function_call", "a call/ä"]);
    assert_eq!(path, "/v1/operations/function_call/a%20call%2F%C3%A4");
    assert_eq!(path_of("get_receipt_body", &["github.1"]), "/v1/receipts/github.1/body");
    assert_eq!(path_of("enable_endpoint", &["billing"]), "/v1/endpoints/billing/enable");
    assert_eq!(path_of("purchases", &[]), "/purchases");
}

#[tokio::test]
async fn without_a_key_only_open_routes_answer() {
    let app = approval(Role::Admin, Access::Closed);
    for route in ROUTES {
        let answer = app.answer(request(&route.method, &filled(route.path), &[])).await;
        let expected = if matches!(route.handler, Handler::Open(_)) { 200 } else { 401 };
        assert_eq!(read(&answer).0, expected, "{}", route.name);
    }
    for (method, path, expected) in [
        (Method::GET, "/v1", 401),
        (Method::GET, "/v1/nothing", 401),
        (Method::PUT, "/v1/operations", 401),
        (Method::GET, "/humanlayer/v1/nothing", 401),
        (Method::DELETE, "/humanlayer/v1/status", 401),
        (Method::GET, "/v10", 404),
        (Method::GET, "/humanlayer/v2/status", 404),
        (Method::GET, "/nothing", 404),
        (Method::GET, "/%ff", 404),
        (Method::GET, "/", 404),
        (Method::POST, "/healthz", 405),
        (Method::DELETE, "/purchases", 405),
    ] {
        let answer = app.answer(request(&method, path, &[])).await;
        assert_eq!(read(&answer).0, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_a_404_in_the_format_of_its_api() {
    let app = approval(Role::Admin, Access::Closed);
    for (path, detail) in [
        ("/v1/nothing", "there is no such route"),
        (
            "/v1/operations/dance/c",
            "the path is wrong: kind must be one of function_call, human_contact",
        ),
        ("/v1/operations/function_call/%ff", "the path is not valid UTF-8"),
        ("/v1/receipts/%2e%2e", "there is no receipt with id .."),
        ("/v1/deliveries/x", "there is no delivery with id x"),
        ("/humanlayer/v1/nothing", "there is no such route"),
        ("/humanlayer/v1/agent/function_calls", "there is no such route"),
        ("/humanlayer/v1/function_calls/%ff", "the path is not valid UTF-8"),
        ("/humanlayer/v1/function_calls/a%23b", "there is no operation with id function_call/a#b"),
        ("/humanlayer/v1/contact_channel/18", "there is no contact channel 18"),
    ] {
        let (status, media_type, body) =
            read(&app.answer(request(&Method::GET, path, &[KEY])).await);
        assert_eq!((status, body["detail"].as_str()), (404, Some(detail)), "{path}");
        let is_problem = media_type == "application/problem+json";
        assert_eq!(is_problem, !path.starts_with("/humanlayer"), "{path}");
    }
}

#[tokio::test]
async fn each_route_accepts_the_roles_that_have_its_right() {
    let mut answers = JoinSet::new();
    for (role, route) in
        Role::ALL.into_iter().flat_map(|role| ROUTES.iter().map(move |route| (role, route)))
    {
        let (Handler::Keyed(right, _) | Handler::Demo(right, _)) = route.handler else { continue };
        let app = approval(role, Access::Closed);
        answers.spawn(async move {
            let answer = app.answer(request(&route.method, &filled(route.path), &[KEY])).await;
            let refused = !roles_with(right).contains(&role.as_str());
            assert_eq!(
                answer.status() == StatusCode::FORBIDDEN,
                refused,
                "{role:?} {}",
                route.name
            );
        });
    }
    while let Some(answered) = answers.join_next().await {
        answered.unwrap();
    }
}

#[tokio::test]
async fn a_head_is_answered_like_a_get() {
    let app = approval(Role::Admin, Access::Closed);
    let answer = app.answer(request(&Method::HEAD, "/humanlayer/v1/project", &[KEY])).await;
    insta::assert_json_snapshot!(read(&answer).2, @r#"
    {
      "name": "default",
      "slug": "default",
      "organization": "placet",
      "project_slug": "default",
      "org_slug": "placet"
    }
    "#);
    assert_eq!(
        read(&app.answer(request(&Method::HEAD, "/healthz", &[])).await).2,
        json!({"status": "ok"})
    );
}

#[tokio::test]
async fn the_person_at_this_machine_needs_no_key_for_the_demo() {
    let host = ("host", "127.0.0.1:8000");
    let origin = ("origin", "https://other.example");
    let app = approval(Role::Admin, Access::Loopback);
    let body = ("content-type", "application/x-www-form-urlencoded");
    let status = async |headers: &[(&'static str, &str)], path: &str| {
        let mut request = request(&Method::POST, path, headers);
        *request.body_mut() = "quantity=0".into();
        read(&app.answer(request).await).0
    };
    assert_eq!(status(&[host, body], "/purchase-materials").await, 422);
    assert_eq!(status(&[host, body, origin], "/purchase-materials").await, 401);
    assert_eq!(status(&[host, body, origin, KEY], "/purchase-materials").await, 422);
    assert_eq!(status(&[("host", "rebound.example"), body, KEY], "/purchase-materials").await, 403);
    assert_eq!(status(&[host], "/v1/operations").await, 401);
}

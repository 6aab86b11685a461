//! The OpenAPI document and the router know the same routes.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::Value;

use crate::ask::Answer;
use crate::world::{KEY, World};

/// Stands for what differs in a path.
const ANY: &str = "x";

async fn document(world: &World) -> Value {
    let answer = world.get("/openapi.json").send().await;
    assert_eq!((answer.status, answer.content_type.as_str()), (StatusCode::OK, "application/json"));
    answer.json()
}

async fn send(world: &World, method: &str, path: &str) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    world.ask(method, path).key(KEY).send().await
}

/// Whether a path is known, whatever came of the request.
fn is_routed(answer: &Answer) -> bool {
    let detail = || answer.json()["detail"].as_str().unwrap_or_default().to_owned();
    answer.status != StatusCode::NOT_FOUND || !detail().contains("no such route")
}

fn segments(path: &str) -> Vec<&str> {
    path.trim_start_matches('/')
        .split('/')
        .map(|part| if part.starts_with('{') { ANY } else { part })
        .collect()
}

#[tokio::test]
async fn every_route_of_the_document_is_routed_and_says_its_methods() {
    let world = World::start().await;
    let document = document(&world).await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let url = format!("/{}", segments(path).join("/"));
        let documented: BTreeSet<String> =
            methods.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let answer = send(&world, method, &url).await;
            assert!(is_routed(&answer), "{method} {path}: {answer:?}");
            if documented.contains(method) {
                assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
                let responses = &methods[method.to_lowercase()]["responses"];
                let status = answer.status.as_u16().to_string();
                assert!(responses.get(&status).is_some(), "{method} {path}: {answer:?}");
            } else {
                assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
                let allowed = answer.headers["allow"].to_str().unwrap().to_owned();
                assert!(documented.iter().all(|method| allowed.contains(method)), "{allowed}");
            }
        }
    }
    world.abandon();
}

/// Tries every path that can be made of the words of the document.
#[tokio::test]
async fn nothing_is_routed_that_is_not_in_the_document() {
    let world = World::start().await;
    let document = document(&world).await;
    let documented: Vec<Vec<&str>> =
        document["paths"].as_object().unwrap().keys().map(|path| segments(path)).collect();
    for (prefix, depth) in [(&[][..], 2), (&["v1"], 4), (&["humanlayer", "v1"], 4)] {
        let below = documented.iter().filter_map(|path| path.strip_prefix(prefix));
        let words: BTreeSet<&str> = below.flatten().copied().collect();
        let mut paths: Vec<Vec<&str>> = vec![prefix.to_vec()];
        for _ in 0..depth {
            let longer =
                |path: &Vec<_>| words.iter().map(|word| [path, &[*word][..]].concat()).collect();
            paths = paths.iter().flat_map(|path| -> Vec<Vec<&str>> { longer(path) }).collect();
            for path in &paths {
                let answer = send(&world, "PUT", &format!("/{}", path.join("/"))).await;
                assert_eq!(is_routed(&answer), is_documented(&documented, path), "{path:?}");
            }
        }
    }
    world.abandon();
}

fn is_documented(documented: &[Vec<&str>], path: &[&str]) -> bool {
    let fits = |(own, given): (&&str, &&str)| *own == ANY || own == given;
    documented.iter().any(|own| own.len() == path.len() && own.iter().zip(path).all(fits))
}

//! The OpenAPI document and the router have the same routes.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::Value;

use crate::request::Reply;
use crate::world::{KEY, World};

/// The value of every path parameter.
const ANY: &str = "x";

async fn document(world: &World) -> Value {
    let reply = world.get("/openapi.json").send().await;
    assert_eq!((reply.status, reply.content_type.as_str()), (StatusCode::OK, "application/json"));
    reply.json()
}

async fn send(world: &World, method: &str, path: &str) -> Reply {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    world.request(method, path).key(KEY).send().await
}

/// Whether the path has a route, whatever the result of the request.
fn is_routed(reply: &Reply) -> bool {
    let detail = || reply.json()["detail"].as_str().unwrap_or_default().to_owned();
    reply.status != StatusCode::NOT_FOUND || !detail().contains("no such route")
}

fn segments(path: &str) -> Vec<&str> {
    let segments = path.trim_start_matches('/').split('/');
    segments.map(|segment| if segment.starts_with('{') { ANY } else { segment }).collect()
}

#[tokio::test]
async fn every_documented_route_is_routed_by_its_methods() {
    let world = World::start().await;
    let document = document(&world).await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let url = format!("/{}", segments(path).join("/"));
        let methods = methods.as_object().unwrap();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let reply = send(&world, method, &url).await;
            assert!(is_routed(&reply), "{method} {path}: {reply:?}");
            match methods.get(&method.to_lowercase()) {
                Some(documented) => {
                    assert_ne!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
                    let response = documented["responses"].get(reply.status.as_str());
                    assert!(response.is_some(), "{method} {path}: {reply:?}");
                }
                None => {
                    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
                    let allowed = reply.headers["allow"].to_str().unwrap().to_lowercase();
                    assert!(methods.keys().all(|method| allowed.contains(method)), "{allowed}");
                }
            }
        }
    }
    world.abandon();
}

/// Tries every path that can be made from the segments in the document.
#[tokio::test]
async fn every_routed_path_is_documented() {
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
                let reply = send(&world, "PUT", &format!("/{}", path.join("/"))).await;
                assert_eq!(is_routed(&reply), is_documented(&documented, path), "{path:?}");
            }
        }
    }
    world.abandon();
}

fn is_documented(documented: &[Vec<&str>], path: &[&str]) -> bool {
    let fits = |(own, given): (&&str, &&str)| *own == ANY || own == given;
    documented.iter().any(|own| own.len() == path.len() && own.iter().zip(path).all(fits))
}

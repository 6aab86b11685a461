//! Makes `openapi.json`, which the function serves as it is. `UPDATE=1` writes it.

mod deliveries;
mod demo;
mod humanlayer;
mod operations;
mod receipts;
mod route;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use placet_approval::ROUTES;
use route::Route;
use serde_json::{Map, Value, json};

const DESCRIPTION: &str = "Placet holds an operation until the right person has said yes, then runs \
exactly what that person saw, once. `/v1` is its own API: errors are RFC 9457 problems with a stable \
`code`, lists are `{items, next}`. `/humanlayer/v1` is the API of HumanLayer's cloud, for its SDKs: errors \
are `{detail}`. A slash at the end or a doubled one does not matter, and a HEAD is answered like a GET. \
What Lambda itself answers in front of the function (429, 502) is not listed.";

fn document() -> Value {
    let routes = [
        operations::routes(),
        receipts::routes(),
        deliveries::routes(),
        humanlayer::routes(),
        demo::routes(),
    ];
    let mut paths = Map::new();
    let mut responses = BTreeMap::new();
    for route in routes.into_iter().flatten() {
        let path = paths.entry(&route.path).or_insert_with(|| json!({}));
        responses.extend(route.errors());
        let method = route.method.to_lowercase();
        path[method] = route.finish();
    }
    let schemas = [
        schema::schemas(),
        operations::schemas(),
        receipts::schemas(),
        deliveries::schemas(),
        humanlayer::schemas(),
        demo::schemas(),
    ];
    let schemas: Map<String, Value> = schemas.into_iter().flatten().collect();
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Placet",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [
            {"name": "operations", "description": "Function calls to approve and questions to answer."},
            {"name": "receipts", "description": "Webhooks that came in."},
            {"name": "deliveries", "description": "Webhooks that go out."},
            {"name": "humanlayer", "description": "What HumanLayer's SDKs call."},
            {"name": "demo", "description": "The demo pair, and what needs no key."},
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "A key of `placet key create`. Its role says what it may, its project what it sees.",
            }},
            "parameters": schema::parameters(),
            "responses": responses,
            "schemas": schemas,
        },
    })
}

#[test]
fn the_file_is_what_these_pieces_make() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let made = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap();
    assert!(
        file == made,
        "openapi.json is not up to date: UPDATE=1 cargo nextest run -p placet-approval"
    );
}

#[test]
fn the_routes_of_our_own_api_are_those_the_router_knows() {
    let document = document();
    let mut documented = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        if let Some(path) = path.strip_prefix("/v1/") {
            for method in methods.as_object().unwrap().keys() {
                documented.insert((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    let known = ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned()));
    assert_eq!(documented, known.collect());
}

#[test]
fn whatever_is_referred_to_is_there_and_nothing_else() {
    let document = document();
    let mut referred = BTreeSet::new();
    references(&document, &mut referred);
    let mut there = BTreeSet::new();
    for part in ["parameters", "responses", "schemas"] {
        let names = document["components"][part].as_object().unwrap().keys();
        there.extend(names.map(|name| format!("#/components/{part}/{name}")));
    }
    assert_eq!(referred, there);
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// A route of our own API: who may comes from the router.
fn ours(method: &str, path: &str, id: &str, summary: &str) -> Route {
    let known = ROUTES.iter().find(|route| route.method == method && route.path == path);
    let known = known.unwrap_or_else(|| panic!("the router knows no {method} /v1/{path}"));
    Route::new(method, &format!("/v1/{path}"), id, summary).ours(known.right)
}

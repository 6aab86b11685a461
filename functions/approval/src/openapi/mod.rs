//! Makes `openapi.json` from the route table, the derived schemas, and the descriptions of routes here. The
//! function serves the file unchanged. `UPDATE=1 cargo nextest run -p placet-approval` writes the file.

mod deliveries;
mod demo;
mod doc;
pub(crate) mod examples;
mod humanlayer;
mod operations;
mod receipts;
mod schemas;
mod tests;
pub(crate) mod types;
mod wire;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::routes::ROUTES;
use doc::Doc;
use schemas::Schemas;

const DESCRIPTION: &str = "Placet holds an operation until the right person has approved it, then runs exactly \
what that person saw, once. `/v1` is its own API: errors are RFC 9457 problems with a stable `code`, lists are \
`{items, next}`. `/humanlayer/v1` is the API of HumanLayer's cloud, for its SDKs: errors are `{detail}`. \
Doubled and trailing slashes are ignored. A HEAD is answered like a GET. Errors that Lambda itself returns \
(429, 502) are not listed.";

/// Writes a schema by hand. `Type, {…}` is inlined where the type is used; `Type as "Name", {…}` is a
/// component.
macro_rules! schema {
    ($type:ty, $schema:tt) => {
        $crate::openapi::schema!(@ $type, stringify!($type), true, $schema);
    };
    ($type:ty as $name:literal, $schema:tt) => {
        $crate::openapi::schema!(@ $type, $name, false, $schema);
    };
    (@ $type:ty, $name:expr, $inline:literal, $schema:tt) => {
        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                $inline
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
pub(crate) use schema;

/// The descriptions of all routes, by tag.
fn docs() -> Vec<(&'static str, Vec<Doc>)> {
    vec![
        ("operations", operations::docs()),
        ("receipts", receipts::docs()),
        ("deliveries", deliveries::docs()),
        ("humanlayer", humanlayer::docs()),
        ("demo", demo::docs()),
    ]
}

fn document() -> Value {
    let by_tag = docs().into_iter();
    let mut docs: BTreeMap<&str, (&str, Doc)> = by_tag
        .flat_map(|(tag, docs)| docs.into_iter().map(move |doc| (doc.name(), (tag, doc))))
        .collect();
    let mut schemas = Schemas::new();
    let (mut paths, mut responses) = (Map::new(), BTreeMap::new());
    for route in ROUTES {
        let Some((tag, doc)) = docs.remove(route.name) else {
            panic!("the route {} has no description: add one in openapi/", route.name)
        };
        let (operation, referred) = doc.operation(route, tag, &mut schemas);
        responses.extend(referred);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    assert!(docs.is_empty(), "there is no route {:?}", docs.keys());
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
            {"name": "receipts", "description": "Incoming webhooks."},
            {"name": "deliveries", "description": "Outgoing webhooks and their endpoints."},
            {"name": "humanlayer", "description": "The API of HumanLayer's SDKs."},
            {"name": "demo", "description": "The demo, and routes that need no key."},
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "A key from `placet key create`. Its role decides what it may do, its project decides what it sees.",
            }},
            "responses": responses,
            "schemas": schemas.components(),
        },
    })
}

//! The demo pair, and what needs no key.

use serde_json::{Value, json};

use crate::route::Route;
use crate::schema::{
    Schemas, digest, list_of, moment, named, number, object, only_required, schema, text, text_like,
};

const OPEN: &str = "On this machine it needs no key; elsewhere it does.";

pub(crate) fn routes() -> Vec<Route> {
    let ask = demo("POST", "/purchase-materials", "purchase", "Ask to buy material")
        .header("idempotency_key")
        .content(json!({
            "application/json": {"schema": schema("NewPurchase")},
            "application/x-www-form-urlencoded": {"schema": schema("NewPurchase")},
        }))
        .answers(200, "It waits for a person, or was asked for before", "Purchase")
        .response(303, json!({"description": "A browser is led to the purchases"}))
        .error(400, &["malformed_form", "invalid_idempotency_key"])
        .error(409, &["id_taken"]);
    let list = demo("GET", "/purchases", "purchases", "The newest purchases").answers(
        200,
        "The purchases",
        "Purchases",
    );
    let open = |path: &str, id: &str, summary: &str, answer: &str| {
        Route::new("GET", path, id, summary).open().answers(200, summary, answer)
    };
    let health = open("/healthz", "health", "Whether it is up", "Up");
    let version = open("/version", "version", "Which version it is", "Version");
    let this = open("/openapi.json", "openapi", "This document", "Document");
    [ask, list, health, version, this].into_iter().map(|route| route.tag("demo")).collect()
}

fn demo(method: &str, path: &str, id: &str, summary: &str) -> Route {
    let right =
        if method == "GET" { placet_runtime::Right::Read } else { placet_runtime::Right::Ask };
    Route::new(method, path, id, summary).ours(right).or_open().says(OPEN)
}

pub(crate) fn schemas() -> Schemas {
    let new = only_required(object([("material", material()), ("quantity", quantity())]), &[]);
    let purchase = object([
        ("call_id", text()),
        ("material", json!({})),
        ("quantity", json!({})),
        ("state", schema("State")),
        ("status", text_like("pending")),
        ("created_at", moment()),
        ("deadline", moment()),
        ("digest", digest()),
        ("inbox", text()),
        ("comment", text()),
        ("result", json!({})),
        ("failure", object([("code", text()), ("message", text())])),
    ]);
    let always = [
        "call_id",
        "material",
        "quantity",
        "state",
        "status",
        "created_at",
        "deadline",
        "digest",
        "inbox",
    ];
    named([
        ("NewPurchase", new),
        ("Purchase", only_required(purchase, &always)),
        ("Purchases", object([("purchases", list_of(schema("Purchase")))])),
        ("Version", object([("version", text())])),
        ("Document", json!({"type": "object", "required": ["openapi", "paths"]})),
    ])
}

fn material() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 200, "pattern": "\\S", "default": "wood"})
}

fn quantity() -> Value {
    let mut quantity = number();
    quantity["minimum"] = 1.into();
    quantity["maximum"] = u32::MAX.into();
    quantity["default"] = 10.into();
    quantity
}

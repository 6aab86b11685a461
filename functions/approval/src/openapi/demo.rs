//! The demo pair, and what is said to everybody.

use schemars::JsonSchema;
use serde_json::json;

use super::doc::Doc;
use crate::operations::schemas::IdempotencyKey;
use crate::purchases::{NewPurchase, PurchaseReply, Purchases};
use crate::system::{Health, Version};

/// The headers of a purchase.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "it is a schema")]
struct PurchaseHeaders {
    /// It is the `call_id`.
    #[serde(rename = "Idempotency-Key")]
    idempotency_key: Option<IdempotencyKey>,
}

/// This document.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "it is a schema")]
struct Document {
    openapi: String,
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    paths: (),
}

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::of("purchase", "Request a purchase of material")
            .headers::<PurchaseHeaders>()
            .optional_body::<NewPurchase>(&[
                "application/json",
                "application/x-www-form-urlencoded",
            ])
            .reply::<PurchaseReply<'_>>(200, "It waits for a person, or was requested before.")
            .other_reply(303, json!({"description": "A browser is led to the purchases."}))
            .errors(400, &["malformed_form", "invalid_idempotency_key"])
            .errors(409, &["id_taken"]),
        Doc::of("purchases", "List the newest purchases")
            .reply::<Purchases<'_>>(200, "The purchases."),
        Doc::of("health", "Whether it is up").reply::<Health>(200, "It is."),
        Doc::of("version", "Which version it is").reply::<Version>(200, "The version."),
        Doc::of("openapi", "This document").reply::<Document>(200, "The document."),
    ]
}

//! The demo, and the routes that need no key.

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
    /// Used as the `call_id`.
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
            .reply::<PurchaseReply<'_>>(
                200,
                "The purchase: new, or requested before with the same key.",
            )
            .other_reply(
                303,
                json!({"description": "A browser is redirected to the list of purchases."}),
            )
            .errors(400, &["malformed_form", "invalid_idempotency_key"])
            .errors(409, &["id_taken"]),
        Doc::of("purchases", "List the newest purchases")
            .reply::<Purchases<'_>>(200, "The purchases."),
        Doc::of("health", "Check that the function is up")
            .reply::<Health>(200, "The function is up."),
        Doc::of("version", "Get the version").reply::<Version>(200, "The version."),
        Doc::of("openapi", "Get this document").reply::<Document>(200, "The document."),
    ]
}

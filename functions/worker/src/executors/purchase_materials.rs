//! The demo operation, and a pattern for your own operations.

use placet_core::operation::{Failure, Report};
use placet_core::purchase::Purchase;
use serde_json::json;

use super::Call;

/// Buys material. The order number is derived from the idempotency key, so that a second attempt gets the
/// order of the first: the operation may be configured `idempotent: true`.
///
/// A real function calls a supplier here and passes the key on. It reports [`Report::Succeeded`] or
/// [`Report::Rejected`] if the supplier's answer is certain, [`Report::NotDone`] if the purchase certainly
/// did not happen, and [`Report::Unclear`] if it may have happened.
pub async fn purchase_materials(call: Call) -> Report {
    // The form of the demo fills in what a person leaves out, before anybody approves. Here it would be unseen.
    if ["material", "quantity"].iter().any(|name| call.kwargs.get(name).is_none()) {
        return rejected(
            "material and quantity must both be given, so that the approver sees them",
        );
    }
    let purchase: Purchase = match serde_json::from_value(call.kwargs) {
        Ok(purchase) => purchase,
        Err(error) => return rejected(&error.to_string()),
    };
    if let Err(reason) = purchase.check() {
        return rejected(reason);
    }
    let order: String = call.idempotency_key.chars().rev().take(10).collect();
    Report::Succeeded(json!({
        "order": format!("PO-{order}"),
        "material": purchase.material,
        "quantity": purchase.quantity,
    }))
}

fn rejected(message: &str) -> Report {
    Report::Rejected(Failure::new("invalid_arguments", message))
}

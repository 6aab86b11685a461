//! The demo operation, and the pattern for one of your own.

use placet_core::operation::{Failure, Report};
use placet_core::purchase::Purchase;
use serde_json::json;

use super::Call;

/// Buys material. Places the order under a number made from the idempotency key, so that a second
/// attempt finds the order of the first: it may be configured `idempotent: true`.
///
/// A real one would call a supplier here, pass the key on, and report what it knows:
/// [`Report::Succeeded`] or [`Report::Rejected`] if the answer is certain, [`Report::NotDone`] if it
/// surely did not happen, [`Report::Unclear`] if it may have.
pub async fn purchase_materials(call: Call) -> Report {
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

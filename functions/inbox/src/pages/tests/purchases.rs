//! The pages of the demo.

use super::*;

#[test]
fn the_purchase_form_posts_its_defaults_with_the_given_id() {
    has(
        &purchase_form("call-9").unwrap(),
        &[
            "method=\"post\" action=\"/purchase-materials\"",
            "name=\"call_id\" value=\"call-9\"",
            "name=\"material\" type=\"text\" value=\"wood\"",
            "name=\"quantity\" type=\"number\" value=\"10\"",
            "purchase_materials",
        ],
    );
}

#[test]
fn purchases_are_listed_in_the_given_order_with_the_states_of_the_demo() {
    let wood = requested(json!({"material": "wood", "quantity": 10}), json!({}), Some(plan(true)));
    let denied = decided(&wood, Verdict::Deny, "too much", None);
    let done = finished(true, Report::Succeeded(json!("10 pieces ordered")));
    let html = purchases(&[wood, denied, done], NOW).unwrap();
    has(
        &html,
        &[
            "<bdi>wood</bdi>",
            "<bdi>too much</bdi>",
            "<bdi>10 pieces ordered</bdi>",
            "/inbox/call%201",
        ],
    );
    let at = |status: &str| html.find(&format!(">{status}</span>")).unwrap();
    assert!(at("pending") < at("denied") && at("denied") < at("finalised"));
    has(&purchases(&[], NOW).unwrap(), &["No purchases yet"]);
}

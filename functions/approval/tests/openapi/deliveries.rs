//! `/v1/deliveries` and `/v1/endpoints`.

use crate::ours;
use crate::route::Route;
use crate::schema::{
    Schemas, described, list_of, moment, named, nullable, number, object, one_of, only_required,
    page, schema, text, text_like, with,
};

pub(crate) fn routes() -> Vec<Route> {
    let list = ours("GET", "deliveries", "list_deliveries", "Webhooks that go out, newest first")
        .says("What tells of a decision and was accepted at once is not listed: it is in the operation's `webhooks`.")
        .query(&["of_endpoint", "delivery_state", "limit", "cursor"])
        .answers(200, "A page", "Deliveries");
    let one = ours("GET", "deliveries/{id}", "get_delivery", "One that goes out")
        .answers(200, "The delivery", "Delivery")
        .error(404, &["not_found"]);
    let redeliver = ours("POST", "deliveries/{id}/redeliver", "redeliver", "Send it again")
        .answers(202, "It will be", "Delivery")
        .error(404, &["not_found"])
        .error(409, &["no_such_endpoint", "endpoint_disabled", "lease_held"]);
    let endpoints = ours("GET", "endpoints", "list_endpoints", "Where webhooks go to").answers(
        200,
        "All of them",
        "Endpoints",
    );
    let enable = ours("POST", "endpoints/{name}/enable", "enable_endpoint", "Send to it again")
        .answers(200, "Enabled", "Endpoint")
        .error(404, &["not_found"]);
    let test = ours("POST", "endpoints/{name}/test", "test_endpoint", "Send it a test event")
        .says("One in each form it subscribes to, signed, with `is_test: true`, about the made-up `call-test`.")
        .query(&["event"])
        .answers(202, "They will be sent", "Deliveries")
        .error(404, &["not_found"])
        .error(409, &["not_subscribed", "endpoint_disabled"]);
    let all = [list, one, redeliver, endpoints, enable, test];
    all.into_iter().map(|route| route.tag("deliveries")).collect()
}

pub(crate) fn schemas() -> Schemas {
    let listed = object([
        ("id", described(text_like("msg_5b1d0c2f4a9e8d7c6b5a493827161504"), "The `webhook-id`")),
        ("endpoint", text_like("billing")),
        ("event_type", text()),
        ("state", schema("DeliveryState")),
        ("attempts", number()),
        ("created_at", moment()),
        ("changed_at", moment()),
        ("next_attempt_at", nullable(moment())),
        ("last_status", nullable(number())),
        ("last_error", nullable(text())),
    ]);
    let attempt = object([
        ("attempt", number()),
        ("at", moment()),
        ("status", nullable(number())),
        ("error", nullable(text())),
        ("duration_ms", number()),
        ("answer", described(text(), "The first bytes of it")),
    ]);
    let more = object([
        ("content_type", text()),
        ("size", described(nullable(number()), "Bytes; null if it is made when it is sent")),
        (
            "decision_of",
            described(nullable(text_like("function_call/call-1")), "The operation it tells of"),
        ),
        ("log", list_of(attempt)),
    ]);
    let endpoint = object([
        ("name", text_like("billing")),
        ("url", text()),
        ("events", list_of(text_like("v1beta2.function_call.completed"))),
        ("state", one_of(["enabled", "disabled"])),
        ("disabled_at", moment()),
        ("reason", text()),
    ]);
    named([
        ("DeliveryState", one_of(["pending", "delivered", "failed"])),
        ("Deliveries", page("ListedDelivery")),
        ("Delivery", with(listed.clone(), &more)),
        ("ListedDelivery", listed),
        ("Endpoints", page("Endpoint")),
        ("Endpoint", only_required(endpoint, &["name", "url", "events", "state"])),
    ])
}

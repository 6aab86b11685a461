//! `/v1/receipts`.

use serde_json::json;

use crate::ours;
use crate::route::Route;
use crate::schema::{
    Schemas, boolean, described, moment, named, nullable, number, object, one_of, only_required,
    page, text, text_like, with,
};

pub(crate) fn routes() -> Vec<Route> {
    let list = ours("GET", "receipts", "list_receipts", "Webhooks that came in, newest first")
        .query(&["of_source", "receipt_state", "since", "limit", "cursor"])
        .answers(200, "A page", "Receipts");
    let one = ours("GET", "receipts/{id}", "get_receipt", "One that came in")
        .answers(200, "The receipt", "Receipt")
        .error(404, &["not_found"]);
    let raw = json!({"schema": {}});
    let body = ours("GET", "receipts/{id}/body", "get_receipt_body", "Its raw bytes")
        .says("As the type it came with if that is harmless, else as `application/octet-stream`.")
        .response(
            200,
            json!({"description": "The bytes", "content": {
                "application/octet-stream": raw, "application/json": raw, "text/plain": raw,
                "text/csv": raw, "application/x-www-form-urlencoded": raw,
            }}),
        )
        .error(404, &["not_found"])
        .error(410, &["body_gone"]);
    let replay = ours("POST", "receipts/{id}/replay", "replay_receipt", "Work it off again")
        .answers(202, "It will be", "Receipt")
        .error(404, &["not_found"])
        .error(409, &["under_way"]);
    [list, one, body, replay].into_iter().map(|route| route.tag("receipts")).collect()
}

pub(crate) fn schemas() -> Schemas {
    let covers = object([
        ("body", boolean()),
        ("identity", boolean()),
        ("type", boolean()),
        ("time", boolean()),
        ("url", boolean()),
    ]);
    let verified = object([
        ("check", text_like("hmac-sha256")),
        ("key", described(nullable(number()), "Which of the configured secrets, from 1")),
        ("signed_at", nullable(moment())),
        ("covers", described(covers, "What of the request the signature covers")),
    ]);
    let listed = object([
        ("id", text_like("github.c1ce8282f097d63fd8eb33f7daba41a790616449")),
        ("source", text_like("github")),
        ("delivery_id", nullable(text())),
        ("type", nullable(text_like("issues.opened"))),
        ("state", one_of(["received", "done", "failed"])),
        ("note", described(text(), "What came of it")),
        ("received_at", moment()),
        ("size", described(number(), "Bytes of its body")),
        ("verified", verified),
        ("replays", nullable(object([("count", number()), ("last_at", moment())]))),
    ]);
    let more = object([
        ("method", text_like("POST")),
        ("path", text()),
        ("query", text()),
        ("headers", json!({"type": "object", "additionalProperties": text()})),
        ("content_type", nullable(text())),
        ("body_url", text()),
    ]);
    let shown = only_required(
        object([
            ("body", described(text(), "If it is text and not large")),
            ("body_base64", described(text(), "If it is not")),
        ]),
        &[],
    );
    named([
        ("Receipts", page("ListedReceipt")),
        ("Receipt", with(with(listed.clone(), &more), &shown)),
        ("ListedReceipt", listed),
    ])
}

//! Receipts.

use placet_core::receipt::Refusal;
use serde_json::json;

use super::doc::Doc;
use crate::receipts::schemas::{ListReceipts, ListedReceipt, ReceiptPath, ReceiptReply};
use crate::reply::Page;

pub(super) fn docs() -> Vec<Doc> {
    let raw = json!({"schema": {}});
    let bytes = json!({"description": "The bytes.", "content": {
        "application/octet-stream": raw, "application/json": raw, "text/plain": raw,
        "text/csv": raw, "application/x-www-form-urlencoded": raw,
    }});
    vec![
        Doc::of("list_receipts", "List verified webhooks, newest first")
            .query::<ListReceipts>()
            .reply::<Page<ListedReceipt<'_>>>(200, "A page."),
        Doc::of("get_receipt", "Get a verified webhook")
            .path::<ReceiptPath>()
            .reply::<ReceiptReply<'_>>(200, "The receipt."),
        Doc::of("get_receipt_body", "Get the raw body of a verified webhook")
            .description("The media type is the original one if it is harmless in a browser, otherwise `application/octet-stream`.")
            .path::<ReceiptPath>()
            .other_reply(200, bytes)
            .errors(410, &["body_gone"]),
        Doc::of("replay_receipt", "Process a webhook again")
            .path::<ReceiptPath>()
            .reply::<ReceiptReply<'_>>(202, "The webhook is queued for processing.")
            .errors(409, &[Refusal::UnderWay.code()]),
    ]
}

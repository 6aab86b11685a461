//! A receipt in the replies of our API.

use std::collections::BTreeMap;

use placet_core::item::Item;
use placet_core::receipt::{Receipt, State};
use placet_core::webhook::Coverage;
use serde::Serialize;

use crate::reply::Moment;
use crate::routes::path_of;
use crate::shown::ShownBody;

/// A verified webhook in a list.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ListedReceipt<'a> {
    #[cfg_attr(test, schemars(example = crate::openapi::examples::RECEIPT))]
    id: &'a str,
    /// The name of the webhook source in `placet.yaml`.
    #[cfg_attr(test, schemars(example = &"github"))]
    source: &'a str,
    /// The sender's id of the event.
    delivery_id: Option<&'a str>,
    /// The type of the event, known after processing.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(example = &"issues.opened"))]
    event_type: Option<&'a str>,
    /// The state of the receipt.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::ReceiptState"))]
    state: State,
    /// The result of processing.
    note: &'a str,
    received_at: Moment,
    /// The size of the body in bytes.
    size: usize,
    /// What the sender proved.
    verified: Verified<'a>,
    /// How often and when the receipt was replayed.
    replays: Option<Replays>,
}

/// What a sender proved.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Verified<'a> {
    /// The check that succeeded.
    #[cfg_attr(test, schemars(example = &"hmac-sha256"))]
    check: &'a str,
    /// The number of the configured secret that matched, from 1.
    key: Option<usize>,
    /// The signed time.
    signed_at: Option<Moment>,
    /// The parts of the request that the proof covers. Treat the rest as unverified.
    covers: Covers,
}

/// The parts of a request that its proof covers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Covers {
    body: bool,
    /// The sender's id of the event.
    identity: bool,
    /// The type of the event.
    #[serde(rename = "type")]
    event_type: bool,
    time: bool,
    url: bool,
}

/// Manual replays.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Replays {
    count: u32,
    last_at: Moment,
}

/// A verified webhook.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Receipt"))]
pub(crate) struct ReceiptReply<'a> {
    #[serde(flatten)]
    listed: ListedReceipt<'a>,
    #[cfg_attr(test, schemars(example = &"POST"))]
    method: &'a str,
    path: &'a str,
    /// The query, without its `?`.
    query: &'a str,
    /// The headers without secrets. The values of a repeated header are joined.
    headers: BTreeMap<&'a str, String>,
    content_type: Option<&'a str>,
    /// The address of the raw bytes of the body.
    body_url: String,
    #[serde(flatten)]
    body: ShownBody,
}

impl<'a> ListedReceipt<'a> {
    pub(super) fn new(receipt: &'a Item<Receipt>) -> Self {
        let (record, verified) = (&receipt.record, &receipt.verified);
        Self {
            id: &receipt.header.id,
            source: &record.source,
            delivery_id: record.delivery_id.as_deref(),
            event_type: receipt.event_type.as_deref(),
            state: receipt.state,
            note: &receipt.note,
            received_at: Moment(record.received_at),
            size: receipt.body.body.size(),
            verified: Verified {
                check: &verified.check,
                key: verified.key,
                signed_at: verified.signed_at.map(Moment),
                covers: verified.coverage.into(),
            },
            replays: receipt
                .replays
                .map(|replays| Replays { count: replays.count, last_at: Moment(replays.last_at) }),
        }
    }
}

impl From<Coverage> for Covers {
    fn from(coverage: Coverage) -> Self {
        let Coverage { body, identity, event_type, time, url } = coverage;
        Self { body, identity, event_type, time, url }
    }
}

impl<'a> ReceiptReply<'a> {
    pub(super) fn new(receipt: &'a Item<Receipt>, body: ShownBody) -> Self {
        let record = &receipt.record;
        Self {
            listed: ListedReceipt::new(receipt),
            method: &record.method,
            path: &record.path,
            query: &record.query,
            headers: joined(&record.headers),
            content_type: record.content_type(),
            body_url: path_of("get_receipt_body", &[&receipt.header.id]),
            body,
        }
    }
}

fn joined(headers: &[(String, String)]) -> BTreeMap<&str, String> {
    let mut joined: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers {
        match joined.get_mut(name.as_str()) {
            Some(before) => *before = format!("{before}, {value}"),
            None => drop(joined.insert(name, value.clone())),
        }
    }
    joined
}

#[cfg(test)]
mod tests;

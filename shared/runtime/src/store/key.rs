//! How items are found. Tenant, source and call id hold no `#`, so no two items share a key.

use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::{Digest, Kind, OperationId, Timestamp};

use super::Item;

pub(super) fn operation(id: &OperationId) -> Item {
    primary(operation_pk(id), "OP")
}

pub(super) fn operation_pk(id: &OperationId) -> String {
    format!("T#{}#OP#{}#{}", id.tenant, id.kind.as_str(), id.call_id)
}

/// The operation under a partition key.
pub(super) fn operation_id(pk: &str) -> Option<OperationId> {
    let (tenant, rest) = pk.strip_prefix("T#")?.split_once("#OP#")?;
    let (kind, call_id) = rest.split_once('#')?;
    Some(OperationId::new(tenant, Kind::parse(kind)?, call_id))
}

pub(super) fn operation_list_pk(tenant: &str) -> String {
    format!("T#{tenant}#LIST#operation")
}

pub(super) fn receipt(receipt_id: &str) -> Item {
    primary(receipt_pk(receipt_id), "RC")
}

pub(super) fn receipt_pk(receipt_id: &str) -> String {
    format!("RC#{receipt_id}")
}

pub(super) fn receipt_list_pk(tenant: &str) -> String {
    format!("T#{tenant}#LIST#receipt")
}

pub(super) fn delivery(tenant: &str, id: &str) -> Item {
    primary(delivery_pk(tenant, id), "DL")
}

pub(super) fn delivery_pk(tenant: &str, id: &str) -> String {
    format!("T#{tenant}#DL#{id}")
}

pub(super) fn delivery_list_pk(tenant: &str) -> String {
    format!("T#{tenant}#LIST#delivery")
}

pub(super) fn endpoint(tenant: &str, name: &str) -> Item {
    primary(format!("T#{tenant}#EP#{name}"), "EP")
}

pub(super) fn api_key(digest: Digest) -> Item {
    primary(format!("KEY#{digest}"), "KEY")
}

pub(super) fn api_key_list_pk(tenant: &str) -> String {
    format!("T#{tenant}#LIST#key")
}

pub(super) fn warm_up() -> Item {
    primary("WARM".to_owned(), "UP")
}

pub(super) fn due_pk(tenant: &str) -> String {
    format!("T#{tenant}#DUE")
}

/// Sorts as text as it sorts in time, for the next 29,000 years.
pub(super) fn due_sk(due: Timestamp) -> String {
    format!("{:015}", due.millis())
}

pub(super) fn list_sk(created_at: Timestamp, id: &str) -> String {
    format!("{:015}#{id}", created_at.millis())
}

/// Before all keys of this moment, and after those of the moments before.
pub(super) fn list_since(moment: Timestamp) -> String {
    format!("{:015}", moment.millis().max(0))
}

/// After all keys of this moment.
pub(super) fn list_until(moment: Timestamp) -> String {
    format!("{:015}$", moment.millis().max(0))
}

fn primary(pk: String, sk: &str) -> Item {
    let pair = [("pk", pk), ("sk", sk.to_owned())];
    pair.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).into()
}

//! The two indexes: `due` (what is not terminal, by due time) and `list` (everything, by age).
//! Both hold keys only, so that a transition does not pay for copies; items are read after.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use placet_core::{Operation, OperationId, Timestamp};

use super::attributes::{Reader, Writer};
use super::{Item, Store, StoreError, key, operation};

/// The most keys one `BatchGetItem` takes.
const BATCH: usize = 100;

/// How many pages of the list are searched at once.
pub(super) const PAGES: usize = 10;

/// How often DynamoDB is asked again for what it left out of an answer.
const ROUNDS: u32 = 6;

/// What the timer finds in the `due` index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DueItem {
    /// An operation.
    Operation(OperationId),
    /// A receipt, by its id.
    Receipt(String),
    /// A delivery, by its id.
    Delivery(String),
}

/// One page of an index.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<Cursor>,
}

/// Where a page starts.
#[derive(Clone, Debug)]
pub struct Cursor(pub(super) Item);

impl Store {
    /// A page of what is due at or before `until`, most overdue first.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn due(
        &self,
        tenant: &str,
        until: Timestamp,
        start: Option<Cursor>,
    ) -> Result<Page<DueItem>, StoreError> {
        let values = Writer::default()
            .text(":tenant", key::due_pk(tenant))
            .text(":until", key::due_sk(until))
            .finish();
        let query =
            Query { index: "due", condition: "due_pk = :tenant AND due_sk <= :until", values };
        let page = self.query(query, true, start).await?;
        Ok(Page { items: page.items.iter().filter_map(due_item).collect(), next: page.next })
    }

    /// Shows every operation that is not terminal, or of whose decision somebody has still to be told,
    /// the next due first: what waits for a person is among them. One that can not be read is left out,
    /// and an error in the log.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn each_open(
        &self,
        tenant: &str,
        mut see: impl FnMut(Operation),
    ) -> Result<(), StoreError> {
        let mut start = None;
        loop {
            let values = Writer::default().text(":tenant", key::due_pk(tenant)).finish();
            let query = Query { index: "due", condition: "due_pk = :tenant", values };
            let page = self.query(query, true, start).await?;
            self.operations(&page.items).await?.into_iter().for_each(&mut see);
            start = page.next;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    pub(super) async fn query(
        &self,
        query: Query,
        forward: bool,
        start: Option<Cursor>,
    ) -> Result<Page<Item>, StoreError> {
        let reply = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(query.index)
            .key_condition_expression(query.condition)
            .set_expression_attribute_values(Some(query.values))
            .scan_index_forward(forward)
            .limit(i32::try_from(BATCH).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start.map(|cursor| cursor.0))
            .send()
            .await
            .map_err(StoreError::service("Query"))?;
        Ok(Page {
            items: reply.items.unwrap_or_default(),
            next: reply.last_evaluated_key.map(Cursor),
        })
    }

    /// The operations under these index entries, in their order; other items are left out.
    async fn operations(&self, entries: &[Item]) -> Result<Vec<Operation>, StoreError> {
        let operations =
            entries.iter().filter(|entry| matches!(due_item(entry), Some(DueItem::Operation(_))));
        let found = self.by_entries(operations, None).await?;
        Ok(found.into_iter().filter_map(|(_, item)| operation::readable(item)).collect())
    }

    /// The items under these index entries, in their order, each with its entry; what is gone is left
    /// out. A projection has to name `pk`.
    pub(super) async fn by_entries<'e>(
        &self,
        entries: impl IntoIterator<Item = &'e Item>,
        projection: Option<&str>,
    ) -> Result<Vec<(&'e Item, Item)>, StoreError> {
        let key = |entry: &Item| {
            let part = |name: &str| Some((name.to_owned(), entry.get(name)?.clone()));
            ["pk", "sk"].into_iter().filter_map(part).collect()
        };
        let entries: Vec<&Item> = entries.into_iter().collect();
        let keys: Vec<Item> = entries.iter().copied().map(key).collect();
        let mut found = HashMap::new();
        for batch in keys.chunks(BATCH) {
            found.extend(self.batch_get(batch, projection).await?);
        }
        Ok(entries
            .into_iter()
            .filter_map(|entry| Some((entry, found.remove(pk(entry)?)?)))
            .collect())
    }

    async fn batch_get(
        &self,
        keys: &[Item],
        projection: Option<&str>,
    ) -> Result<HashMap<String, Item>, StoreError> {
        let mut found = HashMap::new();
        let mut wanted = keys.to_vec();
        for round in 0..ROUNDS {
            if wanted.is_empty() {
                return Ok(found);
            }
            // What is left out of an answer was too much at once.
            tokio::time::sleep(Duration::from_millis(50) * (2_u32.pow(round) - 1)).await;
            let request = KeysAndAttributes::builder().set_keys(Some(wanted));
            let request = request.set_projection_expression(projection.map(str::to_owned));
            let request = request.build().map_err(|error| StoreError::Service {
                action: "BatchGetItem",
                cause: error.to_string(),
            })?;
            let reply = self.client.batch_get_item().request_items(&self.table, request).send();
            let reply = reply.await.map_err(StoreError::service("BatchGetItem"))?;
            for item in reply.responses.unwrap_or_default().into_values().flatten() {
                if let Some(pk) = pk(&item) {
                    found.insert(pk.to_owned(), item);
                }
            }
            let rest = reply.unprocessed_keys.unwrap_or_default().into_values();
            wanted = rest.flat_map(|table| table.keys).collect();
        }
        let cause = format!("{} items were left out again and again", wanted.len());
        Err(StoreError::Service { action: "BatchGetItem", cause })
    }
}

pub(super) struct Query {
    pub(super) index: &'static str,
    pub(super) condition: &'static str,
    pub(super) values: Item,
}

fn pk(item: &Item) -> Option<&str> {
    item.get("pk").and_then(|key: &AttributeValue| key.as_s().ok()).map(String::as_str)
}

fn due_item(entry: &Item) -> Option<DueItem> {
    let pk = pk(entry)?;
    match Reader(entry.clone()).optional_text("sk")?.as_str() {
        "OP" => key::operation_id(pk).map(DueItem::Operation),
        "DL" => pk.rsplit_once('#').map(|(_, id)| DueItem::Delivery(id.to_owned())),
        "RC" => pk.strip_prefix("RC#").map(|id| DueItem::Receipt(id.to_owned())),
        _ => None,
    }
}

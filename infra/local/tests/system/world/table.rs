//! Direct access to the table, without the store.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::stream::{self, StreamExt as _};
use placet_core::delivery::Delivery;
use placet_core::item::{Item, Kind};
use placet_core::operation::{Event, Notice, Operation, OperationId};
use placet_core::receipt::Receipt;
use placet_local::engines::TABLE;
use placet_runtime::{key, packed};
use serde_json::Value;

use super::{PROJECT, World};

impl World {
    /// Every item of a kind.
    pub async fn all<K: Kind>(&self) -> Vec<Item<K>> {
        let begin = AttributeValue::S(format!("{}#", K::NAME));
        let rows = self.table.scan().table_name(TABLE).filter_expression("begins_with(pk, :kind)");
        let rows = rows.expression_attribute_values(":kind", begin).send().await.unwrap();
        let mut all = Vec::new();
        for row in rows.items() {
            let mut key = row["pk"].as_s().unwrap().splitn(3, '#').skip(1);
            let (project, id) = (key.next().unwrap(), key.next().unwrap());
            let found = self.system.runtime.engine.store.item(project, id, true).await;
            all.push(found.unwrap().unwrap());
        }
        all.sort_by(|one: &Item<K>, other| one.header.id.cmp(&other.header.id));
        all
    }

    /// Every receipt.
    pub async fn receipts(&self) -> Vec<Item<Receipt>> {
        self.all().await
    }

    /// The only receipt.
    pub async fn the_receipt(&self) -> Item<Receipt> {
        let mut all = self.receipts().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub async fn delivery(&self, id: &str) -> Item<Delivery> {
        let found = self.system.runtime.engine.store.item(PROJECT, id, true).await.unwrap();
        found.unwrap_or_else(|| panic!("there is no delivery {id}"))
    }

    /// The stored notification to an endpoint of the decision on an operation.
    pub async fn notification(&self, endpoint: &str, id: &OperationId) -> Option<Item<Delivery>> {
        self.notification_of(endpoint, id, Event::Completed, 1).await
    }

    /// The stored notification to an endpoint of an event of an operation.
    pub async fn notification_of(
        &self,
        endpoint: &str,
        id: &OperationId,
        event: Event,
        number: u32,
    ) -> Option<Item<Delivery>> {
        let id = Notice::delivery_id(endpoint, id, event, number);
        self.system.runtime.engine.store.item(PROJECT, &id, true).await.unwrap()
    }

    /// The operations that are not terminal.
    pub async fn open_operations(&self) -> Vec<Item<Operation>> {
        let mut all: Vec<Item<Operation>> = self.all().await;
        all.retain(|operation| !operation.state.is_terminal());
        all
    }

    /// The number of real effects of an operation.
    pub async fn effects(&self, call_id: &str) -> usize {
        let query = self.table.query().table_name(TABLE).key_condition_expression("pk = :pk");
        let pk = AttributeValue::S(format!("LEDGER#{call_id}"));
        query.expression_attribute_values(":pk", pk).send().await.unwrap().items().len()
    }

    /// All rows of the table as sorted text. A test compares two of these to see whether anything changed.
    pub async fn contents(&self) -> Vec<String> {
        let rows = self.table.scan().table_name(TABLE).send().await.unwrap();
        let text = |row: &placet_runtime::Row| {
            let readable = row.iter().map(|(name, value)| (name, readable(value)));
            format!("{:?}", readable.collect::<BTreeMap<_, _>>())
        };
        let mut contents: Vec<String> = rows.items().iter().map(text).collect();
        contents.sort();
        contents
    }

    /// Changes the body of an operation without the store.
    pub async fn tamper(&self, call_id: &str, change: impl FnOnce(&mut Value)) {
        let pk = key::operation_pk(&OperationId::call(PROJECT, call_id));
        let mut row = self.row(&pk, "item").await.unwrap();
        let (json, bytes) = packed::unpack(row["item1"].as_b().unwrap().as_ref()).unwrap();
        let mut item: Value = serde_json::from_slice(&json).unwrap();
        change(&mut item[1]);
        let packed = packed::pack(item.to_string().as_bytes(), &bytes).unwrap();
        row.insert("item1".to_owned(), AttributeValue::B(packed.into()));
        self.put_row(row).await;
    }

    /// Writes a row without the store.
    pub async fn put_row(&self, row: placet_runtime::Row) {
        self.table.put_item().table_name(TABLE).set_item(Some(row)).send().await.unwrap();
    }

    /// A stored row.
    pub async fn row(&self, pk: &str, sk: &str) -> Option<placet_runtime::Row> {
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let row = self.table.get_item().table_name(TABLE).key("pk", key(pk)).key("sk", key(sk));
        row.send().await.unwrap().item
    }

    /// Writes many rows without the store.
    pub async fn put_all(&self, rows: Vec<placet_runtime::Row>) {
        let put = |row| {
            let put = PutRequest::builder().set_item(Some(row)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        };
        let writes = stream::iter(rows.into_iter().map(put)).chunks(25).map(|rows| {
            let write = self.table.batch_write_item().request_items(TABLE, rows);
            write.send()
        });
        let mut writes = writes.buffer_unordered(4);
        while let Some(written) = writes.next().await {
            assert!(written.unwrap().unprocessed_items().is_none_or(HashMap::is_empty));
        }
    }

    /// Deletes a row, as DynamoDB does after its time to live.
    pub async fn forget(&self, pk: &str, sk: &str) {
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let delete = self.table.delete_item().table_name(TABLE);
        delete.key("pk", key(pk)).key("sk", key(sk)).send().await.unwrap();
    }
}

/// An attribute as text. A compressed attribute is unpacked first.
fn readable(value: &AttributeValue) -> String {
    let Ok(bytes) = value.as_b() else { return format!("{value:?}") };
    let unpacked = packed::unpack(bytes.as_ref()).map(|(text, payload)| [text, payload].concat());
    String::from_utf8_lossy(&unpacked.unwrap_or_else(|| bytes.as_ref().to_vec())).into_owned()
}

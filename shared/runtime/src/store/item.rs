//! Reading and writing items.

use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::Timestamp;
use placet_core::item::{Item, Kind, Lane, Pointer};

use super::attributes::Writer;
use super::{Put, Row, Store, StoreError, key, row};

/// The stored row of an item of any kind.
#[derive(Clone, Debug)]
pub struct AnyItem(pub(crate) Row);

impl AnyItem {
    /// Decodes the row as an item of kind `K`.
    ///
    /// # Errors
    ///
    /// If the row is damaged, or of another kind.
    pub fn decode<K: Kind>(&self) -> Result<Item<K>, StoreError> {
        row::decode(&self.0)
    }

    /// The version of the item.
    pub fn version(&self) -> u64 {
        let version = self.0.get("version").and_then(|value| value.as_n().ok());
        version.and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// The size of the item in bytes of JSON, without a payload in its own attribute.
    pub(crate) fn size(&self) -> usize {
        row::size(&self.0)
    }

    /// Whether the item has an entry in the index `due`.
    pub(crate) fn is_due(&self) -> bool {
        self.0.contains_key("due_sk")
    }

    /// Whether this is the item of kind `K` with this project and id.
    pub fn is<K: Kind>(&self, project: &str, id: &str) -> bool {
        self.0.get("pk") == Some(&AttributeValue::S(key::item_pk(K::NAME, project, id)))
    }
}

impl Store {
    /// Reads an item; `None` if there is none, or if `id` is not a valid id. Use a consistent read to make
    /// decisions. Another read costs half, and may be a second old.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails, or the item cannot be read.
    pub async fn item<K: Kind>(
        &self,
        project: &str,
        id: &str,
        consistent: bool,
    ) -> Result<Option<Item<K>>, StoreError> {
        if !K::is_id(id) {
            return Ok(None);
        }
        let found = self.get(key::item::<K>(project, id), consistent).await?;
        self.noted(found.as_ref().map(row::decode).transpose())
    }

    /// Reads the item that a pointer points to.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn pointed(&self, pointer: &Pointer) -> Result<Option<AnyItem>, StoreError> {
        let pk = key::item_pk(&pointer.kind, &pointer.project, &pointer.id);
        let row = Writer::default().text("pk", pk).text("sk", key::ITEM).finish();
        Ok(self.get(row, true).await?.map(AnyItem))
    }

    /// Stores a version of an item on the condition that the stored version is the one before, with the same
    /// digest. Stores version 1 on the condition that the item does not exist. `lane` is for its entry in
    /// `due`.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails, or the item is too large.
    pub async fn put_item<K: Kind>(
        &self,
        item: &Item<K>,
        lane: Lane,
        now: Timestamp,
    ) -> Result<Put<Option<AnyItem>>, StoreError> {
        let row = row::encode(item, lane, now)?;
        let put = match (item.header.version, item.body.digest()) {
            (1, _) => self.put_if(row, "attribute_not_exists(pk)", Row::new()).await?,
            (version, digest) => {
                let values = Writer::default().number(":before", version - 1);
                let (condition, values) = match digest {
                    None => ("version = :before", values),
                    Some(digest) => (
                        "version = :before AND digest = :digest",
                        values.bytes(":digest", digest.as_bytes().to_vec()),
                    ),
                };
                self.put_if(row, condition, values.finish()).await?
            }
        };
        Ok(match put {
            Put::Stored => Put::Stored,
            Put::Existing(existing) => Put::Existing(existing.map(AnyItem)),
        })
    }
}

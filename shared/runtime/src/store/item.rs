//! Reading and writing items.

use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::Timestamp;
use placet_core::item::{Item, Kind, Lane, Pointer};

use super::attributes::Writer;
use super::{Put, Row, Store, StoreError, key, row};

/// An item that was read and may be of any kind.
#[derive(Clone, Debug)]
pub struct AnyItem(pub(crate) Row);

impl AnyItem {
    /// The item as one of this kind.
    ///
    /// # Errors
    ///
    /// If it is damaged, or of another kind.
    pub fn decode<K: Kind>(&self) -> Result<Item<K>, StoreError> {
        row::decode(&self.0)
    }

    /// The version that was read.
    pub fn version(&self) -> u64 {
        let version = self.0.get("version").and_then(|value| value.as_n().ok());
        version.and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// How large it is in JSON, without a payload beside it.
    pub(crate) fn size(&self) -> usize {
        row::size(&self.0)
    }

    /// Whether it has an entry in the index `due`.
    pub(crate) fn is_due(&self) -> bool {
        self.0.contains_key("due_sk")
    }

    /// Whether it is the item of this kind, project and id.
    pub fn is<K: Kind>(&self, project: &str, id: &str) -> bool {
        self.0.get("pk") == Some(&AttributeValue::S(key::item_pk(K::NAME, project, id)))
    }
}

impl Store {
    /// Reads an item; what cannot be an id has none. A consistent read is for decisions; the other costs half of it and may be a second
    /// old.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer, or the item cannot be read.
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
        found.as_ref().map(row::decode).transpose()
    }

    /// Reads the item that a pointer points to.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn pointed(&self, pointer: &Pointer) -> Result<Option<AnyItem>, StoreError> {
        let pk = key::item_pk(&pointer.kind, &pointer.project, &pointer.id);
        let row = Writer::default().text("pk", pk).text("sk", key::ITEM).finish();
        Ok(self.get(row, true).await?.map(AnyItem))
    }

    /// Stores a version of an item if the one before is there, with the same digest; the first if none is
    /// there. `lane` is the one that its entry in `due` names.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer, or the item is too large.
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

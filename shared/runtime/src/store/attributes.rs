use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Item, StoreError, key};

/// An item in the making.
#[derive(Default)]
pub(super) struct Writer(Item);

impl Writer {
    pub(super) fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::S(value.into()));
        self
    }

    pub(super) fn number(mut self, name: &str, value: impl ToString) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::N(value.to_string()));
        self
    }

    pub(super) fn bytes(mut self, name: &str, value: Vec<u8>) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::B(value.into()));
        self
    }

    /// A nested value as JSON text: DynamoDB's own numbers can not hold every double.
    pub(super) fn json(self, name: &str, value: &impl Serialize) -> Self {
        match serde_json::to_string(value) {
            Ok(text) if text != "null" => self.text(name, text),
            _ => self,
        }
    }

    /// Puts the item into the `due` index, unless it is terminal.
    pub(super) fn due(self, tenant: &str, due: Option<Timestamp>) -> Self {
        match due {
            Some(due) => self.text("due_pk", key::due_pk(tenant)).text("due_sk", key::due_sk(due)),
            None => self,
        }
    }

    pub(super) fn finish(self) -> Item {
        self.0
    }
}

/// An item being read back; an attribute that is not as it was written is an error that names it.
pub(super) struct Reader(pub(super) Item);

impl Reader {
    pub(super) fn text(&self, name: &'static str) -> Result<String, StoreError> {
        self.optional_text(name).ok_or_else(|| self.corrupt(name))
    }

    pub(super) fn optional_text(&self, name: &'static str) -> Option<String> {
        self.0.get(name).and_then(|value| value.as_s().ok()).cloned()
    }

    pub(super) fn number<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, StoreError> {
        let text = self.0.get(name).and_then(|value| value.as_n().ok());
        text.and_then(|text| text.parse().ok()).ok_or_else(|| self.corrupt(name))
    }

    pub(super) fn moment(&self, name: &'static str) -> Result<Timestamp, StoreError> {
        self.number(name).map(Timestamp::from_millis)
    }

    pub(super) fn bytes(&self, name: &'static str) -> Result<Vec<u8>, StoreError> {
        let value = self.0.get(name).and_then(|value| value.as_b().ok());
        value.map(|blob| blob.as_ref().to_vec()).ok_or_else(|| self.corrupt(name))
    }

    pub(super) fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, StoreError> {
        self.optional_json(name)?.ok_or_else(|| self.corrupt(name))
    }

    pub(super) fn optional_json<T: DeserializeOwned>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, StoreError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => {
                let text = value.as_s().map_err(|_| self.corrupt(name))?;
                serde_json::from_str(text).map(Some).map_err(|_| self.corrupt(name))
            }
        }
    }

    /// When the item is due; `None` once it is terminal.
    pub(super) fn due(&self) -> Result<Option<Timestamp>, StoreError> {
        let text = self.optional_text("due_sk");
        let moment = text.map(|text| text.parse().map(Timestamp::from_millis));
        moment.transpose().map_err(|_| self.corrupt("due_sk"))
    }

    pub(super) fn corrupt(&self, attribute: &'static str) -> StoreError {
        let key = self.0.get("pk").and_then(|key| key.as_s().ok()).cloned();
        StoreError::Corrupt { key: key.unwrap_or_default(), attribute }
    }
}

use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Row, StoreError};

/// Builds a row, attribute by attribute.
#[derive(Default)]
pub(super) struct Writer(Row);

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

    /// A nested value as JSON text, because a DynamoDB number cannot represent every double. Leaves out
    /// `null`.
    pub(super) fn json(self, name: &str, value: &impl Serialize) -> Self {
        match serde_json::to_string(value) {
            Ok(text) if text != "null" => self.text(name, text),
            _ => self,
        }
    }

    pub(super) fn finish(self) -> Row {
        self.0
    }
}

/// Reads the attributes of a row. The error for a missing or damaged attribute names it.
pub(super) struct Reader<'a>(pub(super) &'a Row);

impl Reader<'_> {
    pub(super) fn text(&self, name: &'static str) -> Result<&str, StoreError> {
        self.optional_text(name).ok_or_else(|| self.corrupt(name))
    }

    pub(super) fn optional_text(&self, name: &'static str) -> Option<&str> {
        self.0.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
    }

    pub(super) fn number<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, StoreError> {
        let text = self.0.get(name).and_then(|value| value.as_n().ok());
        text.and_then(|text| text.parse().ok()).ok_or_else(|| self.corrupt(name))
    }

    pub(super) fn moment(&self, name: &'static str) -> Result<Timestamp, StoreError> {
        self.number(name).map(Timestamp::from_millis)
    }

    pub(super) fn bytes(&self, name: &'static str) -> Result<&[u8], StoreError> {
        let value = self.0.get(name).and_then(|value| value.as_b().ok());
        value.map(AsRef::as_ref).ok_or_else(|| self.corrupt(name))
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

    pub(super) fn corrupt(&self, attribute: &'static str) -> StoreError {
        let key = self.0.get("pk").and_then(|key| key.as_s().ok()).cloned();
        StoreError::Corrupt { key: key.unwrap_or_default(), attribute }
    }
}

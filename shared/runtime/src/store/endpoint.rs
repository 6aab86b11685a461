use placet_core::Timestamp;

use super::attributes::{Reader, Writer};
use super::{Row, Store, StoreError, key};

/// An endpoint that is sent nothing until a person enables it again. One that is enabled has no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisabledEndpoint {
    /// Since when.
    pub disabled_at: Timestamp,
    /// Why, for a person.
    pub reason: String,
}

impl Store {
    /// Disables an endpoint; one that is disabled keeps its first reason.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn disable_endpoint(
        &self,
        project: &str,
        name: &str,
        disabled: &DisabledEndpoint,
    ) -> Result<(), StoreError> {
        let mut item = key::endpoint(project, name);
        let state = Writer::default()
            .number("disabled_at", disabled.disabled_at.millis())
            .text("reason", &disabled.reason);
        item.extend(state.finish());
        self.put_if(item, "attribute_not_exists(pk)", Row::new()).await?;
        Ok(())
    }

    /// Enables an endpoint, whether or not it was disabled.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn enable_endpoint(&self, project: &str, name: &str) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        let request = request.set_key(Some(key::endpoint(project, name)));
        request.send().await.map_err(StoreError::service("DeleteItem"))?;
        Ok(())
    }

    /// Why an endpoint is disabled; `None` if it is enabled.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer, or the row cannot be read.
    pub async fn disabled_endpoint(
        &self,
        project: &str,
        name: &str,
    ) -> Result<Option<DisabledEndpoint>, StoreError> {
        let Some(item) = self.get(key::endpoint(project, name), true).await? else {
            return Ok(None);
        };
        let reader = Reader(&item);
        Ok(Some(DisabledEndpoint {
            disabled_at: reader.moment("disabled_at")?,
            reason: reader.text("reason")?.to_owned(),
        }))
    }
}

use placet_core::Timestamp;

use super::attributes::{Reader, Writer};
use super::{Store, StoreError, key};

/// An endpoint that is sent nothing until a person enables it again. One that is enabled has no item.
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
    /// If DynamoDB can not be asked.
    pub async fn disable_endpoint(
        &self,
        tenant: &str,
        name: &str,
        disabled: &DisabledEndpoint,
    ) -> Result<(), StoreError> {
        let mut item = key::endpoint(tenant, name);
        let state = Writer::default()
            .text("tenant", tenant)
            .text("endpoint", name)
            .number("disabled_at", disabled.disabled_at.millis())
            .text("reason", &disabled.reason);
        item.extend(state.finish());
        self.put_new(item).await?;
        Ok(())
    }

    /// Enables an endpoint, whether or not it was disabled.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn enable_endpoint(&self, tenant: &str, name: &str) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        let request = request.set_key(Some(key::endpoint(tenant, name)));
        request.send().await.map_err(StoreError::service("DeleteItem"))?;
        Ok(())
    }

    /// Why an endpoint is disabled; `None` if it is enabled.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the item can not be read.
    pub async fn disabled_endpoint(
        &self,
        tenant: &str,
        name: &str,
    ) -> Result<Option<DisabledEndpoint>, StoreError> {
        let Some(item) = self.get(key::endpoint(tenant, name), true).await? else {
            return Ok(None);
        };
        let reader = Reader(item);
        Ok(Some(DisabledEndpoint {
            disabled_at: reader.moment("disabled_at")?,
            reason: reader.text("reason")?,
        }))
    }
}

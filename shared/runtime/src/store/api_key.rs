use placet_core::Digest;

use super::attributes::{Reader, Writer};
use super::{Store, StoreError, key};
use crate::ApiKey;

impl Store {
    /// Stores an API key under its digest; the key itself is never stored.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn put_api_key(&self, digest: Digest, api_key: &ApiKey) -> Result<(), StoreError> {
        let mut item = key::api_key(digest);
        item.extend(
            Writer::default().text("tenant", &api_key.tenant).text("name", &api_key.name).finish(),
        );
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        request.send().await.map_err(StoreError::service("PutItem"))?;
        Ok(())
    }

    /// Finds an API key by its digest.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the item can not be read.
    pub async fn api_key(&self, digest: Digest) -> Result<Option<ApiKey>, StoreError> {
        let Some(item) = self.get(key::api_key(digest), false).await? else {
            return Ok(None);
        };
        let reader = Reader(item);
        Ok(Some(ApiKey { tenant: reader.text("tenant")?, name: reader.text("name")? }))
    }
}

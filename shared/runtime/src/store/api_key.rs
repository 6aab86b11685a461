use placet_core::{Digest, Timestamp};

use super::attributes::{Reader, Writer};
use super::index::Query;
use super::{Item, Put, Store, StoreError, key};
use crate::api_key::{ApiKey, Role};

impl Store {
    /// Stores an API key under its digest; the key itself is never stored. One that is there stays
    /// as it is: a revoked key does not come back.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn put_api_key(&self, digest: Digest, api_key: &ApiKey) -> Result<(), StoreError> {
        self.put_new(encode(digest, api_key)).await?;
        Ok(())
    }

    /// Finds an API key by its digest.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the item can not be read.
    pub async fn api_key(&self, digest: Digest) -> Result<Option<ApiKey>, StoreError> {
        self.get(key::api_key(digest), false).await?.map(decode).transpose()
    }

    /// The API keys of a project, newest first, with their digests. One that can not be read is left
    /// out, and an error in the log.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn api_keys(&self, tenant: &str) -> Result<Vec<(Digest, ApiKey)>, StoreError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let values = Writer::default().text(":keys", key::api_key_list_pk(tenant)).finish();
            let query = Query { index: "list", condition: "list_pk = :keys", values };
            let page = self.query(query, false, start).await?;
            let items = self.by_entries(&page.items, None).await?;
            found.extend(items.into_iter().filter_map(|(_, item)| readable(item)));
            start = page.next;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// Takes an API key back and hands back what it is now: one that was revoked before keeps its
    /// moment. `None` if there is no such key.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the item can not be read.
    pub async fn revoke_api_key(
        &self,
        digest: Digest,
        now: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError> {
        let Some(item) = self.get(key::api_key(digest), true).await? else {
            return Ok(None);
        };
        let revoked = ApiKey { revoked_at: Some(now), ..decode(item)? };
        let condition = "attribute_exists(pk) AND attribute_not_exists(revoked_at)";
        match self.put_if(encode(digest, &revoked), condition, Item::new()).await? {
            Put::Stored => Ok(Some(revoked)),
            Put::Existing(item) => item.map(decode).transpose(),
        }
    }
}

fn encode(digest: Digest, api_key: &ApiKey) -> Item {
    let mut item = key::api_key(digest);
    let attributes = Writer::default()
        .text("list_pk", key::api_key_list_pk(&api_key.tenant))
        .text("list_sk", key::list_sk(api_key.created_at, &digest.to_string()))
        .text("tenant", &api_key.tenant)
        .text("name", &api_key.name)
        .text("role", api_key.role.as_str())
        .json("channel", &api_key.channel)
        .number("created_at", api_key.created_at.millis())
        .json("expires_at", &api_key.expires_at)
        .json("revoked_at", &api_key.revoked_at);
    item.extend(attributes.finish());
    item
}

/// An item of before keys had roles has a tenant and a name only.
fn decode(item: Item) -> Result<ApiKey, StoreError> {
    let reader = Reader(item);
    let role = reader.optional_text("role");
    let role = role.map(|name| Role::parse(&name).ok_or_else(|| reader.corrupt("role")));
    Ok(ApiKey {
        tenant: reader.text("tenant")?,
        name: reader.text("name")?,
        role: role.transpose()?.unwrap_or_default(),
        channel: reader.optional_json("channel")?,
        created_at: reader.moment("created_at").unwrap_or(Timestamp::from_millis(0)),
        expires_at: reader.optional_json("expires_at")?,
        revoked_at: reader.optional_json("revoked_at")?,
    })
}

fn readable(item: Item) -> Option<(Digest, ApiKey)> {
    let digest = Reader(item.clone()).optional_text("pk")?.strip_prefix("KEY#")?.parse().ok()?;
    decode(item)
        .map(|api_key| (digest, api_key))
        .inspect_err(|error| tracing::error!(%error, "a key is left out of a list"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_digest;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    #[test]
    fn a_key_is_read_back_as_it_was_written() {
        let plain = ApiKey::new("team-a", "ci", NOW);
        let full = ApiKey {
            role: Role::Agent,
            channel: Some(u64::MAX),
            expires_at: Some(NOW),
            revoked_at: Some(NOW),
            ..plain.clone()
        };
        for api_key in [plain, full] {
            let item = encode(key_digest("k"), &api_key);
            assert_eq!(readable(item).unwrap(), (key_digest("k"), api_key));
        }
    }

    #[test]
    fn an_item_without_role_is_of_both_and_does_not_expire() {
        let mut item = key::api_key(key_digest("k"));
        item.extend(Writer::default().text("tenant", "t").text("name", "n").finish());
        let expected = ApiKey::new("t", "n", Timestamp::from_millis(0));
        assert_eq!(decode(item.clone()).unwrap(), expected);
        // What can not be read is no key that may everything.
        item.extend(Writer::default().text("role", "owner").text("expires_at", "soon").finish());
        assert!(decode(item).is_err());
    }
}

use placet_core::{Digest, Timestamp};

use super::attributes::{Reader, Writer};
use super::{Put, Row, Store, StoreError, key};
use crate::api_key::{ApiKey, Role};

impl Store {
    /// Stores an API key under its digest; the key itself is never stored. If the digest exists, nothing
    /// changes, so a revoked key cannot be restored.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn put_api_key(&self, digest: Digest, api_key: &ApiKey) -> Result<(), StoreError> {
        let new = "attribute_not_exists(pk)";
        self.put_if(encode(digest, api_key), new, Row::new()).await?;
        Ok(())
    }

    /// Finds an API key by its digest.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails, or the row cannot be read.
    pub async fn api_key(&self, digest: Digest) -> Result<Option<ApiKey>, StoreError> {
        self.get(key::api_key(digest), false).await?.as_ref().map(decode).transpose()
    }

    /// The API keys of a project with their digests, newest first. A key that cannot be read is left out and
    /// logged as an error.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn api_keys(&self, project: &str) -> Result<Vec<(Digest, ApiKey)>, StoreError> {
        let rows = self.short_list(&key::list_pk("key", project, 0)).await?;
        Ok(rows.iter().filter_map(readable).collect())
    }

    /// Revokes an API key, and returns it. A key that is already revoked keeps its time of revocation. `None`
    /// if there is no such key.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails, or the row cannot be read.
    pub async fn revoke_api_key(
        &self,
        digest: Digest,
        now: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError> {
        let Some(item) = self.get(key::api_key(digest), true).await? else {
            return Ok(None);
        };
        let revoked = ApiKey { revoked_at: Some(now), ..decode(&item)? };
        let condition = "attribute_exists(pk) AND attribute_not_exists(revoked_at)";
        match self.put_if(encode(digest, &revoked), condition, Row::new()).await? {
            Put::Stored => Ok(Some(revoked)),
            Put::Existing(item) => item.as_ref().map(decode).transpose(),
        }
    }
}

fn encode(digest: Digest, api_key: &ApiKey) -> Row {
    let mut item = key::api_key(digest);
    let attributes = Writer::default()
        .text("list_pk", key::list_pk("key", &api_key.project, 0))
        .text("list_sk", key::list_sk(api_key.created_at, key::hash(&digest.to_string())))
        .text("project", &api_key.project)
        .text("name", &api_key.name)
        .text("role", api_key.role.as_str())
        .json("self_approval", &api_key.self_approval.then_some(true))
        .json("channel", &api_key.channel)
        .number("created_at", api_key.created_at.millis())
        .json("expires_at", &api_key.expires_at)
        .json("revoked_at", &api_key.revoked_at);
    item.extend(attributes.finish());
    item
}

fn decode(row: &Row) -> Result<ApiKey, StoreError> {
    let reader = Reader(row);
    Ok(ApiKey {
        project: reader.text("project")?.to_owned(),
        name: reader.text("name")?.to_owned(),
        role: Role::parse(reader.text("role")?).ok_or_else(|| reader.corrupt("role"))?,
        self_approval: reader.optional_json("self_approval")?.unwrap_or_default(),
        channel: reader.optional_json("channel")?,
        created_at: reader.moment("created_at")?,
        expires_at: reader.optional_json("expires_at")?,
        revoked_at: reader.optional_json("revoked_at")?,
    })
}

fn readable(row: &Row) -> Option<(Digest, ApiKey)> {
    let digest = Reader(row).optional_text("pk")?.strip_prefix("key#")?.parse().ok()?;
    decode(row)
        .map(|api_key| (digest, api_key))
        .inspect_err(
            |error| tracing::error!(%error, "API key cannot be read, so the list leaves it out"),
        )
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
            self_approval: true,
            channel: Some(u64::MAX),
            expires_at: Some(NOW),
            revoked_at: Some(NOW),
            ..plain.clone()
        };
        for api_key in [plain, full] {
            let item = encode(key_digest("k"), &api_key);
            assert_eq!(readable(&item).unwrap(), (key_digest("k"), api_key));
        }
    }

    #[test]
    fn a_damaged_key_is_an_error() {
        for (attribute, value) in [("role", "owner"), ("expires_at", "soon"), ("created_at", "x")] {
            let mut row = encode(key_digest("k"), &ApiKey::new("t", "n", NOW));
            row.extend(Writer::default().text(attribute, value).finish());
            assert!(decode(&row).is_err(), "{attribute}");
        }
    }
}

//! The blob store in S3: bodies that are too large for the table, and the spool.

mod s3;

use std::sync::Arc;

use aws_credential_types::Credentials;
use bytes::Bytes;

use self::s3::S3;
use crate::Environment;
use crate::https::Https;

/// The blob store of one deployment: a bucket, or none. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs(Option<Arc<S3>>);

/// Why a blob was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// This function has no blob store.
    #[error("PLACET_BLOBS is not set: set it to s3://<bucket>")]
    NotConfigured,
    /// `PLACET_BLOBS` does not name a bucket.
    #[error("PLACET_BLOBS is `{0}`: it must be s3://<bucket>")]
    Place(String),
    /// The variable with the region or a credential is not set.
    #[error("{0} is not set: the bucket in PLACET_BLOBS needs it")]
    Missing(&'static str),
    /// The store refused or could not be reached.
    #[error("the blob store failed: {0}")]
    Service(String),
}

impl Blobs {
    /// The bucket in `PLACET_BLOBS`, as in `s3://<bucket>`. If the variable is not set, [`Self::list`]
    /// returns nothing, and every other call fails.
    ///
    /// # Errors
    ///
    /// If `PLACET_BLOBS` does not name a bucket, or the variables with region and credentials are not set.
    pub fn from_environment(environment: &Environment, https: Https) -> Result<Self, BlobError> {
        let Some(place) = environment.get("PLACET_BLOBS") else {
            return Ok(Self(None));
        };
        match place.strip_prefix("s3://") {
            Some(bucket) if !bucket.is_empty() && !bucket.contains('/') => {
                Ok(Self(Some(Arc::new(S3::from_environment(bucket, environment, https)?))))
            }
            _ => Err(BlobError::Place(place)),
        }
    }

    /// The bucket at this URL, without a slash at the end.
    pub fn in_bucket(url: String, region: &str, credentials: Credentials, https: Https) -> Self {
        Self(Some(Arc::new(S3::new(url, region, credentials, https))))
    }

    fn bucket(&self) -> Result<&S3, BlobError> {
        self.0.as_deref().ok_or(BlobError::NotConfigured)
    }

    /// Writes a blob, and replaces an existing blob with this key.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), BlobError> {
        self.bucket()?.put(key, bytes).await
    }

    /// Reads a blob; `None` if there is no blob with this key.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        self.bucket()?.get(key).await
    }

    /// At most `most` keys of blobs in a folder.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn list(&self, folder: &str, most: usize) -> Result<Vec<String>, BlobError> {
        match &self.0 {
            Some(bucket) => bucket.list(folder, most).await,
            None => Ok(Vec::new()),
        }
    }

    /// Deletes a blob. Succeeds if there is no blob with this key.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn delete(&self, key: &str) -> Result<(), BlobError> {
        self.bucket()?.delete(key).await
    }
}

#[cfg(test)]
impl Blobs {
    /// A blob store in memory, for a test.
    pub(crate) fn of_a_test() -> Self {
        Self(Some(Arc::new(s3::tests::bucket())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(place: &str) -> Result<Blobs, BlobError> {
        let variables = [
            ("PLACET_BLOBS", place),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AK"),
            ("AWS_SECRET_ACCESS_KEY", "a secret"),
        ];
        Blobs::from_environment(&variables.into_iter().collect(), Https::default())
    }

    #[test]
    fn only_a_bucket_is_a_valid_place() {
        assert!(configured("s3://kept").unwrap().bucket().is_ok());
        for other in ["/tmp/blobs", ".placet/blobs", "kept", "s3://", "s3://kept/folder"] {
            let error = configured(other).unwrap_err().to_string();
            assert!(error.contains(other) && error.contains("s3://<bucket>"), "{error}");
        }
    }

    #[tokio::test]
    async fn without_a_bucket_the_list_is_empty_and_a_write_fails() {
        let blobs = configured("").unwrap();
        assert_eq!(blobs.list("spool", 10).await.unwrap(), [""; 0]);
        let refused = blobs.put("spool/a", Bytes::new()).await;
        assert!(matches!(refused, Err(BlobError::NotConfigured)));
    }
}

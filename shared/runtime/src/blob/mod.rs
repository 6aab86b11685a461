//! What is too large for the table, and what the table did not take: objects in S3.

mod s3;

use std::sync::Arc;

use aws_credential_types::Credentials;
use bytes::Bytes;

use self::s3::S3;
use crate::Environment;
use crate::https::Https;

/// The blob store of one deployment, which is a bucket or not configured. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs(Option<Arc<S3>>);

/// Why a blob was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// This function has no blob store.
    #[error("there is no blob store: set PLACET_BLOBS to s3://<bucket>")]
    NotConfigured,
    /// `PLACET_BLOBS` does not name a bucket.
    #[error("PLACET_BLOBS must be s3://<bucket>, and it is `{0}`")]
    Place(String),
    /// Region or credentials are not in the environment.
    #[error("{0} is not set, and the bucket of PLACET_BLOBS needs it")]
    Missing(&'static str),
    /// The store refused or could not be reached.
    #[error("the blob store failed: {0}")]
    Service(String),
}

impl Blobs {
    /// The bucket that `PLACET_BLOBS` names as `s3://<bucket>`. If it is not set, nothing is listed
    /// and every other use is an error.
    ///
    /// # Errors
    ///
    /// If it names no bucket, or region or credentials are not in the environment.
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

    /// The bucket at this URL, which ends without a slash.
    pub fn in_bucket(url: String, region: &str, credentials: Credentials, https: Https) -> Self {
        Self(Some(Arc::new(S3::new(url, region, credentials, https))))
    }

    fn bucket(&self) -> Result<&S3, BlobError> {
        self.0.as_deref().ok_or(BlobError::NotConfigured)
    }

    /// Writes a blob; one of this key is replaced.
    ///
    /// # Errors
    ///
    /// If the store did not take it.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), BlobError> {
        self.bucket()?.put(key, bytes).await
    }

    /// Reads a blob; `None` if there is none of this key.
    ///
    /// # Errors
    ///
    /// If the store cannot be asked.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        self.bucket()?.get(key).await
    }

    /// The keys under a folder, at most `most` of them.
    ///
    /// # Errors
    ///
    /// If the store cannot be asked.
    pub async fn list(&self, folder: &str, most: usize) -> Result<Vec<String>, BlobError> {
        match &self.0 {
            Some(bucket) => bucket.list(folder, most).await,
            None => Ok(Vec::new()),
        }
    }

    /// Removes a blob; one that is not there is removed already.
    ///
    /// # Errors
    ///
    /// If the store cannot be asked.
    pub async fn delete(&self, key: &str) -> Result<(), BlobError> {
        self.bucket()?.delete(key).await
    }
}

#[cfg(test)]
impl Blobs {
    /// Objects in the memory of a test.
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
        let pairs = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Blobs::from_environment(&pairs.into_iter().collect(), Https::default())
    }

    #[test]
    fn a_bucket_is_the_only_place_there_is() {
        assert!(configured("s3://kept").unwrap().bucket().is_ok());
        for other in ["/tmp/blobs", ".placet/blobs", "kept", "s3://", "s3://kept/folder"] {
            let error = configured(other).unwrap_err().to_string();
            assert!(error.contains(other) && error.contains("s3://<bucket>"), "{error}");
        }
    }

    #[tokio::test]
    async fn without_a_place_nothing_is_there_and_nothing_is_taken() {
        let blobs = configured("").unwrap();
        assert_eq!(blobs.list("spool", 10).await.unwrap(), [""; 0]);
        let refused = blobs.put("spool/a", Bytes::new()).await;
        assert!(matches!(refused, Err(BlobError::NotConfigured)));
    }
}

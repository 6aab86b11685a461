//! What is too large for the table, and what the table did not take: objects in S3, or files in a
//! folder.

mod s3;

use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use self::s3::S3;
use crate::Environment;
use crate::https::Https;

/// The blob store of one deployment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs(Place);

#[derive(Clone, Debug)]
enum Place {
    Nowhere,
    S3(Arc<S3>),
    Store(Arc<dyn ObjectStore>),
}

/// Why a blob was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// This function has no blob store.
    #[error("there is no blob store: set PLACET_BLOBS to s3://<bucket> or to a folder")]
    NotConfigured,
    /// The place is not one.
    #[error("PLACET_BLOBS is not a blob store: {0}")]
    Place(String),
    /// The store refused or could not be reached.
    #[error("the blob store failed: {0}")]
    Service(String),
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        Self::Service(error.to_string())
    }
}

impl Blobs {
    /// The place `PLACET_BLOBS` names: `s3://<bucket>`, or a folder. If it is not set, every use is
    /// an error.
    ///
    /// # Errors
    ///
    /// If the place is not one.
    pub fn from_environment(environment: &Environment, https: Https) -> Result<Self, BlobError> {
        match environment.get("PLACET_BLOBS") {
            None => Ok(Self(Place::Nowhere)),
            Some(place) => match place.strip_prefix("s3://") {
                Some(bucket) => Ok(Self(Place::S3(Arc::new(S3::new(bucket, environment, https)?)))),
                None => Self::folder(FilePath::new(&place)),
            },
        }
    }

    /// Files in a folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// If the folder can not be made.
    pub fn folder(folder: &FilePath) -> Result<Self, BlobError> {
        let named = |error: &dyn std::fmt::Display| {
            BlobError::Place(format!("{}: {error}", folder.display()))
        };
        std::fs::create_dir_all(folder).map_err(|error| named(&error))?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| named(&error))?;
        Ok(Self::over(Arc::new(store)))
    }

    /// Objects in the memory of this process.
    pub fn in_memory() -> Self {
        Self::over(Arc::new(InMemory::new()))
    }

    /// Any other store.
    pub fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self(Place::Store(store))
    }

    /// Writes a blob; one of this key is replaced.
    ///
    /// # Errors
    ///
    /// If the store did not take it.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), BlobError> {
        match &self.0 {
            Place::Nowhere => Err(BlobError::NotConfigured),
            Place::S3(s3) => s3.put(key, bytes).await,
            Place::Store(store) => {
                store.put(&Path::from(key), bytes.into()).await?;
                Ok(())
            }
        }
    }

    /// Reads a blob; `None` if there is none of this key.
    ///
    /// # Errors
    ///
    /// If the store can not be asked.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        let store = match &self.0 {
            Place::Nowhere => return Err(BlobError::NotConfigured),
            Place::S3(s3) => return s3.get(key).await,
            Place::Store(store) => store,
        };
        match store.get(&Path::from(key)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The keys under a folder, at most `most` of them.
    ///
    /// # Errors
    ///
    /// If the store can not be asked.
    pub async fn list(&self, folder: &str, most: usize) -> Result<Vec<String>, BlobError> {
        let store = match &self.0 {
            Place::Nowhere => return Ok(Vec::new()),
            Place::S3(s3) => return s3.list(folder, most).await,
            Place::Store(store) => store,
        };
        let found = store.list(Some(&Path::from(folder))).take(most);
        let found: Vec<_> = found.try_collect().await?;
        Ok(found.into_iter().map(|object| object.location.to_string()).collect())
    }

    /// Removes a blob; one that is not there is removed already.
    ///
    /// # Errors
    ///
    /// If the store can not be asked.
    pub async fn delete(&self, key: &str) -> Result<(), BlobError> {
        let store = match &self.0 {
            Place::Nowhere => return Err(BlobError::NotConfigured),
            Place::S3(s3) => return s3.delete(key).await,
            Place::Store(store) => store,
        };
        match store.delete(&Path::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

//! What is too large for the table, and what the table did not take: objects in S3, or files in a
//! folder.

#[cfg(feature = "folder")]
mod folder;
mod s3;

use std::sync::Arc;

use bytes::Bytes;

#[cfg(feature = "folder")]
use self::folder::Folder;
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
    #[cfg(feature = "folder")]
    Folder(Folder),
}

/// Why a blob was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// This function has no blob store.
    #[error("there is no blob store: set PLACET_BLOBS to s3://<bucket>, or locally to a folder")]
    NotConfigured,
    /// The place is not one.
    #[error("PLACET_BLOBS is not a blob store: {0}")]
    Place(String),
    /// The store refused or could not be reached.
    #[error("the blob store failed: {0}")]
    Service(String),
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
                None => Self::elsewhere(&place),
            },
        }
    }

    #[cfg(feature = "folder")]
    fn elsewhere(place: &str) -> Result<Self, BlobError> {
        Self::folder(std::path::Path::new(place))
    }

    #[cfg(not(feature = "folder"))]
    fn elsewhere(place: &str) -> Result<Self, BlobError> {
        Err(BlobError::Place(format!(
            "{place} is no s3://<bucket>, and this function keeps no files"
        )))
    }

    /// Files in a folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// If the folder can not be made.
    #[cfg(feature = "folder")]
    pub fn folder(folder: &std::path::Path) -> Result<Self, BlobError> {
        Folder::at(folder).map(|folder| Self(Place::Folder(folder)))
    }

    /// Objects in the memory of this process.
    #[cfg(feature = "folder")]
    pub fn in_memory() -> Self {
        Self(Place::Folder(Folder::in_memory()))
    }

    /// Any other store.
    #[cfg(feature = "folder")]
    pub fn over(store: Arc<dyn object_store::ObjectStore>) -> Self {
        Self(Place::Folder(Folder(store)))
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
            #[cfg(feature = "folder")]
            Place::Folder(folder) => folder.put(key, bytes).await,
        }
    }

    /// Reads a blob; `None` if there is none of this key.
    ///
    /// # Errors
    ///
    /// If the store can not be asked.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        match &self.0 {
            Place::Nowhere => Err(BlobError::NotConfigured),
            Place::S3(s3) => s3.get(key).await,
            #[cfg(feature = "folder")]
            Place::Folder(folder) => folder.get(key).await,
        }
    }

    /// The keys under a folder, at most `most` of them.
    ///
    /// # Errors
    ///
    /// If the store can not be asked.
    pub async fn list(&self, folder: &str, most: usize) -> Result<Vec<String>, BlobError> {
        match &self.0 {
            Place::Nowhere => Ok(Vec::new()),
            Place::S3(s3) => s3.list(folder, most).await,
            #[cfg(feature = "folder")]
            Place::Folder(store) => store.list(folder, most).await,
        }
    }

    /// Removes a blob; one that is not there is removed already.
    ///
    /// # Errors
    ///
    /// If the store can not be asked.
    pub async fn delete(&self, key: &str) -> Result<(), BlobError> {
        match &self.0 {
            Place::Nowhere => Err(BlobError::NotConfigured),
            Place::S3(s3) => s3.delete(key).await,
            #[cfg(feature = "folder")]
            Place::Folder(folder) => folder.delete(key).await,
        }
    }
}

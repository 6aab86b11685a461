//! Blobs on this machine: files in a folder, or in memory. Not part of the packaged functions.

use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::BlobError;

/// Any store of that crate.
#[derive(Clone, Debug)]
pub(super) struct Folder(pub(super) Arc<dyn ObjectStore>);

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        Self::Service(error.to_string())
    }
}

impl Folder {
    pub(super) fn at(folder: &FilePath) -> Result<Self, BlobError> {
        let named = |error: &dyn std::fmt::Display| {
            BlobError::Place(format!("{}: {error}", folder.display()))
        };
        std::fs::create_dir_all(folder).map_err(|error| named(&error))?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| named(&error))?;
        Ok(Self(Arc::new(store)))
    }

    pub(super) fn in_memory() -> Self {
        Self(Arc::new(InMemory::new()))
    }

    pub(super) async fn put(&self, key: &str, bytes: Bytes) -> Result<(), BlobError> {
        self.0.put(&Path::from(key), bytes.into()).await?;
        Ok(())
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        match self.0.get(&Path::from(key)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn list(&self, folder: &str, most: usize) -> Result<Vec<String>, BlobError> {
        let found = self.0.list(Some(&Path::from(folder))).take(most);
        let found: Vec<_> = found.try_collect().await?;
        Ok(found.into_iter().map(|object| object.location.to_string()).collect())
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), BlobError> {
        match self.0.delete(&Path::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

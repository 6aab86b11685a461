//! Bodies as they are kept: in the item if they fit, compressed if that helps, else as a blob.

use bytes::Bytes;
use placet_core::Digest;

use crate::blob::{BlobError, Blobs};

/// Up to this many bytes a body is kept as it is: compressing it would save no write unit.
const PLAIN: usize = 1024;

/// The most bytes of a body an item holds; the rest of DynamoDB's 400 KB is for what is said about
/// it.
const INLINE: usize = 200 * 1024;

/// zstd's level: the cheapest that still takes three quarters off JSON.
const LEVEL: i32 = 1;

/// A body where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredBody {
    /// In the item, as it is.
    Plain(Vec<u8>),
    /// In the item, compressed with zstd.
    Zstd {
        /// The compressed bytes.
        bytes: Vec<u8>,
        /// How many they are uncompressed.
        size: usize,
    },
    /// In the blob store.
    Blob {
        /// Its key, which ends with the SHA-256 of the body.
        key: String,
        /// How many bytes it has.
        size: usize,
    },
}

/// Why a kept body can not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The blob store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The blob is gone.
    #[error("the body {0} is not in the blob store any more")]
    Gone(String),
    /// It is not what was kept.
    #[error("the kept body is damaged: {0}")]
    Damaged(String),
}

impl StoredBody {
    /// How many bytes the body has.
    pub fn size(&self) -> usize {
        match self {
            Self::Plain(bytes) => bytes.len(),
            Self::Zstd { size, .. } | Self::Blob { size, .. } => *size,
        }
    }
}

impl Blobs {
    /// Keeps a body; what is too large for an item goes to the blob store, under a key made from its
    /// bytes, so that a repetition writes the same.
    ///
    /// # Errors
    ///
    /// If it is too large for an item and the blob store did not take it.
    pub async fn keep(&self, body: Bytes) -> Result<StoredBody, BlobError> {
        if body.len() <= PLAIN {
            return Ok(StoredBody::Plain(body.into()));
        }
        let size = body.len();
        match zstd::bulk::compress(&body, LEVEL) {
            Ok(bytes) if bytes.len() < size && bytes.len() <= INLINE => {
                Ok(StoredBody::Zstd { bytes, size })
            }
            _ if size <= INLINE => Ok(StoredBody::Plain(body.into())),
            _ => {
                let key = format!("bodies/{}", Digest::of_bytes(&body));
                self.put(&key, body).await?;
                Ok(StoredBody::Blob { key, size })
            }
        }
    }

    /// Reads a kept body.
    ///
    /// # Errors
    ///
    /// If the blob store can not be asked, or it is not what was kept.
    pub async fn body(&self, kept: &StoredBody) -> Result<Bytes, BodyError> {
        match kept {
            StoredBody::Plain(bytes) => Ok(Bytes::copy_from_slice(bytes)),
            StoredBody::Zstd { bytes, size } => {
                let body = zstd::bulk::decompress(bytes, *size)
                    .map_err(|error| BodyError::Damaged(error.to_string()))?;
                Ok(body.into())
            }
            StoredBody::Blob { key, .. } => {
                let body = self.get(key).await?.ok_or_else(|| BodyError::Gone(key.clone()))?;
                if key.ends_with(&Digest::of_bytes(&body).to_string()) {
                    Ok(body)
                } else {
                    Err(BodyError::Damaged(format!("{key} has other bytes")))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that do not compress.
    fn noise(size: usize) -> Vec<u8> {
        let blocks =
            (0..size.div_ceil(32)).map(|block| *Digest::of_bytes(&block.to_le_bytes()).as_bytes());
        blocks.flatten().take(size).collect()
    }

    #[tokio::test]
    async fn every_body_comes_back_byte_for_byte_from_where_it_belongs() {
        let blobs = Blobs::of_a_test();
        let cases = [
            (Vec::new(), "plain"),
            (vec![0; PLAIN], "plain"),
            (vec![b'a'; PLAIN + 1], "zstd"),
            (vec![b'a'; 4_400_000], "zstd"),
            (noise(PLAIN + 1), "plain"),
            (noise(INLINE), "plain"),
            (noise(INLINE + 1), "blob"),
        ];
        for (body, place) in cases {
            let kept = blobs.keep(body.clone().into()).await.unwrap();
            let found = match &kept {
                StoredBody::Plain(_) => "plain",
                StoredBody::Zstd { .. } => "zstd",
                StoredBody::Blob { .. } => "blob",
            };
            assert_eq!((found, kept.size()), (place, body.len()));
            assert_eq!(blobs.body(&kept).await.unwrap(), body);
        }
    }

    #[tokio::test]
    async fn a_damaged_body_is_an_error() {
        let blobs = Blobs::of_a_test();
        let StoredBody::Blob { key, size } = blobs.keep(noise(INLINE + 1).into()).await.unwrap()
        else {
            panic!("not a blob")
        };
        blobs.put(&key, Bytes::from_static(b"other")).await.unwrap();
        let blob = StoredBody::Blob { key: key.clone(), size };
        assert!(matches!(blobs.body(&blob).await, Err(BodyError::Damaged(_))));
        blobs.delete(&key).await.unwrap();
        assert!(matches!(blobs.body(&blob).await, Err(BodyError::Gone(_))));
        let cut = StoredBody::Zstd { bytes: vec![1, 2, 3], size: 9 };
        assert!(matches!(blobs.body(&cut).await, Err(BodyError::Damaged(_))));
    }
}

//! Storage of payloads: in the row of their item if they fit, compressed if that helps; otherwise as a blob.

use bytes::Bytes;
use placet_core::{Digest, Payload};

use crate::blob::{BlobError, Blobs};

/// The largest payload in a row, in bytes. The rest of DynamoDB's 400 KB is for the item itself.
const INLINE: usize = 200 * 1024;

/// The zstd level: the cheapest one that shrinks JSON to about a quarter.
const LEVEL: i32 = 1;

/// Why a stored body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The blob store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The blob no longer exists.
    #[error("the body {0} is no longer in the blob store")]
    Gone(String),
    /// The body was left out because its item was read from a list.
    #[error("the body was not read with its item")]
    NotRead,
    /// The stored bytes are not the original body.
    #[error("the stored body is damaged: {0}")]
    Damaged(String),
}

impl Blobs {
    /// Stores a body. A body that is too large for a row goes to the blob store. Its key is the digest of its
    /// bytes, so a repeated call writes the same blob.
    ///
    /// # Errors
    ///
    /// If the body is too large for a row and the blob store fails.
    pub async fn keep(&self, body: Bytes) -> Result<Payload, BlobError> {
        if body.len() <= Payload::SMALL {
            return Ok(Payload::Plain(body.into()));
        }
        let size = body.len();
        match zstd::bulk::compress(&body, LEVEL) {
            Ok(bytes) if bytes.len() < size && bytes.len() <= INLINE => {
                Ok(Payload::Zstd { bytes, size })
            }
            _ if size <= INLINE => Ok(Payload::Plain(body.into())),
            _ => {
                let key = format!("bodies/{}", Digest::of_bytes(&body));
                self.put(&key, body).await?;
                Ok(Payload::Blob { key, size })
            }
        }
    }

    /// Reads a stored body.
    ///
    /// # Errors
    ///
    /// If the blob store fails, or the bytes are not the original body.
    pub async fn body(&self, kept: &Payload) -> Result<Bytes, BodyError> {
        match kept {
            Payload::Plain(bytes) => Ok(Bytes::copy_from_slice(bytes)),
            Payload::Zstd { bytes, size } => {
                let body = zstd::bulk::decompress(bytes, *size)
                    .map_err(|error| BodyError::Damaged(error.to_string()))?;
                Ok(body.into())
            }
            Payload::NotRead { .. } => Err(BodyError::NotRead),
            Payload::Blob { key, .. } => {
                let body = self.get(key).await?.ok_or_else(|| BodyError::Gone(key.clone()))?;
                if key.ends_with(&Digest::of_bytes(&body).to_string()) {
                    Ok(body)
                } else {
                    Err(BodyError::Damaged(format!("the bytes of {key} do not match its digest")))
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
    async fn every_body_is_stored_in_its_place_and_read_back_unchanged() {
        let blobs = Blobs::of_a_test();
        let cases = [
            (Vec::new(), "plain"),
            (vec![0; Payload::SMALL], "plain"),
            (vec![b'a'; Payload::SMALL + 1], "zstd"),
            (vec![b'a'; 4_400_000], "zstd"),
            (noise(Payload::SMALL + 1), "plain"),
            (noise(INLINE), "plain"),
            (noise(INLINE + 1), "blob"),
        ];
        for (body, place) in cases {
            let kept = blobs.keep(body.clone().into()).await.unwrap();
            let found = match &kept {
                Payload::Plain(_) => "plain",
                Payload::Zstd { .. } => "zstd",
                Payload::Blob { .. } => "blob",
                Payload::NotRead { .. } => "nowhere",
            };
            assert_eq!((found, kept.size()), (place, body.len()));
            assert_eq!(blobs.body(&kept).await.unwrap(), body);
        }
    }

    #[tokio::test]
    async fn a_damaged_body_is_an_error() {
        let blobs = Blobs::of_a_test();
        let Payload::Blob { key, size } = blobs.keep(noise(INLINE + 1).into()).await.unwrap()
        else {
            panic!("not a blob")
        };
        blobs.put(&key, Bytes::from_static(b"other")).await.unwrap();
        let blob = Payload::Blob { key: key.clone(), size };
        assert!(matches!(blobs.body(&blob).await, Err(BodyError::Damaged(_))));
        blobs.delete(&key).await.unwrap();
        assert!(matches!(blobs.body(&blob).await, Err(BodyError::Gone(_))));
        let cut = Payload::Zstd { bytes: vec![1, 2, 3], size: 9 };
        assert!(matches!(blobs.body(&cut).await, Err(BodyError::Damaged(_))));
    }
}

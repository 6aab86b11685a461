use super::StoreError;
use super::attributes::{Reader, Writer};
use crate::StoredBody;

/// A kept body is two attributes: what or where it is, and its size, which lists show without it.
impl Writer {
    pub(super) fn body(self, body: &StoredBody) -> Self {
        let writer = self.number("body_size", body.size());
        match body {
            StoredBody::Plain(bytes) => writer.bytes("body", bytes.clone()),
            StoredBody::Zstd { bytes, .. } => writer.bytes("body_zstd", bytes.clone()),
            StoredBody::Blob { key, .. } => writer.text("body_blob", key),
        }
    }
}

impl Reader {
    pub(super) fn body(&self) -> Result<StoredBody, StoreError> {
        if let Some(key) = self.optional_text("body_blob") {
            return Ok(StoredBody::Blob { key, size: self.number("body_size")? });
        }
        if self.0.contains_key("body_zstd") {
            let bytes = self.bytes("body_zstd")?;
            return Ok(StoredBody::Zstd { bytes, size: self.number("body_size")? });
        }
        self.bytes("body").map(StoredBody::Plain)
    }
}

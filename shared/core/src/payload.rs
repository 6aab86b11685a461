/// The payload of an item, and where it is stored. A payload never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// In the item's row, uncompressed.
    Plain(Vec<u8>),
    /// In the item's row, compressed with zstd.
    Zstd {
        /// The compressed bytes.
        bytes: Vec<u8>,
        /// The uncompressed size in bytes.
        size: usize,
    },
    /// In the blob store.
    Blob {
        /// The key of the blob, which ends with the SHA-256 of the bytes.
        key: String,
        /// The size in bytes.
        size: usize,
    },
    /// Not read, because a list of items leaves payloads out. Such an item cannot be written.
    NotRead {
        /// The size in bytes.
        size: usize,
    },
}

impl Payload {
    /// The largest payload, in bytes, that is not compressed by itself. It is compressed together with the
    /// rest of its item, which saves most of the space.
    pub const SMALL: usize = 4 * 1024;

    /// The uncompressed size in bytes.
    pub fn size(&self) -> usize {
        match self {
            Self::Plain(bytes) => bytes.len(),
            Self::Zstd { size, .. } | Self::Blob { size, .. } | Self::NotRead { size } => *size,
        }
    }
}

/// An empty payload.
impl Default for Payload {
    fn default() -> Self {
        Self::Plain(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_payload_has_a_size() {
        assert_eq!(Payload::default().size(), 0);
        assert_eq!(Payload::Plain(b"four".to_vec()).size(), 4);
        assert_eq!(Payload::Zstd { bytes: b"four".to_vec(), size: 9 }.size(), 9);
        assert_eq!(Payload::Blob { key: "blob/abc".to_owned(), size: 9 }.size(), 9);
        assert_eq!(Payload::NotRead { size: 9 }.size(), 9);
    }
}

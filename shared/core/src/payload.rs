/// Bytes that an item carries, and where they are kept. They never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// In the item's row, as they are.
    Plain(Vec<u8>),
    /// In the item's row, compressed with zstd.
    Zstd {
        /// The compressed bytes.
        bytes: Vec<u8>,
        /// How many they are uncompressed.
        size: usize,
    },
    /// In the blob store.
    Blob {
        /// Their key, which ends with their SHA-256.
        key: String,
        /// How many they are.
        size: usize,
    },
    /// Left out, because many items were read at once. Such an item cannot be written.
    NotRead {
        /// How many they are.
        size: usize,
    },
}

impl Payload {
    /// Up to this many bytes a payload is kept as it is: it is compressed together with the rest of its
    /// item, which saves most of it.
    pub const SMALL: usize = 4 * 1024;

    /// How many bytes it has.
    pub fn size(&self) -> usize {
        match self {
            Self::Plain(bytes) => bytes.len(),
            Self::Zstd { size, .. } | Self::Blob { size, .. } | Self::NotRead { size } => *size,
        }
    }
}

/// No bytes.
impl Default for Payload {
    fn default() -> Self {
        Self::Plain(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_knows_its_size_wherever_it_is_kept() {
        assert_eq!(Payload::default().size(), 0);
        assert_eq!(Payload::Plain(b"four".to_vec()).size(), 4);
        assert_eq!(Payload::Zstd { bytes: b"four".to_vec(), size: 9 }.size(), 9);
        assert_eq!(Payload::Blob { key: "blob/abc".to_owned(), size: 9 }.size(), 9);
        assert_eq!(Payload::NotRead { size: 9 }.size(), 9);
    }
}

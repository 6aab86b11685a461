use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// Secret bytes, which must never be printed. The type has no `Display`, and `Debug` hides the bytes.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps the bytes of a secret; `None` if they are empty, because an empty secret protects nothing.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// Whether `presented` is this secret. The function compares digests in constant time, so its duration
    /// does not reveal the length or the position of a difference.
    pub fn is(&self, presented: &[u8]) -> bool {
        Sha256::digest(&self.0).ct_eq(&Sha256::digest(presented)).into()
    }

    /// The bytes. Do not store or print them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

use crate::StoreError;

/// Why the queue must deliver a message again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Again {
    /// Another attempt may succeed.
    #[error("{0}")]
    Later(String),
    /// This build cannot read the item, or does not know its kind. Another release may be able to, or a
    /// person must repair the item.
    #[error("{0}")]
    Unreadable(String),
}

impl Again {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self::Later(reason.into())
    }
}

impl From<StoreError> for Again {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt { .. } => Self::Unreadable(error.to_string()),
            _ => Self::Later(error.to_string()),
        }
    }
}

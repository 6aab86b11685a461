use crate::StoreError;

/// Why a message has to be received again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Again {
    /// Another attempt may get it done.
    #[error("{0}")]
    Later(String),
    /// This build cannot read the item, or does not know its kind: another release may, or a person repairs it.
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

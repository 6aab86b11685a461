//! A body as a reply shows it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use placet_core::Payload;
use serde::Serialize;

use crate::call::Call;

/// The largest body that is shown, in bytes.
const LARGEST: usize = 256 * 1024;

/// A body as a reply shows it. Both members are absent if the body is too large or cannot be read.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ShownBody {
    /// The body, if it is text and at most 256 KB.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// The body, if it is not text and at most 256 KB.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

impl ShownBody {
    /// Shows these bytes.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        if bytes.len() > LARGEST {
            return Self::default();
        }
        match String::from_utf8(bytes) {
            Ok(text) => Self { body: Some(text), body_base64: None },
            Err(error) => Self { body: None, body_base64: Some(STANDARD.encode(error.as_bytes())) },
        }
    }

    /// Reads a stored body. A failure is logged and shows nothing.
    pub(crate) async fn read(call: &Call<'_>, stored: &Payload) -> Self {
        if stored.size() > LARGEST {
            return Self::default();
        }
        match call.runtime().blobs.body(stored).await {
            Ok(body) => Self::of(body.to_vec()),
            Err(error) => {
                tracing::error!(%error, "body cannot be read");
                Self::default()
            }
        }
    }
}

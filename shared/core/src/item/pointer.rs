use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Header, Kind};

/// The format version that this build reads and writes.
const FORMAT: u8 = 2;

/// A queue message that points to an item. It tells a worker to load the item and do what its state needs.
/// So a duplicate, late or early message does no harm.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pointer {
    v: u8,
    /// The name of the item's kind.
    #[serde(rename = "item")]
    pub kind: String,
    /// The item's project.
    pub project: String,
    /// The item's id.
    pub id: String,
    /// The version that the pointer announces; 0 for any version. Before that version is written, there is
    /// nothing to do.
    #[serde(default, rename = "at", skip_serializing_if = "is_zero")]
    pub version: u64,
}

/// The reason why this build cannot read a queue message.
#[derive(Debug, thiserror::Error)]
pub enum PointerError {
    /// The message is not the JSON of a pointer.
    #[error("the queue message is not a pointer to an item: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Another release of Placet wrote the message.
    #[error(
        "the queue message has format {0}, and this build reads format {FORMAT}: deploy the release that wrote the message"
    )]
    Format(u64),
}

/// The format version, read first because other members differ between formats.
#[derive(Deserialize)]
struct Format {
    v: u64,
}

impl Pointer {
    /// A pointer to any version of an item.
    pub fn new(kind: impl Into<String>, project: impl Into<String>, id: impl Into<String>) -> Self {
        let (kind, project, id) = (kind.into(), project.into(), id.into());
        Self { v: FORMAT, kind, project, id, version: 0 }
    }

    /// A pointer to this version of an item.
    pub fn to<K: Kind>(header: &Header) -> Self {
        let pointer = Self::new(K::NAME, &header.project, &header.id);
        Self { version: header.version, ..pointer }
    }

    /// Reads a message body.
    ///
    /// # Errors
    ///
    /// If the message is not a pointer or has another format.
    pub fn parse(body: &str) -> Result<Self, PointerError> {
        // Parse an object first, because serde also reads a pointer from a list.
        let object = Value::Object(serde_json::from_str(body)?);
        let Format { v } = Format::deserialize(&object)?;
        if v != u64::from(FORMAT) {
            return Err(PointerError::Format(v));
        }
        Ok(serde_json::from_value(object)?)
    }

    /// The message body.
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(version: &u64) -> bool {
    *version == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_body_has_a_stable_format() {
        let any = Pointer::new("operation", "default", "function_call/call-1");
        let body = r#"{"v":2,"item":"operation","project":"default","id":"function_call/call-1"}"#;
        assert_eq!(any.to_body(), body);
        assert_eq!(Pointer::parse(body).unwrap(), any);
        let third = Pointer { version: 3, ..any };
        let body =
            r#"{"v":2,"item":"operation","project":"default","id":"function_call/call-1","at":3}"#;
        assert_eq!(third.to_body(), body);
        assert_eq!(Pointer::parse(body).unwrap(), third);
    }

    #[test]
    fn members_of_later_releases_are_ignored() {
        let body = r#"{"v":2,"item":"receipt","project":"p","id":"i","colour":"red"}"#;
        assert_eq!(Pointer::parse(body).unwrap(), Pointer::new("receipt", "p", "i"));
    }

    #[test]
    fn other_messages_are_refused() {
        for body in [r#"{"v":1,"job":"execute","tenant":"t","id":"i"}"#, r#"{"v":3}"#] {
            assert!(matches!(Pointer::parse(body), Err(PointerError::Format(1 | 3))), "{body}");
        }
        for body in ["", "{}", "[1]", r#"{"v":2,"item":"receipt"}"#, r#"{"v":"2"}"#] {
            assert!(matches!(Pointer::parse(body), Err(PointerError::Malformed(_))), "{body}");
        }
    }
}

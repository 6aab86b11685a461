use serde_json::Value;

use crate::limits::LONGEST_COMMENT;

/// Whether a text is short enough for a comment or an answer: at most 16 KiB as a JSON string.
pub fn is_comment(text: &str) -> bool {
    Value::from(text).to_string().len() <= LONGEST_COMMENT
}

use serde_json::Value;

/// The longest comment or answer, in bytes of its JSON string. A control character takes six bytes there.
/// The decision and the history store the text.
const LONGEST_COMMENT: usize = 16 * 1024;

/// The longest message of an escalation, in bytes. The history keeps every message.
pub const LONGEST_ESCALATION: usize = 2 * 1024;

/// The most additional recipients of an e-mail. The history keeps the recipients of every escalation.
pub const MOST_RECIPIENTS: usize = 10;

/// The longest e-mail address, in bytes. <https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3>
pub const LONGEST_ADDRESS: usize = 254;

/// How many times a requester may escalate an operation.
pub const MOST_ESCALATIONS: usize = 10;

/// How many times a person may run an operation again after an unknown outcome. The history keeps every
/// settlement.
pub const MOST_RUNS_AGAIN: usize = 10;

/// Whether a text is short enough for a comment or an answer: at most 16 KiB as a JSON string.
pub fn is_comment(text: &str) -> bool {
    Value::from(text).to_string().len() <= LONGEST_COMMENT
}

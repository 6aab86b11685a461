use serde_json::Value;

/// The longest comment or answer, in bytes of JSON, where a control character takes six: it is kept in the
/// decision and in the history.
const LONGEST_COMMENT: usize = 16 * 1024;

/// The longest message of an escalation, in bytes: each one stays in the history.
pub const LONGEST_ESCALATION: usize = 2 * 1024;

/// The most additional recipients of an e-mail: those of each escalation stay in the history.
pub const MOST_RECIPIENTS: usize = 10;

/// The longest address, in bytes. <https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3>
pub const LONGEST_ADDRESS: usize = 254;

/// How often a requester may escalate.
pub const MOST_ESCALATIONS: usize = 10;

/// How often a person may have an operation run again after an unknown outcome: each time stays in the history.
pub const MOST_RUNS_AGAIN: usize = 10;

/// Whether a text is short enough to be kept as a comment or an answer.
pub fn is_comment(text: &str) -> bool {
    Value::from(text).to_string().len() <= LONGEST_COMMENT
}

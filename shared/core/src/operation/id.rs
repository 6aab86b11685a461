use serde::{Deserialize, Serialize};

use crate::limits::LONGEST_ID;
use crate::percent;

/// Ids that are not allowed. `.` and `..` change a path, and `…/pending` is a route.
const RESERVED: [&str; 3] = [".", "..", "pending"];

/// The kind of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// A function call, to approve or deny.
    FunctionCall,
    /// A question, to answer.
    HumanContact,
}

impl OperationKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::FunctionCall, Self::HumanContact];

    /// The name in keys, digests, paths and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FunctionCall => "function_call",
            Self::HumanContact => "human_contact",
        }
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The full id of an operation. A call id is unique within its project and kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperationId {
    /// The project of the operation.
    pub project: String,
    /// The kind of the operation.
    pub kind: OperationKind,
    /// The id that the requester chose, or that Placet generated.
    pub call_id: String,
}

impl OperationId {
    /// The id of an operation.
    pub fn new(
        project: impl Into<String>,
        kind: OperationKind,
        call_id: impl Into<String>,
    ) -> Self {
        Self { project: project.into(), kind, call_id: call_id.into() }
    }

    /// The id of a function call.
    pub fn call(project: impl Into<String>, call_id: impl Into<String>) -> Self {
        Self::new(project, OperationKind::FunctionCall, call_id)
    }

    /// The id of the item, `<kind>/<call id>`. A call id contains no `/`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.kind.as_str(), self.call_id)
    }

    /// Reads the result of [`OperationId::path`]; `None` if the text has another form.
    pub fn parse(project: &str, path: &str) -> Option<Self> {
        let (kind, call_id) = path.split_once('/')?;
        Some(Self::new(project, OperationKind::parse(kind)?, call_id))
    }

    /// The path and query of the inbox page of this operation. If the project is not `main_project`, the
    /// query names the project.
    pub fn inbox_address(&self, main_project: &str) -> String {
        let call_id = percent::encode(&self.call_id);
        let path = match self.kind {
            OperationKind::FunctionCall => format!("/inbox/{call_id}"),
            OperationKind::HumanContact => format!("/inbox/questions/{call_id}"),
        };
        if self.project == main_project {
            path
        } else {
            format!("{path}?project={}", percent::encode(&self.project))
        }
    }
}

/// Whether a text can be a call id: 1 to 255 bytes, and no character that ends or changes a path, because
/// clients put the id into a URL without encoding it.
pub fn is_call_id(text: &str) -> bool {
    let breaks_paths = |character: char| character.is_control() || "/\\?#%".contains(character);
    (1..=LONGEST_ID).contains(&text.len())
        && !text.contains(breaks_paths)
        && !RESERVED.contains(&text)
        && text.trim() == text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_name_everywhere() {
        assert_eq!(
            OperationKind::ALL.map(OperationKind::as_str),
            ["function_call", "human_contact"]
        );
        for kind in OperationKind::ALL {
            assert_eq!(OperationKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for wrong in ["", "function_calls", "Function_call", "human_contact "] {
            assert_eq!(OperationKind::parse(wrong), None);
        }
    }

    #[test]
    fn an_id_is_the_same_after_writing_and_reading() {
        let id = OperationId::call("default", "call-1");
        assert_eq!(id, OperationId::new("default", OperationKind::FunctionCall, "call-1"));
        assert_eq!(id.path(), "function_call/call-1");
        let question = OperationId::new("default", OperationKind::HumanContact, "a b:é");
        assert_eq!(question.path(), "human_contact/a b:é");
        for id in [id, question] {
            assert_eq!(OperationId::parse("default", &id.path()), Some(id.clone()));
            assert_ne!(OperationId::parse("other", &id.path()), Some(id));
        }
        for wrong in ["", "call-1", "function_call", "call/call-1", "/call-1"] {
            assert_eq!(OperationId::parse("default", wrong), None);
        }
    }

    #[test]
    fn a_call_id_needs_no_encoding_in_a_path() {
        for good in ["call-1", "a b", "é", "a:b@c", &"x".repeat(255)] {
            assert!(is_call_id(good), "{good}");
        }
        for bad in
            ["", " a", "a ", "a/b", "a\\b", "a?b", "a#b", "50%", "a\nb", ".", "..", "pending"]
        {
            assert!(!is_call_id(bad), "{bad}");
        }
        assert!(!is_call_id(&"x".repeat(256)));
    }
}

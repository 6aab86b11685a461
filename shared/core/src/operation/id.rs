use serde::{Deserialize, Serialize};

use crate::percent;

/// The longest id a requester may choose, in bytes.
pub const LONGEST_ID: usize = 255;

/// Ids that would be taken for the routes `…/pending` and `/inbox/style.css`.
const RESERVED: [&str; 4] = [".", "..", "pending", "style.css"];

/// What a person is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// To approve or deny a function call.
    FunctionCall,
    /// To answer a question.
    HumanContact,
}

impl OperationKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::FunctionCall, Self::HumanContact];

    /// The name in keys, digests, paths and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FunctionCall => "function_call",
            Self::HumanContact => "human_contact",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Which operation: the requester's id is unique in project and kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperationId {
    /// The project it belongs to.
    pub project: String,
    /// What a person is asked to do.
    pub kind: OperationKind,
    /// The requester's id of it.
    pub call_id: String,
}

impl OperationId {
    /// An id.
    pub fn new(
        project: impl Into<String>,
        kind: OperationKind,
        call_id: impl Into<String>,
    ) -> Self {
        Self { project: project.into(), kind, call_id: call_id.into() }
    }

    /// A function call.
    pub fn call(project: impl Into<String>, call_id: impl Into<String>) -> Self {
        Self::new(project, OperationKind::FunctionCall, call_id)
    }

    /// The id of the item: kind and call id. A call id holds no `/`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.kind.as_str(), self.call_id)
    }

    /// Reads such a text.
    pub fn parse(project: &str, path: &str) -> Option<Self> {
        let (kind, call_id) = path.split_once('/')?;
        Some(Self::new(project, OperationKind::parse(kind)?, call_id))
    }

    /// The path and query of the page on which a person decides. Pages of the main project do not name
    /// it.
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

/// Whether a text can be the id of a call: 1 to 255 bytes, and nothing that would end or change a path,
/// because clients put the id into a URL as it is.
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
    fn an_id_reads_as_it_is_written() {
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
    fn an_id_stands_in_a_path_as_it_is() {
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

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::percent;

/// What kind of thing a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// May this function be called with these arguments?
    FunctionCall,
    /// A question that is answered in words.
    HumanContact,
}

impl Kind {
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

    /// The event that tells of its decision, as HumanLayer names it.
    pub const fn completed(self) -> &'static str {
        match self {
            Self::FunctionCall => "function_call.completed",
            Self::HumanContact => "human_contact.completed",
        }
    }

    /// The member that holds the answers its asker offers, as HumanLayer names it.
    pub const fn options(self) -> &'static str {
        match self {
            Self::FunctionCall => "reject_options",
            Self::HumanContact => "response_options",
        }
    }
}

/// Which operation: the asker's id is unique in tenant and kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperationId {
    /// Whose it is.
    pub tenant: String,
    /// What kind of question it is.
    pub kind: Kind,
    /// The asker's id of it.
    pub call_id: String,
}

impl OperationId {
    /// An id.
    pub fn new(tenant: impl Into<String>, kind: Kind, call_id: impl Into<String>) -> Self {
        Self { tenant: tenant.into(), kind, call_id: call_id.into() }
    }

    /// A function call.
    pub fn call(tenant: impl Into<String>, call_id: impl Into<String>) -> Self {
        Self::new(tenant, Kind::FunctionCall, call_id)
    }

    /// Kind and call id in one text, without the tenant. A call id holds no `/`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.kind.as_str(), self.call_id)
    }

    /// Reads such a text.
    pub fn parse(tenant: &str, path: &str) -> Option<Self> {
        let (kind, call_id) = path.split_once('/')?;
        Some(Self::new(tenant, Kind::parse(kind)?, call_id))
    }

    /// The path and query of the page on which a person decides. Those of the main project do not name
    /// it.
    pub fn inbox_address(&self, main_project: &str) -> String {
        let call_id = percent::encode(&self.call_id);
        let path = match self.kind {
            Kind::FunctionCall => format!("/inbox/{call_id}"),
            Kind::HumanContact => format!("/inbox/questions/{call_id}"),
        };
        if self.tenant == main_project {
            path
        } else {
            format!("{path}?project={}", percent::encode(&self.tenant))
        }
    }
}

/// What a person is shown and decides on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A function and its arguments.
    Call {
        /// The function to call.
        function: String,
        /// Its arguments; an object but for odd clients, never null.
        kwargs: Value,
    },
    /// A question.
    Question {
        /// The text.
        message: String,
        /// The subject, where the asker gave one.
        subject: Option<String>,
    },
}

impl Content {
    /// What kind of question this is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Call { .. } => Kind::FunctionCall,
            Self::Question { .. } => Kind::HumanContact,
        }
    }

    /// The function of a call.
    pub fn function(&self) -> Option<&str> {
        match self {
            Self::Call { function, .. } => Some(function),
            Self::Question { .. } => None,
        }
    }

    /// The arguments of a call.
    pub fn kwargs(&self) -> Option<&Value> {
        match self {
            Self::Call { kwargs, .. } => Some(kwargs),
            Self::Question { .. } => None,
        }
    }

    /// How it enters the digest, without tenant and policy.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Call { function, kwargs } => json!({"fn": function, "kwargs": kwargs}),
            Self::Question { message, subject } => json!({"msg": message, "subject": subject}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_name_everywhere() {
        let names = ["function_call", "human_contact"];
        assert_eq!(Kind::ALL.map(Kind::as_str), names);
        let events = ["function_call.completed", "human_contact.completed"];
        assert_eq!(Kind::ALL.map(Kind::completed), events);
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for wrong in ["", "function_calls", "Function_call", "human_contact "] {
            assert_eq!(Kind::parse(wrong), None);
        }
    }

    #[test]
    fn an_id_reads_as_it_is_written() {
        let id = OperationId::call("default", "call-1");
        assert_eq!(id, OperationId::new("default", Kind::FunctionCall, "call-1"));
        assert_eq!(id.path(), "function_call/call-1");
        let asked = OperationId::new("default", Kind::HumanContact, "a b:é");
        assert_eq!(asked.path(), "human_contact/a b:é");
        for id in [id, asked] {
            assert_eq!(OperationId::parse("default", &id.path()), Some(id.clone()));
            assert_ne!(OperationId::parse("other", &id.path()), Some(id));
        }
        for wrong in ["", "call-1", "function_call", "call/call-1", "/call-1"] {
            assert_eq!(OperationId::parse("default", wrong), None);
        }
    }

    /// Stored operations and digests are bound to these texts.
    #[test]
    fn how_content_is_stored_and_digested() {
        let kwargs = json!({"planks": 12});
        let call = Content::Call { function: "order".to_owned(), kwargs: kwargs.clone() };
        let question = |subject| Content::Question { message: "Oak?".to_owned(), subject };
        let cases = [
            (
                call.clone(),
                json!({"call": {"function": "order", "kwargs": kwargs}}),
                json!({"fn": "order", "kwargs": kwargs}),
            ),
            (
                question(None),
                json!({"question": {"message": "Oak?", "subject": null}}),
                json!({"msg": "Oak?", "subject": null}),
            ),
            (
                question(Some("Wood".to_owned())),
                json!({"question": {"message": "Oak?", "subject": "Wood"}}),
                json!({"msg": "Oak?", "subject": "Wood"}),
            ),
        ];
        for (content, stored, digested) in cases {
            assert_eq!(serde_json::to_value(&content).unwrap(), stored);
            assert_eq!(content.to_json(), digested);
            assert_eq!(serde_json::from_value::<Content>(stored).unwrap(), content);
        }
        assert_eq!((call.function(), call.kwargs()), (Some("order"), Some(&kwargs)));
        assert_eq!((question(None).function(), question(None).kwargs()), (None, None));
        assert_eq!((call.kind(), question(None).kind()), (Kind::FunctionCall, Kind::HumanContact));
    }
}

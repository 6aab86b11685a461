use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::OperationKind;

/// The content that an approver decides on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A function call.
    Call {
        /// The function to call.
        function: String,
        /// The arguments. Usually an object, but some clients send another JSON value. Never null.
        kwargs: Value,
    },
    /// A question.
    Question {
        /// The text of the question.
        message: String,
        /// The subject, if the requester gave one.
        subject: Option<String>,
    },
}

impl Content {
    /// The kind of operation that has this content.
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::Call { .. } => OperationKind::FunctionCall,
            Self::Question { .. } => OperationKind::HumanContact,
        }
    }

    /// The function of a call; `None` for a question.
    pub fn function(&self) -> Option<&str> {
        match self {
            Self::Call { function, .. } => Some(function),
            Self::Question { .. } => None,
        }
    }

    /// The arguments of a call; `None` for a question.
    pub fn kwargs(&self) -> Option<&Value> {
        match self {
            Self::Call { kwargs, .. } => Some(kwargs),
            Self::Question { .. } => None,
        }
    }

    /// The JSON of this content in the digest.
    pub(super) fn digested(&self) -> Value {
        match self {
            Self::Call { function, kwargs } => json!({"fn": function, "kwargs": kwargs}),
            Self::Question { message, subject } => json!({"msg": message, "subject": subject}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored operations and digests depend on these texts, so they must not change.
    #[test]
    fn stored_and_digested_forms_of_content() {
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
            assert_eq!(content.digested(), digested);
            assert_eq!(serde_json::from_value::<Content>(stored).unwrap(), content);
        }
        assert_eq!((call.function(), call.kwargs()), (Some("order"), Some(&kwargs)));
        assert_eq!((question(None).function(), question(None).kwargs()), (None, None));
        assert_eq!(call.kind(), OperationKind::FunctionCall);
        assert_eq!(question(None).kind(), OperationKind::HumanContact);
    }
}

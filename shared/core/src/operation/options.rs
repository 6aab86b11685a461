use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Operation, OperationKind};

/// An option that the requester offers: a reason for a denial, or a reply to a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResponseOption {
    /// The name, by which the requester identifies the option.
    pub name: String,
    /// The text that pages show instead of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// An explanation for the approver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The comment or answer if the approver writes no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_fill: Option<String>,
    /// Whether the approver may edit `prompt_fill` before sending it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interactive: bool,
    /// Other members that the requester wrote.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ResponseOption {
    /// The label on a page: the title, or the name if the title is empty.
    pub fn label(&self) -> &str {
        written(self.title.as_ref()).unwrap_or(&self.name)
    }

    /// The explanation; `None` if it is missing or empty.
    pub fn description(&self) -> Option<&str> {
        written(self.description.as_ref())
    }

    /// The default comment or answer; `None` if it is missing or empty.
    pub fn prompt_fill(&self) -> Option<&str> {
        written(self.prompt_fill.as_ref())
    }
}

fn written(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

impl Operation {
    /// The option with this name.
    pub fn option(&self, name: &str) -> Option<&ResponseOption> {
        self.options.iter().find(|option| option.name == name)
    }

    /// The comment to store when an approver chose `option` and wrote `comment`. If `comment` is empty, a
    /// denial takes the option's `prompt_fill`. An answer takes `prompt_fill`, or the label without one.
    pub fn comment_with(&self, option: Option<&str>, comment: &str) -> String {
        if !comment.is_empty() {
            return comment.to_owned();
        }
        let Some(option) = option.and_then(|name| self.option(name)) else {
            return String::new();
        };
        match self.kind() {
            OperationKind::FunctionCall => option.prompt_fill().unwrap_or_default().to_owned(),
            OperationKind::HumanContact => {
                option.prompt_fill().unwrap_or(option.label()).to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::humanlayer::sample::created;
    use crate::item::Item;

    fn call(options: &Value) -> Item<Operation> {
        let spec = json!({"fn": "f", "reject_options": options});
        created(OperationKind::FunctionCall, "c", &spec)
    }

    fn question(options: &Value) -> Item<Operation> {
        let spec = json!({"msg": "m", "response_options": options});
        created(OperationKind::HumanContact, "c", &spec)
    }

    #[test]
    fn every_part_of_an_option_is_read() {
        let full = json!({"name": "later", "title": "Later", "description": "Not today",
            "prompt_fill": "try later", "interactive": true});
        let operation = call(&json!([full, {"name": "no", "title": null, "prompt_fill": ""}]));
        let later = operation.option("later").unwrap();
        assert_eq!((later.label(), later.interactive), ("Later", true));
        assert_eq!(
            (later.description(), later.prompt_fill()),
            (Some("Not today"), Some("try later"))
        );
        let no = operation.option("no").unwrap();
        assert_eq!(
            (no.label(), no.interactive),
            ("no", false),
            "the label is the name if there is no title"
        );
        assert_eq!(
            (no.description(), no.prompt_fill()),
            (None, None),
            "an empty text counts as missing"
        );
        assert_eq!(operation.option("other"), None);
        assert_eq!(question(&json!([full])).options, operation.options[..1]);
    }

    #[test]
    fn an_operation_has_the_options_of_its_kind() {
        let spec = json!({"fn": "f", "msg": "m", "reject_options": [{"name": "no"}],
            "response_options": [{"name": "oak"}]});
        for (kind, expected) in
            [(OperationKind::FunctionCall, "no"), (OperationKind::HumanContact, "oak")]
        {
            let operation = created(kind, "c", &spec);
            let names: Vec<&str> = operation.options.iter().map(|one| one.name.as_str()).collect();
            assert_eq!(names, [expected]);
        }
    }

    #[test]
    fn the_comment_of_a_denial_is_the_written_text_or_the_prompt_fill() {
        let call = call(&json!([{"name": "later", "title": "Later", "prompt_fill": "try later"},
            {"name": "no", "title": "No"}]));
        for (option, comment, expected) in [
            (Some("later"), "on Monday", "on Monday"),
            (Some("later"), "", "try later"),
            // A denial does not use the title as its comment.
            (Some("no"), "", ""),
            (Some("other"), "", ""),
            (Some("other"), "why", "why"),
            (None, "", ""),
            (None, "x", "x"),
        ] {
            assert_eq!(call.comment_with(option, comment), expected, "{option:?} {comment}");
        }
    }

    #[test]
    fn an_answer_without_text_is_the_prompt_fill_or_the_title() {
        let question =
            question(&json!([{"name": "o", "title": "Oak", "prompt_fill": "Oak, please"},
            {"name": "p", "title": "Pine"}, {"name": "ash"}]));
        for (option, comment, expected) in [
            (Some("o"), "", "Oak, please"),
            (Some("p"), "", "Pine"),
            (Some("ash"), "", "ash"),
            (Some("p"), "yellow pine", "yellow pine"),
            // An empty answer is refused later.
            (Some("birch"), "", ""),
            (None, "", ""),
        ] {
            assert_eq!(question.comment_with(option, comment), expected, "{option:?} {comment}");
        }
    }
}

use serde_json::Value;

use crate::{Kind, Operation};

/// One of the answers an asker offers: a reason for a denial, or a reply to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseOption<'a> {
    /// What the asker knows it by.
    pub name: &'a str,
    /// What a person reads instead of the name.
    pub title: Option<&'a str>,
    /// What it means.
    pub description: Option<&'a str>,
    /// What it says, if the person writes nothing else.
    pub prompt_fill: Option<&'a str>,
    /// Whether the person may change what it says before it is sent.
    pub interactive: bool,
}

impl<'a> ResponseOption<'a> {
    fn read(option: &'a Value) -> Option<Self> {
        let text = |field| option.get(field)?.as_str().filter(|text| !text.is_empty());
        Some(Self {
            name: text("name")?,
            title: text("title"),
            description: text("description"),
            prompt_fill: text("prompt_fill"),
            interactive: option.get("interactive").and_then(Value::as_bool).unwrap_or_default(),
        })
    }

    /// What it is called on a page.
    pub fn label(&self) -> &'a str {
        self.title.unwrap_or(self.name)
    }
}

impl Operation {
    /// The answers the asker offers: of a call the reasons for a denial, of a question the replies.
    pub fn options(&self) -> Vec<ResponseOption<'_>> {
        let listed = self.extras.get(self.kind().options()).and_then(Value::as_array);
        listed.into_iter().flatten().filter_map(ResponseOption::read).collect()
    }

    /// What a person said who chose an option and wrote `words`, which may be nothing: then a denial
    /// says what the option says, and an answer at least its title.
    pub fn words_of(&self, option: Option<&str>, words: &str) -> String {
        let chosen = || self.options().into_iter().find(|one| Some(one.name) == option);
        if !words.is_empty() {
            return words.to_owned();
        }
        let said = |option: ResponseOption<'_>| match self.kind() {
            Kind::FunctionCall => option.prompt_fill.unwrap_or_default().to_owned(),
            Kind::HumanContact => option.prompt_fill.unwrap_or(option.label()).to_owned(),
        };
        chosen().map(said).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::humanlayer::sample::asked;

    fn call(options: Value) -> Operation {
        asked(Kind::FunctionCall, "c", &json!({"fn": "f", "reject_options": options}))
    }

    fn question(options: Value) -> Operation {
        asked(Kind::HumanContact, "c", &json!({"msg": "m", "response_options": options}))
    }

    #[test]
    fn every_part_of_an_option_is_read() {
        let full = json!({"name": "later", "title": "Later", "description": "Not today",
            "prompt_fill": "try later", "interactive": true});
        let operation = call(json!([full, {"name": "no", "title": null, "prompt_fill": ""}]));
        let later = ResponseOption {
            name: "later",
            title: Some("Later"),
            description: Some("Not today"),
            prompt_fill: Some("try later"),
            interactive: true,
        };
        let no = ResponseOption {
            name: "no",
            title: None,
            description: None,
            prompt_fill: None,
            interactive: false,
        };
        assert_eq!(operation.options(), [later, no]);
        assert_eq!((later.label(), no.label()), ("Later", "no"));
        assert_eq!(question(json!([full])).options(), [later]);
    }

    #[test]
    fn a_kind_has_its_own_options() {
        let both =
            json!({"reject_options": [{"name": "no"}], "response_options": [{"name": "oak"}]});
        let names = |operation: &Operation| {
            operation.options().iter().map(|one| one.name.to_owned()).collect::<Vec<_>>()
        };
        let mut call = call(json!([]));
        call.extras = both.as_object().unwrap().clone();
        let mut question = question(json!([]));
        question.extras = call.extras.clone();
        assert_eq!((names(&call), names(&question)), (vec!["no".into()], vec!["oak".into()]));
        for odd in [json!(null), json!("no"), json!([1, {}, {"name": ""}, {"name": 7}])] {
            call.extras.insert("reject_options".to_owned(), odd);
            assert!(call.options().is_empty());
        }
    }

    #[test]
    fn a_denial_says_what_was_written_or_what_its_option_says() {
        let call = call(json!([{"name": "later", "title": "Later", "prompt_fill": "try later"},
            {"name": "no", "title": "No"}]));
        assert_eq!(call.words_of(Some("later"), "on Monday"), "on Monday");
        assert_eq!(call.words_of(Some("later"), ""), "try later");
        assert_eq!(call.words_of(Some("no"), ""), "", "a title is no comment");
        assert_eq!(call.words_of(Some("other"), ""), "");
        assert_eq!(call.words_of(Some("other"), "why"), "why");
        assert_eq!(
            (call.words_of(None, ""), call.words_of(None, "x").as_str()),
            (String::new(), "x")
        );
    }

    #[test]
    fn an_answer_says_at_least_the_title_of_its_option() {
        let question =
            question(json!([{"name": "o", "title": "Oak", "prompt_fill": "Oak, please"},
            {"name": "p", "title": "Pine"}, {"name": "ash"}]));
        assert_eq!(question.words_of(Some("o"), ""), "Oak, please");
        assert_eq!(question.words_of(Some("p"), ""), "Pine");
        assert_eq!(question.words_of(Some("ash"), ""), "ash");
        assert_eq!(question.words_of(Some("p"), "yellow pine"), "yellow pine");
        assert_eq!(question.words_of(Some("birch"), ""), "", "then it is refused as empty");
        assert_eq!(question.words_of(None, ""), "");
    }
}

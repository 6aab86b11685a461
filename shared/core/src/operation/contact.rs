use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How to reach the approver, as the requester specified. Placet keeps members that it does not read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactChannel {
    /// The number of a channel of `placet.yaml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<u64>,
    /// A Slack contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack: Option<SlackContact>,
    /// An e-mail contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailContact>,
    /// A contact by text message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms: Option<PhoneContact>,
    /// A `WhatsApp` contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whatsapp: Option<PhoneContact>,
}

/// A Slack channel or a Slack user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlackContact {
    /// The Slack id of the channel or user.
    pub channel_or_user_id: String,
    /// The ids of the Slack users who may decide; everybody if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_responder_ids: Vec<String>,
    /// Other members that the requester wrote, without `bot_token`.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An e-mail contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmailContact {
    /// The address.
    pub address: String,
    /// Further addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_recipients: Vec<Recipient>,
    /// Other members that the requester wrote.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl EmailContact {
    /// The subject that the requester wants.
    pub fn subject(&self) -> Option<&str> {
        self.text("subject").or_else(|| self.text("experimental_subject_line"))
    }

    /// The `Message-ID` of the mail that a mail to this contact replies to.
    pub fn in_reply_to(&self) -> Option<&str> {
        self.text("in_reply_to_message_id")
            .or_else(|| self.text("experimental_in_reply_to_message_id"))
    }

    /// The `Message-ID`s of the thread that a mail to this contact belongs to.
    pub fn references(&self) -> Option<&str> {
        self.text("references_message_id")
            .or_else(|| self.text("experimental_references_message_id"))
    }

    /// The Jinja2 template of the HTML that the requester wants.
    pub fn template(&self) -> Option<&str> {
        self.text("template")
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.other.get(name)?.as_str().filter(|text| !text.trim().is_empty())
    }
}

impl Recipient {
    /// The header in which the address appears: `to`, `cc` or `bcc`.
    pub fn field(&self) -> &str {
        self.other.get("field").and_then(Value::as_str).unwrap_or("to")
    }
}

/// An additional recipient of an e-mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipient {
    /// The address.
    pub address: String,
    /// Other members that the requester wrote, such as `field`: to, cc or bcc.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A telephone contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhoneContact {
    /// The telephone number.
    pub phone_number: String,
    /// Other members that the requester wrote.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An escalation, as the requester specified it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// The message to the approver.
    pub message: String,
    /// The addresses in the escalation. The address of the escalation's own channel is the first.
    pub recipients: Vec<String>,
    /// Whether the address of the escalation's own channel replaces the operation's address.
    pub redirects: bool,
}

impl Escalation {
    /// All addresses to notify, each once: first the address of the escalation's channel or of the
    /// operation's contact (`own`), then the additional recipients of both.
    pub fn all_recipients<'a>(&'a self, own: Option<&'a EmailContact>) -> Vec<&'a str> {
        let address = own.map(|email| &email.address).filter(|_| !self.redirects);
        let more = own.iter().flat_map(|email| &email.additional_recipients);
        let more = more.map(|recipient| &recipient.address);
        let mut all = Vec::new();
        for one in address.into_iter().chain(&self.recipients).chain(more) {
            if !all.contains(&one.as_str()) {
                all.push(one.as_str());
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_contact_channel_is_stored_unchanged() {
        let written = json!({
            "email": {"address": "a@example.org", "subject": "Wood",
                "additional_recipients": [{"address": "b@example.org", "field": "cc"}]},
            "slack": {"channel_or_user_id": "C1", "thread_ts": "1.5"},
            "channel_id": 17,
        });
        let channel: ContactChannel = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&channel).unwrap(), written);
    }

    /// HumanLayer's SDKs send each member under one name or under both.
    #[test]
    fn the_members_of_a_mail_have_two_names() {
        let contact = |other| {
            let mut written = json!({"address": "a@example.org"});
            written.as_object_mut().unwrap().append(&mut { other });
            serde_json::from_value::<EmailContact>(written).unwrap()
        };
        let both = contact(json!({
            "subject": "Wood", "experimental_subject_line": "Old",
            "experimental_in_reply_to_message_id": "<1@x>", "references_message_id": "<0@x> <1@x>",
            "template": "<p>",
        }).as_object().unwrap().clone());
        assert_eq!(both.subject(), Some("Wood"));
        assert_eq!(both.in_reply_to(), Some("<1@x>"));
        assert_eq!(both.references(), Some("<0@x> <1@x>"));
        assert_eq!(both.template(), Some("<p>"));
        let empty = contact(json!({"subject": " ", "template": 7}).as_object().unwrap().clone());
        assert_eq!((empty.subject(), empty.template()), (None, None));
    }

    #[test]
    fn an_escalation_notifies_each_address_once() {
        let own: EmailContact = serde_json::from_value(json!({
            "address": "own@x", "additional_recipients": [{"address": "more@x"}, {"address": "boss@x"}],
        }))
        .unwrap();
        let escalation = |redirects| Escalation {
            message: "now".to_owned(),
            recipients: vec!["boss@x".to_owned(), "boss@x".to_owned()],
            redirects,
        };
        let (direct, redirected) = (escalation(false), escalation(true));
        assert_eq!(direct.all_recipients(Some(&own)), ["own@x", "boss@x", "more@x"]);
        assert_eq!(redirected.all_recipients(Some(&own)), ["boss@x", "more@x"]);
        assert_eq!(direct.all_recipients(None), ["boss@x"]);
    }
}

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How the requester wants the person to be reached. What Placet does not read of it is kept as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactChannel {
    /// The number of a channel of `placet.yaml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<u64>,
    /// By Slack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack: Option<SlackContact>,
    /// By e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailContact>,
    /// By text message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms: Option<PhoneContact>,
    /// By `WhatsApp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whatsapp: Option<PhoneContact>,
}

/// A channel or a user of Slack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlackContact {
    /// Its id.
    pub channel_or_user_id: String,
    /// The users who may decide; everybody if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_responder_ids: Vec<String>,
    /// What else the requester wrote, without the bot's token.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An address of e-mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmailContact {
    /// The address.
    pub address: String,
    /// Further addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_recipients: Vec<Recipient>,
    /// What else the requester wrote.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A further address of an e-mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipient {
    /// The address.
    pub address: String,
    /// What else the requester wrote, as the field: to, cc or bcc.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A telephone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhoneContact {
    /// Its number.
    pub phone_number: String,
    /// What else the requester wrote.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What a requester wants of an escalation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// What the person is to be told.
    pub message: String,
    /// The addresses it names, that of its own channel first.
    pub recipients: Vec<String>,
    /// Whether the address of its own channel takes the place of the operation's.
    pub redirects: bool,
}

impl Escalation {
    /// Everybody who is to be notified: the address of the escalation's channel or of the operation's own,
    /// then all that either of them names, each once.
    pub fn all_recipients(&self, own: Option<&ContactChannel>) -> Vec<String> {
        let email = own.and_then(|channel| channel.email.as_ref());
        let address = email.map(|email| &email.address).filter(|_| !self.redirects);
        let more = email.iter().flat_map(|email| &email.additional_recipients);
        let more = more.map(|recipient| &recipient.address);
        let mut all: Vec<String> = Vec::new();
        for one in address.into_iter().chain(&self.recipients).chain(more) {
            if !all.contains(one) {
                all.push(one.clone());
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
    fn a_channel_is_kept_as_it_came() {
        let written = json!({
            "email": {"address": "a@example.org", "subject": "Wood",
                "additional_recipients": [{"address": "b@example.org", "field": "cc"}]},
            "slack": {"channel_or_user_id": "C1", "thread_ts": "1.5"},
            "channel_id": 17,
        });
        let channel: ContactChannel = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&channel).unwrap(), written);
    }

    #[test]
    fn an_escalation_reaches_everybody_once() {
        let channel: ContactChannel = serde_json::from_value(json!({"email": {
            "address": "own@x", "additional_recipients": [{"address": "more@x"}, {"address": "boss@x"}],
        }}))
        .unwrap();
        let escalation = |redirects| Escalation {
            message: "now".to_owned(),
            recipients: vec!["boss@x".to_owned(), "boss@x".to_owned()],
            redirects,
        };
        let all = |redirects, own| escalation(redirects).all_recipients(own);
        assert_eq!(all(false, Some(&channel)), ["own@x", "boss@x", "more@x"]);
        assert_eq!(all(true, Some(&channel)), ["boss@x", "more@x"]);
        assert_eq!(all(false, None), ["boss@x"]);
    }
}

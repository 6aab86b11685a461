//! The contact channel of a new operation.

use std::fmt;

use placet_core::limits::{LONGEST_ADDRESS, MOST_RECIPIENTS};
use placet_core::operation::{
    ContactChannel, EmailContact, PhoneContact, Recipient, SlackContact, Specification,
};
use placet_core::without_nulls;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::call::Call;
use crate::read::Text;

/// How to reach the person. Further members of a contact are stored and returned.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewChannel {
    /// The number of a contact channel in `placet.yaml`.
    channel_id: Option<u64>,
    /// By Slack.
    slack: Option<NewSlackContact>,
    /// By e-mail.
    email: Option<NewEmailContact>,
    /// By text message.
    sms: Option<NewPhoneContact>,
    /// By `WhatsApp`.
    whatsapp: Option<NewPhoneContact>,
}

/// A Slack channel or user.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct NewSlackContact {
    /// The id of the channel or user.
    channel_or_user_id: String,
    /// The users who may decide; everybody if left out.
    allowed_responder_ids: Option<Vec<String>>,
    /// A secret, which Placet neither reads nor stores.
    #[cfg_attr(test, schemars(with = "Option<Value>"))]
    #[serde(rename = "bot_token")]
    _bot_token: Option<IgnoredAny>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// An e-mail contact.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct NewEmailContact {
    /// The address.
    address: String,
    /// Further addresses.
    additional_recipients: Option<Recipients>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// Further addresses of an e-mail.
#[derive(Deserialize)]
#[serde(try_from = "Vec<NewRecipient>")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline, extend("maxItems" = MOST_RECIPIENTS)))]
pub(crate) struct Recipients(Vec<NewRecipient>);

/// A further address of an e-mail.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewRecipient {
    /// The address.
    address: Text<0, LONGEST_ADDRESS>,
    /// The header field of the address; `to` if left out.
    field: Option<RecipientField>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// The header field of an address: `to`, `cc` or `bcc`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct RecipientField(String);

/// A telephone contact.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct NewPhoneContact {
    /// The telephone number.
    phone_number: String,
    #[serde(flatten)]
    other: Map<String, Value>,
}

impl TryFrom<Vec<NewRecipient>> for Recipients {
    type Error = String;

    fn try_from(recipients: Vec<NewRecipient>) -> Result<Self, String> {
        if recipients.len() > MOST_RECIPIENTS {
            return Err(format!("must have at most {MOST_RECIPIENTS} addresses"));
        }
        Ok(Self(recipients))
    }
}

impl RecipientField {
    const ALL: [&str; 3] = ["to", "cc", "bcc"];
}

impl TryFrom<String> for RecipientField {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if Self::ALL.contains(&text.as_str()) {
            Ok(Self(text))
        } else {
            Err("must be to, cc or bcc")
        }
    }
}

#[cfg(test)]
crate::openapi::schema!(RecipientField, {"type": "string", "enum": RecipientField::ALL});

impl NewChannel {
    /// The channel; `None` if it names no way to reach the person.
    pub(super) fn into_channel(self) -> Option<ContactChannel> {
        let channel = ContactChannel {
            channel_id: self.channel_id,
            slack: self.slack.map(SlackContact::from),
            email: self.email.map(EmailContact::from),
            sms: self.sms.map(PhoneContact::from),
            whatsapp: self.whatsapp.map(PhoneContact::from),
        };
        Some(channel).filter(|channel| *channel != ContactChannel::default())
    }
}

impl From<NewSlackContact> for SlackContact {
    fn from(new: NewSlackContact) -> Self {
        Self {
            channel_or_user_id: new.channel_or_user_id,
            allowed_responder_ids: new.allowed_responder_ids.unwrap_or_default(),
            other: set_members(new.other),
        }
    }
}

impl From<NewEmailContact> for EmailContact {
    fn from(new: NewEmailContact) -> Self {
        let recipients = new.additional_recipients.map(|Recipients(all)| all).unwrap_or_default();
        Self {
            address: new.address,
            additional_recipients: recipients.into_iter().map(Recipient::from).collect(),
            other: set_members(new.other),
        }
    }
}

impl From<NewRecipient> for Recipient {
    fn from(new: NewRecipient) -> Self {
        let mut other = set_members(new.other);
        other.extend(new.field.map(|RecipientField(field)| ("field".to_owned(), field.into())));
        Self { address: new.address.0, other }
    }
}

impl From<NewPhoneContact> for PhoneContact {
    fn from(new: NewPhoneContact) -> Self {
        Self { phone_number: new.phone_number, other: set_members(new.other) }
    }
}

/// The members without nulls.
fn set_members(mut members: Map<String, Value>) -> Map<String, Value> {
    members.retain(|_, member| !member.is_null());
    members.values_mut().for_each(without_nulls);
    members
}

/// The number of a contact channel that `placet.yaml` does not have for this project.
#[derive(Debug)]
pub(crate) struct UnknownChannel(u64);

impl fmt::Display for UnknownChannel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "must be a contact channel that placet.yaml has for this project; it has no {}",
            self.0
        )
    }
}

/// Gives an operation without a channel the channel of the key, if the key has one.
///
/// # Errors
///
/// If the operation names a channel that `placet.yaml` does not have for this project.
pub(crate) fn choose_channel(
    call: &Call<'_>,
    specification: &mut Specification,
) -> Result<(), UnknownChannel> {
    if specification.channel.is_none() && call.key.channel.is_some() {
        let channel_id = call.key.channel;
        specification.channel = Some(ContactChannel { channel_id, ..ContactChannel::default() });
    }
    let id = specification.channel.as_ref().and_then(|channel| channel.channel_id);
    match id.filter(|id| call.runtime().config.channel(call.project(), *id).is_none()) {
        Some(id) => Err(UnknownChannel(id)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;

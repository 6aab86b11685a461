use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Who acted on an operation: a channel, and the name of the actor.
///
/// The text form is the channel, then the name: `api ci`, `inbox`, `webhook humanlayer msg_1`. The
/// history, replies and pages use this form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The channel of the action.
    pub channel: Channel,
    /// The name of the API key, of the webhook source and its event, or of the upstream approver; empty if
    /// the channel has no name.
    pub name: String,
}

/// The channel of a request, a decision or a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The API.
    Api,
    /// A page of the inbox.
    Inbox,
    /// A signed decision link.
    Link,
    /// A verified webhook.
    Webhook,
    /// The upstream approver.
    Upstream,
    /// The demo page.
    Demo,
    /// A worker, which reports on an attempt.
    Worker,
    /// The timer: a deadline passed or a lease expired.
    Timer,
    /// A test event, which has no real actor.
    Test,
}

/// The text does not begin with the name of a channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a channel: use api, inbox, link, webhook, upstream, demo, worker, timer or test"
)]
pub struct UnknownChannel(String);

impl Channel {
    /// All channels.
    pub const ALL: [Self; 9] = [
        Self::Api,
        Self::Inbox,
        Self::Link,
        Self::Webhook,
        Self::Upstream,
        Self::Demo,
        Self::Worker,
        Self::Timer,
        Self::Test,
    ];

    /// The name of the channel.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Inbox => "inbox",
            Self::Link => "link",
            Self::Webhook => "webhook",
            Self::Upstream => "upstream",
            Self::Demo => "demo",
            Self::Worker => "worker",
            Self::Timer => "timer",
            Self::Test => "test",
        }
    }
}

impl Actor {
    /// An actor with this channel and this name.
    pub fn new(channel: Channel, name: impl Into<String>) -> Self {
        Self { channel, name: name.into() }
    }

    /// The actor for the API key of this name.
    pub fn api(key: &str) -> Self {
        Self::new(Channel::Api, key)
    }

    /// The actor for a webhook: the name of its source, and the identity of its event.
    pub fn webhook(source: &str, event: &str) -> Self {
        Self::new(Channel::Webhook, format!("{source} {event}"))
    }
}

impl From<Channel> for Actor {
    fn from(channel: Channel) -> Self {
        Self::new(channel, "")
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.channel.as_str())?;
        if self.name.is_empty() { Ok(()) } else { write!(formatter, " {}", self.name) }
    }
}

impl FromStr for Actor {
    type Err = UnknownChannel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (channel, name) = text.split_once(' ').unwrap_or((text, ""));
        let known = Channel::ALL.into_iter().find(|known| known.as_str() == channel);
        let channel = known.ok_or_else(|| UnknownChannel(channel.to_owned()))?;
        Ok(Self::new(channel, name))
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_the_same_after_writing_and_reading() {
        let webhook = Actor::webhook("humanlayer", "msg_1");
        assert_eq!(webhook.to_string(), "webhook humanlayer msg_1");
        for actor in Channel::ALL.map(Actor::from).into_iter().chain([webhook, Actor::api("a b")]) {
            assert_eq!(actor.to_string().parse(), Ok(actor.clone()));
            let json = serde_json::to_value(&actor).unwrap();
            assert_eq!(serde_json::from_value::<Actor>(json).unwrap(), actor);
        }
        assert!("pigeon post".parse::<Actor>().is_err());
    }
}

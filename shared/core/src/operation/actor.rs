use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How something came to an operation, and the name of the one it came from.
///
/// It is written as one text, the channel and then the name: `api ci`, `inbox`, `webhook humanlayer
/// msg_1`. That text stands in the history, in replies and on pages.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    /// How it came.
    pub channel: Channel,
    /// The name of the API key, of the webhook source and its delivery, of the upstream approver; empty
    /// where there is none.
    pub name: String,
}

/// How a request, a decision or a transition came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Through the API.
    Api,
    /// Through a page of the inbox.
    Inbox,
    /// Through a signed decision link.
    Link,
    /// In a verified webhook.
    Webhook,
    /// From the upstream approver.
    Upstream,
    /// From the demo page.
    Demo,
    /// From a worker, which reports what it did.
    Worker,
    /// By the passing of time.
    Timer,
    /// Made up for a test event.
    Test,
}

/// A text that names no channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no channel")]
pub struct UnknownChannel(String);

impl Channel {
    /// All of them.
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

    /// Its name.
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
    /// Through a channel, by somebody of this name.
    pub fn new(channel: Channel, name: impl Into<String>) -> Self {
        Self { channel, name: name.into() }
    }

    /// An API key.
    pub fn api(key: &str) -> Self {
        Self::new(Channel::Api, key)
    }

    /// A webhook of this source, by what tells its event from others.
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
    fn an_actor_reads_as_it_is_written() {
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

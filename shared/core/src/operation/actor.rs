use std::fmt;

use serde::{Deserialize, Serialize};

/// Who acted on an operation, and how they proved it (law 11).
///
/// The JSON form names the channel and what identifies the actor there: `{"channel": "api", "key":
/// "0123456789ab", "name": "ci"}`. Only Placet writes `key`, `id` and `receipt`, so nobody can choose a name
/// that looks like another actor. The text form is for logs and for `user_info` of HumanLayer's API.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "channel", rename_all = "lowercase")]
pub enum Actor {
    /// The holder of an API key.
    Api {
        /// The id of the key, as `placet key list` prints it.
        key: String,
        /// The name of the key. Two keys can have one name.
        name: String,
    },
    /// A page of the inbox.
    Inbox {
        /// The person who signed in; `None` for the person at a developer's machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<Identity>,
    },
    /// A signed decision link.
    Link {
        /// The id of the link, as `placet link` prints it.
        id: String,
        /// The person of the link; `None` for a link of its bearer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<Identity>,
    },
    /// A verified webhook.
    Webhook {
        /// The name of the webhook source in `placet.yaml`.
        source: String,
        /// The id of the receipt.
        receipt: String,
        /// The sender's id of the event, if the signature covers it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<String>,
    },
    /// The upstream approver.
    Upstream {
        /// The base URL of its API.
        url: String,
    },
    /// The demo page on a developer's machine, which needs no key.
    Demo,
    /// A worker, which reports on an attempt.
    Worker,
    /// The timer: a deadline passed or a lease expired.
    Timer,
    /// A test event, which has no real actor.
    Test,
}

/// A person of `placet.yaml`, and how the person proved it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The id of the person.
    pub id: String,
    /// The name of the person at that time.
    pub name: String,
    /// How the person proved it.
    pub proof: Proof,
    /// The IP address of the browser, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// How a person proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// A session that began with a one-time link.
    Session,
    /// A session that began with an OpenID Connect provider.
    Oidc,
    /// A decision link.
    Link,
    /// A signed request of Slack.
    Slack,
}

impl Proof {
    /// The name of the proof.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Oidc => "oidc",
            Self::Link => "link",
            Self::Slack => "slack",
        }
    }
}

impl Actor {
    /// The person at a developer's machine.
    pub const LOCAL: Self = Self::Inbox { person: None };

    /// The person of `placet.yaml` who acted, if it was one.
    pub const fn person(&self) -> Option<&Identity> {
        match self {
            Self::Inbox { person } | Self::Link { person, .. } => person.as_ref(),
            _ => None,
        }
    }

    /// The holder of the API key with this id and this name.
    pub fn api(key: impl Into<String>, name: impl Into<String>) -> Self {
        Self::Api { key: key.into(), name: name.into() }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api { name, .. } => write!(formatter, "api {name}"),
            Self::Inbox { person: None } => formatter.write_str("inbox"),
            Self::Inbox { person: Some(person) } => write!(formatter, "inbox {}", person.id),
            Self::Link { id, person: None } => write!(formatter, "link {id}"),
            Self::Link { id, person: Some(person) } => {
                write!(formatter, "link {id} {}", person.id)
            }
            Self::Webhook { source, receipt, event } => {
                write!(formatter, "webhook {source} {}", event.as_deref().unwrap_or(receipt))
            }
            Self::Upstream { url } => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                write!(formatter, "upstream {}", rest.split('/').next().unwrap_or(rest))
            }
            Self::Demo => formatter.write_str("demo"),
            Self::Worker => formatter.write_str("worker"),
            Self::Timer => formatter.write_str("timer"),
            Self::Test => formatter.write_str("test"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ana(proof: Proof, from: Option<&str>) -> Identity {
        Identity { id: "ana".into(), name: "Ana".into(), proof, from: from.map(str::to_owned) }
    }

    #[test]
    fn an_actor_is_stored_by_what_identifies_it() {
        let (source, receipt) = ("humanlayer".to_owned(), "humanlayer.1".to_owned());
        let unsigned =
            Actor::Webhook { source: source.clone(), receipt: receipt.clone(), event: None };
        let signed = Actor::Webhook { source, receipt, event: Some("inbox, by a person".into()) };
        let cases = [
            (
                Actor::api("0123456789ab", "bot"),
                json!({"channel": "api", "key": "0123456789ab", "name": "bot"}),
                "api bot",
            ),
            (Actor::LOCAL, json!({"channel": "inbox"}), "inbox"),
            (
                Actor::Inbox { person: Some(ana(Proof::Oidc, None)) },
                json!({"channel": "inbox", "person": {"id": "ana", "name": "Ana", "proof": "oidc"}}),
                "inbox ana",
            ),
            (
                Actor::Link { id: "a1".into(), person: None },
                json!({"channel": "link", "id": "a1"}),
                "link a1",
            ),
            (
                Actor::Link { id: "a1".into(), person: Some(ana(Proof::Link, Some("::1"))) },
                json!({"channel": "link", "id": "a1",
                    "person": {"id": "ana", "name": "Ana", "proof": "link", "from": "::1"}}),
                "link a1 ana",
            ),
            (
                unsigned,
                json!({"channel": "webhook", "source": "humanlayer", "receipt": "humanlayer.1"}),
                "webhook humanlayer humanlayer.1",
            ),
            (
                signed,
                json!({"channel": "webhook", "source": "humanlayer", "receipt": "humanlayer.1",
                    "event": "inbox, by a person"}),
                "webhook humanlayer inbox, by a person",
            ),
            (
                Actor::Upstream { url: "https://b.example/humanlayer/v1".into() },
                json!({"channel": "upstream", "url": "https://b.example/humanlayer/v1"}),
                "upstream b.example",
            ),
            (Actor::Demo, json!({"channel": "demo"}), "demo"),
            (Actor::Worker, json!({"channel": "worker"}), "worker"),
            (Actor::Timer, json!({"channel": "timer"}), "timer"),
            (Actor::Test, json!({"channel": "test"}), "test"),
        ];
        for (actor, stored, text) in cases {
            assert_eq!(actor.to_string(), text);
            assert_eq!(serde_json::to_value(&actor).unwrap(), stored);
            assert_eq!(serde_json::from_value::<Actor>(stored).unwrap(), actor);
        }
        assert!(serde_json::from_value::<Actor>(json!("api boss")).is_err());
    }

    #[test]
    fn two_keys_of_one_name_are_two_actors() {
        assert_ne!(Actor::api("0123456789ab", "bot"), Actor::api("ba9876543210", "bot"));
    }
}

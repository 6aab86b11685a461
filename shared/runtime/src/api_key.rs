//! API keys: what one stands for, and what it may.

use placet_core::{Digest, Timestamp};

/// What an API key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The project it decides for.
    pub project: String,
    /// Its name, for the history and the log.
    pub name: String,
    /// What it may.
    pub role: Role,
    /// The contact channel of what it asks for without naming one.
    pub channel: Option<u64>,
    /// Since when there is this key.
    pub created_at: Timestamp,
    /// From when on it is refused; never, if not said.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Who holds a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Creates, reads and cancels.
    Agent,
    /// Reads and decides.
    Responder,
    /// Does all of it, and operates the project.
    #[default]
    Admin,
}

/// What a request needs its key for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To create an operation, or to cancel it.
    Create,
    /// To read operations.
    Read,
    /// To decide an operation.
    Decide,
    /// To look at webhooks and endpoints, and to send and process them again.
    Operate,
}

/// The digest under which a key is stored. One round of SHA-256 is enough: a slow hash protects what
/// can be guessed, and nobody guesses 256 random bits.
pub fn key_digest(key: &str) -> Digest {
    Digest::of_bytes(key.as_bytes())
}

/// The name under which operators speak of a key: the first 12 hex digits of its digest.
pub fn key_id(digest: Digest) -> String {
    digest.to_string().chars().take(12).collect()
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Agent, Self::Responder, Self::Admin];

    /// Its name, in the table and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Responder => "responder",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether it may create and cancel.
    pub const fn may_create(self) -> bool {
        matches!(self, Self::Agent | Self::Admin)
    }

    /// Whether it may decide and respond.
    pub const fn may_decide(self) -> bool {
        matches!(self, Self::Responder | Self::Admin)
    }
}

impl ApiKey {
    /// A key that may everything in its project and does not expire.
    pub fn new(project: impl Into<String>, name: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            project: project.into(),
            name: name.into(),
            role: Role::Admin,
            channel: None,
            created_at,
            expires_at: None,
            revoked_at: None,
        }
    }

    /// Whether its role covers this.
    pub const fn allows(&self, right: Right) -> bool {
        match right {
            Right::Create => self.role.may_create(),
            Right::Read => true,
            Right::Decide => self.role.may_decide(),
            Right::Operate => self.role.may_create() && self.role.may_decide(),
        }
    }

    /// Whether its time is over.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Timestamp = Timestamp::from_millis(0);

    #[test]
    fn a_role_has_its_rights_and_its_name() {
        let table = [
            (Role::Agent, [true, true, false, false]),
            (Role::Responder, [false, true, true, false]),
            (Role::Admin, [true, true, true, true]),
        ];
        for (role, expected) in table {
            let key = ApiKey { role, ..ApiKey::new("t", "n", EPOCH) };
            let rights = [Right::Create, Right::Read, Right::Decide, Right::Operate];
            assert_eq!(rights.map(|right| key.allows(right)), expected, "{role:?}");
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!((Role::parse("Agent"), Role::default()), (None, Role::Admin));
    }

    #[test]
    fn a_key_expires_at_its_moment() {
        let at = |expires_at| {
            let key = ApiKey { expires_at, ..ApiKey::new("t", "n", EPOCH) };
            [999, 1000].map(|now| key.has_expired(Timestamp::from_millis(now)))
        };
        assert_eq!(at(Some(Timestamp::from_millis(1000))), [false, true]);
        assert_eq!(at(None), [false, false]);
    }

    #[test]
    fn a_key_is_named_by_the_start_of_its_digest() {
        let digest = key_digest("placet_x");
        assert!(digest.to_string().starts_with(&key_id(digest)));
        assert_eq!(key_id(digest).len(), 12);
    }
}

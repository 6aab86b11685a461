//! API keys and their rights.

use placet_core::{Digest, Timestamp};

/// An API key as stored; the table has its digest, never the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The project of the key.
    pub project: String,
    /// The name of the key, for the history and the log.
    pub name: String,
    /// What the key may do.
    pub role: Role,
    /// Whether the key may decide the operations that it created. The role must allow both.
    pub self_approval: bool,
    /// The channel id of operations that this key creates without naming a channel.
    pub channel: Option<u64>,
    /// When the key was created.
    pub created_at: Timestamp,
    /// When the key expires; `None` means never.
    pub expires_at: Option<Timestamp>,
    /// When the key was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The role of a key: what its holder may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Creates, reads and cancels operations.
    Agent,
    /// Reads and decides operations.
    Responder,
    /// Does all of this, and operates the project.
    Admin,
}

/// A right that a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Create or cancel an operation.
    Create,
    /// Read operations.
    Read,
    /// Decide an operation.
    Decide,
    /// Read receipts, deliveries and endpoints, and send or process webhooks again.
    Operate,
}

/// The digest under which a key is stored. One round of SHA-256 is enough: a slow hash protects secrets that
/// can be guessed, and nobody can guess 256 random bits.
pub fn key_digest(key: &str) -> Digest {
    Digest::of_bytes(key.as_bytes())
}

/// The public id of a key: the first 12 hex digits of its digest.
pub fn key_id(digest: Digest) -> String {
    digest.to_string().chars().take(12).collect()
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Agent, Self::Responder, Self::Admin];

    /// The name of the role in the table and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Responder => "responder",
            Self::Admin => "admin",
        }
    }

    /// The role with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether the role may create and cancel operations.
    pub const fn may_create(self) -> bool {
        matches!(self, Self::Agent | Self::Admin)
    }

    /// Whether the role may decide operations and answer questions.
    pub const fn may_decide(self) -> bool {
        matches!(self, Self::Responder | Self::Admin)
    }
}

impl ApiKey {
    /// An admin key of a project, which does not expire and is no self-approval key.
    pub fn new(project: impl Into<String>, name: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            project: project.into(),
            name: name.into(),
            role: Role::Admin,
            self_approval: false,
            channel: None,
            created_at,
            expires_at: None,
            revoked_at: None,
        }
    }

    /// Whether the role of the key includes this right.
    pub const fn allows(&self, right: Right) -> bool {
        match right {
            Right::Create => self.role.may_create(),
            Right::Read => true,
            Right::Decide => self.role.may_decide(),
            Right::Operate => self.role.may_create() && self.role.may_decide(),
        }
    }

    /// Whether the key has expired.
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
        assert_eq!(Role::parse("Agent"), None);
    }

    #[test]
    fn a_key_expires_at_its_expiry_time() {
        let at = |expires_at| {
            let key = ApiKey { expires_at, ..ApiKey::new("t", "n", EPOCH) };
            [999, 1000].map(|now| key.has_expired(Timestamp::from_millis(now)))
        };
        assert_eq!(at(Some(Timestamp::from_millis(1000))), [false, true]);
        assert_eq!(at(None), [false, false]);
    }

    #[test]
    fn the_id_of_a_key_is_the_start_of_its_digest() {
        let digest = key_digest("placet_x");
        assert!(digest.to_string().starts_with(&key_id(digest)));
        assert_eq!(key_id(digest).len(), 12);
    }
}

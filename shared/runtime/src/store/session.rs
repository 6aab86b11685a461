use placet_core::operation::Proof;
use placet_core::{LONGEST_INVITATION, Timestamp};

use super::attributes::{Reader, Writer};
use super::{Put, Row, Store, StoreError, key};

/// The session of a person who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The id of the session.
    pub id: String,
    /// The id of the person in `placet.yaml`.
    pub person: String,
    /// How the person signed in.
    pub proof: Proof,
    /// The IP address of the browser that signed in, if it is known.
    pub from: Option<String>,
    /// The time of the sign-in.
    pub created_at: Timestamp,
    /// The last moment at which the session is valid.
    pub expires_at: Timestamp,
    /// When somebody ended the session before it expired.
    pub revoked_at: Option<Timestamp>,
}

impl Session {
    /// Whether the session is valid at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now <= self.expires_at
    }
}

impl Store {
    /// Stores a new session. `false` if there is a session with this id already, so that a sign-in link works once.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn put_session(&self, session: &Session) -> Result<bool, StoreError> {
        let row = encode(session);
        let put = self.put_if(row.clone(), "attribute_not_exists(pk)", Row::new()).await?;
        // The SDK sends a write again after a lost reply, and then finds its own row.
        Ok(match put {
            Put::Stored => true,
            Put::Existing(existing) => existing.is_some_and(|existing| existing == row),
        })
    }

    /// Finds a session. The read is consistent, so a revoked session ends at once.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails, or the row cannot be read.
    pub async fn session(&self, id: &str) -> Result<Option<Session>, StoreError> {
        self.get(key::session(id), true).await?.as_ref().map(decode).transpose()
    }

    /// All sessions that are still in the table, newest first. A session that cannot be read is left out and logged
    /// as an error.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn sessions(&self) -> Result<Vec<Session>, StoreError> {
        let rows = self.short_list(&key::list_pk("session", "", 0)).await?;
        let unreadable = |error: &StoreError| {
            tracing::error!(%error, "session cannot be read, so the list leaves it out");
        };
        Ok(rows.iter().filter_map(|row| decode(row).inspect_err(unreadable).ok()).collect())
    }

    /// Ends a session, and returns it. A session that has ended keeps its time of revocation. `None` if there is no
    /// such session.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails, or the row cannot be read.
    pub async fn revoke_session(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let Some(session) = self.session(id).await? else { return Ok(None) };
        let revoked = Session { revoked_at: Some(now), ..session };
        let condition = "attribute_exists(pk) AND attribute_not_exists(revoked_at)";
        match self.put_if(encode(&revoked), condition, Row::new()).await? {
            Put::Stored => Ok(Some(revoked)),
            Put::Existing(row) => row.as_ref().map(decode).transpose(),
        }
    }
}

/// Until when the row is kept: as long as the link that made the session could make another one.
fn kept_until(session: &Session) -> Timestamp {
    session.expires_at.max(session.created_at.plus(LONGEST_INVITATION))
}

fn encode(session: &Session) -> Row {
    let mut row = key::session(&session.id);
    let attributes = Writer::default()
        .text("list_pk", key::list_pk("session", "", 0))
        .text("list_sk", key::list_sk(session.created_at, key::hash(&session.id)))
        .text("person", &session.person)
        .json("proof", &session.proof)
        .json("from", &session.from)
        .number("created_at", session.created_at.millis())
        .number("expires", session.expires_at.millis())
        .number("ttl", kept_until(session).seconds())
        .json("revoked_at", &session.revoked_at);
    row.extend(attributes.finish());
    row
}

fn decode(row: &Row) -> Result<Session, StoreError> {
    let reader = Reader(row);
    let id = reader.text("pk")?.strip_prefix("session#");
    Ok(Session {
        id: id.ok_or_else(|| reader.corrupt("pk"))?.to_owned(),
        person: reader.text("person")?.to_owned(),
        proof: reader.optional_json("proof")?.ok_or_else(|| reader.corrupt("proof"))?,
        from: reader.optional_json("from")?,
        created_at: reader.moment("created_at")?,
        expires_at: reader.moment("expires")?,
        revoked_at: reader.optional_json("revoked_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn session() -> Session {
        Session {
            id: "0123".to_owned(),
            person: "ana".to_owned(),
            proof: Proof::Oidc,
            from: Some("203.0.113.7".to_owned()),
            created_at: NOW,
            expires_at: NOW,
            revoked_at: None,
        }
    }

    #[test]
    fn a_session_is_read_back_as_it_was_written() {
        let revoked = Session { revoked_at: Some(NOW), from: None, ..session() };
        for session in [session(), revoked] {
            assert_eq!(decode(&encode(&session)).unwrap(), session);
        }
    }

    /// After the row is gone, its sign-in link could make the session again.
    #[test]
    fn a_session_is_kept_as_long_as_its_link_could_be_valid() {
        assert_eq!(kept_until(&session()), NOW.plus(LONGEST_INVITATION));
    }

    #[test]
    fn a_damaged_session_is_an_error() {
        for (attribute, value) in [("proof", "\"guess\""), ("expires", "x"), ("revoked_at", "x")] {
            let mut row = encode(&session());
            row.extend(Writer::default().text(attribute, value).finish());
            assert!(decode(&row).is_err(), "{attribute}");
        }
    }

    #[test]
    fn a_session_is_valid_until_it_expires_or_is_revoked() {
        assert!(session().is_valid(NOW));
        assert!(!session().is_valid(Timestamp::from_millis(NOW.millis() + 1)));
        assert!(!Session { revoked_at: Some(NOW), ..session() }.is_valid(NOW));
    }
}

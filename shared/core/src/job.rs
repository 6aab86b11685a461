use serde::{Deserialize, Serialize};

/// The version of the message format this build writes and reads.
const VERSION: u8 = 1;

/// What a worker is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Job {
    /// Tell the endpoints of the decision on the function call whose call id is in the message, and run
    /// it.
    Execute,
    /// Tell the endpoints of the decision on the operation whose kind and call id are in the message.
    Tell,
    /// Ask, or ask for the answer, at the server that was asked in our place about the operation whose
    /// kind and call id are in the message.
    Consult,
    /// Work off the stored webhook receipt whose id is in the message.
    Process,
    /// Send the signed webhook whose delivery id is in the message.
    Deliver,
}

/// A queue message: a pointer, never a body. Under 1 KB.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    v: u8,
    /// What to do.
    pub job: Job,
    /// Whose item it is.
    pub tenant: String,
    /// Which item: a call id, `kind/call_id`, a receipt id or a delivery id.
    pub id: String,
}

/// A queue message this build can not read.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The body is not the JSON of a message.
    #[error("the queue message is not a Placet message: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The body was written by another version of Placet.
    #[error("the queue message has version {0}, this worker reads version {VERSION}")]
    Version(u8),
}

impl Message {
    /// A message of the current version.
    pub fn new(job: Job, tenant: impl Into<String>, id: impl Into<String>) -> Self {
        Self { v: VERSION, job, tenant: tenant.into(), id: id.into() }
    }

    /// Reads a message body.
    ///
    /// # Errors
    ///
    /// If it is not JSON of a message, or of another version.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        let message: Self = serde_json::from_str(body)?;
        if message.v == VERSION { Ok(message) } else { Err(MessageError::Version(message.v)) }
    }

    /// The message body.
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_a_stable_format() {
        let message = Message::new(Job::Execute, "default", "call-1");
        let body = r#"{"v":1,"job":"execute","tenant":"default","id":"call-1"}"#;
        assert_eq!(message.to_body(), body);
        assert_eq!(Message::parse(body).unwrap(), message);
        let jobs = [
            (Job::Execute, "execute"),
            (Job::Tell, "tell"),
            (Job::Consult, "consult"),
            (Job::Process, "process"),
            (Job::Deliver, "deliver"),
        ];
        for (job, name) in jobs {
            let message = Message::new(job, "default", "human_contact/call-1");
            let body = format!(
                r#"{{"v":1,"job":"{name}","tenant":"default","id":"human_contact/call-1"}}"#
            );
            assert_eq!(message.to_body(), body);
            assert_eq!(Message::parse(&body).unwrap(), message);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        assert!(matches!(
            Message::parse(r#"{"v":2,"job":"execute","tenant":"t","id":"i"}"#),
            Err(MessageError::Version(2))
        ));
        for body in ["", "{}", "[1]", r#"{"v":1,"job":"dance","tenant":"t","id":"i"}"#] {
            assert!(matches!(Message::parse(body), Err(MessageError::Malformed(_))), "{body}");
        }
    }
}

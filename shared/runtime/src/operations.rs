//! Creating operations as `placet.yaml` says, and who is notified of decisions.

use placet_core::operation::{Actor, NewOperation, Notice, Operation, OperationId, Specification};
use placet_core::strict_json;
use uuid::Uuid;

use crate::config::Interface;
use crate::engine::Created;
use crate::{Runtime, StoreError};

/// The largest specification, in bytes of JSON. Below DynamoDB's 400 KB a row also needs room for the
/// result (64 KB), the comment (16 KB, also in the history) and up to twenty attempts.
const LARGEST: usize = 200 * 1024;

/// How deep it may be nested, and what comes of it. It is stored and sent some levels deeper, and JSON is
/// read up to a depth of 127: what is deeper could be written and never read again.
pub const DEEPEST: usize = 100;

/// The most JSON values it may have. One can take 700 bytes of memory, and a page of a list has many operations.
const MOST_VALUES: usize = 10_000;

/// What a requester brings.
#[derive(Clone, Debug)]
pub struct Requested {
    /// The operation's project, kind and id.
    pub id: OperationId,
    /// The requester's id of the run it belongs to.
    pub run_id: String,
    /// What the requester specifies.
    pub specification: Specification,
    /// How it came, and from whom.
    pub by: Actor,
    /// The interface it came through.
    pub through: Interface,
}

/// Why an operation was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Its id belongs to another operation.
    #[error("call_id {0} already exists with other content: choose a new id")]
    Conflict(String),
    /// It does not fit.
    #[error("the specification has {size} bytes, at most {LARGEST} are kept")]
    TooLarge {
        /// The bytes of JSON it has.
        size: usize,
    },
    /// It could not be read again.
    #[error("the specification is nested {depth} deep, at most {DEEPEST} is kept")]
    TooDeep {
        /// How deep it is nested.
        depth: usize,
    },
    /// It takes too much memory.
    #[error("the specification has {values} JSON values, at most {MOST_VALUES} are kept")]
    TooManyValues {
        /// How many it has: objects, lists and what they hold.
        values: usize,
    },
    /// The table does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Runtime {
    /// Creates an operation, or finds the one that was created with the same id and specification.
    ///
    /// # Errors
    ///
    /// If the id belongs to another operation, the specification is too large, too deep or of too many values, or
    /// the table does not answer.
    pub async fn create_operation(
        &self,
        requested: Requested,
    ) -> Result<Created<Operation>, CreateError> {
        check(&requested.specification)?;
        let call_id = requested.id.call_id.clone();
        let new = self.configured(requested);
        let mut wanted = None;
        let created = self.engine.create(|write| {
            let item = Operation::create(new, write);
            wanted = Some(item.body.clone());
            item
        });
        match (created.await?, wanted) {
            (Created::Before(existing), Some(wanted)) if !existing.specifies_the_same(&wanted) => {
                Err(CreateError::Conflict(call_id))
            }
            (created, _) => Ok(created),
        }
    }

    fn configured(&self, requested: Requested) -> NewOperation {
        let function = requested.specification.content.function();
        let upstream = self.config.upstream(&requested.id.project, function);
        NewOperation {
            plan: function.and_then(|function| self.config.plan_for(function, requested.through)),
            time_to_decide: self.config.time_to_decide(function),
            upstream: upstream.map(|upstream| upstream.base_url()),
            id: requested.id,
            run_id: requested.run_id,
            specification: requested.specification,
            by: requested.by,
        }
    }

    /// The endpoints that are notified of the decision on an operation.
    pub fn notices(&self, id: &OperationId) -> Vec<Notice> {
        let notified = self.config.notified(id);
        notified
            .map(|(name, _, event)| Notice { endpoint: name.to_owned(), event: event.to_string() })
            .collect()
    }
}

/// Whether a specification can be kept and read again.
fn check(specification: &Specification) -> Result<(), CreateError> {
    let Specification { content, channel, options, requester_state, other } = specification;
    let json = serde_json::to_vec(&(content, channel, options, requester_state, other));
    let json = json.unwrap_or_default();
    let (size, depth) = (json.len(), strict_json::depth(&json));
    if size > LARGEST {
        return Err(CreateError::TooLarge { size });
    }
    if depth > DEEPEST {
        return Err(CreateError::TooDeep { depth });
    }
    match strict_json::count(&json) {
        values if values > MOST_VALUES => Err(CreateError::TooManyValues { values }),
        _ => Ok(()),
    }
}

/// An id for a call whose requester chose none.
pub fn new_call_id() -> String {
    format!("call-{}", Uuid::now_v7().simple())
}

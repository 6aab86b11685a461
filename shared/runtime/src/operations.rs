//! Creation of operations as `placet.yaml` configures them.

use placet_core::limits::{
    DEEPEST_SPECIFICATION, LARGEST_SPECIFICATION, MOST_SPECIFICATION_VALUES,
};
use placet_core::operation::{
    Actor, Approvers, NewOperation, Operation, OperationId, Specification,
};
use placet_core::strict_json;
use uuid::Uuid;

use crate::config::Interface;
use crate::engine::Created;
use crate::{Runtime, StoreError};

/// A new operation as a requester creates it.
#[derive(Clone, Debug)]
pub struct Requested {
    /// The operation's project, kind and id.
    pub id: OperationId,
    /// The requester's id of the run that the operation belongs to.
    pub run_id: String,
    /// The specification: the call to approve or the question, with its options.
    pub specification: Specification,
    /// The requester, and the channel of the request.
    pub by: Actor,
    /// The id of the API key that may not decide: the requester's, unless it is a self-approval key.
    pub except_key: Option<String>,
    /// The interface of the request.
    pub through: Interface,
}

/// Why an operation was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The call id belongs to another operation.
    #[error("call_id {0} already exists with other content: choose a new id")]
    Conflict(String),
    /// The specification is too large to store.
    #[error("the specification has {size} bytes; the limit is {LARGEST_SPECIFICATION} bytes")]
    TooLarge {
        /// The size of the specification, in bytes of JSON.
        size: usize,
    },
    /// The specification is nested too deeply to be read again.
    #[error(
        "the specification is nested {depth} levels deep; the limit is {DEEPEST_SPECIFICATION}"
    )]
    TooDeep {
        /// The depth of the specification.
        depth: usize,
    },
    /// The specification would take too much memory.
    #[error("the specification has {values} JSON values; the limit is {MOST_SPECIFICATION_VALUES}")]
    TooManyValues {
        /// The number of JSON values in the specification: objects, lists and the values in them.
        values: usize,
    },
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Runtime {
    /// Creates an operation, or returns the existing one with the same id and specification.
    ///
    /// # Errors
    ///
    /// If the id belongs to another operation; if the specification is too large, too deep or has too many
    /// values; or if the table fails.
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
        let project = &requested.id.project;
        let upstream = self.config.upstream(project, function);
        // A source does not decide what it has requested.
        let own =
            |name: &str| matches!(&requested.by, Actor::Webhook { source, .. } if source == name);
        let webhook = self.config.deciding_source(project, function).filter(|name| !own(name));
        let people = self.config.people_for(project, function);
        let channel = requested.specification.channel.as_ref();
        NewOperation {
            notify: self.notices_of_creation(&requested.id, &people, channel),
            plan: function.and_then(|function| self.config.plan_for(function, requested.through)),
            time_to_decide: self.config.time_to_decide(function).0,
            upstream: upstream.map(|upstream| upstream.base_url()),
            approvers: Approvers {
                people,
                webhook: webhook.map(str::to_owned),
                except_key: requested.except_key,
            },
            follow_up: self.config.follow_up(function),
            id: requested.id,
            run_id: requested.run_id,
            specification: requested.specification,
            by: requested.by,
        }
    }
}

/// Checks that a specification can be stored and read again.
fn check(specification: &Specification) -> Result<(), CreateError> {
    let Specification { content, channel, options, requester_state, other } = specification;
    let json = serde_json::to_vec(&(content, channel, options, requester_state, other));
    let json = json.unwrap_or_default();
    let (size, depth) = (json.len(), strict_json::depth(&json));
    if size > LARGEST_SPECIFICATION {
        return Err(CreateError::TooLarge { size });
    }
    if depth > DEEPEST_SPECIFICATION {
        return Err(CreateError::TooDeep { depth });
    }
    match strict_json::count(&json) {
        values if values > MOST_SPECIFICATION_VALUES => Err(CreateError::TooManyValues { values }),
        _ => Ok(()),
    }
}

/// A new call id, for a requester that chose none.
pub fn new_call_id() -> String {
    format!("call-{}", Uuid::now_v7().simple())
}

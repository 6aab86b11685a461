use placet_core::humanlayer::is_call_id;
use placet_core::{Kind, Operation, State};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::attributes::{Reader, Writer};
use super::{Item, Put, Store, StoreError, key};

impl Store {
    /// Stores a new operation unless one with its id exists.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the existing item can not be read.
    pub async fn create_operation(
        &self,
        operation: &Operation,
    ) -> Result<Put<Operation>, StoreError> {
        let Put::Existing(item) = self.put_new(encode(operation)).await? else {
            return Ok(Put::Stored);
        };
        let existing = decode(item)?;
        // A first try whose reply was lost: it was us.
        if existing.history.has_write(&operation.last_write) {
            return Ok(Put::Stored);
        }
        Ok(Put::Existing(existing))
    }

    /// Stores the next version of an operation if the one before is still there, with the content
    /// that was approved; else hands back what is there, `None` if nothing is.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the current item can not be read.
    pub async fn replace_operation(
        &self,
        next: &Operation,
    ) -> Result<Put<Option<Operation>>, StoreError> {
        let values = Writer::default()
            .number(":before", next.version - 1)
            .text(":digest", next.digest.to_string())
            .finish();
        let put =
            self.put_if(encode(next), "version = :before AND digest = :digest", values).await?;
        match put {
            Put::Stored => Ok(Put::Stored),
            Put::Existing(None) => Ok(Put::Existing(None)),
            Put::Existing(Some(item)) => {
                let current = decode(item)?;
                if current.last_write == next.last_write
                    || current.history.has_write(&next.last_write)
                {
                    return Ok(Put::Stored);
                }
                Ok(Put::Existing(Some(current)))
            }
        }
    }

    /// Reads an operation; what can not be an id has none. `consistent` is for decisions; a poll can do with half the price.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the item can not be read.
    pub async fn operation(
        &self,
        tenant: &str,
        call_id: &str,
        consistent: bool,
    ) -> Result<Option<Operation>, StoreError> {
        if !is_call_id(call_id) {
            return Ok(None);
        }
        let item = self.get(key::operation(tenant, call_id), consistent).await?;
        item.map(decode).transpose()
    }
}

fn encode(operation: &Operation) -> Item {
    Writer::default()
        .text("pk", key::operation_pk(&operation.tenant, &operation.call_id))
        .text("sk", "OP")
        .text("list_pk", key::list_pk(&operation.tenant))
        .text("list_sk", key::list_sk(operation.created_at, &operation.call_id))
        .text("tenant", &operation.tenant)
        .text("kind", operation.kind.as_str())
        .text("call_id", &operation.call_id)
        .text("run_id", &operation.run_id)
        .text("fn", &operation.function)
        .text("kwargs", operation.kwargs.to_string())
        .json("extras", &operation.extras)
        .json("plan", &operation.plan)
        .text("digest", operation.digest.to_string())
        .number("created_at", operation.created_at.millis())
        .number("deadline", operation.deadline.millis())
        .text("state", operation.state.as_str())
        .number("version", operation.version)
        .text("last_write", &operation.last_write)
        .json("decision", &operation.decision)
        .number("attempts", operation.attempts)
        .number("attempt_limit", operation.attempt_limit)
        .json("not_before", &operation.not_before)
        .json("unclear", &operation.unclear)
        .json("lease", &operation.lease)
        .json("outcome", &operation.outcome)
        .json("history", &operation.history)
        .due(&operation.tenant, operation.due)
        .finish()
}

pub(super) fn decode(item: Item) -> Result<Operation, StoreError> {
    let reader = Reader(item);
    Ok(Operation {
        tenant: reader.text("tenant")?,
        kind: name::<Kind>(&reader, "kind")?,
        call_id: reader.text("call_id")?,
        run_id: reader.text("run_id")?,
        function: reader.text("fn")?,
        kwargs: reader.json("kwargs")?,
        extras: reader.json("extras")?,
        plan: reader.optional_json("plan")?,
        digest: name(&reader, "digest")?,
        created_at: reader.moment("created_at")?,
        deadline: reader.moment("deadline")?,
        state: name::<State>(&reader, "state")?,
        version: reader.number("version")?,
        last_write: reader.text("last_write")?,
        due: reader.due()?,
        decision: reader.optional_json("decision")?,
        attempts: reader.number("attempts")?,
        attempt_limit: reader.number("attempt_limit")?,
        not_before: reader.optional_json("not_before")?,
        unclear: reader.json("unclear")?,
        lease: reader.optional_json("lease")?,
        outcome: reader.optional_json("outcome")?,
        history: reader.json("history")?,
    })
}

fn name<T: DeserializeOwned>(reader: &Reader, attribute: &'static str) -> Result<T, StoreError> {
    let text = Value::from(reader.text(attribute)?);
    serde_json::from_value(text).map_err(|_| reader.corrupt(attribute))
}

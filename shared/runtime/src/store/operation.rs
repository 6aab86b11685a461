use placet_core::humanlayer::is_call_id;
use placet_core::{Operation, OperationId, Timestamp};

use super::attributes::{Reader, Writer};
use super::index::{Cursor, Page};
use super::list::{self, List};
use super::{Item, Put, Store, StoreError, key, packed};

mod unpacked;

/// The attribute of the compressed operation. Its name tells which sample it was compressed with.
const PACKED: &str = "operation1";

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
        let Put::Existing(item) = self.put_new(encode(operation)?).await? else {
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
            .bytes(":digest", next.digest.as_bytes().to_vec())
            .text(":unpacked", next.digest.to_string())
            .finish();
        let condition = "version = :before AND digest IN (:digest, :unpacked)";
        let put = self.put_if(encode(next)?, condition, values).await?;
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

    /// Reads an operation; what can not be an id has none. `consistent` is for decisions; a poll can do
    /// with half the price.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the item can not be read.
    pub async fn operation(
        &self,
        id: &OperationId,
        consistent: bool,
    ) -> Result<Option<Operation>, StoreError> {
        if !is_call_id(&id.call_id) {
            return Ok(None);
        }
        let item = self.get(key::operation(id), consistent).await?;
        item.map(decode).transpose()
    }

    /// Up to `limit` of the newest operations of a tenant that are `wanted`, asked between `since` and
    /// `until`, from a cursor on. A page may hold fewer and still have a next one: only so many are
    /// looked at.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn list_operations(
        &self,
        tenant: &str,
        (since, until): (Option<Timestamp>, Option<Timestamp>),
        wanted: impl Fn(&Operation) -> bool,
        limit: usize,
        start: Option<Cursor>,
    ) -> Result<Page<Operation>, StoreError> {
        let list = List { tenant, kind: list::Kind::Operation, since, until, projection: None };
        let read = |item| readable(item).filter(&wanted);
        self.list(list, |_| true, read, limit, start).await
    }

    /// The newest operations of one function, among the newest thousand of the tenant.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn operations_of(
        &self,
        tenant: &str,
        function: &str,
    ) -> Result<Vec<Operation>, StoreError> {
        let wanted = |operation: &Operation| operation.content.function() == Some(function);
        let page = self.list_operations(tenant, (None, None), wanted, usize::MAX, None).await?;
        Ok(page.items)
    }
}

/// The item: the operation, compressed, beside what keys and conditions need.
fn encode(operation: &Operation) -> Result<Item, StoreError> {
    let pk = key::operation_pk(&operation.id());
    let json = serde_json::to_vec(operation).map_err(std::io::Error::from);
    let packed = json.and_then(|json| packed::pack(&json));
    let packed = packed.map_err(|cause| StoreError::Unpackable { key: pk.clone(), cause })?;
    let item = Writer::default()
        .text("pk", pk)
        .text("sk", "OP")
        .text("list_pk", key::operation_list_pk(&operation.tenant))
        .text("list_sk", key::list_sk(operation.created_at, &operation.id().path()))
        .bytes("digest", operation.digest.as_bytes().to_vec())
        .number("version", operation.version)
        .bytes(PACKED, packed)
        .due(&operation.tenant, operation.due);
    Ok(item.finish())
}

/// What is compressed must be what the conditions of writes look at.
pub(super) fn decode(item: Item) -> Result<Operation, StoreError> {
    let reader = Reader(item);
    if reader.optional_text("history").is_some() {
        return unpacked::read(&reader);
    }
    let json = packed::unpack(&reader.bytes(PACKED)?).ok_or_else(|| reader.corrupt(PACKED))?;
    let operation: Operation = serde_json::from_slice(&json).map_err(|_| reader.corrupt(PACKED))?;
    if reader.text("pk")? != key::operation_pk(&operation.id()) {
        return Err(reader.corrupt("pk"));
    }
    if reader.number::<u64>("version")? != operation.version {
        return Err(reader.corrupt("version"));
    }
    if reader.bytes("digest")? != operation.digest.as_bytes() {
        return Err(reader.corrupt("digest"));
    }
    Ok(operation)
}

pub(super) fn readable(item: Item) -> Option<Operation> {
    decode(item)
        .inspect_err(|error| tracing::error!(%error, "an operation is left out of a list"))
        .ok()
}

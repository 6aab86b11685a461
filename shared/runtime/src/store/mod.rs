//! The table. Every access to DynamoDB is a method of [`Store`].

mod api_key;
mod attributes;
mod claim;
mod cursor;
mod due;
mod endpoint;
mod item;
pub mod key;
pub mod packed;
mod page;
pub mod row;
mod session;
mod short_list;
mod unreadable;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure,
};

pub use cursor::Cursor;
pub use due::{DueEntry, Progress};
pub use endpoint::{DisabledEndpoint, EndpointState};
pub use item::AnyItem;
pub use key::{Desk, DuePartition};
pub use page::{Page, Rest};
pub use session::Session;

use crate::aws::describe;

/// A row of the table: its attributes by name.
pub type Row = HashMap<String, AttributeValue>;

/// The most requests for rows that DynamoDB left out of a response.
const ROUNDS: u32 = 6;

/// The table of one deployment.
#[derive(Clone, Debug)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: String,
    unreadable: unreadable::Unreadable,
}

/// The outcome of a conditional write.
#[derive(Debug)]
pub enum Put<T> {
    /// The row was written.
    Stored,
    /// The condition did not hold: the existing row.
    Existing(T),
}

/// The table failed, or a row is damaged.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB refused or could not be reached.
    #[error("DynamoDB {action} failed: {cause}")]
    Service {
        /// The API call.
        action: &'static str,
        /// The error of the SDK, with its causes.
        cause: String,
    },
    /// An item cannot be compressed, for lack of memory.
    #[error("item {key} cannot be compressed: {cause}")]
    Unpackable {
        /// The row's partition key.
        key: String,
        /// The error of zstd.
        cause: std::io::Error,
    },
    /// An item from a list cannot be written, because its payload was not read.
    #[error("item {0} cannot be written: its payload was not read")]
    NotRead(String),
    /// A row cannot be read.
    #[error("row {key}: attribute {attribute} is missing or not of its type")]
    Corrupt {
        /// The row's partition key.
        key: String,
        /// The missing or damaged attribute.
        attribute: &'static str,
    },
}

impl StoreError {
    fn service<E>(action: &'static str) -> impl FnOnce(SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        move |error| Self::Service { action, cause: describe(&error) }
    }
}

impl Store {
    /// The table with this name.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), unreadable: unreadable::Unreadable::default() }
    }

    /// Writes `row` if `condition` holds. Otherwise returns the existing row; `None` if there is none.
    async fn put_if(
        &self,
        row: Row,
        condition: &str,
        values: Row,
    ) -> Result<Put<Option<Row>>, StoreError> {
        let values = (!values.is_empty()).then_some(values);
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(row))
            .condition_expression(condition)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Put::Stored),
            Err(SdkError::ServiceError(failed))
                if matches!(failed.err(), PutItemError::ConditionalCheckFailedException(_)) =>
            {
                match failed.into_err() {
                    PutItemError::ConditionalCheckFailedException(failed) => {
                        Ok(Put::Existing(failed.item))
                    }
                    _ => Ok(Put::Existing(None)),
                }
            }
            Err(error) => Err(StoreError::service("PutItem")(error)),
        }
    }

    async fn get(&self, key: Row, consistent: bool) -> Result<Option<Row>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key));
        let reply = request.consistent_read(consistent).send().await;
        Ok(reply.map_err(StoreError::service("GetItem"))?.item)
    }

    /// The rows with these keys, in any order. DynamoDB accepts at most 100 keys.
    async fn batch_get(
        &self,
        keys: Vec<Row>,
        projection: Option<&str>,
    ) -> Result<Vec<Row>, StoreError> {
        let service = |cause: String| StoreError::Service { action: "BatchGetItem", cause };
        let mut found = Vec::new();
        let mut wanted = keys;
        for round in 0..ROUNDS {
            if wanted.is_empty() {
                return Ok(found);
            }
            // DynamoDB left rows out because it was overloaded: wait before asking for them again.
            tokio::time::sleep(Duration::from_millis(50) * (2_u32.pow(round) - 1)).await;
            let request = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .set_projection_expression(projection.map(str::to_owned))
                .build()
                .map_err(|error| service(error.to_string()))?;
            let reply = self.client.batch_get_item().request_items(&self.table, request).send();
            let reply = reply.await.map_err(StoreError::service("BatchGetItem"))?;
            found.extend(reply.responses.unwrap_or_default().into_values().flatten());
            let rest = reply.unprocessed_keys.unwrap_or_default().into_values();
            wanted = rest.flat_map(|table| table.keys).collect();
        }
        Err(service(format!("{} rows were left out of every response", wanted.len())))
    }

    pub(crate) async fn warm_up(&self) {
        let _ = self.get(key::timer(), false).await;
    }
}

//! The table: every access to DynamoDB is one verb here.

mod api_key;
mod attributes;
mod body;
mod delivery;
mod endpoint;
pub mod index;
mod key;
mod list;
mod operation;
pub mod packed;
mod receipt;

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;

pub use delivery::{Payload, StoredDelivery};
pub use endpoint::DisabledEndpoint;
pub use index::{DueItem, Page};
pub use receipt::{About, Claim, Receipt, ReceiptEntry, ReceiptFilter, ReceiptState, Replays};

use crate::aws::describe;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The table of one deployment.
#[derive(Clone, Debug)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

/// The outcome of a conditional write.
#[derive(Debug)]
pub enum Put<T> {
    /// It is written.
    Stored,
    /// Its condition did not hold; this is what stands there instead.
    Existing(T),
}

/// The store could not be asked, or holds what it should not.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB refused or could not be reached.
    #[error("DynamoDB {action} failed: {cause}")]
    Service {
        /// The API call.
        action: &'static str,
        /// What the SDK says, with its causes.
        cause: String,
    },
    /// An item can not be compressed: there is no memory for it.
    #[error("item {key} can not be compressed: {cause}")]
    Unpackable {
        /// The item's partition key.
        key: String,
        /// What zstd says.
        cause: std::io::Error,
    },
    /// An item can not be read back.
    #[error("item {key}: attribute {attribute} is missing or not of its type")]
    Corrupt {
        /// The item's partition key.
        key: String,
        /// The attribute.
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
    /// The table of this name.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Writes `item` if `condition` holds, else hands back what is there. `None` if the item that
    /// broke the condition does not exist.
    async fn put_if(
        &self,
        item: Item,
        condition: &str,
        values: Item,
    ) -> Result<Put<Option<Item>>, StoreError> {
        let values = (!values.is_empty()).then_some(values);
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(
                aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld,
            )
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

    /// Writes an item unless there is one of its key, else hands back that one.
    async fn put_new(&self, item: Item) -> Result<Put<Item>, StoreError> {
        match self.put_if(item, "attribute_not_exists(pk)", Item::new()).await? {
            Put::Stored => Ok(Put::Stored),
            Put::Existing(Some(existing)) => Ok(Put::Existing(existing)),
            Put::Existing(None) => Err(StoreError::Service {
                action: "PutItem",
                cause: "the condition failed on an item that is not there".to_owned(),
            }),
        }
    }

    async fn get(&self, key: Item, consistent: bool) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key));
        let reply = request.consistent_read(consistent).send().await;
        Ok(reply.map_err(StoreError::service("GetItem"))?.item)
    }

    pub(crate) async fn warm_up(&self) {
        let _ = self.get(key::warm_up(), false).await;
    }
}

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use placet_core::item::{LONGEST_DELAY, Lane, Pointer};

use crate::aws::describe;

/// The most messages of one SQS call.
pub const MOST_MESSAGES: usize = 10;

/// The queues of one deployment. They carry only pointers, each in the message group of its project: SQS
/// delivers the messages of a quiet project before those of a busy one. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Queue {
    client: aws_sdk_sqs::Client,
    urls: BTreeMap<Lane, String>,
    dead_letters: Option<String>,
}

/// Why an SQS call failed.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The call failed.
    #[error("SQS {action} failed: {cause}")]
    Service {
        /// The API call.
        action: &'static str,
        /// The error of the SDK.
        cause: String,
    },
    /// The variable with the URL of this queue is not set.
    #[error("{0} is not set")]
    NotConfigured(&'static str),
}

/// The environment variable with the URL of a lane's queue.
pub const fn variable(lane: Lane) -> &'static str {
    match lane {
        Lane::Work => "PLACET_WORK_QUEUE_URL",
        Lane::Calls => "PLACET_CALLS_QUEUE_URL",
    }
}

/// The environment variable with the URL of the dead-letter queue.
pub const DEAD_LETTERS: &str = "PLACET_DEAD_LETTER_QUEUE_URL";

impl Queue {
    /// The queues of these lanes, and the dead-letter queue if the function sends messages to it.
    pub fn new(
        client: aws_sdk_sqs::Client,
        urls: impl IntoIterator<Item = (Lane, String)>,
        dead_letters: Option<String>,
    ) -> Self {
        Self { client, urls: urls.into_iter().collect(), dead_letters }
    }

    /// Sends a pointer that becomes visible after `delay`, at most 15 minutes. A second is added to a delay,
    /// so that a worker whose clock is behind does not receive the pointer too early.
    ///
    /// # Errors
    ///
    /// If SQS did not confirm the message.
    pub async fn send(
        &self,
        lane: Lane,
        pointer: &Pointer,
        delay: Duration,
    ) -> Result<(), QueueError> {
        let seconds = if delay.is_zero() { 0 } else { delay.as_secs() + 1 };
        let seconds = seconds.min(LONGEST_DELAY.as_secs());
        self.client
            .send_message()
            .queue_url(self.url(lane)?)
            .message_body(pointer.to_body())
            .message_group_id(&pointer.project)
            .delay_seconds(i32::try_from(seconds).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| failed("SendMessage", describe(&error)))?;
        Ok(())
    }

    /// Sends up to [`MOST_MESSAGES`] pointers in one call.
    ///
    /// # Errors
    ///
    /// If SQS did not confirm every message.
    pub async fn send_all(&self, lane: Lane, pointers: &[Pointer]) -> Result<(), QueueError> {
        let entry = |(n, pointer): (usize, &Pointer)| {
            SendMessageBatchRequestEntry::builder()
                .id(n.to_string())
                .message_body(pointer.to_body())
                .message_group_id(&pointer.project)
                .build()
                .map_err(|error| failed("SendMessageBatch", error.to_string()))
        };
        let entries = pointers.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
        let reply = self
            .client
            .send_message_batch()
            .queue_url(self.url(lane)?)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| failed("SendMessageBatch", describe(&error)))?;
        match reply.failed() {
            [] => Ok(()),
            [first, ..] => {
                let cause = format!(
                    "{} of {} messages: {}",
                    reply.failed().len(),
                    pointers.len(),
                    first.code()
                );
                Err(failed("SendMessageBatch", cause))
            }
        }
    }

    /// The approximate number of visible messages of a lane.
    ///
    /// # Errors
    ///
    /// If the SQS call fails.
    pub async fn depth(&self, lane: Lane) -> Result<usize, QueueError> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let request = self.client.get_queue_attributes().queue_url(self.url(lane)?);
        let reply = request.attribute_names(name.clone()).send().await;
        let reply = reply.map_err(|error| failed("GetQueueAttributes", describe(&error)))?;
        let number = reply.attributes().and_then(|attributes| attributes.get(&name)?.parse().ok());
        number.ok_or_else(|| failed("GetQueueAttributes", format!("{name} is missing")))
    }

    /// Makes a received message visible again after `delay`.
    ///
    /// # Errors
    ///
    /// If SQS did not confirm the change. The message then stays invisible until its visibility timeout.
    pub async fn retry_after(
        &self,
        lane: Lane,
        receipt_handle: &str,
        delay: Duration,
    ) -> Result<(), QueueError> {
        self.client
            .change_message_visibility()
            .queue_url(self.url(lane)?)
            .receipt_handle(receipt_handle)
            .visibility_timeout(i32::try_from(delay.as_secs()).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| failed("ChangeMessageVisibility", describe(&error)))?;
        Ok(())
    }

    /// Sends the unchanged body of an unreadable message to the dead-letter queue.
    ///
    /// # Errors
    ///
    /// If SQS did not confirm the message.
    pub async fn send_to_dead_letters(&self, body: &str) -> Result<(), QueueError> {
        let url = self.dead_letters.as_ref().ok_or(QueueError::NotConfigured(DEAD_LETTERS))?;
        let sent = self.client.send_message().queue_url(url).message_body(body).send().await;
        sent.map_err(|error| failed("SendMessage", describe(&error)))?;
        Ok(())
    }

    pub(crate) async fn warm_up(&self) {
        if let Some(url) = self.urls.values().next() {
            let request = self.client.get_queue_attributes().queue_url(url);
            let _ = request.attribute_names(QueueAttributeName::QueueArn).send().await;
        }
    }

    fn url(&self, lane: Lane) -> Result<&str, QueueError> {
        let url = self.urls.get(&lane).map(String::as_str);
        url.ok_or(QueueError::NotConfigured(variable(lane)))
    }
}

fn failed(action: &'static str, cause: String) -> QueueError {
    QueueError::Service { action, cause }
}

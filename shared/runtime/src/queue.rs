use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use placet_core::Message;

use crate::aws::describe;

/// The longest a message can be delayed. <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
const LONGEST_DELAY: i32 = 900;

/// The queue the worker reads. It carries pointers only, never a body.
#[derive(Clone, Debug)]
pub struct Queue {
    client: aws_sdk_sqs::Client,
    url: String,
}

/// SQS did not take a message. Nothing is lost: the timer drives what is due.
#[derive(Debug, thiserror::Error)]
#[error("SQS {action} failed: {cause}")]
pub struct QueueError {
    action: &'static str,
    cause: String,
}

impl Queue {
    /// The queue at this URL.
    pub fn new(client: aws_sdk_sqs::Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Sends a message that becomes visible after `delay`: at most 15 minutes, and a second later
    /// than asked for, so that a worker whose clock is behind does not find it too early.
    ///
    /// # Errors
    ///
    /// If SQS did not acknowledge it.
    pub async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        let seconds = if delay.is_zero() { 0 } else { delay.as_secs() + 1 };
        let seconds = i32::try_from(seconds).unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY);
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(message.to_body())
            .delay_seconds(seconds)
            .send()
            .await
            .map_err(|error| QueueError { action: "SendMessage", cause: describe(&error) })?;
        Ok(())
    }

    /// Makes a received message visible again after `delay`.
    ///
    /// # Errors
    ///
    /// If SQS did not acknowledge it; the message then waits for its visibility timeout.
    pub async fn retry_after(
        &self,
        receipt_handle: &str,
        delay: Duration,
    ) -> Result<(), QueueError> {
        self.client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(i32::try_from(delay.as_secs()).unwrap_or(LONGEST_DELAY))
            .send()
            .await
            .map_err(|error| QueueError {
                action: "ChangeMessageVisibility",
                cause: describe(&error),
            })?;
        Ok(())
    }

    pub(crate) async fn warm_up(&self) {
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let _ = request.attribute_names(QueueAttributeName::QueueArn).send().await;
    }
}

//! The engine room, from the outside: real SDK clients, real sockets.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod bucket;
mod chaos;
mod engines;
mod event_source;
mod faults;
mod front_door;

use aws_sdk_sqs::types::QueueAttributeName;
use placet_local::engines::{Delays, Engines, Storage, http_client};

/// Engines in memory and clients for them.
struct Room {
    engines: Engines,
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
}

impl Room {
    async fn new(delays: Delays) -> Self {
        Self::with(Storage::Memory, delays).await
    }

    async fn with(storage: Storage, delays: Delays) -> Self {
        let engines = Engines::start(storage, delays).await.unwrap();
        let dynamodb = engines.dynamodb_client(http_client());
        let sqs = engines.sqs_client(http_client());
        Self { engines, dynamodb, sqs }
    }

    async fn send(&self, body: impl Into<String>) {
        self.sqs
            .send_message()
            .queue_url(self.engines.queue_url())
            .message_body(body)
            .send()
            .await
            .unwrap();
    }

    /// Messages of a queue that are visible, in flight and delayed.
    async fn counts(&self, queue_url: &str) -> [u32; 3] {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let output = self
            .sqs
            .get_queue_attributes()
            .queue_url(queue_url)
            .attribute_names(QueueAttributeName::All)
            .send()
            .await
            .unwrap();
        names.map(|name| output.attributes().unwrap()[&name].parse().unwrap())
    }

    async fn queue_counts(&self) -> [u32; 3] {
        self.counts(self.engines.queue_url()).await
    }

    async fn dead_letters(&self) -> Vec<aws_sdk_sqs::types::Message> {
        let output = self
            .sqs
            .receive_message()
            .queue_url(self.engines.dead_letter_queue_url())
            .max_number_of_messages(10)
            .message_system_attribute_names("All".into())
            .send()
            .await
            .unwrap();
        output.messages.unwrap_or_default()
    }
}

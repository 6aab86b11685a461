//! Tests of the engines, the event source, the front door, chaos and faults, with real SDK clients and real
//! sockets.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod bucket;
mod chaos;
mod engines;
mod event_source;
mod faults;
mod folder;
mod front_door;
mod limits;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use placet_core::Timestamp;
use placet_core::item::Lane;
use placet_local::chaos::Chaos;
use placet_local::engines::{Engines, QueueTime, Queues, Storage, http_client};
use placet_local::event_source::{DrainReport, EventSource, Slots};
use placet_local::function::Function;
use placet_runtime::Clock;
use tempfile::TempDir;

/// Longer than the visibility timeout of a message.
const ROUND: Duration = Duration::from_secs(16 * 60);

/// A data folder that nobody else may read.
fn data_folder() -> TempDir {
    tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap()
}

/// Engines in memory and clients for them.
struct Room {
    engines: Engines,
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    /// The clock of the queues if their time is manual.
    clock: Clock,
}

impl Room {
    /// Queues with real time, as in AWS.
    async fn new() -> Self {
        Self::with(Storage::Memory).await
    }

    async fn with(storage: Storage) -> Self {
        let clock = Clock::manual(Timestamp::from_millis(0));
        Self::start(storage, Queues::over(QueueTime::Real), clock).await
    }

    /// Queues with manual time. A message is received three times at most.
    async fn manual() -> Self {
        let clock = Clock::manual(Timestamp::from_millis(0));
        let queues = Queues { time: QueueTime::Manual(clock.clone()), max_receives: 3 };
        Self::start(Storage::Memory, queues, clock).await
    }

    async fn start(storage: Storage, queues: Queues, clock: Clock) -> Self {
        let engines = Engines::start(storage, queues).await.unwrap();
        let dynamodb = engines.dynamodb_client(http_client());
        let sqs = engines.sqs_client(http_client());
        Self { engines, dynamodb, sqs, clock }
    }

    /// The queue of these tests.
    fn queue_url(&self) -> &str {
        self.engines.queue_url(Lane::Work)
    }

    fn source(&self, function: Function) -> EventSource {
        EventSource::new(
            self.sqs.clone(),
            self.queue_url(),
            Slots { batch: 10, pollers: 4 },
            function,
        )
    }

    /// Delivers until no message becomes visible again. It moves the clock between the drains.
    async fn drain(&self, source: &EventSource, chaos: &mut Chaos) -> DrainReport {
        let mut report = DrainReport::default();
        loop {
            let before = report.delivered;
            report += source.drain_with(chaos).await.unwrap();
            if report.delivered == before {
                return report;
            }
            self.clock.advance(ROUND);
        }
    }

    async fn send(&self, body: impl Into<String>) {
        self.sqs
            .send_message()
            .queue_url(self.queue_url())
            .message_body(body)
            .send()
            .await
            .unwrap();
    }

    /// The numbers of visible, in-flight and delayed messages of a queue.
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
        self.counts(self.queue_url()).await
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

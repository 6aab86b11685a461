//! The harness: one system, a ledger of real effects, and a guard that fails the test if an item is forgotten
//! or not finished.

mod building;
mod table;

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::item::{Item, Lane};
use placet_core::operation::{Operation, OperationId, OperationKind, State};
use placet_local::engines::http_client;
use placet_local::event_source::DrainReport;
use placet_local::faults::{CallRecord, Faults, Plan};
use placet_local::system::System;
use placet_runtime::{ApiKey, Clock, Role, key_digest};
use placet_timer::Tick;

pub use building::{Building, ENDPOINT_SECRET};

/// The API key of every world's main project.
pub const KEY: &str = "test-key";
/// The main project of every world.
pub const PROJECT: &str = "default";
/// The second project of every world.
pub const OTHER: &str = "other";
/// The secret of the webhook source `humanlayer`.
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The key that signs decision links.
pub const LINK_SECRET: &str = "a key for links of forty bytes in length";
/// The time at which every world starts.
pub const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);

/// Longer than the delay and the visibility timeout of any message.
const ROUND: Duration = Duration::from_secs(16 * 60);

pub struct World {
    pub system: System,
    pub clock: Clock,
    pub faults: Faults,
    table: aws_sdk_dynamodb::Client,
    finished: bool,
}

impl World {
    pub fn building() -> Building {
        Building::default()
    }

    pub async fn start() -> Self {
        Self::building().start().await
    }

    pub fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    /// Stores a key with this role for a project, and returns the key. An admin key is a self-approval key.
    pub async fn key(&self, role: Role, project: &str) -> String {
        let key = format!("{}-key-of-{project}", role.as_str());
        let self_approval = role == Role::Admin;
        let plain = ApiKey::new(project, role.as_str(), self.clock.now());
        let api_key = ApiKey { role, self_approval, ..plain };
        self.store_key(&key, &api_key).await;
        key
    }

    /// Stores this key.
    pub async fn store_key(&self, key: &str, api_key: &ApiKey) {
        self.system.runtime.engine.store.put_api_key(key_digest(key), api_key).await.unwrap();
    }

    /// Runs `work` with this crash and returns whether the crash was reached. Calls after the crash meet no
    /// fault. Fails if the crash leaves a forgotten item.
    pub async fn crashes(&self, plan: Plan, work: impl Future) -> bool {
        self.faults.arm(plan);
        let crashed = self.faults.run_until_crash(work).await.is_none();
        self.faults.reset();
        self.nothing_is_forgotten().await;
        crashed
    }

    /// Runs `work` to its end with this fault. Returns its output and whether the fault was reached.
    pub async fn survives<T>(&self, plan: Plan, work: impl Future<Output = T>) -> (T, bool) {
        self.faults.arm(plan);
        let outcome = work.await;
        let reached = self.faults.was_reached();
        self.faults.reset();
        (outcome, reached)
    }

    /// Runs `work` to its end with this fault. Returns its output and its calls too.
    pub async fn traced<T>(
        &self,
        plan: Plan,
        work: impl Future<Output = T>,
    ) -> (T, Vec<CallRecord>) {
        self.faults.arm(plan);
        let outcome = work.await;
        let calls = self.faults.calls();
        self.faults.reset();
        (outcome, calls)
    }

    /// Runs the worker on every lane until no message is visible.
    pub async fn work(&self) -> DrainReport {
        let mut report = DrainReport::default();
        loop {
            let before = report.delivered;
            for source in &self.system.event_sources {
                report += source.drain().await.unwrap();
            }
            if report.delivered == before {
                return report;
            }
        }
    }

    pub async fn tick(&self) -> Tick {
        self.system.timer.handle().await.unwrap()
    }

    /// Moves the clock, then runs the timer and the worker.
    pub async fn later(&self, duration: Duration) {
        self.advance(duration);
        self.tick().await;
        self.work().await;
    }

    /// Moves the clock and runs the timer and the worker until every item is terminal or waits for a person.
    pub async fn settle(&self) {
        self.work().await;
        for _ in 0..150 {
            if self.moving().await.is_empty() {
                return;
            }
            self.advance(ROUND);
            self.work().await;
            // Run the timer only if messages alone are not enough, because a run of the timer is slow.
            if !self.moving().await.is_empty() {
                self.tick().await;
                self.work().await;
            }
        }
        panic!("items are not finished after 40 hours: {:?}", self.moving().await);
    }

    /// The items that are not terminal and do not wait for a person.
    pub async fn moving(&self) -> Vec<String> {
        self.system.moving().await.unwrap()
    }

    /// Fails if an item that is not terminal has neither a due time nor a message.
    pub async fn nothing_is_forgotten(&self) {
        assert_eq!(self.system.forgotten().await.unwrap(), <[String; 0]>::default());
    }

    /// A function call of the main project.
    pub async fn operation(&self, call_id: &str) -> Item<Operation> {
        self.stored(&OperationId::call(PROJECT, call_id)).await
    }

    /// A question of the main project.
    pub async fn question(&self, call_id: &str) -> Item<Operation> {
        self.stored(&OperationId::new(PROJECT, OperationKind::HumanContact, call_id)).await
    }

    /// An operation of any project.
    pub async fn stored(&self, id: &OperationId) -> Item<Operation> {
        let found = self.system.runtime.engine.store.item(&id.project, &id.path(), true).await;
        found.unwrap().unwrap_or_else(|| panic!("there is no operation {id:?}"))
    }

    pub async fn state(&self, call_id: &str) -> State {
        self.operation(call_id).await.state
    }

    /// The state of an operation and the number of its real effects.
    pub async fn ended(&self, call_id: &str) -> (State, usize) {
        (self.state(call_id).await, self.effects(call_id).await)
    }

    /// The number of messages in the dead-letter queue.
    pub async fn dead_letters(&self) -> usize {
        let sqs = self.system.engines.sqs_client(http_client());
        let received = sqs.receive_message().queue_url(self.system.engines.dead_letter_queue_url());
        received.max_number_of_messages(10).send().await.unwrap().messages().len()
    }

    /// Deletes every message on every lane, as the end of a process does with queues in memory.
    pub async fn lose_messages(&self) {
        let sqs = self.system.engines.sqs_client(http_client());
        for lane in Lane::ALL {
            sqs.purge_queue().queue_url(self.system.engines.queue_url(lane)).send().await.unwrap();
        }
    }

    /// Puts a message on a lane.
    pub async fn send_raw(&self, lane: Lane, body: &str) {
        let sqs = self.system.engines.sqs_client(http_client());
        let send = sqs.send_message().queue_url(self.system.engines.queue_url(lane));
        send.message_body(body).send().await.unwrap();
    }

    /// Ends a test that leaves broken items on purpose.
    pub fn abandon(mut self) {
        self.finished = true;
    }

    /// Ends the test. Fails if an item is not finished or is forgotten.
    pub async fn finish(mut self) {
        let left = self.work().await;
        assert_eq!(left.failed, 0, "some messages cannot be processed: {left:?}");
        assert_eq!(self.moving().await, <[String; 0]>::default());
        self.nothing_is_forgotten().await;
        self.finished = true;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !self.finished && !std::thread::panicking() {
            panic!("the test did not call finish(): items may be unfinished");
        }
    }
}

//! The harness: one system, a ledger of what really ran, and a guard that fails the test if an item is
//! forgotten or still under way.

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

/// The API key of every world's project.
pub const KEY: &str = "test-key";
/// The project of every world.
pub const PROJECT: &str = "default";
/// A second project of every world.
pub const OTHER: &str = "other";
/// The secret of the webhook source `humanlayer`.
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What decision links are signed with.
pub const LINK_SECRET: &str = "a key for links of forty bytes in length";
/// When every world starts.
pub const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);

/// Longer than any message is delayed, and than any worker's message stays invisible.
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

    /// Makes a key of this role for a project.
    pub async fn key(&self, role: Role, project: &str) -> String {
        let key = format!("{}-key-of-{project}", role.as_str());
        let api_key = ApiKey { role, ..ApiKey::new(project, role.as_str(), self.clock.now()) };
        self.store_key(&key, &api_key).await;
        key
    }

    /// Makes this key stand for that.
    pub async fn store_key(&self, key: &str, api_key: &ApiKey) {
        self.system.runtime.engine.store.put_api_key(key_digest(key), api_key).await.unwrap();
    }

    /// Runs `work` with this crash; says whether it was reached. What comes after meets no fault. Nothing is
    /// forgotten, wherever it crashed.
    pub async fn crashes(&self, plan: Plan, work: impl Future) -> bool {
        self.faults.arm(plan);
        let crashed = self.faults.run_until_crash(work).await.is_none();
        self.faults.reset();
        self.nothing_is_forgotten().await;
        crashed
    }

    /// Runs `work` with this fault, which it survives; says whether it was reached.
    pub async fn survives<T>(&self, plan: Plan, work: impl Future<Output = T>) -> (T, bool) {
        self.faults.arm(plan);
        let outcome = work.await;
        let reached = self.faults.was_reached();
        self.faults.reset();
        (outcome, reached)
    }

    /// Runs `work` with this fault, which it survives. Hands back the calls it made, too.
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

    /// Processes what is visible on every lane, until nothing is.
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

    /// Lets time pass, and everything happen that is due.
    pub async fn later(&self, duration: Duration) {
        self.advance(duration);
        self.tick().await;
        self.work().await;
    }

    /// Lets time pass and everything happen until nothing moves any more.
    pub async fn settle(&self) {
        self.work().await;
        for _ in 0..150 {
            if self.moving().await.is_empty() {
                return;
            }
            self.advance(ROUND);
            self.work().await;
            // A run of the timer is slow, and messages alone are often enough.
            if !self.moving().await.is_empty() {
                self.tick().await;
                self.work().await;
            }
        }
        panic!("still under way after 40 hours: {:?}", self.moving().await);
    }

    /// The items that are neither terminal nor wait for a person.
    pub async fn moving(&self) -> Vec<String> {
        self.system.moving().await.unwrap()
    }

    /// Fails if an item rests on nothing.
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

    /// Where an operation stands, and how often it really took effect.
    pub async fn ended(&self, call_id: &str) -> (State, usize) {
        (self.state(call_id).await, self.effects(call_id).await)
    }

    /// How many messages the dead-letter queue holds.
    pub async fn dead_letters(&self) -> usize {
        let sqs = self.system.engines.sqs_client(http_client());
        let received = sqs.receive_message().queue_url(self.system.engines.dead_letter_queue_url());
        received.max_number_of_messages(10).send().await.unwrap().messages().len()
    }

    /// Loses every message on every lane, as when a process ends whose queues are in its memory.
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

    /// Ends a test that leaves things broken on purpose.
    pub fn abandon(mut self) {
        self.finished = true;
    }

    /// Ends the test: nothing may move, and nothing may be forgotten.
    pub async fn finish(mut self) {
        let left = self.work().await;
        assert_eq!(left.failed, 0, "messages that cannot be processed are left: {left:?}");
        assert_eq!(self.moving().await, <[String; 0]>::default());
        self.nothing_is_forgotten().await;
        self.finished = true;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !self.finished && !std::thread::panicking() {
            panic!("the test did not call finish(): work may be left over");
        }
    }
}

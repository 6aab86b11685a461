//! Tells endpoints of a decision: each of them gets a delivery of its own, once.
//!
//! An endpoint is posted to before its delivery is stored, and one that accepts at once costs one
//! write: a delivery that is done. One that is slow or refuses gets a delivery that goes on as any
//! other. Whoever crashes in between posts again, under the same id.

use std::time::{Duration, Instant};

use placet_core::delivery::{Answer, Command, Delivery, NewDelivery, State};
use placet_core::humanlayer::Subscription;
use placet_core::{Operation, OperationId};
use placet_runtime::config::Endpoint;
use placet_runtime::{CommandError, Payload, StoreError, StoredDelivery};
use tokio::task::JoinSet;

use crate::{JobError, Worker, deliver};

/// How long an answer is waited for before whatever comes next goes on without it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Attempts whose answers are still to come; their deliveries are stored.
pub(crate) struct Slow(JoinSet<Result<(), JobError>>);

impl Slow {
    /// Waits for the answers, and records them.
    pub(crate) async fn finish(mut self) -> Result<(), JobError> {
        while let Some(ended) = self.0.join_next().await {
            match ended {
                Ok(recorded) => recorded?,
                // Its lease lapses, and the timer drives it on.
                Err(panicked) => tracing::error!(error = %panicked, "webhook attempt not recorded"),
            }
        }
        Ok(())
    }
}

impl Worker {
    /// Tells of an operation that ended with its decision.
    pub(crate) async fn tell(&self, id: &OperationId) -> Result<(), JobError> {
        let Some(operation) = self.runtime.store.operation(id, true).await? else {
            tracing::error!(tenant = id.tenant, call_id = id.call_id, "there is no such operation");
            return Ok(());
        };
        let slow = self.tell_of(&operation).await?;
        match self.runtime.change(operation, |_| placet_core::Command::Told).await {
            Ok(_) | Err(CommandError::Refused(_) | CommandError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
        slow.finish().await
    }

    /// Gives each endpoint that is still to be told of this operation a delivery.
    pub(crate) async fn tell_of(&self, operation: &Operation) -> Result<Slow, JobError> {
        let id = operation.id();
        let mut telling = JoinSet::new();
        for (name, endpoint, event) in self.runtime.config.told(&id).filter(|_| operation.untold) {
            let (worker, operation) = (self.clone(), operation.clone());
            let (name, endpoint) = (name.to_owned(), endpoint.clone());
            telling.spawn(async move { worker.announce(&operation, name, endpoint, event).await });
        }
        let mut slow = JoinSet::new();
        while let Some(told) = telling.join_next().await {
            let under_way = told.map_err(|panicked| JobError::Panicked(panicked.to_string()))??;
            let Some((started, mut attempt)) = under_way else { continue };
            let worker = self.clone();
            slow.spawn(async move {
                let Some(Ok((answer, took))) = attempt.join_next().await else { return Ok(()) };
                worker.record_answer(started, answer, took).await
            });
        }
        Ok(Slow(slow))
    }

    /// Posts to one endpoint, and stores what came of it. What has not answered in time is handed back,
    /// stored as under way.
    async fn announce(
        &self,
        operation: &Operation,
        name: String,
        endpoint: Endpoint,
        event: Subscription,
    ) -> Result<Option<(StoredDelivery, Attempt)>, JobError> {
        let new = NewDelivery {
            tenant: operation.tenant.clone(),
            key: Delivery::key_of(&operation.id()),
            endpoint: name,
            event_type: event.to_string(),
            content_type: "application/json".to_owned(),
        };
        let delivery = self.runtime.new_delivery(new);
        match self.runtime.store.delivery(&delivery.tenant, &delivery.id).await {
            Ok(None) => {}
            Ok(Some(_)) => return Ok(None),
            // It has one, and it must not hold the operation up.
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(%error, "webhook left as it is");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
        let payload = Payload::Decision(operation.id());
        let disabled =
            self.runtime.store.disabled_endpoint(&delivery.tenant, &delivery.endpoint).await?;
        if let Some(disabled) = disabled {
            let reason = format!("endpoint {} is disabled: {}", delivery.endpoint, disabled.reason);
            let given_up = Command::GiveUp { reason };
            self.store_new(delivery, payload, &given_up).await?;
            return Ok(None);
        }
        let start = Command::Start { timeout: endpoint.timeout.0 };
        let started = self.runtime.next_delivery(delivery, &start)?.delivery;
        let mut attempt = self.spawn_attempt(endpoint, started.clone(), event.bytes(operation));
        match tokio::time::timeout(PATIENCE, attempt.join_next()).await {
            Ok(Some(Ok((answer, took)))) => {
                self.disable_if_gone(&started, &answer).await?;
                let record = Command::Record { attempt: started.attempts, answer, took };
                self.store_new(started, payload, &record).await?;
                Ok(None)
            }
            Ok(_) => Err(JobError::Panicked(format!("the attempt at {} broke off", started.id))),
            Err(_) => {
                let under_way = StoredDelivery { delivery: started, payload, listed: true };
                let stored = self.runtime.keep_delivery(under_way, None).await?;
                Ok(stored.map(|stored| (stored, attempt)))
            }
        }
    }

    fn spawn_attempt(&self, endpoint: Endpoint, delivery: Delivery, body: Vec<u8>) -> Attempt {
        let worker = self.clone();
        let mut attempt = JoinSet::new();
        attempt.spawn(async move {
            let begun = Instant::now();
            let answer = worker.attempt(&endpoint, &delivery, body).await;
            (answer, begun.elapsed())
        });
        attempt
    }

    /// Stores a delivery as it is after a command. What was accepted at once is found through its
    /// operation and needs no place on the list.
    async fn store_new(
        &self,
        delivery: Delivery,
        payload: Payload,
        command: &Command,
    ) -> Result<(), JobError> {
        let changed = self.runtime.next_delivery(delivery, command)?;
        let listed = changed.delivery.state != State::Delivered;
        let next = StoredDelivery { delivery: changed.delivery, payload, listed };
        if let Some(stored) = self.runtime.keep_delivery(next, changed.send).await? {
            deliver::log(&stored.delivery, command);
        }
        Ok(())
    }
}

/// One attempt, running on its own: its answer and how long it took.
type Attempt = JoinSet<(Answer, Duration)>;

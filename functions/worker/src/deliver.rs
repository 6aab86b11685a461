//! Sends one signed webhook: take the lease, post, record what came of it.
//!
//! Whoever crashes in between has delivered it or has not; the lease lapses, and it is tried again
//! under the same id.

use std::time::{Duration, Instant};

use placet_core::delivery::{Answer, Command, Delivery, State, signed_headers};
use placet_core::humanlayer::Subscription;
use placet_runtime::config::{Endpoint, Timeout};
use placet_runtime::{BodyError, DeliveryError, DisabledEndpoint, Payload, StoredDelivery};

use crate::outbound::Post;
use crate::{JobError, Worker};

impl Worker {
    pub(crate) async fn deliver(&self, tenant: &str, id: &str) -> Result<(), JobError> {
        let Some(stored) = self.runtime.store.delivery(tenant, id).await? else {
            tracing::error!(tenant, delivery_id = id, "there is no such delivery");
            return Ok(());
        };
        if stored.delivery.state != State::Pending {
            return Ok(());
        }
        let name = stored.delivery.endpoint.clone();
        if let Some(disabled) = self.runtime.store.disabled_endpoint(tenant, &name).await? {
            let reason = format!("endpoint {name} is disabled: {}", disabled.reason);
            return self.change(stored, Command::GiveUp { reason }).await.map(drop);
        }
        let body = match self.payload(&stored).await? {
            Ok(body) => body,
            Err(reason) => return self.change(stored, Command::GiveUp { reason }).await.map(drop),
        };
        let endpoint = self.runtime.config.endpoint(tenant, &name);
        let timeout = endpoint.map_or(Timeout::default(), |endpoint| endpoint.timeout).0;
        let Some(started) = self.change(stored, Command::Start { timeout }).await? else {
            return Ok(());
        };
        let begun = Instant::now();
        let answer = match endpoint {
            Some(endpoint) => self.attempt(endpoint, &started.delivery, body).await,
            None => Answer::Nothing(format!("placet.yaml has no endpoint {name} of this project")),
        };
        self.record_answer(started, answer, begun.elapsed()).await
    }

    /// What is sent, or why it can not be.
    async fn payload(&self, stored: &StoredDelivery) -> Result<Result<Vec<u8>, String>, JobError> {
        match &stored.payload {
            Payload::Kept(body) => match self.runtime.blobs.body(body).await {
                Ok(body) => Ok(Ok(body.to_vec())),
                Err(BodyError::Blob(error)) => Err(error.into()),
                Err(lost) => Ok(Err(lost.to_string())),
            },
            Payload::Decision(id) => {
                let operation = self.runtime.store.operation(id, true).await?;
                let event = Subscription::parse(&stored.delivery.event_type);
                Ok(match (operation, event) {
                    (Some(operation), Some(event)) => Ok(event.bytes(&operation)),
                    (None, _) => Err("its operation is not there any more".to_owned()),
                    (_, None) => Err(format!("{} is not an event", stored.delivery.event_type)),
                })
            }
        }
    }

    pub(crate) async fn attempt(
        &self,
        endpoint: &Endpoint,
        delivery: &Delivery,
        body: Vec<u8>,
    ) -> Answer {
        let secrets = match endpoint.secrets.resolve(&self.runtime.environment) {
            Ok(secrets) => secrets,
            Err(error) => return Answer::Nothing(format!("it can not be signed: {error}")),
        };
        let post = Post {
            url: endpoint.url.as_str(),
            timeout: endpoint.timeout.0,
            content_type: &delivery.content_type,
            event_type: &delivery.event_type,
            signature: signed_headers(&secrets, &delivery.id, self.runtime.clock.now(), &body),
            body,
        };
        self.outbound.post(post).await
    }

    /// An endpoint that is gone is disabled before that is recorded: whoever crashes in between
    /// tries again and finds it disabled.
    pub(crate) async fn record_answer(
        &self,
        started: StoredDelivery,
        answer: Answer,
        took: Duration,
    ) -> Result<(), JobError> {
        self.disable_if_gone(&started.delivery, &answer).await?;
        let attempt = started.delivery.attempts;
        self.change(started, Command::Record { attempt, answer, took }).await.map(drop)
    }

    pub(crate) async fn disable_if_gone(
        &self,
        delivery: &Delivery,
        answer: &Answer,
    ) -> Result<(), JobError> {
        if !answer.is_gone() {
            return Ok(());
        }
        let Delivery { tenant, endpoint, .. } = delivery;
        let reason = "it answered 410 Gone".to_owned();
        tracing::error!(tenant, endpoint, reason, "endpoint disabled");
        let disabled = DisabledEndpoint { disabled_at: self.runtime.clock.now(), reason };
        Ok(self.runtime.store.disable_endpoint(tenant, endpoint, &disabled).await?)
    }

    /// The delivery after the command; `None` if it does not apply, because somebody was faster.
    async fn change(
        &self,
        stored: StoredDelivery,
        command: Command,
    ) -> Result<Option<StoredDelivery>, JobError> {
        let (tenant, id) = (stored.delivery.tenant.clone(), stored.delivery.id.clone());
        let (tenant, delivery_id) = (tenant.as_str(), id.as_str());
        match self.runtime.change_delivery(stored, &command).await {
            Ok(changed) => {
                log(&changed.delivery, &command);
                Ok(Some(changed))
            }
            Err(DeliveryError::Refused(refusal)) => {
                let code = refusal.code();
                tracing::info!(tenant, delivery_id, code, "delivery left as it is");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

pub(crate) fn log(delivery: &Delivery, command: &Command) {
    if matches!(command, Command::Start { .. }) {
        return;
    }
    let Delivery { tenant, id: delivery_id, endpoint, attempts, .. } = delivery;
    let state = delivery.state.as_str();
    let last = delivery.log.last();
    let status = last.and_then(|attempt| attempt.status);
    let error = last.and_then(|attempt| attempt.error.as_deref());
    match delivery.state {
        State::Delivered => {
            tracing::info!(tenant, delivery_id, endpoint, attempts, status, state, "webhook sent");
        }
        State::Pending => tracing::warn!(
            tenant,
            delivery_id,
            endpoint,
            attempts,
            status,
            error,
            state,
            "webhook not sent yet"
        ),
        State::Failed => tracing::error!(
            tenant,
            delivery_id,
            endpoint,
            attempts,
            status,
            error,
            state,
            "webhook given up"
        ),
    }
}

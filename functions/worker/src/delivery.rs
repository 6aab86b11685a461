//! Deliveries: post one signed webhook, and record the endpoint's answer.
//!
//! If the worker dies in between, the endpoint may have the webhook. The worker sends it again under the same
//! id.

mod mail;

use std::time::{Duration, Instant};

use placet_core::breaker::End;
use placet_core::delivery::{Answer, Command, Delivery, Refusal, State, Work, signed_headers};
use placet_core::item::Item;
use placet_core::operation::{Occurrence, Operation};
use placet_runtime::config::{Endpoint, Timeout};
use placet_runtime::engine::{self, Context, Destination, WorkError};
use placet_runtime::{DisabledEndpoint, missing_for_links};

use crate::Worker;
use crate::http::Post;

impl engine::Work<Delivery> for Worker {
    fn destination(&self, item: &Item<Delivery>, _: &Work) -> Option<Destination> {
        Some(Destination::endpoint(item.project(), &item.endpoint))
    }

    fn under_way(&self, item: &Item<Delivery>, _: &Work) -> Option<Command> {
        Some(Command::Started { timeout: self.timeout_of(item) })
    }

    async fn perform(
        &self,
        context: Context,
        item: Item<Delivery>,
        _: Work,
    ) -> Result<Command, WorkError> {
        let (project, name) = (item.project(), item.endpoint.as_str());
        let store = &self.runtime.engine.store;
        let state = store.endpoint(project, name).await?;
        if let Some(disabled) = state.disabled {
            let reason = format!("endpoint {name} is disabled: {}", disabled.reason);
            return Err(WorkError::Terminal(reason));
        }
        context.heed(project, name, state.paused).await?;
        let begun = Instant::now();
        let answer = match &item.mail {
            Some(to) => {
                let notified = self.notified_operation(&context, &item).await?;
                let (operation, occurrence) = notified.ok_or_else(gone)?;
                match self.send_mail(&item, to, &operation, &occurrence).await? {
                    mail::Sent::Answered(answer) => answer,
                    mail::Sent::NotNeeded(reason) => {
                        context.note_end(End::Answered);
                        return Ok(Command::Skip { reason });
                    }
                }
            }
            None => self.send_webhook(&context, &item).await?,
        };
        let took = begun.elapsed();
        context.note_end(match &answer {
            // An endless response body counts as a timeout, too.
            Answer::Status { .. } if took < self.timeout_of(&item) => End::Answered,
            Answer::Status { .. } | Answer::TimedOut(_) => End::TimedOut,
            Answer::Nothing(_) => End::Unknown,
        });
        // Disable the endpoint before recording the answer: if the worker dies in between, the next attempt
        // finds the endpoint disabled.
        self.disable_if_gone(&item, &answer).await?;
        Ok(Command::Record { attempt: item.attempts + 1, answer, took })
    }

    fn log(&self, item: &Item<Delivery>, command: &Command) {
        if matches!(command, Command::Started { .. }) {
            return;
        }
        let (project, delivery_id) = (item.project(), item.header.id.as_str());
        let Delivery { endpoint, attempts, .. } = &item.body;
        let last = item.log.last();
        let status = last.and_then(|attempt| attempt.status);
        let error = last.and_then(|attempt| attempt.error.as_deref());
        match item.state {
            State::Delivered if item.mail.is_some() => {
                tracing::info!(project, delivery_id, attempts, "mail sent");
            }
            State::Delivered => {
                tracing::info!(project, delivery_id, endpoint, attempts, status, "webhook sent");
            }
            State::Skipped => {
                tracing::info!(
                    project,
                    delivery_id,
                    reason = error,
                    "notification not needed any more"
                );
            }
            State::Pending if item.mail.is_some() => {
                tracing::warn!(
                    project,
                    delivery_id,
                    attempts,
                    error,
                    "mail not accepted, will retry"
                );
            }
            State::Failed if item.mail.is_some() => {
                tracing::error!(project, delivery_id, attempts, error, "mail not delivered");
            }
            State::Pending => tracing::warn!(
                project,
                delivery_id,
                endpoint,
                attempts,
                status,
                error,
                "webhook not accepted, will retry"
            ),
            State::Failed => tracing::error!(
                project,
                delivery_id,
                endpoint,
                attempts,
                status,
                error,
                "webhook not delivered: retries exhausted or endpoint disabled"
            ),
        }
    }

    fn log_refusal(&self, item: &Item<Delivery>, _: &Command, refusal: &Refusal) {
        let (project, delivery_id) = (item.project(), item.header.id.as_str());
        tracing::info!(
            project,
            delivery_id,
            code = refusal.code(),
            "another worker changed the delivery first"
        );
    }
}

impl Worker {
    fn timeout_of(&self, item: &Item<Delivery>) -> Duration {
        let endpoint = self.runtime.config.endpoint(item.project(), &item.endpoint);
        endpoint.map_or(Timeout::default(), |endpoint| endpoint.timeout).0.0
    }

    async fn send_webhook(
        &self,
        context: &Context,
        item: &Item<Delivery>,
    ) -> Result<Answer, WorkError> {
        let (project, name) = (item.project(), item.endpoint.as_str());
        let body = self.body(context, item).await?;
        Ok(match self.runtime.config.endpoint(project, name) {
            Some(endpoint) => self.send(endpoint, item, body).await,
            None => Answer::Nothing(format!("placet.yaml has no endpoint {name} in this project")),
        })
    }

    /// The operation and its event of which a delivery notifies; `None` for any other delivery.
    async fn notified_operation(
        &self,
        context: &Context,
        item: &Item<Delivery>,
    ) -> Result<Option<(Item<Operation>, Occurrence)>, WorkError> {
        let Some((id, occurrence)) = item.notifies_of() else { return Ok(None) };
        let operation = context.item::<Operation>(item.project(), &id.path()).await?;
        Ok(Some((operation.ok_or_else(gone)?, occurrence)))
    }

    async fn body(&self, context: &Context, item: &Item<Delivery>) -> Result<Vec<u8>, WorkError> {
        let Some((operation, occurrence)) = self.notified_operation(context, item).await? else {
            return Ok(self.runtime.blobs.body(&item.payload).await?.to_vec());
        };
        let endpoint = self.runtime.config.endpoint(item.project(), &item.endpoint);
        let marked = endpoint.is_some_and(|endpoint| endpoint.links);
        let with_links = marked && operation.awaits_decision_at(&occurrence);
        let missing = || missing_for_links(&self.runtime.config, &self.runtime.environment);
        let problem = with_links.then(missing).flatten();
        if let Some(problem) = problem {
            let (project, delivery_id) = (item.project(), item.header.id.as_str());
            let endpoint = item.endpoint.as_str();
            tracing::warn!(project, delivery_id, endpoint, problem, "webhook has no decision link");
        }
        let link_keys = self.link_keys.as_ref().filter(|_| with_links && problem.is_none());
        self.runtime
            .notification_body(item, &operation, link_keys)
            .ok_or_else(|| unknown_event(item))
    }

    async fn send(&self, endpoint: &Endpoint, item: &Item<Delivery>, body: Vec<u8>) -> Answer {
        let secrets = match endpoint.secrets.resolve(&self.runtime.environment) {
            Ok(secrets) => secrets,
            Err(error) => return Answer::Nothing(format!("the webhook cannot be signed: {error}")),
        };
        let now = self.runtime.engine.now();
        let post = Post {
            url: endpoint.url.as_str(),
            timeout: endpoint.timeout.0.0,
            content_type: &item.content_type,
            event_type: &item.event_type,
            signature: signed_headers(&secrets, &item.header.id, now, &body),
            body,
        };
        self.outbound.post(post).await
    }

    async fn disable_if_gone(
        &self,
        item: &Item<Delivery>,
        answer: &Answer,
    ) -> Result<(), WorkError> {
        if !answer.is_gone() || item.mail.is_some() {
            return Ok(());
        }
        let (project, endpoint) = (item.project(), item.endpoint.as_str());
        let reason = "it answered 410 Gone".to_owned();
        tracing::error!(project, endpoint, reason, "endpoint disabled");
        let disabled = DisabledEndpoint { disabled_at: self.runtime.engine.now(), reason };
        Ok(self.runtime.engine.store.disable_endpoint(project, endpoint, &disabled).await?)
    }
}

fn gone() -> WorkError {
    WorkError::terminal("its operation is no longer stored")
}

/// A newer version of Placet made this delivery. A worker of that version will send it.
fn unknown_event(item: &Item<Delivery>) -> WorkError {
    WorkError::Retryable(format!("{} is not an event type", item.event_type))
}

//! The notifications of an operation's events to endpoints, in the reply for an operation.

use placet_core::delivery::{self, Delivery};
use placet_core::item::Item;
use placet_core::operation::{Event, Notice, Notified, Operation, State};
use placet_runtime::Notification;
use serde::Serialize;

use crate::call::Call;
use crate::error::Error;

/// A notification of an event to an endpoint.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Webhook"))]
pub(super) struct WebhookReply {
    /// The name of the endpoint in `placet.yaml`.
    #[cfg_attr(test, schemars(example = &"billing"))]
    endpoint: String,
    /// The event that the endpoint is notified of.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::EventName"))]
    event_type: String,
    /// The number of the event among those of the same type, from 1.
    number: u32,
    /// The id of the delivery, which is also the `webhook-id` of its webhook.
    #[cfg_attr(test, schemars(example = crate::openapi::examples::DELIVERY))]
    delivery_id: String,
    /// The state of the delivery; null until there is a delivery.
    state: Option<WebhookState>,
}

/// The state of a notification.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum WebhookState {
    /// The notification waits for its next attempt.
    Pending,
    /// The endpoint accepted the notification.
    Delivered,
    /// The endpoint did not accept the notification. There is no further attempt.
    Failed,
    /// The notification was not needed any more.
    Skipped,
    /// The delivery ended more than a week ago and is no longer stored.
    NoLongerKept,
}

/// The notifications of the events so far and of the decision, each with its state.
///
/// A delivery that does not exist yet is a pending child of its operation. A delivery that ended is stored
/// for a week. A delivery of another event than the decision is shown only while it is stored, because its endpoint
/// may list the event only since later.
pub(super) async fn webhooks(
    call: &Call<'_>,
    operation: &Item<Operation>,
) -> Result<Vec<WebhookReply>, Error> {
    let mut webhooks = Vec::new();
    for Notification { notice, number, delivery_id } in call.runtime().notifications(operation) {
        let Notice { to: Notified::Endpoint { name, event_type }, event } = notice else {
            continue;
        };
        let state = match event {
            Event::Completed if operation.state == State::Pending => None,
            _ => webhook_state(call, operation, &delivery_id).await?,
        };
        if matches!(state, Some(WebhookState::NoLongerKept)) && event != Event::Completed {
            continue;
        }
        webhooks.push(WebhookReply { endpoint: name, event_type, number, delivery_id, state });
    }
    Ok(webhooks)
}

async fn webhook_state(
    call: &Call<'_>,
    operation: &Item<Operation>,
    delivery_id: &str,
) -> Result<Option<WebhookState>, Error> {
    if operation.header.children.iter().any(|child| child.id == delivery_id) {
        return Ok(None);
    }
    // A consistent read, because another read may miss a delivery that was just created and report it as no
    // longer stored.
    let store = &call.engine().store;
    let delivery = store.item::<Delivery>(operation.project(), delivery_id, true).await?;
    Ok(Some(match delivery.map(|delivery| delivery.body.state) {
        Some(delivery::State::Pending) => WebhookState::Pending,
        Some(delivery::State::Delivered) => WebhookState::Delivered,
        Some(delivery::State::Skipped) => WebhookState::Skipped,
        Some(delivery::State::Failed) => WebhookState::Failed,
        None => WebhookState::NoLongerKept,
    }))
}

#[cfg(test)]
mod tests;

//! The endpoints that are notified of a decision, in the reply for an operation.

use placet_core::delivery::{self, Delivery};
use placet_core::item::Item;
use placet_core::operation::{Notice, Operation, State};
use serde::Serialize;

use crate::call::Call;
use crate::error::Error;

/// An endpoint that is notified of the decision.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Webhook"))]
pub(super) struct WebhookReply {
    /// The name of the endpoint in `placet.yaml`.
    #[cfg_attr(test, schemars(example = &"billing"))]
    endpoint: String,
    /// The event that the endpoint is notified of.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::EventName"))]
    event_type: String,
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
    /// The delivery ended more than a week ago and is no longer stored.
    NoLongerKept,
}

/// The endpoints that are notified of the decision, and the state of each notification.
///
/// A delivery that does not exist yet is a pending child of its operation. A delivery that ended is stored
/// for a week.
pub(super) async fn webhooks(
    call: &Call<'_>,
    operation: &Item<Operation>,
) -> Result<Vec<WebhookReply>, Error> {
    let id = operation.id();
    let mut webhooks = Vec::new();
    for (endpoint, _, event) in call.runtime().config.notified(&id) {
        let delivery_id = Notice::delivery_id(endpoint, &id);
        webhooks.push(WebhookReply {
            endpoint: endpoint.to_owned(),
            event_type: event.to_string(),
            state: webhook_state(call, operation, &delivery_id).await?,
            delivery_id,
        });
    }
    Ok(webhooks)
}

async fn webhook_state(
    call: &Call<'_>,
    operation: &Item<Operation>,
    delivery_id: &str,
) -> Result<Option<WebhookState>, Error> {
    let mut children = operation.header.children.iter();
    if operation.state == State::Pending || children.any(|child| child.id == delivery_id) {
        return Ok(None);
    }
    // A consistent read, because another read may miss a delivery that was just created and report it as no
    // longer stored.
    let store = &call.engine().store;
    let delivery = store.item::<Delivery>(operation.project(), delivery_id, true).await?;
    Ok(Some(match delivery.map(|delivery| delivery.body.state) {
        Some(delivery::State::Pending) => WebhookState::Pending,
        Some(delivery::State::Delivered) => WebhookState::Delivered,
        Some(delivery::State::Failed) => WebhookState::Failed,
        None => WebhookState::NoLongerKept,
    }))
}

#[cfg(test)]
mod tests;

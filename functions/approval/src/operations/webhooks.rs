//! The endpoints that are notified of a decision, as an operation shows them.

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
    /// Its name in `placet.yaml`.
    #[cfg_attr(test, schemars(example = &"billing"))]
    endpoint: String,
    /// What it is notified of.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::EventName"))]
    event_type: String,
    /// The id of the delivery, which is its `webhook-id`.
    #[cfg_attr(test, schemars(example = crate::openapi::examples::DELIVERY))]
    delivery_id: String,
    /// Where the delivery stands; null while there is none.
    state: Option<WebhookState>,
}

/// Where the notification of an endpoint stands.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum WebhookState {
    /// It waits for its next attempt.
    Pending,
    /// The endpoint has accepted it.
    Delivered,
    /// The endpoint has not accepted it.
    Failed,
    /// It ended more than a week ago.
    NoLongerKept,
}

/// The endpoints that are notified of the decision, and where each notification stands.
///
/// A delivery that is still to be created is a pending child of its operation. One that ended is kept for
/// a week.
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
    // The other read might not see what was created just now, and take it for one that is gone.
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

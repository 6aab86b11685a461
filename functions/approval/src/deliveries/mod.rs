//! Deliveries: outgoing webhooks, their attempts, and the route that sends a webhook again.

mod reply;

use lambda_http::http::StatusCode;
use placet_core::delivery::{Command, Delivery, State};
use placet_core::item::Item;
use placet_core::limits::MOST_LISTED;
use placet_core::operation::Operation;
use placet_runtime::http::Response;
use serde::Deserialize;

use crate::call::Call;
use crate::endpoints::check_enabled;
use crate::error::{Error, conflict};
use crate::read::Number;
use crate::reply::{Page, json};
use crate::shown::ShownBody;
use reply::DeliveryReply;
pub(crate) use reply::ListedDelivery;

#[cfg(test)]
pub(crate) mod schemas {
    pub(crate) use super::reply::{DeliveryReply, ListedDelivery};
    pub(crate) use super::{DeliveryPath, ListDeliveries};
}

/// The default number of deliveries on a page.
const PAGE: Number<1, MOST_LISTED> = Number(50);

/// The delivery that a path names.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct DeliveryPath {
    /// The id of the delivery, which is also the `webhook-id` of its webhook.
    #[cfg_attr(test, schemars(example = crate::openapi::examples::DELIVERY))]
    id: String,
}

/// The filters and the page of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ListDeliveries {
    /// Only deliveries to this endpoint.
    endpoint: Option<String>,
    /// Only deliveries in this state.
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::types::DeliveryState>"))]
    state: Option<State>,
    /// The maximum number of deliveries on the page; 50 if left out.
    limit: Option<Number<1, MOST_LISTED>>,
    /// The `next` of the previous page.
    cursor: Option<String>,
}

/// Lists deliveries, newest first.
pub(crate) async fn list(call: Call<'_>) -> Result<Response, Error> {
    let query: ListDeliveries = call.query()?;
    let Number(limit) = query.limit.unwrap_or(PAGE);
    let cursor = call.cursor::<Delivery>(query.cursor.as_deref())?;
    let wanted = |delivery: &Item<Delivery>| {
        query.endpoint.as_ref().is_none_or(|endpoint| *endpoint == delivery.endpoint)
            && query.state.is_none_or(|state| state == delivery.state)
    };
    let (store, project) = (&call.engine().store, call.project());
    let page = store.newest::<Delivery>(project, (None, None), wanted, limit, cursor).await?;
    Ok(Page::reply(&page, project, ListedDelivery::new))
}

/// Gets a delivery, its body unless that is large, and its attempts.
pub(crate) async fn get(call: Call<'_>) -> Result<Response, Error> {
    let DeliveryPath { id } = call.path()?;
    answer(&call, StatusCode::OK, &call.load(&id).await?).await
}

/// Sends a delivery again. Its retry schedule starts from the beginning.
///
/// A pending delivery may be redelivered, too: the worker makes its next attempt at once. An attempt that is
/// under way does no harm, because the receiver recognises the second copy by the `webhook-id`. The only
/// conflicts are an endpoint that `placet.yaml` no longer has and an endpoint that is disabled.
pub(crate) async fn redeliver(call: Call<'_>) -> Result<Response, Error> {
    let DeliveryPath { id } = call.path()?;
    let delivery = call.load::<Delivery>(&id).await?;
    let endpoint = &delivery.endpoint;
    if delivery.mail.is_none() {
        if call.runtime().config.endpoint(call.project(), endpoint).is_none() {
            let detail =
                format!("placet.yaml no longer has the endpoint {endpoint} in this project");
            return Err(conflict("no_such_endpoint", detail).into());
        }
        check_enabled(&call, endpoint).await?;
    }
    let delivery = call.engine().change(delivery, |_| Command::Redeliver).await?;
    tracing::info!(project = delivery.project(), delivery_id = id, "redelivery requested");
    answer(&call, StatusCode::ACCEPTED, &delivery).await
}

async fn answer(
    call: &Call<'_>,
    status: StatusCode,
    delivery: &Item<Delivery>,
) -> Result<Response, Error> {
    let body = body(call, delivery).await?;
    Ok(json(status, &DeliveryReply::new(delivery, body)))
}

/// The bytes of the webhook. A notification is made from its operation, here without its decision link: a link is for
/// the endpoint only.
async fn body(call: &Call<'_>, delivery: &Item<Delivery>) -> Result<ShownBody, Error> {
    let Some((id, _)) = delivery.notifies_of() else {
        return Ok(ShownBody::read(call, &delivery.payload).await);
    };
    let store = &call.engine().store;
    let operation = store.item::<Operation>(call.project(), &id.path(), true).await?;
    let bytes = operation
        .and_then(|operation| call.runtime().notification_body(delivery, &operation, None));
    Ok(bytes.map(ShownBody::of).unwrap_or_default())
}

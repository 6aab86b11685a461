//! Deliveries and endpoints.

use super::doc::Doc;
use crate::deliveries::schemas::{DeliveryPath, DeliveryReply, ListDeliveries, ListedDelivery};
use crate::endpoints::{EndpointPath, EndpointReply, TestEvent};
use crate::reply::Page;

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::of("list_deliveries", "List outgoing webhooks, newest first")
            .description("A notification that the endpoint accepted at once is not listed. The operation shows it under `webhooks`.")
            .query::<ListDeliveries>()
            .reply::<Page<ListedDelivery<'_>>>(200, "A page."),
        Doc::of("get_delivery", "Get an outgoing webhook, its body and its attempts")
            .path::<DeliveryPath>()
            .reply::<DeliveryReply<'_>>(200, "The delivery."),
        Doc::of("redeliver", "Send a webhook again and restart its retry schedule")
            .description("A pending delivery is attempted at once.")
            .path::<DeliveryPath>()
            .reply::<DeliveryReply<'_>>(202, "The webhook is queued.")
            .errors(409, &["no_such_endpoint", "endpoint_disabled"]),
        Doc::of("list_endpoints", "List the endpoints of outgoing webhooks")
            .reply::<Page<EndpointReply<'_>>>(200, "All endpoints of the project."),
        Doc::of("enable_endpoint", "Enable an endpoint")
            .path::<EndpointPath>()
            .reply::<EndpointReply<'_>>(200, "The endpoint is enabled."),
        Doc::of("test_endpoint", "Send test events to an endpoint")
            .description("Sends one event in each format that the endpoint subscribes to. The events are signed, have `is_test: true`, and show the sample operation `call-test`.")
            .path::<EndpointPath>()
            .query::<TestEvent>()
            .reply::<Page<ListedDelivery<'_>>>(202, "The events are queued.")
            .errors(409, &["not_subscribed", "endpoint_disabled"]),
    ]
}

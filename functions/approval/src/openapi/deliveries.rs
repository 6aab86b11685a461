//! Deliveries and endpoints.

use super::doc::Doc;
use crate::deliveries::schemas::{DeliveryPath, DeliveryReply, ListDeliveries, ListedDelivery};
use crate::endpoints::{EndpointPath, EndpointReply, TestEvent};
use crate::reply::Page;

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::of("list_deliveries", "List outgoing webhooks, the newest first")
            .description("A notification of a decision that was accepted at once is not listed: the operation shows it under `webhooks`.")
            .query::<ListDeliveries>()
            .reply::<Page<ListedDelivery<'_>>>(200, "A page."),
        Doc::of("get_delivery", "Get an outgoing webhook and its attempts")
            .path::<DeliveryPath>()
            .reply::<DeliveryReply<'_>>(200, "The delivery."),
        Doc::of("redeliver", "Send a webhook again, from the start of the schedule")
            .description("A pending delivery is attempted at once.")
            .path::<DeliveryPath>()
            .reply::<DeliveryReply<'_>>(202, "It will be sent.")
            .errors(409, &["no_such_endpoint", "endpoint_disabled"]),
        Doc::of("list_endpoints", "List the endpoints that webhooks are sent to")
            .reply::<Page<EndpointReply<'_>>>(200, "All of them."),
        Doc::of("enable_endpoint", "Send webhooks to an endpoint again")
            .path::<EndpointPath>()
            .reply::<EndpointReply<'_>>(200, "It is enabled."),
        Doc::of("test_endpoint", "Send test events to an endpoint")
            .description("One in each format it subscribes to, signed, with `is_test: true`, about the made-up `call-test`.")
            .path::<EndpointPath>()
            .query::<TestEvent>()
            .reply::<Page<ListedDelivery<'_>>>(202, "They will be sent.")
            .errors(409, &["not_subscribed", "endpoint_disabled"]),
    ]
}

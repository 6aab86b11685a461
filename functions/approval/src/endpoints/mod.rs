//! Endpoints: the receivers of outgoing webhooks, the state of each endpoint, and test events.

mod sample;

use lambda_http::http::StatusCode;
use placet_core::humanlayer::{Addresses, Subscription};
use placet_runtime::config::Endpoint;
use placet_runtime::http::Response;
use placet_runtime::problem::Problem;
use placet_runtime::{EndpointState as Stored, NewDelivery, new_call_id};
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::deliveries::ListedDelivery;
use crate::error::{Error, conflict};
use crate::reply::{Moment, Page, json};
use crate::routes::path_of;

/// The endpoint that a path names.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct EndpointPath {
    /// The name of the endpoint in `placet.yaml`.
    #[cfg_attr(test, schemars(example = &"billing"))]
    name: String,
}

/// The test event to send.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct TestEvent {
    /// Send only this event. If left out, send every event that the endpoint subscribes to.
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::types::EventName>"))]
    event: Option<Subscription>,
}

/// An endpoint of outgoing webhooks.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Endpoint"))]
pub(crate) struct EndpointReply<'a> {
    /// The name of the endpoint in `placet.yaml`.
    #[cfg_attr(test, schemars(example = &"billing"))]
    name: &'a str,
    /// The URL without its query.
    url: String,
    /// The events that the endpoint subscribes to. Forwarded webhooks are not among them.
    #[cfg_attr(test, schemars(with = "Vec<crate::openapi::types::EventName>"))]
    events: Vec<String>,
    /// Whether Placet sends webhooks to the endpoint.
    state: EndpointState,
    /// The end of the pause, if the endpoint timed out repeatedly.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_until: Option<Moment>,
    /// When the endpoint was disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<Moment>,
    /// Why the endpoint was disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Whether Placet sends webhooks to an endpoint.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum EndpointState {
    /// Placet sends webhooks to the endpoint.
    Enabled,
    /// The endpoint timed out repeatedly. Placet sends webhooks again when the pause ends.
    Paused,
    /// Placet sends no webhooks until somebody enables the endpoint.
    Disabled,
}

/// Lists all endpoints of the project.
pub(crate) async fn list(call: Call<'_>) -> Result<Response, Error> {
    let mut items = Vec::new();
    for (name, endpoint) in call.runtime().config.endpoints_of(call.project()) {
        items.push(describe(&call, name, endpoint).await?);
    }
    Ok(json(StatusCode::OK, &Page { items, next: None }))
}

/// Enables an endpoint, so that Placet sends webhooks to it again.
pub(crate) async fn enable(call: Call<'_>) -> Result<Response, Error> {
    let EndpointPath { name } = call.path()?;
    let endpoint = find(&call, &name)?;
    let (store, project) = (&call.engine().store, call.project());
    store.enable_endpoint(project, &name).await?;
    tracing::info!(project, endpoint = name, "endpoint enabled");
    Ok(json(StatusCode::OK, &describe(&call, &name, endpoint).await?))
}

/// Sends a test event in each format that the endpoint subscribes to, or only the requested one.
pub(crate) async fn test(call: Call<'_>) -> Result<Response, Error> {
    let EndpointPath { name } = call.path()?;
    let TestEvent { event } = call.query()?;
    let endpoint = find(&call, &name)?;
    let wanted = |own: &Subscription| event.is_none_or(|event| event == *own);
    let events: Vec<Subscription> = endpoint.events.iter().filter(wanted).collect();
    if events.is_empty() {
        let what = event.map_or_else(|| "any event".to_owned(), |event| event.to_string());
        let detail = format!(
            "endpoint {name} does not subscribe to {what}: add it to its events in placet.yaml"
        );
        return Err(conflict("not_subscribed", detail).into());
    }
    check_enabled(&call, &name).await?;
    let mut deliveries = Vec::new();
    for event in &events {
        let (sample, occurrence) = sample::of(call.project(), event, call.now());
        let payload = event.payload(&sample, &occurrence, &Addresses::default(), true);
        let new = NewDelivery {
            project: call.project().to_owned(),
            endpoint: name.clone(),
            key: format!("test/{}", new_call_id()),
            event_type: event.to_string(),
            content_type: "application/json".to_owned(),
            body: payload.to_string().into(),
        };
        deliveries.push(call.runtime().send_webhook(new).await?);
    }
    let (project, events) = (call.project(), events.len());
    tracing::info!(project, endpoint = name, events, "test events queued");
    let items = deliveries.iter().map(ListedDelivery::new).collect();
    Ok(json(StatusCode::ACCEPTED, &Page { items, next: None }))
}

/// Checks that an endpoint is not disabled.
///
/// # Errors
///
/// 409 if the endpoint is disabled. The detail says how to enable it.
pub(crate) async fn check_enabled(call: &Call<'_>, name: &str) -> Result<(), Error> {
    if call.engine().store.endpoint(call.project(), name).await?.disabled.is_none() {
        return Ok(());
    }
    let enable = path_of("enable_endpoint", &[name]);
    let detail = format!("endpoint {name} is disabled; enable it first: POST {enable}");
    Err(conflict("endpoint_disabled", detail).into())
}

fn find<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c Endpoint, Error> {
    let found = call.runtime().config.endpoint(call.project(), name);
    found.ok_or_else(|| Problem::not_found(format!("there is no endpoint {name}")).into())
}

async fn describe<'e>(
    call: &Call<'_>,
    name: &'e str,
    endpoint: &'e Endpoint,
) -> Result<EndpointReply<'e>, Error> {
    let stored = call.engine().store.endpoint(call.project(), name).await?;
    let state = match &stored {
        Stored { disabled: Some(_), .. } => EndpointState::Disabled,
        Stored { paused: Some(_), .. } => EndpointState::Paused,
        _ => EndpointState::Enabled,
    };
    let Stored { disabled, paused } = stored;
    Ok(EndpointReply {
        name,
        url: endpoint.url.shown(),
        events: endpoint.events.iter().map(|event| event.to_string()).collect(),
        state,
        paused_until: paused.map(|pause| Moment(pause.until)),
        disabled_at: disabled.as_ref().map(|disabled| Moment(disabled.disabled_at)),
        reason: disabled.map(|disabled| disabled.reason),
    })
}

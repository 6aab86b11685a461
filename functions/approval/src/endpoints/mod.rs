//! Endpoints: where webhooks are sent, whether they are, and test events.

mod sample;

use lambda_http::http::StatusCode;
use placet_core::humanlayer::Subscription;
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

/// Which endpoint a path names.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct EndpointPath {
    /// Its name in `placet.yaml`.
    #[cfg_attr(test, schemars(example = &"billing"))]
    name: String,
}

/// Which test event is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct TestEvent {
    /// Only this one.
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::types::EventName>"))]
    event: Option<Subscription>,
}

/// An endpoint that webhooks are sent to.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Endpoint"))]
pub(crate) struct EndpointReply<'a> {
    /// Its name in `placet.yaml`.
    #[cfg_attr(test, schemars(example = &"billing"))]
    name: &'a str,
    url: &'a str,
    /// What it is notified of, besides what is forwarded to it.
    #[cfg_attr(test, schemars(with = "Vec<crate::openapi::types::EventName>"))]
    events: Vec<String>,
    /// Whether webhooks are sent to it.
    state: EndpointState,
    /// Until when it is left alone, because it timed out again and again.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_until: Option<Moment>,
    /// Since when none are.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<Moment>,
    /// Why none are.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Whether webhooks are sent to an endpoint.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum EndpointState {
    /// They are.
    Enabled,
    /// They are sent again when its pause ends: it timed out again and again.
    Paused,
    /// They are not, until somebody enables it.
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

/// Enables an endpoint: webhooks are sent to it again.
pub(crate) async fn enable(call: Call<'_>) -> Result<Response, Error> {
    let EndpointPath { name } = call.path()?;
    let endpoint = find(&call, &name)?;
    let (store, project) = (&call.engine().store, call.project());
    store.enable_endpoint(project, &name).await?;
    tracing::info!(project, endpoint = name, "endpoint enabled");
    Ok(json(StatusCode::OK, &describe(&call, &name, endpoint).await?))
}

/// Sends a made-up event in each format the endpoint subscribes to, or only the one that is named.
pub(crate) async fn test(call: Call<'_>) -> Result<Response, Error> {
    let EndpointPath { name } = call.path()?;
    let TestEvent { event } = call.query()?;
    let endpoint = find(&call, &name)?;
    let wanted = |own: &Subscription| event.is_none_or(|event| event == *own);
    let events: Vec<Subscription> = endpoint.events.iter().filter(wanted).collect();
    if events.is_empty() {
        let what = event.map_or_else(|| "no event".to_owned(), |event| format!("no {event}"));
        let detail = format!("endpoint {name} subscribes to {what}: see its events in placet.yaml");
        return Err(conflict("not_subscribed", detail).into());
    }
    check_enabled(&call, &name).await?;
    let mut deliveries = Vec::new();
    for event in &events {
        let sample = sample::decided(call.project(), event.kind, call.now());
        let new = NewDelivery {
            project: call.project().to_owned(),
            endpoint: name.clone(),
            key: format!("test/{}", new_call_id()),
            event_type: event.to_string(),
            content_type: "application/json".to_owned(),
            body: event.payload(&sample, true).to_string().into(),
        };
        deliveries.push(call.runtime().send_webhook(new).await?);
    }
    let (project, events) = (call.project(), events.len());
    tracing::info!(project, endpoint = name, events, "test events to be delivered");
    let items = deliveries.iter().map(ListedDelivery::new).collect();
    Ok(json(StatusCode::ACCEPTED, &Page { items, next: None }))
}

/// Refuses to send to an endpoint that is disabled.
///
/// # Errors
///
/// 409 that says how to enable it.
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
        url: endpoint.url.as_str(),
        events: endpoint.events.iter().map(|event| event.to_string()).collect(),
        state,
        paused_until: paused.map(|pause| Moment(pause.until)),
        disabled_at: disabled.as_ref().map(|disabled| Moment(disabled.disabled_at)),
        reason: disabled.map(|disabled| disabled.reason),
    })
}

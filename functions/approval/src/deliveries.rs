//! Outgoing webhooks as an operator sees them: what was sent where, with what answer, and again.

mod sample;

use lambda_http::http::{Method, StatusCode};
use placet_core::delivery::{Command, Delivery, NewDelivery, State};
use placet_core::humanlayer::Subscription;
use placet_runtime::config::Endpoint;
use placet_runtime::http::{Request, Response, json};
use placet_runtime::index::Cursor;
use placet_runtime::problem::Problem;
use placet_runtime::{DeliveryError, Payload, StoreError, StoredDelivery, new_call_id};
use serde_json::{Value, json};

use crate::query::{Query, listed};
use crate::{Approval, unavailable};

/// How many deliveries a page has if nothing is said, and at most.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 100;

/// What `GET /v1/deliveries` is asked for.
struct Wanted {
    endpoint: Option<String>,
    state: Option<State>,
    limit: usize,
    cursor: Option<Cursor>,
}

impl Approval {
    /// The routes under `/v1/deliveries` and `/v1/endpoints`.
    pub(crate) async fn outbound(
        &self,
        tenant: &str,
        path: &[&str],
        method: Method,
        request: &Request,
    ) -> Result<Response, Problem> {
        match (path, method) {
            (["deliveries"], Method::GET) => self.deliveries(tenant, request).await,
            (["deliveries", id], Method::GET) => self.delivery(tenant, id).await,
            (["deliveries", id, "redeliver"], Method::POST) => self.redeliver(tenant, id).await,
            (["endpoints"], Method::GET) => self.endpoints(tenant).await,
            (["endpoints", name, "enable"], Method::POST) => self.enable(tenant, name).await,
            (["endpoints", name, "test"], Method::POST) => self.test(tenant, name, request).await,
            _ => Err(Problem::not_found("there is no such route under /v1")),
        }
    }

    async fn deliveries(&self, tenant: &str, request: &Request) -> Result<Response, Problem> {
        let wanted = Wanted::read(tenant, request)?;
        let fits = |delivery: &Delivery| {
            wanted.endpoint.as_ref().is_none_or(|endpoint| *endpoint == delivery.endpoint)
                && wanted.state.is_none_or(|state| state == delivery.state)
        };
        let store = &self.runtime.store;
        let page = store.list_deliveries(tenant, fits, wanted.limit, wanted.cursor).await;
        Ok(listed(page.map_err(|error| unavailable(&error))?, describe))
    }

    async fn delivery(&self, tenant: &str, id: &str) -> Result<Response, Problem> {
        Ok(json(StatusCode::OK, &whole(&self.find(tenant, id).await?)))
    }

    async fn redeliver(&self, tenant: &str, id: &str) -> Result<Response, Problem> {
        let found = self.find(tenant, id).await?;
        let endpoint = &found.delivery.endpoint;
        if self.runtime.config.endpoint(tenant, endpoint).is_none() {
            return Err(conflict(
                "no_such_endpoint",
                format!("placet.yaml has no endpoint {endpoint} any more"),
            ));
        }
        self.check_enabled(tenant, endpoint).await?;
        match self.runtime.change_delivery(found, &Command::Redeliver).await {
            Ok(changed) => {
                tracing::info!(tenant, delivery_id = id, "webhook to be delivered again");
                Ok(json(StatusCode::ACCEPTED, &whole(&changed)))
            }
            Err(DeliveryError::Refused(refusal)) => {
                Err(conflict(refusal.code(), refusal.to_string()))
            }
            Err(DeliveryError::NotFound(_)) => Err(no_delivery(id)),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn find(&self, tenant: &str, id: &str) -> Result<StoredDelivery, Problem> {
        let found = self.runtime.store.delivery(tenant, id).await;
        found.map_err(|error| unavailable(&error))?.ok_or_else(|| no_delivery(id))
    }

    async fn endpoints(&self, tenant: &str) -> Result<Response, Problem> {
        let mut items = Vec::new();
        for (name, endpoint) in self.runtime.config.endpoints_of(tenant) {
            let described = self.describe_endpoint(tenant, name, endpoint).await;
            items.push(described.map_err(|error| unavailable(&error))?);
        }
        Ok(json(StatusCode::OK, &json!({"items": items, "next": null})))
    }

    async fn enable(&self, tenant: &str, name: &str) -> Result<Response, Problem> {
        let endpoint = self.find_endpoint(tenant, name)?;
        let enabled = async {
            self.runtime.store.enable_endpoint(tenant, name).await?;
            self.describe_endpoint(tenant, name, endpoint).await
        };
        let described = enabled.await.map_err(|error: StoreError| unavailable(&error))?;
        tracing::info!(tenant, endpoint = name, "endpoint enabled");
        Ok(json(StatusCode::OK, &described))
    }

    /// Sends a made-up event in each form the endpoint subscribes to, or in the one that is named.
    async fn test(&self, tenant: &str, name: &str, request: &Request) -> Result<Response, Problem> {
        let endpoint = self.find_endpoint(tenant, name)?;
        let query = Query::read(request, &["event"])?;
        let event = query.parse(
            "event",
            "an event such as v1beta2.function_call.completed",
            Subscription::parse,
        )?;
        let subscribed: Vec<_> =
            endpoint.events.iter().filter(|own| event.is_none_or(|event| event == *own)).collect();
        if subscribed.is_empty() {
            let what = event.map_or_else(|| "no event".to_owned(), |event| format!("no {event}"));
            let detail =
                format!("endpoint {name} subscribes to {what}: see its events in placet.yaml");
            return Err(conflict("not_subscribed", detail));
        }
        self.check_enabled(tenant, name).await?;
        let mut items = Vec::new();
        for event in subscribed {
            let sample = sample::decided(tenant, event.kind, self.runtime.clock.now());
            let payload = event.payload(&sample, true).to_string();
            let new = NewDelivery {
                tenant: tenant.to_owned(),
                endpoint: name.to_owned(),
                key: format!("test/{}", new_call_id()),
                event_type: event.to_string(),
                content_type: "application/json".to_owned(),
            };
            let sent = self.runtime.send_webhook(new, payload.into()).await;
            items.push(describe(&sent.map_err(|error| unavailable(&error))?));
        }
        tracing::info!(
            tenant,
            endpoint = name,
            events = items.len(),
            "test events to be delivered"
        );
        Ok(json(StatusCode::ACCEPTED, &json!({"items": items, "next": null})))
    }

    fn find_endpoint(&self, tenant: &str, name: &str) -> Result<&Endpoint, Problem> {
        let found = self.runtime.config.endpoint(tenant, name);
        found.ok_or_else(|| Problem::not_found(format!("there is no endpoint {name}")))
    }

    async fn check_enabled(&self, tenant: &str, name: &str) -> Result<(), Problem> {
        let disabled = self.runtime.store.disabled_endpoint(tenant, name).await;
        if disabled.map_err(|error| unavailable(&error))?.is_none() {
            return Ok(());
        }
        let mend = format!("enable it first: POST /v1/endpoints/{name}/enable");
        Err(conflict("endpoint_disabled", format!("endpoint {name} is disabled; {mend}")))
    }

    async fn describe_endpoint(
        &self,
        tenant: &str,
        name: &str,
        endpoint: &Endpoint,
    ) -> Result<Value, StoreError> {
        let disabled = self.runtime.store.disabled_endpoint(tenant, name).await?;
        let mut described = json!({
            "name": name,
            "url": endpoint.url.as_str(),
            "events": endpoint.events.iter().map(|event| event.to_string()).collect::<Vec<_>>(),
            "state": if disabled.is_some() { "disabled" } else { "enabled" },
        });
        if let Some(disabled) = disabled {
            described["disabled_at"] = disabled.disabled_at.to_string().into();
            described["reason"] = disabled.reason.into();
        }
        Ok(described)
    }
}

impl Wanted {
    fn read(tenant: &str, request: &Request) -> Result<Self, Problem> {
        let query = Query::read(request, &["endpoint", "state", "limit", "cursor"])?;
        let state = |text: &str| serde_json::from_value(Value::from(text)).ok();
        Ok(Self {
            endpoint: query.parse("endpoint", "a name", |text| Some(text.to_owned()))?,
            state: query.parse("state", "pending, delivered or failed", state)?,
            limit: query.limit(LARGEST_PAGE)?.unwrap_or(PAGE),
            cursor: query.cursor(|text| Cursor::delivery(tenant, text))?,
        })
    }
}

fn describe(delivery: &Delivery) -> Value {
    let last = delivery.log.last();
    json!({
        "id": delivery.id,
        "endpoint": delivery.endpoint,
        "event_type": delivery.event_type,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "created_at": delivery.created_at.to_string(),
        "changed_at": delivery.changed_at.to_string(),
        "next_attempt_at": delivery.due.map(|_| delivery.not_before.to_string()),
        "last_status": last.and_then(|attempt| attempt.status),
        "last_error": last.and_then(|attempt| attempt.error.as_ref()),
    })
}

fn whole(stored: &StoredDelivery) -> Value {
    let mut described = describe(&stored.delivery);
    described["content_type"] = stored.delivery.content_type.as_str().into();
    described["size"] = match &stored.payload {
        Payload::Kept(body) => body.size().into(),
        Payload::Decision(_) => Value::Null,
    };
    described["decision_of"] = match &stored.payload {
        Payload::Kept(_) => Value::Null,
        Payload::Decision(id) => id.path().into(),
    };
    let log = stored.delivery.log.iter().map(|attempt| {
        json!({
            "attempt": attempt.attempt,
            "at": attempt.at.to_string(),
            "status": attempt.status,
            "error": attempt.error,
            "duration_ms": attempt.duration_ms,
            "answer": attempt.answer,
        })
    });
    described["log"] = log.collect();
    described
}

fn no_delivery(id: &str) -> Problem {
    Problem::not_found(format!("there is no delivery with id {id}"))
}

fn conflict(code: &'static str, detail: String) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, detail)
}

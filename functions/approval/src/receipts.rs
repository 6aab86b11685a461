//! Received webhooks as an operator sees them: what came, what was verified, what became of it, and
//! again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::Body;
use lambda_http::http::header::{CONTENT_DISPOSITION, X_CONTENT_TYPE_OPTIONS};
use lambda_http::http::{Method, StatusCode};
use placet_runtime::http::{Request, Response, json, set, text};
use placet_runtime::index::Cursor;
use placet_runtime::problem::Problem;
use placet_runtime::{
    BodyError, Receipt, ReceiptEntry, ReceiptFilter, ReceiptState, ReplayError, StoredBody,
};
use serde_json::{Map, Value, json};

use crate::query::{Query, listed};
use crate::{Approval, unavailable};

/// How many receipts a page has if nothing is said, and at most.
const PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;

/// The largest body that is shown with its receipt, in bytes.
const SHOWN: usize = 256 * 1024;

impl Approval {
    /// The routes under `/v1/receipts`.
    pub(crate) async fn inbound(
        &self,
        tenant: &str,
        path: &[&str],
        method: Method,
        request: &Request,
    ) -> Result<Response, Problem> {
        match (path, method) {
            ([], Method::GET) => self.receipts(tenant, request).await,
            ([id], Method::GET) => self.receipt(tenant, id).await,
            ([id, "body"], Method::GET) => self.receipt_body(tenant, id).await,
            ([id, "replay"], Method::POST) => self.replay(tenant, id).await,
            _ => Err(Problem::not_found("there is no such route under /v1")),
        }
    }

    async fn receipts(&self, tenant: &str, request: &Request) -> Result<Response, Problem> {
        let query = Query::read(request, &["source", "state", "since", "limit", "cursor"])?;
        let filter = ReceiptFilter {
            source: query.parse("source", "a name", |text| Some(text.to_owned()))?,
            state: query.parse("state", "received, done or failed", ReceiptState::parse)?,
            since: query.moment("since", self.runtime.clock.now())?,
        };
        let limit = query.limit(LARGEST_PAGE)?.unwrap_or(PAGE);
        let cursor = query.cursor(|text| Cursor::receipt(tenant, text))?;
        let page = self.runtime.store.list_receipts(tenant, &filter, limit, cursor).await;
        Ok(listed(page.map_err(|error| unavailable(&error))?, describe))
    }

    async fn receipt(&self, tenant: &str, id: &str) -> Result<Response, Problem> {
        let receipt = self.find_receipt(tenant, id).await?;
        Ok(json(StatusCode::OK, &self.whole(&receipt).await))
    }

    /// The raw bytes, so that no browser takes them for a page of ours.
    async fn receipt_body(&self, tenant: &str, id: &str) -> Result<Response, Problem> {
        let receipt = self.find_receipt(tenant, id).await?;
        let body = self.runtime.blobs.body(&receipt.body).await.map_err(|error| match error {
            BodyError::Gone(_) => {
                let detail = format!("the body of receipt {id} is not kept any more");
                Problem::new(StatusCode::GONE, "body_gone", detail)
            }
            error => unavailable(&error),
        })?;
        let mut response = text(StatusCode::OK, harmless(content_type(&receipt)), String::new());
        *response.body_mut() = Body::Binary(body.to_vec());
        set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(&mut response, CONTENT_DISPOSITION, "attachment");
        Ok(response)
    }

    async fn replay(&self, tenant: &str, id: &str) -> Result<Response, Problem> {
        match self.runtime.replay(tenant, id).await {
            Ok(receipt) => {
                tracing::info!(tenant, receipt_id = id, "webhook to be worked off again");
                Ok(json(StatusCode::ACCEPTED, &self.whole(&receipt).await))
            }
            Err(error @ ReplayError::UnderWay(_)) => {
                Err(Problem::new(StatusCode::CONFLICT, "under_way", error.to_string()))
            }
            Err(ReplayError::NotFound(_)) => Err(no_receipt(id)),
            Err(ReplayError::Store(error)) => Err(unavailable(&error)),
        }
    }

    async fn find_receipt(&self, tenant: &str, id: &str) -> Result<Receipt, Problem> {
        let found = self.runtime.store.receipt(id).await.map_err(|error| unavailable(&error))?;
        found.filter(|receipt| receipt.about.tenant == tenant).ok_or_else(|| no_receipt(id))
    }

    async fn whole(&self, receipt: &Receipt) -> Value {
        let about = &receipt.about;
        let mut described = describe(&receipt.entry());
        described["method"] = about.method.as_str().into();
        described["path"] = about.path.as_str().into();
        described["query"] = about.query.as_str().into();
        described["headers"] = headers(&about.headers);
        described["content_type"] = content_type(receipt).into();
        described["body_url"] = format!("/v1/receipts/{}/body", about.id).into();
        if let Some(body) = self.shown_body(&receipt.body).await {
            match String::from_utf8(body) {
                Ok(text) => described["body"] = text.into(),
                Err(error) => described["body_base64"] = STANDARD.encode(error.as_bytes()).into(),
            }
        }
        described
    }

    /// A body that is small enough to be shown. What is known about it is shown without, too.
    async fn shown_body(&self, kept: &StoredBody) -> Option<Vec<u8>> {
        if kept.size() > SHOWN {
            return None;
        }
        let body = self.runtime.blobs.body(kept).await;
        let body = body.inspect_err(|error| tracing::error!(%error, "a receipt's body not read"));
        body.ok().map(|body| body.to_vec())
    }
}

fn describe(entry: &ReceiptEntry) -> Value {
    let about = &entry.about;
    let verified = &about.verified;
    json!({
        "id": about.id,
        "source": about.source,
        "delivery_id": about.delivery_id,
        "type": entry.event_type,
        "state": entry.state,
        "note": entry.note,
        "received_at": about.received_at.to_string(),
        "size": entry.size,
        "verified": {
            "check": verified.check,
            "key": verified.key,
            "signed_at": verified.signed_at.map(|at| at.to_string()),
            "covers": verified.coverage,
        },
        "replays": entry.replays.map(|replays| {
            json!({"count": replays.count, "last_at": replays.last_at.to_string()})
        }),
    })
}

/// One that came more than once has its values joined.
fn headers(headers: &[(String, String)]) -> Value {
    let mut joined: Map<String, Value> = Map::new();
    for (name, value) in headers {
        let value = match joined.get(name).and_then(Value::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value.clone(),
        };
        joined.insert(name.clone(), value.into());
    }
    joined.into()
}

fn content_type(receipt: &Receipt) -> Option<&str> {
    let mut headers = receipt.about.headers.iter();
    headers.find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str())
}

/// The type bytes are handed out as: never one that a browser would run.
fn harmless(content_type: Option<&str>) -> &'static str {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    match essence.trim().to_ascii_lowercase().as_str() {
        "text/plain" => "text/plain",
        "text/csv" => "text/csv",
        "application/x-www-form-urlencoded" => "application/x-www-form-urlencoded",
        json if json == "application/json" || json.ends_with("+json") => "application/json",
        _ => "application/octet-stream",
    }
}

fn no_receipt(id: &str) -> Problem {
    Problem::not_found(format!("there is no receipt with id {id}"))
}

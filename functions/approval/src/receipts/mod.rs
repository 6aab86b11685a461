//! Receipts: the stored webhooks, their verification and processing, and the route that processes one again.

mod reply;

use lambda_http::Body;
use lambda_http::http::StatusCode;
use lambda_http::http::header::{CONTENT_DISPOSITION, X_CONTENT_TYPE_OPTIONS};
use placet_core::item::Item;
use placet_core::limits::MOST_LISTED;
use placet_core::receipt::{Command, Receipt, State};
use placet_runtime::BodyError;
use placet_runtime::http::{Response, set, text};
use placet_runtime::problem::Problem;
use serde::Deserialize;

use crate::call::Call;
use crate::error::Error;
use crate::read::{Number, When};
use crate::reply::{Page, json};
use crate::shown::ShownBody;
use reply::{ListedReceipt, ReceiptReply};

#[cfg(test)]
pub(crate) mod schemas {
    pub(crate) use super::reply::{ListedReceipt, ReceiptReply};
    pub(crate) use super::{ListReceipts, ReceiptPath};
}

/// The default number of receipts on a page.
const PAGE: Number<1, MOST_LISTED> = Number(20);

/// The receipt that a path names.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ReceiptPath {
    /// The id of the receipt.
    #[cfg_attr(test, schemars(example = crate::openapi::examples::RECEIPT))]
    id: String,
}

/// The filters and the page of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ListReceipts {
    /// Only receipts from this webhook source.
    source: Option<String>,
    /// Only receipts in this state.
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::types::ReceiptState>"))]
    state: Option<State>,
    /// Only receipts received at or after this time. `24h` means 24 hours ago.
    since: Option<When>,
    /// The maximum number of receipts on the page; 20 if left out.
    limit: Option<Number<1, MOST_LISTED>>,
    /// The `next` of the previous page.
    cursor: Option<String>,
}

/// Lists receipts, newest first.
pub(crate) async fn list(call: Call<'_>) -> Result<Response, Error> {
    let query: ListReceipts = call.query()?;
    let since = query.since.map(|since| since.at(call.now()));
    let Number(limit) = query.limit.unwrap_or(PAGE);
    let cursor = call.cursor::<Receipt>(query.cursor.as_deref())?;
    let wanted = |receipt: &Item<Receipt>| {
        query.source.as_ref().is_none_or(|source| *source == receipt.record.source)
            && query.state.is_none_or(|state| state == receipt.state)
    };
    let (store, project) = (&call.engine().store, call.project());
    let page = store.newest::<Receipt>(project, (since, None), wanted, limit, cursor).await?;
    Ok(Page::reply(&page, project, ListedReceipt::new))
}

/// Gets a receipt. The body is included unless it is large.
pub(crate) async fn get(call: Call<'_>) -> Result<Response, Error> {
    let ReceiptPath { id } = call.path()?;
    let receipt = call.load(&id).await?;
    Ok(answer(&call, StatusCode::OK, &receipt).await)
}

/// Gets the raw bytes of a body. The headers make sure that no browser shows them as a page of ours.
pub(crate) async fn body(call: Call<'_>) -> Result<Response, Error> {
    let ReceiptPath { id } = call.path()?;
    let receipt = call.load::<Receipt>(&id).await?;
    let body =
        call.runtime().blobs.body(&receipt.body.body).await.map_err(|error| match error {
            BodyError::Gone(_) => {
                let detail = format!("the body of receipt {id} is no longer stored");
                Problem::new(StatusCode::GONE, "body_gone", detail).into()
            }
            error => Error::Unavailable(error.to_string()),
        })?;
    let content_type = harmless(receipt.record.content_type());
    let mut response = text(StatusCode::OK, content_type, String::new());
    *response.body_mut() = Body::Binary(body.to_vec());
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, CONTENT_DISPOSITION, "attachment");
    Ok(response)
}

/// Processes a receipt again.
pub(crate) async fn replay(call: Call<'_>) -> Result<Response, Error> {
    let ReceiptPath { id } = call.path()?;
    let receipt = call.load::<Receipt>(&id).await?;
    let receipt = call.engine().change(receipt, |_| Command::Replay).await?;
    tracing::info!(project = receipt.project(), receipt_id = id, "replay requested");
    Ok(answer(&call, StatusCode::ACCEPTED, &receipt).await)
}

async fn answer(call: &Call<'_>, status: StatusCode, receipt: &Item<Receipt>) -> Response {
    let body = ShownBody::read(call, &receipt.body.body).await;
    json(status, &ReceiptReply::new(receipt, body))
}

/// The media type of the reply: never one that a browser would run.
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

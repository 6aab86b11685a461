//! DynamoDB's JSON protocol for the operations Placet and its tests use.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html>

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use dynoxide::{Database, DynoxideError};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::meter::Meter;

/// The largest request, in bytes: the limit of DynamoDB.
const LARGEST_REQUEST: usize = 16 * 1024 * 1024;

/// Answers one request.
pub(super) async fn answer(
    db: Database,
    meter: Arc<Meter>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.strip_prefix("DynamoDB_20120810."));
    let operation = operation.unwrap_or_default().to_owned();
    let answered = match Limited::new(request.into_body(), LARGEST_REQUEST).collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            run(&db, &operation, &body).inspect(|_| {
                if operation == "PutItem" {
                    meter.put(&body);
                }
            })
        }
        Err(error) => Err(DynoxideError::SerializationException(error.to_string())),
    };
    let (status, json) = match answered {
        Ok(json) => (StatusCode::OK, json),
        Err(error) => {
            let status =
                StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST);
            (status, error.to_json())
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(json)));
    *response.status_mut() = status;
    let json_1_0 = HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(CONTENT_TYPE, json_1_0);
    Ok(response)
}

fn run(db: &Database, operation: &str, body: &[u8]) -> dynoxide::Result<String> {
    match operation {
        "PutItem" => call(body, |request| db.put_item(request)),
        "GetItem" => call(body, |request| db.get_item(request)),
        "UpdateItem" => call(body, |request| db.update_item(request)),
        "DeleteItem" => call(body, |request| db.delete_item(request)),
        "Query" => call(body, |request| db.query(request)),
        "Scan" => call(body, |request| db.scan(request)),
        "BatchGetItem" => call(body, |request| db.batch_get_item(request)),
        "BatchWriteItem" => call(body, |request| db.batch_write_item(request)),
        "TransactWriteItems" => call(body, |request| db.transact_write_items(request)),
        "TransactGetItems" => call(body, |request| db.transact_get_items(request)),
        "CreateTable" => call(body, |request| db.create_table(request)),
        "DescribeTable" => call(body, |request| db.describe_table(request)),
        "ListTables" => call(body, |request| db.list_tables(request)),
        "UpdateTimeToLive" => call(body, |request| db.update_time_to_live(request)),
        "DescribeTimeToLive" => call(body, |request| db.describe_time_to_live(request)),
        other => {
            let message = format!("the embedded engine does not serve {other:?}");
            Err(DynoxideError::ValidationException(message))
        }
    }
}

fn call<Q: DeserializeOwned, R: Serialize>(
    body: &[u8],
    operation: impl FnOnce(Q) -> dynoxide::Result<R>,
) -> dynoxide::Result<String> {
    let request = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    serde_json::to_string(&operation(request)?).map_err(|error| unreadable(&error))
}

/// Tells a wrong value from wrong JSON. The types of the engine mark a wrong value by a prefix of the error
/// text.
fn unreadable(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    let wrong_value =
        ["VALIDATION:", "VALIDATION_REQUEST:"].iter().find_map(|mark| text.strip_prefix(mark));
    match wrong_value {
        Some(message) => DynoxideError::ValidationException(message.to_owned()),
        None => DynoxideError::SerializationException(text),
    }
}

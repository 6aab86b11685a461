//! The queues: rustack behind a guard.
//!
//! Every queue of the engine is an actor that believes what it is told: a negative visibility
//! timeout ends it, and with it the queue. The guard refuses what AWS refuses before an actor
//! sees it.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt as _;
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::body::SqsResponseBody;
use rustack_sqs_http::dispatch::SqsHandler;
use rustack_sqs_http::response::json_response;
use rustack_sqs_http::service::{SqsHttpConfig, SqsHttpService};
use rustack_sqs_model::error::SqsError;
use rustack_sqs_model::input::CreateQueueInput;
use rustack_sqs_model::operations::SqsOperation;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{
    DEAD_LETTER_QUEUE, Delays, EngineError, QUEUE, REGION, loopback_listener, server, wait_for_end,
};

const ACCOUNT: &str = "000000000000";
const VISIBILITY_TIMEOUT_SECONDS: u32 = 180;
const DEAD_LETTER_RETENTION_SECONDS: u32 = 14 * 24 * 60 * 60;
const MAX_RECEIVE_COUNT: u32 = 5;
const MAX_BATCH: usize = 10;

/// The engine. Dropping `stop` tells the server to end; the queues end with it.
pub(super) struct Sqs {
    pub(super) url: String,
    pub(super) queue_url: String,
    pub(super) dead_letter_queue_url: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Sqs {
    pub(super) async fn start(delays: Delays) -> Result<Self, EngineError> {
        // The port is part of the queue URLs, so the listener comes first.
        let (listener, address) = loopback_listener()?;
        let engine = RustackSqs::new(SqsConfig {
            skip_signature_validation: true,
            default_region: REGION.to_owned(),
            account_id: ACCOUNT.to_owned(),
            host: address.ip().to_string(),
            port: address.port(),
        });
        let dead_letter_attributes =
            [("MessageRetentionPeriod", DEAD_LETTER_RETENTION_SECONDS.to_string())];
        let redrive = json!({
            "deadLetterTargetArn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{DEAD_LETTER_QUEUE}"),
            "maxReceiveCount": MAX_RECEIVE_COUNT,
        });
        let attributes = [
            ("VisibilityTimeout", VISIBILITY_TIMEOUT_SECONDS.to_string()),
            ("RedrivePolicy", redrive.to_string()),
        ];
        let dead_letter_queue_url =
            create_queue(&engine, DEAD_LETTER_QUEUE, dead_letter_attributes).await?;
        let queue_url = create_queue(&engine, QUEUE, attributes).await?;

        let guard = Guard { engine: Arc::new(RustackSqsHandler::new(Arc::new(engine))), delays };
        let service = SqsHttpService::new(Arc::new(guard), SqsHttpConfig::default());
        let (stop, stopped) = oneshot::channel();
        Ok(Self {
            url: format!("http://{address}"),
            queue_url,
            dead_letter_queue_url,
            stop,
            server: tokio::spawn(server::serve(listener, service, stopped)),
        })
    }

    pub(super) async fn stop(self) {
        drop(self.stop);
        wait_for_end(self.server).await;
    }
}

async fn create_queue<const N: usize>(
    engine: &RustackSqs,
    queue: &'static str,
    attributes: [(&str, String); N],
) -> Result<String, EngineError> {
    let input = CreateQueueInput {
        queue_name: queue.to_owned(),
        attributes: attributes.map(|(k, v)| (k.to_owned(), v)).into(),
        tags: HashMap::new(),
    };
    let failed = |reason| EngineError::Queue { queue, reason };
    let created = engine.create_queue(input).await;
    created
        .map_err(|error| failed(error.to_string()))?
        .queue_url
        .ok_or_else(|| failed("the engine gave it no URL".to_owned()))
}

/// Stands between HTTP and the engine.
struct Guard {
    engine: Arc<RustackSqsHandler>,
    delays: Delays,
}

type Reply = Result<Response<SqsResponseBody>, SqsError>;

impl SqsHandler for Guard {
    fn handle_operation(
        &self,
        operation: SqsOperation,
        body: Bytes,
    ) -> Pin<Box<dyn Future<Output = Reply> + Send>> {
        let engine = Arc::clone(&self.engine);
        let delays = self.delays;
        Box::pin(async move {
            let Ok(mut request) = serde_json::from_slice::<Value>(&body) else {
                return engine.handle_operation(operation, body).await;
            };
            match operation {
                SqsOperation::SendMessageBatch | SqsOperation::ChangeMessageVisibilityBatch => {
                    batch(&engine, operation, request, delays).await
                }
                SqsOperation::ListDeadLetterSourceQueues => {
                    let reply = read(engine.handle_operation(operation, body).await?).await?;
                    // The engine writes `QueueUrls`, which no SDK reads.
                    Ok(write(&json!({ "queueUrls": reply.get("QueueUrls") })))
                }
                _ => {
                    if let Some(error) = out_of_range(operation, &request) {
                        return Err(error);
                    }
                    if operation == SqsOperation::SendMessage {
                        apply(delays, &mut request);
                    }
                    forward(&engine, operation, &request).await
                }
            }
        })
    }
}

/// Refuses the bad entries of a batch one by one, as AWS does, and forwards the others.
async fn batch(
    engine: &RustackSqsHandler,
    operation: SqsOperation,
    mut request: Value,
    delays: Delays,
) -> Reply {
    let mut refused = Vec::new();
    let mut accepted = 0;
    if let Some(entries) = request.get_mut("Entries").and_then(Value::as_array_mut)
        && entries.len() <= MAX_BATCH
    {
        entries.retain(|entry| match out_of_range(operation, entry) {
            Some(error) => {
                refused.push(json!({
                    "Id": entry.get("Id"),
                    "SenderFault": true,
                    "Code": error.code.error_type(),
                    "Message": error.message,
                }));
                false
            }
            None => true,
        });
        if operation == SqsOperation::SendMessageBatch {
            entries.iter_mut().for_each(|entry| apply(delays, entry));
        }
        accepted = entries.len();
    }
    if refused.is_empty() {
        return forward(engine, operation, &request).await;
    }
    let mut reply = json!({ "Successful": [], "Failed": [] });
    if accepted > 0 {
        let partly = read(forward(engine, operation, &request).await?).await?;
        reply["Successful"] = partly.get("Successful").cloned().unwrap_or(json!([]));
        if let Some(failed) = partly.get("Failed").and_then(Value::as_array) {
            refused.extend(failed.iter().cloned());
        }
    }
    reply["Failed"] = Value::Array(refused);
    Ok(write(&reply))
}

fn out_of_range(operation: SqsOperation, fields: &Value) -> Option<SqsError> {
    let limits: &[(&str, i64, i64)] = match operation {
        SqsOperation::SendMessage | SqsOperation::SendMessageBatch => &[("DelaySeconds", 0, 900)],
        SqsOperation::ReceiveMessage => &[
            ("MaxNumberOfMessages", 1, 10),
            ("WaitTimeSeconds", 0, 20),
            ("VisibilityTimeout", 0, 43_200),
        ],
        SqsOperation::ChangeMessageVisibility | SqsOperation::ChangeMessageVisibilityBatch => {
            &[("VisibilityTimeout", 0, 43_200)]
        }
        _ => &[],
    };
    limits.iter().find_map(|&(name, min, max)| {
        let value = fields.get(name)?.as_i64()?;
        let bad = !(min..=max).contains(&value);
        bad.then(|| {
            SqsError::invalid_parameter_value(format!(
                "Value {value} for parameter {name} is invalid. Reason: Must be between {min} \
                 and {max}, if provided."
            ))
        })
    })
}

fn apply(delays: Delays, message: &mut Value) {
    if let (Delays::Ignored, Some(fields)) = (delays, message.as_object_mut()) {
        fields.insert("DelaySeconds".to_owned(), json!(0));
    }
}

async fn forward(engine: &RustackSqsHandler, operation: SqsOperation, request: &Value) -> Reply {
    let body = Bytes::from(request.to_string());
    engine.handle_operation(operation, body).await
}

async fn read(reply: Response<SqsResponseBody>) -> Result<Value, SqsError> {
    let unreadable = |error: String| SqsError::internal_error(error);
    let body = reply.into_body().collect().await;
    let body = body.map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| unreadable(error.to_string()))
}

fn write(reply: &Value) -> Response<SqsResponseBody> {
    json_response(reply.to_string().into_bytes(), "local")
}

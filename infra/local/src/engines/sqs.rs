//! The local queues: rustack, an SQS emulator, behind a guard.
//!
//! Each queue in rustack is an actor that does not check its input. For example, a negative visibility timeout stops
//! the actor, and the queue is gone. The guard refuses every request that AWS would refuse, so no actor sees it.

mod manual;

use std::collections::{BTreeMap, HashMap};
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

use placet_core::item::Lane;

use self::manual::ManualTime;
use super::{
    DEAD_LETTER_QUEUE, EngineError, QueueTime, Queues, REGION, loopback_listener, queue_name,
    server, wait_for_end,
};

const ACCOUNT: &str = "000000000000";
const VISIBILITY_TIMEOUT_SECONDS: u32 = 180;
/// The longest visibility timeout of SQS. With it the engine shows no message again by itself while a test
/// moves the clock.
const LONGEST_VISIBILITY_SECONDS: u32 = 43_200;
const DEAD_LETTER_RETENTION_SECONDS: u32 = 14 * 24 * 60 * 60;
const MAX_BATCH: usize = 10;

/// The engine. Dropping `stop` ends the server and its queues.
pub(super) struct Sqs {
    pub(super) url: String,
    pub(super) queue_urls: BTreeMap<Lane, String>,
    pub(super) dead_letter_queue_url: String,
    manual: Option<Arc<ManualTime>>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Sqs {
    pub(super) async fn start(queues: Queues) -> Result<Self, EngineError> {
        // Open the listener first, because its port is part of the queue URLs.
        let (listener, address) = loopback_listener()?;
        let engine = RustackSqs::new(SqsConfig {
            skip_signature_validation: true,
            default_region: REGION.to_owned(),
            account_id: ACCOUNT.to_owned(),
            host: address.ip().to_string(),
            port: address.port(),
        });
        let (visibility, manual) = match queues.time {
            QueueTime::Real => (VISIBILITY_TIMEOUT_SECONDS, None),
            QueueTime::Manual(clock) => {
                (LONGEST_VISIBILITY_SECONDS, Some(Arc::new(ManualTime::new(clock))))
            }
        };
        let dead_letter_attributes =
            [("MessageRetentionPeriod", DEAD_LETTER_RETENTION_SECONDS.to_string())];
        let dead_letter_queue_url =
            create_queue(&engine, DEAD_LETTER_QUEUE.to_owned(), dead_letter_attributes).await?;
        let redrive = json!({
            "deadLetterTargetArn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{DEAD_LETTER_QUEUE}"),
            "maxReceiveCount": queues.max_receives,
        });
        let mut queue_urls = BTreeMap::new();
        for lane in Lane::ALL {
            let attributes = [
                ("VisibilityTimeout", visibility.to_string()),
                ("RedrivePolicy", redrive.to_string()),
            ];
            let url = create_queue(&engine, queue_name(lane), attributes).await?;
            queue_urls.insert(lane, url);
        }
        let guard = Guard {
            engine: Arc::new(RustackSqsHandler::new(Arc::new(engine))),
            manual: manual.clone(),
        };
        let service = SqsHttpService::new(Arc::new(guard), SqsHttpConfig::default());
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(server::serve(listener, service, stopped));
        let url = format!("http://{address}");
        Ok(Self { url, queue_urls, dead_letter_queue_url, manual, stop, server })
    }

    pub(super) fn messages(&self, lane: Lane) -> Vec<String> {
        let manual = self.manual.as_ref();
        manual.map(|manual| manual.messages(&self.queue_urls[&lane])).unwrap_or_default()
    }

    pub(super) async fn stop(self) {
        drop(self.stop);
        wait_for_end(self.server).await;
    }
}

async fn create_queue<const N: usize>(
    engine: &RustackSqs,
    queue: String,
    attributes: [(&str, String); N],
) -> Result<String, EngineError> {
    let input = CreateQueueInput {
        queue_name: queue.clone(),
        attributes: attributes.map(|(k, v)| (k.to_owned(), v)).into(),
        tags: HashMap::new(),
    };
    let failed = |reason| EngineError::Queue { queue: queue.clone(), reason };
    let created = engine.create_queue(input).await;
    created
        .map_err(|error| failed(error.to_string()))?
        .queue_url
        .ok_or_else(|| failed("the engine returned no queue URL".to_owned()))
}

/// Stands between HTTP and the engine.
struct Guard {
    engine: Arc<RustackSqsHandler>,
    manual: Option<Arc<ManualTime>>,
}

type Reply = Result<Response<SqsResponseBody>, SqsError>;

impl SqsHandler for Guard {
    fn handle_operation(
        &self,
        operation: SqsOperation,
        body: Bytes,
    ) -> Pin<Box<dyn Future<Output = Reply> + Send>> {
        let engine = Arc::clone(&self.engine);
        let manual = self.manual.clone();
        Box::pin(async move {
            let Ok(mut request) = serde_json::from_slice::<Value>(&body) else {
                return engine.handle_operation(operation, body).await;
            };
            without_groups(&mut request);
            match operation {
                SqsOperation::SendMessageBatch | SqsOperation::ChangeMessageVisibilityBatch => {
                    batch(&engine, manual.as_deref(), operation, request).await
                }
                SqsOperation::ListDeadLetterSourceQueues => {
                    let reply = read(engine.handle_operation(operation, body).await?).await?;
                    // The engine writes `QueueUrls`, which no SDK reads.
                    Ok(write(&json!({ "queueUrls": reply.get("QueueUrls") })))
                }
                _ => match out_of_range(operation, &request) {
                    Some(error) => Err(error),
                    None => forward(&engine, manual.as_deref(), operation, &request).await,
                },
            }
        })
    }
}

/// Removes message groups. The engine is older than the fair queues of SQS and accepts a message group on a
/// FIFO queue only.
fn without_groups(request: &mut Value) {
    let entries = request.get_mut("Entries").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten() {
        entry.as_object_mut().map(|entry| entry.remove("MessageGroupId"));
    }
    request.as_object_mut().map(|request| request.remove("MessageGroupId"));
}

/// Refuses the bad entries of a batch one by one, as AWS does, and forwards the others.
async fn batch(
    engine: &RustackSqsHandler,
    manual: Option<&ManualTime>,
    operation: SqsOperation,
    mut request: Value,
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
        accepted = entries.len();
    }
    if refused.is_empty() {
        return forward(engine, manual, operation, &request).await;
    }
    let mut reply = json!({ "Successful": [], "Failed": [] });
    if accepted > 0 {
        let partly = read(forward(engine, manual, operation, &request).await?).await?;
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

async fn forward(
    engine: &RustackSqsHandler,
    manual: Option<&ManualTime>,
    operation: SqsOperation,
    request: &Value,
) -> Reply {
    match manual {
        None => engine.handle_operation(operation, Bytes::from(request.to_string())).await,
        Some(manual) => Ok(write(&manual.handle(engine, operation, request.clone()).await?)),
    }
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

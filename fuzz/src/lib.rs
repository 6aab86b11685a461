//! The webhook function for the fuzz targets. It has the sources of the shipped `placet.yaml`, a fixed clock
//! and no AWS. The targets know no secret. So a request that makes the function call AWS has passed a
//! signature check, which is a bug.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use placet_core::Timestamp;
use placet_runtime::{Clock, Config, Environment, Runtime};
use placet_webhook::Webhook;

/// The shipped configuration.
pub const CONFIG: &str = include_str!("../../placet.yaml");

/// The time of the function: the signed time of the inputs in `corpus/`.
pub const NOW: Timestamp = Timestamp::from_millis(1_614_265_330_000);

/// An address on which nothing listens: port 9 is the port of the "discard" protocol.
const NOWHERE: &str = "http://127.0.0.1:9";

/// The webhook function.
pub struct Function {
    webhook: Webhook,
}

impl Function {
    /// Starts the function.
    ///
    /// # Panics
    ///
    /// If the function cannot start.
    pub fn start() -> Self {
        let config = Config::parse(CONFIG).expect("the shipped placet.yaml is valid");
        let runtime = Runtime::new(environment(), config, Clock::manual(NOW));
        Self { webhook: Webhook::new(runtime.expect("the services need only the environment")) }
    }

    /// The function's answer to an event.
    ///
    /// # Panics
    ///
    /// If the status is not from 400 to 499; a 200 for `GET` or `HEAD` is allowed, too. A 5xx is a fault of ours, and
    /// any other 2xx means that a webhook was accepted.
    pub fn answer(&self, event: LambdaFunctionUrlRequest) -> LambdaFunctionUrlResponse {
        let read = matches!(event.request_context.http.method.as_deref(), Some("GET" | "HEAD"));
        let answer = at_once(self.webhook.handle(event));
        let status = answer.status_code;
        assert!((400..500).contains(&status) || read && status == 200, "answered {status}");
        answer
    }
}

/// The output of a future that does not wait.
///
/// # Panics
///
/// If the future waits. In the webhook function only calls to AWS wait.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the function waits for AWS, so it accepted an unsigned request"),
    }
}

fn environment() -> Environment {
    let variables = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "fuzz"),
        ("AWS_SECRET_ACCESS_KEY", "fuzz"),
        ("AWS_ENDPOINT_URL_DYNAMODB", NOWHERE),
        ("AWS_ENDPOINT_URL_SQS", NOWHERE),
        ("PLACET_TABLE", "placet"),
        ("PLACET_WORK_QUEUE_URL", NOWHERE),
        ("PLACET_SECRET_HUMANLAYER", "whsec_YSBzZWNyZXQgdGhhdCB0aGUgZnV6emVyIGRvZXMgbm90IGtub3c="),
    ];
    variables.into_iter().collect()
}

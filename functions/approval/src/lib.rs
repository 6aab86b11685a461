//! The JSON APIs: Placet's own under `/v1`, HumanLayer's under `/humanlayer/v1`, and the demo.
//!
//! Start reading at [`routes`]: every route is one line of its table and one function of this crate.

mod call;
mod deliveries;
mod endpoints;
mod error;
mod humanlayer;
#[cfg(test)]
mod openapi;
mod operations;
mod polling;
mod purchases;
mod rates;
mod read;
mod receipts;
mod reply;
mod router;
mod routes;
mod shown;
mod system;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use placet_runtime::function_url::respond;
use placet_runtime::{Access, ApiKeys, Runtime};

use polling::Polling;
use rates::Rates;
use router::Router;

/// The approval function.
#[derive(Clone)]
pub struct Approval {
    runtime: Runtime,
    keys: ApiKeys,
    access: Access,
    polling: Polling,
    rates: Rates,
    router: Arc<Router>,
}

impl Approval {
    /// Builds the function from its services.
    pub fn new(runtime: Runtime, keys: ApiKeys, access: Access) -> Self {
        let polling = Polling::new(&runtime.environment);
        let rates = Rates::new(&runtime.environment);
        let router = Arc::new(Router::new(routes::ROUTES, runtime.has_demo()));
        Self { runtime, keys, access, polling, rates, router }
    }

    /// Answers every held poll and holds no further polls. Call it before the process ends.
    pub fn end_polls(&self) {
        self.polling.end();
    }

    /// Whether the API has this path, for any method.
    pub fn has(&self, path: &str) -> bool {
        self.router.has(path)
    }

    /// Answers a Function URL event.
    pub async fn handle(&self, event: LambdaFunctionUrlRequest) -> LambdaFunctionUrlResponse {
        respond(event, |request| self.answer(request)).await
    }
}

//! Runs a handler under the Lambda runtime API.

use std::future::Future;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Environment, Runtime, logging};

/// Starts logging, builds the function, and serves events until Lambda stops the environment.
///
/// If the function cannot start, it logs the reason and stops.
///
/// # Errors
///
/// If the function cannot be built, or the runtime API fails.
pub async fn serve<T, Event, Reply, Build, Handle, Fut>(
    build: Build,
    handle: Handle,
) -> Result<(), Error>
where
    T: Clone,
    Event: DeserializeOwned,
    Reply: Serialize,
    Build: FnOnce(Runtime) -> T,
    Handle: Fn(T, Event) -> Fut,
    Fut: Future<Output = Result<Reply, Error>>,
{
    logging::start(&Environment::process());
    let runtime = match Runtime::from_environment().await {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "function cannot start");
            return Err(error.into());
        }
    };
    let function = build(runtime);
    let handler = service_fn(|event: LambdaEvent<Event>| handle(function.clone(), event.payload));
    lambda_runtime::run(handler).await
}

//! A function as Lambda sees it: it takes JSON and returns JSON or an error.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use serde_json::Value;

/// The error of a handler; the same type as in the Lambda runtime.
pub type HandlerError = Box<dyn Error + Send + Sync>;

/// The future of one invocation.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<Value, HandlerError>> + Send>>;

/// Takes an event and returns the function's response.
pub type Handler = Arc<dyn Fn(Value) -> HandlerFuture + Send + Sync>;

/// A handler with its name in logs.
#[derive(Clone)]
pub struct Function {
    /// Name in logs, such as `webhook`.
    pub name: &'static str,
    /// The handler.
    pub handler: Handler,
}

impl Function {
    /// A function of an async handler and its name.
    pub fn new<F, Fut>(name: &'static str, handler: F) -> Self
    where
        F: Fn(Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Value, HandlerError>> + Send + 'static,
    {
        Self { name, handler: Arc::new(move |event| Box::pin(handler(event))) }
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}

/// How an invocation ended.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// The handler returned a response.
    Returned(Value),
    /// The handler returned an error or panicked. The log has the reason.
    Failed,
    /// The handler's future was dropped before it finished.
    Killed,
}

/// Runs `function` on `event`. With `max_polls` the handler's future is dropped, as by a crash, if it has not
/// finished after that many polls. In this case the future is polled again and again without a wake-up,
/// because a handler that waits for its own tasks wakes up only at the end.
pub(crate) async fn invoke(
    function: &Function,
    event: Value,
    max_polls: Option<u32>,
) -> Invocation {
    let handler = Arc::clone(&function.handler);
    let mut running: HandlerFuture = Box::pin(async move { handler(event).await });
    let mut polls = 0;
    let ended = std::future::poll_fn(|cx| {
        polls += 1;
        match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
            Ok(Poll::Pending) if max_polls.is_some_and(|max| polls >= max) => Poll::Ready(None),
            Ok(Poll::Pending) => {
                if max_polls.is_some() {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
            Ok(Poll::Ready(result)) => Poll::Ready(Some(result.map_err(|e| e.to_string()))),
            Err(panic) => Poll::Ready(Some(Err(panic_message(panic.as_ref())))),
        }
    })
    .await;
    match ended {
        Some(Ok(response)) => Invocation::Returned(response),
        Some(Err(error)) => {
            tracing::error!(function = function.name, error, "function failed");
            Invocation::Failed
        }
        None => Invocation::Killed,
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("(no message)"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_panic_before_or_after_an_await_is_a_failure() {
        let at_once = Function::new("at_once", |_| async { panic!("one") });
        let later = Function::new("later", |_| async {
            tokio::task::yield_now().await;
            panic!("two")
        });
        for function in [at_once, later] {
            let ended = invoke(&function, json!({}), None).await;
            assert!(matches!(ended, Invocation::Failed), "{ended:?}");
        }
    }

    #[tokio::test]
    async fn a_killed_handler_stops_after_its_last_allowed_poll() {
        let function = Function::new("never", |_| std::future::pending());
        let ended = invoke(&function, json!({}), Some(1)).await;
        assert!(matches!(ended, Invocation::Killed));
        let quick = Function::new("quick", |event| async { Ok(event) });
        let ended = invoke(&quick, json!(7), Some(1)).await;
        assert!(matches!(ended, Invocation::Returned(value) if value == 7));
    }

    #[tokio::test]
    async fn a_handler_that_waits_for_its_own_task_is_killed_in_between() {
        let function = Function::new("waits", |event| async {
            let work = async {
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::spawn(work).await?;
            Ok(event)
        });
        let ended = invoke(&function, json!({}), Some(50)).await;
        assert!(matches!(ended, Invocation::Killed));
    }
}

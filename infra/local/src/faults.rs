//! Crashes and broken connections at a chosen AWS call.
//!
//! [`Faults`] wraps the HTTP client under the AWS clients. So it sees every call of a handler, in order.
//! Between two calls that change something, the exact moment of a crash makes no difference. To try every
//! crash of a handler, it is enough to stop the handler before and after each such call:
//!
//! - before: the request is not sent, and the future of the call never becomes ready;
//! - after: the engine has executed the request, and the answer never arrives.
//!
//! From that moment no other call of the same clients gets through, because a dead process sends nothing.
//! The test waits for [`Faults::reached`], drops the handler, disarms, recovers and checks the result.
//! [`Faults::run_until_crash`] does the first three steps. A task that a handler detached with
//! `tokio::spawn` outlives the drop; a `JoinSet` drops its tasks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::shared::IntoShared as _;
use tokio::sync::watch;

/// A fault at the n-th call from now on, counted from 0. A retry counts as a call. For a crash, a repetition
/// and a freeze, n counts only calls that change something: at a read they would make no difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// The process dies before the call is sent.
    CrashBefore(usize),
    /// The process dies after the call has taken effect.
    CrashAfter(usize),
    /// The call is not sent and fails with a connection error.
    Fail(usize),
    /// The call takes effect and fails with a connection error.
    LoseAnswer(usize),
    /// The call takes effect, its answer is lost, and the call is sent again, as the SDK does by itself. The
    /// second answer arrives.
    Repeat(usize),
    /// The call is not sent until [`Faults::thaw`]. Other calls of these clients continue.
    Freeze(usize),
    /// The call waits as with [`Plan::Freeze`] and is then repeated as with [`Plan::Repeat`].
    FreezeAndRepeat(usize),
    /// No call to this service is sent; each fails with a connection error. Example: `Outage("DynamoDB")`.
    Outage(&'static str),
}

impl Plan {
    /// Whether the fault happens at the call `record`, which follows the calls `before`.
    fn strikes(self, before: &[CallRecord], record: &CallRecord) -> bool {
        let changes = || before.iter().filter(|call| call.changes()).count();
        match self {
            Self::CrashBefore(n)
            | Self::CrashAfter(n)
            | Self::Repeat(n)
            | Self::Freeze(n)
            | Self::FreezeAndRepeat(n) => record.changes() && n == changes(),
            Self::Fail(n) | Self::LoseAnswer(n) => n == before.len(),
            Self::Outage(service) => record.service.contains(service),
        }
    }

    fn is_crash(self) -> bool {
        matches!(self, Self::CrashBefore(_) | Self::CrashAfter(_))
    }
}

/// One call: the service and the operation of its `x-amz-target` header, and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// The service, such as `DynamoDB_20120810` or `AmazonSQS`.
    pub service: String,
    /// The operation, such as `PutItem`.
    pub operation: String,
    /// The body of the request, JSON.
    pub request: Vec<u8>,
}

impl CallRecord {
    /// Whether the call may change something.
    pub fn changes(&self) -> bool {
        const READS: [&str; 5] = ["GetItem", "BatchGetItem", "Query", "Scan", "GetQueueAttributes"];
        !READS.contains(&self.operation.as_str())
    }
}

/// Counts the calls to the wrapped clients, and makes the call with the planned number fail. All clones share one
/// counter.
#[derive(Debug, Clone)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    reached: Arc<watch::Sender<bool>>,
    thawed: Arc<watch::Sender<bool>>,
}

#[derive(Debug, Default)]
struct State {
    plan: Option<Plan>,
    calls: Vec<CallRecord>,
    crashed: bool,
}

impl Faults {
    /// Counts calls, without a planned fault.
    pub fn disarmed() -> Self {
        let flag = || Arc::new(watch::Sender::new(false));
        Self { state: Arc::default(), reached: flag(), thawed: flag() }
    }

    /// Wraps an HTTP client for the clients of the table and the queues.
    pub fn wrap(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(FaultyClient { inner, faults: self.clone() })
    }

    /// Starts counting from 0, with `plan`.
    pub fn arm(&self, plan: Plan) {
        self.reset();
        self.state().plan = Some(plan);
    }

    /// Starts counting from 0, without a plan.
    pub fn reset(&self) {
        *self.state() = State::default();
        self.reached.send_replace(false);
        self.thawed.send_replace(false);
    }

    /// Lets a frozen call continue.
    pub fn thaw(&self) {
        self.thawed.send_replace(true);
    }

    /// The calls since the last start of counting, the faulty call included.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.state().calls.clone()
    }

    /// Whether the planned fault has happened.
    pub fn was_reached(&self) -> bool {
        *self.reached.borrow()
    }

    /// Waits until the planned fault has happened.
    pub async fn reached(&self) {
        // The sender lives in self, so the channel cannot close while this waits.
        let _ = self.reached.subscribe().wait_for(|reached| *reached).await;
    }

    /// Runs `f` to its end and returns its output. At a planned crash it drops `f`, disarms and returns
    /// `None`. A planned failure is not a crash: `f` sees an error and continues.
    pub async fn run_until_crash<F: Future>(&self, f: F) -> Option<F::Output> {
        let output = tokio::select! {
            biased;
            output = f => Some(output),
            () = self.crashed() => None,
        };
        if !self.state().crashed {
            return output;
        }
        self.disarm();
        None
    }

    async fn crashed(&self) {
        self.reached().await;
        if !self.state().crashed {
            std::future::pending::<()>().await;
        }
    }

    /// Lets calls through again. Keeps the record of calls and `was_reached`.
    fn disarm(&self) {
        let mut state = self.state();
        state.plan = None;
        state.crashed = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a call and returns what the connector does with the call.
    fn next_call(&self, record: CallRecord) -> Verdict {
        let mut state = self.state();
        if state.crashed {
            return Verdict::NeverReturn;
        }
        let plan = state.plan.filter(|plan| plan.strikes(&state.calls, &record));
        state.calls.push(record);
        match plan {
            None => Verdict::Send,
            Some(Plan::CrashAfter(_)) => Verdict::SendAndCrash,
            Some(Plan::CrashBefore(_)) => Verdict::Crash,
            Some(Plan::Fail(_) | Plan::Outage(_)) => Verdict::Fail,
            Some(Plan::LoseAnswer(_)) => Verdict::SendAndFail,
            Some(Plan::Repeat(_)) => Verdict::SendTwice,
            Some(Plan::Freeze(_)) => Verdict::Wait,
            Some(Plan::FreezeAndRepeat(_)) => Verdict::WaitAndSendTwice,
        }
    }

    fn strike(&self) {
        {
            let mut state = self.state();
            state.crashed = state.plan.is_some_and(Plan::is_crash);
        }
        self.reached.send_replace(true);
    }
}

enum Verdict {
    Send,
    SendAndCrash,
    SendAndFail,
    SendTwice,
    Wait,
    WaitAndSendTwice,
    Crash,
    NeverReturn,
    Fail,
}

#[derive(Debug)]
struct FaultyClient {
    inner: SharedHttpClient,
    faults: Faults,
}

impl HttpClient for FaultyClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        FaultyConnector {
            inner: self.inner.http_connector(settings, components),
            faults: self.faults.clone(),
        }
        .into_shared()
    }
}

#[derive(Debug)]
struct FaultyConnector {
    inner: SharedHttpConnector,
    faults: Faults,
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let faults = self.faults.clone();
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            let verdict = faults.next_call(record(&request));
            if matches!(verdict, Verdict::Wait | Verdict::WaitAndSendTwice) {
                faults.strike();
                // The sender lives in faults, so the channel cannot close while this waits.
                let _ = faults.thawed.subscribe().wait_for(|thawed| *thawed).await;
            }
            match verdict {
                Verdict::Wait => return inner.call(request).await,
                Verdict::Send => {
                    let answer = inner.call(request).await;
                    // Another call may have crashed the process while this one was on its way.
                    if faults.state().crashed {
                        std::future::pending::<()>().await;
                    }
                    return answer;
                }
                Verdict::SendAndCrash => {
                    // The engine has executed the request; its answer, success or error, is lost.
                    let _ = inner.call(request).await;
                    faults.strike();
                }
                Verdict::Crash => faults.strike(),
                Verdict::NeverReturn => {}
                Verdict::SendAndFail => {
                    let _ = inner.call(request).await;
                    faults.strike();
                    return Err(ConnectorError::io("planned connection error".into()));
                }
                Verdict::SendTwice | Verdict::WaitAndSendTwice => {
                    let again = request.try_clone();
                    let _ = inner.call(request).await;
                    faults.strike();
                    let cannot = || ConnectorError::other("the request has no copy".into(), None);
                    return inner.call(again.ok_or_else(cannot)?).await;
                }
                Verdict::Fail => {
                    faults.strike();
                    return Err(ConnectorError::io("planned connection error".into()));
                }
            }
            std::future::pending().await
        })
    }
}

fn record(request: &HttpRequest) -> CallRecord {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let (service, operation) = target.split_once('.').unwrap_or_default();
    CallRecord {
        service: service.to_owned(),
        operation: operation.to_owned(),
        request: request.body().bytes().unwrap_or_default().to_vec(),
    }
}

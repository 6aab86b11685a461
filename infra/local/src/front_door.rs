//! A Function URL on this machine. It turns an HTTP request into a Lambda event, calls the function and turns
//! the response into HTTP.

mod event;
mod reply;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::function::{Function, Invocation, invoke};

/// The largest event and the largest response of Lambda, in bytes.
pub const MAX_PAYLOAD: usize = 6 * 1024 * 1024;

/// How many bytes of a too large body are read and discarded. A client that sends its whole body first then
/// gets the answer and not a reset connection.
const MAX_DISCARD: usize = 32 * 1024 * 1024;
const DISCARD_BOUND: Duration = Duration::from_secs(5);
/// How long a request head may take to arrive, and how long a connection may be idle.
const HEAD_BOUND: Duration = Duration::from_secs(30);
/// How long open requests may continue after a shutdown.
const SHUTDOWN_BOUND: Duration = Duration::from_secs(10);

/// Returns the time in milliseconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// One port for several functions.
pub struct FrontDoor {
    route: Box<dyn Fn(&Parts) -> Function + Send + Sync>,
    clock: Clock,
}

impl std::fmt::Debug for FrontDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrontDoor").finish_non_exhaustive()
    }
}

impl FrontDoor {
    /// `route` chooses the function for a request; `clock` gives the time of the event.
    pub fn new(clock: Clock, route: impl Fn(&Parts) -> Function + Send + Sync + 'static) -> Self {
        Self { route: Box::new(route), clock }
    }

    /// Answers one request without a socket. The peer is the `SocketAddr` in the request's
    /// extensions, or 127.0.0.1.
    ///
    /// The answer is 413 if the event is larger than [`MAX_PAYLOAD`]. It is 502 if the function fails,
    /// panics or returns something that is not a response.
    pub async fn call(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (parts, body) = request.into_parts();
        if body.len() > MAX_PAYLOAD {
            return too_large();
        }
        let function = (self.route)(&parts);
        let event = event::function_url_event(&parts, body, (self.clock)());
        if exceeds_payload(&event) {
            return too_large();
        }
        let Invocation::Returned(answer) = invoke(&function, event, None).await else {
            return bad_gateway();
        };
        reply::http_response(answer).unwrap_or_else(|error| {
            tracing::error!(function = function.name, %error, "function response is not usable");
            bad_gateway()
        })
    }

    /// Serves HTTP/1.1 until `shutdown`, then waits up to 10 s for open requests.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let (close, closing) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let door = Arc::clone(&self);
                        connections.spawn(door.connection(stream, peer, closing.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        }
        drop(listener);
        close.send_replace(true);
        let finished = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_BOUND, finished).await.is_err() {
            tracing::warn!("requests were still open at the shutdown");
        }
    }

    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        mut closing: watch::Receiver<bool>,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY refused");
        }
        let service =
            service_fn(|request| async { Ok::<_, Infallible>(self.answer(request, peer).await) });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_BOUND)
                .serve_connection(TokioIo::new(stream), service)
        );
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = async { let _ = closing.wait_for(|closing| *closing).await; } => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(%error, "connection ended");
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(peer);
        let response = match read_body(&parts, body).await {
            Ok(body) => self.call(Request::from_parts(parts, body)).await,
            Err(refusal) => closing(refusal),
        };
        response.map(Full::new)
    }
}

/// The whole body, or the error response if the body is too large or incomplete.
async fn read_body(parts: &Parts, mut body: Incoming) -> Result<Bytes, Response<Bytes>> {
    if body.size_hint().lower() > MAX_PAYLOAD as u64 {
        // A client that sends `Expect` waits for the answer before it sends its body.
        if !parts.headers.contains_key(EXPECT) {
            discard(body).await;
        }
        return Err(too_large());
    }
    let mut kept = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(message(StatusCode::BAD_REQUEST, "Request body is incomplete"));
        };
        let Ok(data) = frame.into_data() else { continue };
        if kept.len() + data.len() > MAX_PAYLOAD {
            discard(body).await;
            return Err(too_large());
        }
        kept.extend_from_slice(&data);
    }
    Ok(kept.freeze())
}

async fn discard(mut body: Incoming) {
    let reading = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > MAX_DISCARD {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DISCARD_BOUND, reading).await;
}

/// Whether the event is too large. It measures only events with a large body, because measuring serialises
/// the event.
fn exceeds_payload(event: &Value) -> bool {
    let body = event.get("body").and_then(Value::as_str).map_or(0, str::len);
    body > MAX_PAYLOAD / 2 && event.to_string().len() > MAX_PAYLOAD
}

fn too_large() -> Response<Bytes> {
    let text = format!(
        "Request must be smaller than {MAX_PAYLOAD} bytes for the InvokeFunction operation"
    );
    message(StatusCode::PAYLOAD_TOO_LARGE, &text)
}

fn bad_gateway() -> Response<Bytes> {
    message(StatusCode::BAD_GATEWAY, "Internal Server Error")
}

fn message(status: StatusCode, text: &str) -> Response<Bytes> {
    let body = serde_json::json!({ "Message": text }).to_string();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn closing(mut response: Response<Bytes>) -> Response<Bytes> {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

//! A Function URL on this machine. It turns an HTTP request into a Lambda event, calls the function and turns
//! the response into HTTP.

mod body;
mod connections;
mod event;
mod limits;
mod reply;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use self::body::{Bodies, Received};
use self::connections::{Connection, Connections};
use crate::function::{Function, Invocation, invoke};

pub use self::limits::Limits;

/// The largest event and the largest response of Lambda, in bytes.
pub const MAX_PAYLOAD: usize = 6 * 1024 * 1024;

/// How long a connection that must close may take to send what it has begun to send.
const CLOSE_BOUND: Duration = Duration::from_secs(1);
/// The longest pause after a connection could not be accepted.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);
/// How long open requests may continue after a shutdown.
const SHUTDOWN_BOUND: Duration = Duration::from_secs(10);

/// Returns the time in milliseconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// One port for several functions.
pub struct FrontDoor {
    route: Box<dyn Fn(&Parts) -> Function + Send + Sync>,
    clock: Clock,
    limits: Limits,
    bodies: Bodies,
}

impl std::fmt::Debug for FrontDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrontDoor").finish_non_exhaustive()
    }
}

impl FrontDoor {
    /// `route` chooses the function for a request; `clock` gives the time of the event.
    pub fn new(clock: Clock, route: impl Fn(&Parts) -> Function + Send + Sync + 'static) -> Self {
        let limits = Limits::default();
        Self { route: Box::new(route), clock, limits, bodies: Bodies::new(limits) }
    }

    /// The same front door with other limits.
    #[must_use]
    pub fn with(self, limits: Limits) -> Self {
        Self { limits, bodies: Bodies::new(limits), ..self }
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
        let mut connections = Connections::new(self.limits.connections);
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                () = connections.ended() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => connections.open(|connection| {
                    Arc::clone(&self).connection(stream, peer, connection, closing.clone())
                }),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    connections.close_longest_idle();
                    let _ = tokio::time::timeout(PAUSE_AFTER_ERROR, connections.ended()).await;
                }
            }
            tokio::select! {
                () = &mut shutdown => break,
                () = connections.room() => {}
            }
        }
        drop(listener);
        close.send_replace(true);
        if tokio::time::timeout(SHUTDOWN_BOUND, connections.all_ended()).await.is_err() {
            tracing::warn!("requests were still open at the shutdown");
        }
    }

    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        connection: Arc<Connection>,
        mut closing: watch::Receiver<bool>,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY refused");
        }
        let service = service_fn(|request| async {
            let _busy = connection.request();
            Ok::<_, Infallible>(self.answer(request, peer).await)
        });
        let io = TokioIo::new(stream);
        let mut serving = pin!(http1::Builder::new().serve_connection(io, service));
        let served = tokio::select! {
            served = serving.as_mut() => served,
            () = async { let _ = closing.wait_for(|closing| *closing).await; } => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
            () = connection.must_close(self.limits.idle) => {
                serving.as_mut().graceful_shutdown();
                loop {
                    match tokio::time::timeout(CLOSE_BOUND, serving.as_mut()).await {
                        Ok(served) => break served,
                        // A request came at the last moment.
                        Err(_) if connection.is_busy() => {}
                        Err(_) => break Ok(()),
                    }
                }
            }
        };
        if let Err(error) = served {
            tracing::debug!(%error, "connection ended");
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(peer);
        let response = match self.bodies.receive(&parts, body).await {
            Ok(Received { bytes, room }) => {
                let response = self.call(Request::from_parts(parts, bytes)).await;
                drop(room);
                response
            }
            Err(refusal) => closing(refusal),
        };
        response.map(Full::new)
    }
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

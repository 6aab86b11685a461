//! Serves an engine on loopback, to programs only.
//!
//! The engines do not authenticate, and every website in the developer's browser can reach loopback. The
//! headers show a browser: it sends `Origin` with every request that could change something, and `Host` with
//! the name of the website. The server refuses such a request before the engine sees it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Serves until `stopped`, then cuts the connections. Only long polls and idle clients are left on them, and
/// they would not end by themselves.
pub(super) async fn serve<S, B>(
    listener: TcpListener,
    engine: S,
    mut stopped: oneshot::Receiver<()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    let engine = engine.clone();
                    let guarded = service_fn(move |request| guard(engine.clone(), request));
                    connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), guarded));
                }
                Err(error) => {
                    tracing::warn!(%error, "local engine cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
    connections.shutdown().await;
}

async fn guard<S, B>(
    engine: S,
    request: Request<Incoming>,
) -> Result<Response<Either<Full<Bytes>, B>>, Infallible>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
{
    if is_browser(request.method(), request.headers()) {
        let refusal = Bytes::from_static(b"this engine answers to programs on this machine only");
        let mut response = Response::new(Either::Left(Full::new(refusal)));
        *response.status_mut() = StatusCode::FORBIDDEN;
        return Ok(response);
    }
    engine.call(request).await.map(|response| response.map(Either::Right))
}

/// Whether a web page may have sent the request. `Host` holds the name of a site that resolves to loopback;
/// an IP address in `Host` needs no name resolution and is safe.
fn is_browser(method: &Method, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    let own = address || matches!(name, "localhost" | "host.docker.internal");
    method == Method::OPTIONS || headers.contains_key(ORIGIN) || !own
}

//! An endpoint on a free port of this machine that writes down what it is sent and answers as told.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub struct Receiver {
    pub port: u16,
    shared: Arc<Mutex<Shared>>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    connections: usize,
    received: Vec<Received>,
    replies: VecDeque<Reply>,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What is answered next; 200 if nothing is left.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    Header(u16, &'static str, &'static str),
    Body(u16, Vec<u8>),
    /// Never.
    Silence,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::<Mutex<Shared>>::default();
        let server = tokio::spawn(serve(listener, shared.clone()));
        Self { port, shared, server }
    }

    pub fn answers(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.lock().unwrap().replies = replies.into_iter().collect();
    }

    pub fn received(&self) -> Vec<Received> {
        self.shared.lock().unwrap().received.clone()
    }

    pub fn connections(&self) -> usize {
        self.shared.lock().unwrap().connections
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Mutex<Shared>>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.lock().unwrap().connections += 1;
        let shared = shared.clone();
        tokio::spawn(async move {
            let answer = service_fn(|request| answer(request, shared.clone()));
            let served = hyper::server::conn::http1::Builder::new();
            served.serve_connection(TokioIo::new(stream), answer).await.ok();
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Mutex<Shared>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let path = parts.uri.path().to_owned();
    let received = Received { method: parts.method, path, headers: parts.headers, body };
    let reply = {
        let mut shared = shared.lock().unwrap();
        shared.received.push(received);
        shared.replies.pop_front().unwrap_or(Reply::Status(200))
    };
    let response = Response::builder();
    Ok(match reply {
        Reply::Status(status) => response.status(status).body(Full::default()),
        Reply::Header(status, name, value) => {
            response.status(status).header(name, value).body(Full::default())
        }
        Reply::Body(status, body) => response.status(status).body(Full::new(body.into())),
        Reply::Silence => std::future::pending().await,
    }
    .unwrap())
}

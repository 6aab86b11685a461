//! An endpoint on a free port of this machine. It records its requests and sends the replies that a test
//! chose.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub struct Receiver {
    pub port: u16,
    shared: Arc<Mutex<Shared>>,
    /// The number of requests so far.
    arrived: watch::Sender<usize>,
    /// Whether held replies may be sent.
    released: watch::Sender<bool>,
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

/// The reply to the next request. If none is left, the reply is 200.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    Header(u16, &'static str, &'static str),
    Body(u16, Vec<u8>),
    /// This status, after the test releases it.
    Held(u16),
    /// This status, after this time.
    After(Duration, u16),
    /// No reply.
    Silence,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::<Mutex<Shared>>::default();
        let (arrived, released) = (watch::Sender::new(0), watch::Sender::new(false));
        let service = Service {
            shared: shared.clone(),
            arrived: arrived.clone(),
            released: released.clone(),
        };
        let server = tokio::spawn(service.serve(listener));
        Self { port, shared, arrived, released, server }
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

    /// Waits until this number of requests has come.
    pub async fn reached(&self, requests: usize) {
        self.arrived.subscribe().wait_for(|arrived| *arrived >= requests).await.unwrap();
    }

    /// Sends the held replies.
    pub fn release(&self) {
        self.released.send_replace(true);
    }
}

/// A port that is in use and on which nothing listens.
pub fn closed_port() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Clone)]
struct Service {
    shared: Arc<Mutex<Shared>>,
    arrived: watch::Sender<usize>,
    released: watch::Sender<bool>,
}

impl Service {
    async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            self.shared.lock().unwrap().connections += 1;
            let service = self.clone();
            tokio::spawn(async move {
                let answer = service_fn(|request| service.clone().answer(request));
                let served = hyper::server::conn::http1::Builder::new();
                served.serve_connection(TokioIo::new(stream), answer).await.ok();
            });
        }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body =
            body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let path = parts.uri.path().to_owned();
        let received = Received { method: parts.method, path, headers: parts.headers, body };
        let reply = {
            let mut shared = self.shared.lock().unwrap();
            shared.received.push(received);
            shared.replies.pop_front().unwrap_or(Reply::Status(200))
        };
        self.arrived.send_modify(|arrived| *arrived += 1);
        let response = Response::builder();
        Ok(match reply {
            Reply::Status(status) => response.status(status).body(Full::default()),
            Reply::Header(status, name, value) => {
                response.status(status).header(name, value).body(Full::default())
            }
            Reply::Body(status, body) => response.status(status).body(Full::new(body.into())),
            Reply::Held(status) => {
                let _ = self.released.subscribe().wait_for(|released| *released).await;
                response.status(status).body(Full::default())
            }
            Reply::After(time, status) => {
                tokio::time::sleep(time).await;
                response.status(status).body(Full::default())
            }
            Reply::Silence => std::future::pending().await,
        }
        .unwrap())
    }
}

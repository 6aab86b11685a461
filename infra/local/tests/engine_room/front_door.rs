use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use bytes::Bytes;
use http::{Request, StatusCode};
use placet_local::front_door::{FrontDoor, MAX_PAYLOAD};
use placet_local::function::Function;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// A front door that chooses the function by the path. The default function returns its event.
fn door() -> FrontDoor {
    let echo = Function::new("echo", |event| async { Ok(event) });
    let panics = Function::new("panics", |_| async { panic!("on purpose") });
    let fails = Function::new("fails", |_| async { Err("on purpose".into()) });
    let teapot = Function::new("teapot", |_| async {
        Ok(json!({ "statusCode": 418, "cookies": ["a=1", "b=2"], "body": "short" }))
    });
    let nonsense = Function::new("nonsense", |_| async { Ok(json!({ "statusCode": "no" })) });
    FrontDoor::new(Arc::new(|| 1_583_348_638_390), move |parts| match parts.uri.path() {
        "/panics" => panics.clone(),
        "/fails" => fails.clone(),
        "/teapot" => teapot.clone(),
        "/nonsense" => nonsense.clone(),
        _ => echo.clone(),
    })
}

async fn call(request: Request<&'static [u8]>) -> (StatusCode, Value) {
    let response = door().call(request.map(Bytes::from_static)).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let body = serde_json::from_slice(response.body()).unwrap();
    (response.status(), body)
}

#[tokio::test]
async fn a_form_arrives_as_base64_and_repeats_are_joined() {
    let request = Request::post("/purchase-materials?a=1&a=2")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-key", "one")
        .header("x-key", "two")
        .body(b"material=wood&quantity=10".as_slice());
    let (status, event) = call(request.unwrap()).await;
    assert_eq!(status, 200);
    assert_eq!(event["isBase64Encoded"], true);
    assert_eq!(event["body"], "bWF0ZXJpYWw9d29vZCZxdWFudGl0eT0xMA==");
    assert_eq!(event["headers"]["x-key"], "one,two");
    assert_eq!(event["queryStringParameters"]["a"], "1,2");

    let typed: LambdaFunctionUrlRequest = serde_json::from_value(event).unwrap();
    assert_eq!(typed.raw_path.as_deref(), Some("/purchase-materials"));
    assert_eq!(typed.request_context.time_epoch, 1_583_348_638_390);
    assert_eq!(typed.request_context.http.method.as_deref(), Some("POST"));
}

#[tokio::test]
async fn a_panic_an_error_and_an_invalid_response_are_502() {
    for path in ["/panics", "/fails", "/nonsense"] {
        let (status, body) = call(Request::get(path).body(b"".as_slice()).unwrap()).await;
        assert_eq!(status, 502, "{path}");
        assert_eq!(body, json!({ "Message": "Internal Server Error" }), "{path}");
    }
}

#[tokio::test]
async fn the_size_limit_applies_to_the_event() {
    let post = async |content_type: &str, size: usize| {
        let request = Request::post("/teapot").header("content-type", content_type);
        let request = request.body(Bytes::from(vec![b'a'; size])).unwrap();
        door().call(request).await.status()
    };
    assert_eq!(post("text/plain", MAX_PAYLOAD - 4096).await, 418);
    assert_eq!(post("text/plain", MAX_PAYLOAD).await, 413);
    assert_eq!(post("text/plain", MAX_PAYLOAD + 1).await, 413);
    // Base64 turns three bytes into four.
    assert_eq!(post("image/png", 4 * 1024 * 1024).await, 418);
    assert_eq!(post("image/png", 5 * 1024 * 1024).await, 413);
}

/// A front door on a free port.
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Server {
    pub async fn start(door: FrontDoor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            Arc::new(door).serve(listener, shutdown).await;
        });
        Self { address, stop, serving }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub async fn stop(self) {
        drop(self.stop);
        self.serving.await.unwrap();
    }
}

/// All bytes from the server until it closes the connection, as text.
pub async fn read_to_close(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

const TOO_LARGE: &str =
    r#"{"Message":"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}"#;

fn assert_too_large(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.contains("content-type: application/json\r\n"), "{answer}");
    assert!(answer.ends_with(TOO_LARGE), "{answer}");
}

#[tokio::test]
async fn a_client_that_sends_seven_megabytes_before_it_reads_gets_413() {
    let server = Server::start(door()).await;
    let body = vec![b'a'; 7 * 1024 * 1024];

    let mut stream = server.connect().await;
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    assert_too_large(&read_to_close(&mut stream).await);

    let mut stream = server.connect().await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n700000\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    stream.write_all(b"\r\n0\r\n\r\n").await.unwrap();
    assert_too_large(&read_to_close(&mut stream).await);

    server.stop().await;
}

#[tokio::test]
async fn a_client_that_sends_expect_gets_413_without_sending_its_body() {
    let server = Server::start(door()).await;
    let mut stream = server.connect().await;
    let head =
        "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 7340032\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_too_large(&read_to_close(&mut stream).await);
    server.stop().await;
}

/// The client sends its head only. The clock stands still, so the answer waits for no timeout.
#[tokio::test]
async fn a_length_that_is_too_large_gets_413_at_once() {
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    let server = Server::start(door()).await;
    for length in ["6291457", "99999999999"] {
        let mut stream = server.connect().await;
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        while !answer.ends_with(TOO_LARGE) {
            let mut bytes = [0; 1024];
            let read = stream.read(&mut bytes).await.unwrap();
            assert!(read > 0, "{answer}");
            answer += &String::from_utf8_lossy(&bytes[..read]);
        }
        assert_too_large(&answer);
        assert_eq!(started.elapsed(), Duration::ZERO, "{length}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_connection_serves_several_requests() {
    let server = Server::start(door()).await;
    let mut stream = server.connect().await;
    let requests = "GET /teapot HTTP/1.1\r\nhost: x\r\n\r\n\
                    GET /teapot HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(requests.as_bytes()).await.unwrap();
    let answer = read_to_close(&mut stream).await;
    assert_eq!(answer.matches("HTTP/1.1 418 ").count(), 2, "{answer}");
    assert_eq!(answer.matches("content-length: 5\r\n").count(), 2, "{answer}");
    assert_eq!(answer.matches("set-cookie: ").count(), 4, "{answer}");
    assert!(answer.ends_with("short"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn an_incomplete_request_reaches_no_function() {
    let server = Server::start(door()).await;
    let mut stream = server.connect().await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_to_close(&mut stream).await;
    assert!(!answer.contains(" 200 "), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_shutdown_lets_an_open_request_finish() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (entered, leave) = (Arc::clone(&entered), Arc::clone(&leave));
        Function::new("slow", move |_| {
            let (entered, leave) = (Arc::clone(&entered), Arc::clone(&leave));
            async move {
                entered.notify_one();
                leave.notified().await;
                Ok(json!("done"))
            }
        })
    };
    let server = Server::start(FrontDoor::new(Arc::new(|| 0), move |_| slow.clone())).await;
    let mut idle = server.connect().await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    entered.notified().await;

    let address = server.address;
    drop(server.stop);
    assert_eq!(read_to_close(&mut idle).await, "");
    assert!(TcpStream::connect(address).await.is_err());
    leave.notify_one();
    assert!(read_to_close(&mut stream).await.ends_with("done"));
    server.serving.await.unwrap();
}

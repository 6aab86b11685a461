//! The limits of the front door: slow, idle and many clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use placet_local::front_door::{FrontDoor, Limits};
use placet_local::function::Function;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, Notify};
use tokio::task::JoinSet;

use crate::front_door::{Server, read_to_close};

const MB: usize = 1024 * 1024;

/// Limits that no test reaches.
fn wide() -> Limits {
    let hour = Duration::from_secs(3600);
    Limits { connections: 1000, idle: hour, body: hour, bodies: 100 * MB, room: hour }
}

/// A front door with one function, which answers `ok`.
fn door(limits: Limits) -> FrontDoor {
    let ok = Function::new("ok", |_| async { Ok(json!("ok")) });
    FrontDoor::new(Arc::new(|| 0), move |_| ok.clone()).with(limits)
}

fn post(length: usize) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: text/plain\r\n\
         content-length: {length}\r\n\r\n"
    )
}

/// Sends a GET on a connection that stays open, and reads the answer.
async fn get(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    while !answer.ends_with("ok") {
        let mut bytes = [0; 1024];
        let read = stream.read(&mut bytes).await.unwrap();
        assert!(read > 0, "the connection is closed after {answer:?}");
        answer += &String::from_utf8_lossy(&bytes[..read]);
    }
    answer
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_too_slowly_gets_408() {
    let server = Server::start(door(Limits { body: Duration::from_secs(30), ..wide() })).await;
    let mut slow = JoinSet::new();
    // A small body, a large one, and one of unknown length.
    for head in
        [post(10), post(MB), post(0).replace("content-length: 0", "transfer-encoding: chunked")]
    {
        let mut stream = server.connect().await;
        slow.spawn(async move {
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(b"1").await.unwrap();
            read_to_close(&mut stream).await
        });
    }
    for answer in slow.join_all().await {
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        let text = r#"{"Message":"Request body did not arrive within 30 seconds"}"#;
        assert!(answer.ends_with(text), "{answer}");
    }
    server.stop().await;
}

/// Before the first request, in the middle of a head, and after an answer.
#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_is_closed() {
    let server = Server::start(door(Limits { idle: Duration::from_secs(30), ..wide() })).await;
    let mut silent = server.connect().await;
    let mut half = server.connect().await;
    half.write_all(b"GET / HTTP/1.1\r\nhos").await.unwrap();
    let mut answered = server.connect().await;
    get(&mut answered).await;
    for stream in [&mut silent, &mut half, &mut answered] {
        assert_eq!(read_to_close(stream).await, "");
    }
    server.stop().await;
}

#[tokio::test]
async fn idle_connections_are_closed_for_new_clients() {
    let server = Server::start(door(Limits { connections: 4, ..wide() })).await;
    let mut idle = Vec::new();
    for _ in 0..40 {
        let mut stream = server.connect().await;
        get(&mut stream).await;
        idle.push(stream);
    }
    // The fifth newest had to go; the newest still work.
    for stream in &mut idle[..36] {
        assert_eq!(read_to_close(stream).await, "");
    }
    for stream in &mut idle[37..] {
        get(stream).await;
    }
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn silent_connections_do_not_lock_out_a_client() {
    let server = Server::start(door(Limits { connections: 4, ..wide() })).await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(server.connect().await);
    }
    get(&mut server.connect().await).await;
    assert_eq!(read_to_close(&mut silent[0]).await, "");
    server.stop().await;
}

/// Each client sends its request after all of them have connected.
#[tokio::test(start_paused = true)]
async fn a_new_connection_is_not_closed_before_its_first_request() {
    let server = Server::start(door(Limits { connections: 4, ..wide() })).await;
    let mut clients = Vec::new();
    for _ in 0..40 {
        clients.push(server.connect().await);
    }
    let mut answers = JoinSet::new();
    for mut stream in clients {
        answers.spawn(async move { get(&mut stream).await });
    }
    for answer in answers.join_all().await {
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    server.stop().await;
}

/// A new client waits for one of the others: a request in progress is never cut.
#[tokio::test]
async fn a_connection_with_a_request_is_not_closed_for_a_new_client() {
    let leave = Arc::new(Notify::new());
    let entered = Arc::new(Barrier::new(3));
    let waits = {
        let (entered, leave) = (Arc::clone(&entered), Arc::clone(&leave));
        Function::new("waits", move |event: Value| {
            let (entered, leave) = (Arc::clone(&entered), Arc::clone(&leave));
            async move {
                if event["rawPath"] == "/wait" {
                    entered.wait().await;
                    leave.notified().await;
                }
                Ok(json!("ok"))
            }
        })
    };
    let door = FrontDoor::new(Arc::new(|| 0), move |_| waits.clone());
    let server = Server::start(door.with(Limits { connections: 2, ..wide() })).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        let request = b"GET /wait HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        busy.push(stream);
    }
    entered.wait().await;
    // One connection more than the limit is served at once. The next waits until another has ended.
    get(&mut server.connect().await).await;
    let mut later = server.connect().await;
    get(&mut later).await;
    leave.notify_waiters();
    for stream in &mut busy {
        assert!(read_to_close(stream).await.ends_with("ok"));
    }
    server.stop().await;
}

/// Nine bodies of five megabytes come at once, and there is room for three.
#[tokio::test]
async fn large_bodies_wait_for_room() {
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let three = Arc::new(Barrier::new(3));
    let counts = {
        let (inside, most) = (Arc::clone(&inside), Arc::clone(&most));
        Function::new("counts", move |_| {
            let (inside, most, three) =
                (Arc::clone(&inside), Arc::clone(&most), Arc::clone(&three));
            async move {
                most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                three.wait().await;
                inside.fetch_sub(1, Ordering::SeqCst);
                Ok(json!("ok"))
            }
        })
    };
    let door = FrontDoor::new(Arc::new(|| 0), move |_| counts.clone());
    let server = Server::start(door.with(Limits { bodies: 3 * 5 * MB, ..wide() })).await;
    let mut clients = JoinSet::new();
    for _ in 0..9 {
        let mut stream = server.connect().await;
        clients.spawn(async move {
            stream.write_all(post(5 * MB).as_bytes()).await.unwrap();
            stream.write_all(&vec![b'a'; 5 * MB]).await.unwrap();
            read_to_close(&mut stream).await
        });
    }
    for answer in clients.join_all().await {
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_large_body_without_room_gets_503_and_a_small_one_does_not_wait() {
    let limits = Limits { bodies: 6 * MB, room: Duration::from_secs(10), ..wide() };
    let server = Server::start(door(limits)).await;
    let mut slow = server.connect().await;
    slow.write_all(post(5 * MB).as_bytes()).await.unwrap();
    slow.write_all(&vec![b'a'; MB]).await.unwrap();

    let mut large = server.connect().await;
    large.write_all(post(2 * MB).as_bytes()).await.unwrap();
    large.write_all(&vec![b'a'; 2 * MB]).await.unwrap();
    let answer = read_to_close(&mut large).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("retry-after: 5\r\n"), "{answer}");

    let mut small = server.connect().await;
    small.write_all(format!("{}12345", post(5)).as_bytes()).await.unwrap();
    assert!(read_to_close(&mut small).await.starts_with("HTTP/1.1 200 "));

    slow.write_all(&vec![b'a'; 4 * MB]).await.unwrap();
    assert!(read_to_close(&mut slow).await.starts_with("HTTP/1.1 200 "));
    server.stop().await;
}

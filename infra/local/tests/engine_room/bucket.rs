use bytes::Bytes;
use http::StatusCode;
use placet_local::engines::{BUCKET, Engines, Storage};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Room;

/// Sends a raw request to the engine and returns the status and the body of the response.
async fn ask(engines: &Engines, request: &str, headers: &str) -> (u16, String) {
    let address = engines.s3_url().strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request =
        format!("{request} HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn an_object_can_be_read_and_listed_until_it_is_deleted() {
    let room = Room::new().await;
    let blobs = room.engines.blobs();
    let object = Bytes::from(vec![7; 300_000]);
    // A list is in the order of the keys, and the folder `spool` does not include `spool-damaged`.
    for key in ["spool/b.2", "spool/a.1", "spool/c.3", "spool-damaged/a", "bodies/d"] {
        blobs.put(key, object.clone()).await.unwrap();
    }
    assert_eq!(blobs.get("bodies/d").await.unwrap(), Some(object));
    assert_eq!(blobs.get("bodies").await.unwrap(), None);
    assert_eq!(blobs.list("spool", 2).await.unwrap(), ["spool/a.1", "spool/b.2"]);
    blobs.put("spool/b.2", Bytes::from_static(b"other")).await.unwrap();
    assert_eq!(blobs.get("spool/b.2").await.unwrap().unwrap(), "other");
    blobs.delete("spool/a.1").await.unwrap();
    blobs.delete("spool/a.1").await.unwrap();
    assert_eq!(blobs.get("spool/a.1").await.unwrap(), None);
    assert_eq!(blobs.list("spool", 9).await.unwrap(), ["spool/b.2", "spool/c.3"]);
    assert_eq!(blobs.list("nothing", 9).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn blobs_are_files_that_survive_stop_and_start() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::Folder(folder.path().join("data"));
    let room = Room::with(storage.clone()).await;
    room.engines.blobs().put("bodies/d", Bytes::from_static(b"kept")).await.unwrap();
    room.engines.stop().await;
    assert_eq!(std::fs::read(folder.path().join("data/blobs/bodies/d")).unwrap(), b"kept");

    let room = Room::with(storage).await;
    assert_eq!(room.engines.blobs().get("bodies/d").await.unwrap().unwrap(), "kept");
    assert_eq!(room.engines.blobs().list("bodies", 9).await.unwrap(), ["bodies/d"]);
}

#[tokio::test]
async fn the_engine_answers_as_s3_does_and_refuses_unknown_calls() {
    let room = Room::new().await;
    let engines = &room.engines;
    assert_eq!(ask(engines, "PUT /placet/a%26b/%3Cc%3E", "").await, (200, String::new()));
    let list = format!("GET /{BUCKET}?list-type=2&prefix=a%26b%2F&max-keys=1");
    let (status, body) = ask(engines, &list, "").await;
    assert_eq!(status, 200);
    assert!(body.contains("<Key>a&amp;b/&lt;c&gt;</Key>"), "{body}");
    assert!(body.contains("<IsTruncated>false</IsTruncated>"), "{body}");

    for (request, headers, status, code) in [
        ("GET /placet/a", "", 404, "NoSuchKey"),
        ("GET /other/a", "", 404, "NoSuchBucket"),
        ("GET /", "", 404, "NoSuchBucket"),
        ("GET /placet/../placet.sqlite", "", 400, "InvalidArgument"),
        ("PUT /placet/%2E%2E/placet.sqlite", "", 400, "InvalidArgument"),
        ("GET /placet?list-type=2&prefix=..%2F", "", 400, "InvalidArgument"),
        ("GET /placet?list-type=2&max-keys=-1", "", 400, "InvalidArgument"),
        ("GET /placet?list-type=2&delimiter=%2F", "", 501, "NotImplemented"),
        ("GET /placet?location", "", 501, "NotImplemented"),
        ("DELETE /placet", "", 501, "NotImplemented"),
        ("PUT /placet/a?tagging", "", 501, "NotImplemented"),
        ("PUT /placet/a", "Content-Encoding: aws-chunked\r\n", 501, "NotImplemented"),
        ("POST /placet/a", "", 501, "NotImplemented"),
    ] {
        let (answered, body) = ask(engines, request, headers).await;
        assert_eq!(answered, status, "{request}: {body}");
        assert!(body.contains(&format!("<Code>{code}</Code>")), "{request}: {body}");
    }
    let (status, _) = ask(engines, "GET /placet/a", "Origin: https://example.com\r\n").await;
    assert_eq!(status, StatusCode::FORBIDDEN.as_u16(), "a page in a browser");
}

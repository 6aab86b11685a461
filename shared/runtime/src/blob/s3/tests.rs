use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::*;

type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A bucket that answers our four calls as S3 does, and refuses unsigned requests.
pub(crate) fn bucket() -> S3 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let objects = Objects::default();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let objects = objects.clone();
            thread::spawn(move || serve(&connection, &objects));
        }
    });
    let variables = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AK"),
        ("AWS_SECRET_ACCESS_KEY", "a secret"),
        ("AWS_SESSION_TOKEN", "a token"),
        ("AWS_ENDPOINT_URL_S3", &endpoint),
    ];
    S3::from_environment("kept", &variables.into_iter().collect(), Https::default()).unwrap()
}

fn serve(connection: &TcpStream, objects: &Objects) {
    let mut reader = BufReader::new(connection);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let head = String::from_utf8(head).unwrap();
        let header = |name: &str| {
            head.lines().filter_map(|line| line.split_once(": ")).find(|(own, _)| *own == name)
        };
        let length = header("content-length").map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let signed = "authorization x-amz-content-sha256 x-amz-date x-amz-security-token";
        let (status, body) = match signed.split(' ').all(|name| header(name).is_some()) {
            true => answer(head.lines().next().unwrap(), body, &mut objects.lock().unwrap()),
            false => (403, Vec::new()),
        };
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
        let _ = (&mut &*connection).write_all(&[head.into_bytes(), body].concat());
    }
}

fn answer(line: &str, body: Vec<u8>, objects: &mut BTreeMap<String, Vec<u8>>) -> (u16, Vec<u8>) {
    let words: Vec<&str> = line.split(' ').collect();
    let key = words[1].strip_prefix("/kept/").unwrap().to_owned();
    match (words[0], key.strip_prefix("?list-type=2&max-keys=2&prefix=spool%2F")) {
        ("GET", Some(_)) => {
            let keys = objects.keys().filter(|key| key.starts_with("spool/")).take(2);
            let keys = keys.map(|key| format!("<Contents><Key>{key}</Key></Contents>"));
            let list = format!("<ListBucketResult>{}</ListBucketResult>", keys.collect::<String>());
            (200, list.into_bytes())
        }
        ("GET", None) => match objects.get(&key) {
            Some(object) => (200, object.clone()),
            None => (404, b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
        },
        ("PUT", None) => {
            objects.insert(key, body);
            (200, Vec::new())
        }
        ("DELETE", None) => {
            objects.remove(&key);
            (204, Vec::new())
        }
        _ => (405, Vec::new()),
    }
}

#[tokio::test]
async fn an_object_can_be_read_and_listed_until_it_is_deleted() {
    let s3 = bucket();
    let object = Bytes::from(vec![7; 300_000]);
    for key in ["spool/a.1", "spool/b.2", "spool/c.3", "bodies/d"] {
        s3.put(key, object.clone()).await.unwrap();
    }
    assert_eq!(s3.get("bodies/d").await.unwrap(), Some(object));
    assert_eq!(s3.list("spool", 2).await.unwrap(), ["spool/a.1", "spool/b.2"]);
    s3.delete("spool/a.1").await.unwrap();
    assert_eq!(s3.get("spool/a.1").await.unwrap(), None);
    assert_eq!(s3.list("spool", 2).await.unwrap(), ["spool/b.2", "spool/c.3"]);
}

#[tokio::test]
async fn a_refused_call_is_an_error() {
    let mut s3 = bucket();
    s3.credentials = Credentials::new("AK", "a secret", None, None, "test");
    assert!(matches!(s3.get("bodies/d").await, Err(BlobError::Service(_))));
    assert!(matches!(s3.put("bodies/d", Bytes::new()).await, Err(BlobError::Service(_))));
}

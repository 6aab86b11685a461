//! The bucket: the four calls of S3 that Placet makes, over files in a folder or in memory.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>
//!
//! The engine refuses every call and parameter that it does not support. It never executes such a call in part.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::num::ParseIntError;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{BUCKET, EngineError, Storage, loopback_listener, server, wait_for_end};

/// The folder in the data folder that holds the objects as files.
pub(super) const FOLDER: &str = "blobs";
/// The largest object that the engine stores, in bytes. Placet reads no larger object.
const LARGEST_OBJECT: usize = 16 * 1024 * 1024;
/// The most keys of one list: the limit of S3.
const MOST_KEYS: usize = 1000;

/// The engine. Dropping `stop` ends the server.
pub(super) struct S3 {
    pub(super) url: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl S3 {
    pub(super) fn start(storage: &Storage) -> Result<Self, EngineError> {
        let store: Arc<dyn ObjectStore> = match storage {
            Storage::Memory => Arc::new(InMemory::new()),
            Storage::Folder(folder) => Arc::new(files(&folder.join(FOLDER))?),
        };
        let (listener, address) = loopback_listener()?;
        let (stop, stopped) = oneshot::channel();
        let engine = service_fn(move |request| answer(Arc::clone(&store), request));
        let server = tokio::spawn(server::serve(listener, engine, stopped));
        Ok(Self { url: format!("http://{address}"), stop, server })
    }

    pub(super) async fn stop(self) {
        drop(self.stop);
        wait_for_end(self.server).await;
    }
}

fn files(folder: &FilePath) -> Result<LocalFileSystem, EngineError> {
    let unusable = |source| EngineError::Folder { folder: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(unusable)?;
    LocalFileSystem::new_with_prefix(folder)
        .map_err(|error| unusable(std::io::Error::other(error.to_string())))
}

/// Answers one request.
async fn answer(
    store: Arc<dyn ObjectStore>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(run(store.as_ref(), request).await.unwrap_or_else(Refusal::response))
}

type Reply = Result<Response<Full<Bytes>>, Refusal>;

async fn run(store: &dyn ObjectStore, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let path = path.strip_prefix('/').unwrap_or(path);
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if bucket != BUCKET {
        return Err(Refusal::no_such_bucket(bucket));
    }
    let query = parts.uri.query().unwrap_or_default();
    let query: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    if key.is_empty() {
        return list(store, &parts, &query).await;
    }
    // The SDKs repeat the name of the call in `x-id`. Any other parameter means another call.
    if let Some(other) = query.keys().find(|name| *name != "x-id") {
        return Err(Refusal::not_implemented(&format!("{} with ?{other}", parts.method)));
    }
    let key = Path::from_url_path(key).map_err(|error| Refusal::invalid(&error))?;
    match parts.method {
        Method::PUT => put(store, &key, &parts, body).await,
        Method::GET => {
            let object = store.get(&key).await?.bytes().await?;
            Ok(response(StatusCode::OK, "application/octet-stream", object))
        }
        Method::DELETE => match store.delete(&key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {
                Ok(response(StatusCode::NO_CONTENT, "application/xml", Bytes::new()))
            }
            Err(error) => Err(error.into()),
        },
        method => Err(Refusal::not_implemented(&format!("{method} of an object"))),
    }
}

async fn put(store: &dyn ObjectStore, key: &Path, parts: &Parts, body: Incoming) -> Reply {
    let encoding = parts.headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
    if encoding.is_some_and(|encoding| encoding.starts_with(b"aws-chunked")) {
        return Err(Refusal::not_implemented("PUT in signed chunks"));
    }
    let body = Limited::new(body, LARGEST_OBJECT).collect().await;
    let body = body.map_err(|error| Refusal::invalid(error.as_ref()))?;
    store.put(key, body.to_bytes().into()).await?;
    Ok(response(StatusCode::OK, "application/xml", Bytes::new()))
}

/// `ListObjectsV2`: the first keys that begin with a prefix, in the order of their bytes.
async fn list(store: &dyn ObjectStore, parts: &Parts, query: &BTreeMap<String, String>) -> Reply {
    if parts.method != Method::GET || query.get("list-type").is_none_or(|of| of != "2") {
        return Err(Refusal::not_implemented(&format!("{} of the bucket", parts.method)));
    }
    let known = ["list-type", "prefix", "max-keys", "encoding-type", "x-id"];
    if let Some(other) = query.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Refusal::not_implemented(&format!("ListObjectsV2 with {other}")));
    }
    let prefix = query.get("prefix").map_or("", String::as_str);
    let most = match query.get("max-keys") {
        Some(most) => most.parse().map_err(|error: ParseIntError| Refusal::invalid(&error))?,
        None => MOST_KEYS,
    };
    let most = MOST_KEYS.min(most);
    // The store knows folders, not prefixes.
    let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folder = Path::parse(folder).map_err(|error| Refusal::invalid(&error))?;
    let found: Vec<_> = store.list(Some(&folder)).try_collect().await?;
    let mut found: Vec<_> =
        found.iter().map(|object| (object.location.as_ref(), object.size)).collect();
    found.retain(|(key, _)| key.starts_with(prefix));
    found.sort_unstable();
    let truncated = found.len() > most;
    found.truncate(most);
    let contents: String = found
        .iter()
        .map(|(key, size)| {
            format!("<Contents><Key>{}</Key><Size>{size}</Size></Contents>", escaped(key))
        })
        .collect();
    let list = format!(
        "<ListBucketResult><Name>{BUCKET}</Name><Prefix>{}</Prefix><MaxKeys>{most}</MaxKeys>\
         <KeyCount>{}</KeyCount><IsTruncated>{truncated}</IsTruncated>{contents}</ListBucketResult>",
        escaped(prefix),
        found.len(),
    );
    Ok(response(StatusCode::OK, "application/xml", list.into()))
}

fn response(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Escapes text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An error in the format of S3.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn no_such_bucket(bucket: &str) -> Self {
        let message = format!("the embedded engine has the bucket `{BUCKET}`, not `{bucket}`");
        Self { status: StatusCode::NOT_FOUND, code: "NoSuchBucket", message }
    }

    fn not_implemented(call: &str) -> Self {
        let message = format!("the embedded engine does not serve {call}");
        Self { status: StatusCode::NOT_IMPLEMENTED, code: "NotImplemented", message }
    }

    fn invalid(error: &(impl std::error::Error + ?Sized)) -> Self {
        let message = error.to_string();
        Self { status: StatusCode::BAD_REQUEST, code: "InvalidArgument", message }
    }

    fn response(self) -> Response<Full<Bytes>> {
        let xml = format!(
            "<Error><Code>{}</Code><Message>{}</Message></Error>",
            self.code,
            escaped(&self.message)
        );
        response(self.status, "application/xml", xml.into())
    }
}

impl From<object_store::Error> for Refusal {
    fn from(error: object_store::Error) -> Self {
        let message = error.to_string();
        match error {
            object_store::Error::NotFound { .. } => {
                Self { status: StatusCode::NOT_FOUND, code: "NoSuchKey", message }
            }
            _ => {
                tracing::error!(%error, "embedded S3 failed");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self { status, code: "InternalError", message }
            }
        }
    }
}

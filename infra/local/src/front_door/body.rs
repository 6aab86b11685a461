//! Receives the bodies of requests, in bounded time and memory.
//!
//! A small body costs no more than its connection. A large body is received only when there is room for it,
//! and keeps its room until its request is answered. So a slow sender of a large body delays large bodies only.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{EXPECT, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{Limits, MAX_PAYLOAD, message, too_large};

/// The largest body that needs no room, in bytes.
const SMALL: usize = 64 * 1024;

/// How many bytes of a refused body are received and discarded, after the answer. A client that sends its whole
/// body first then gets the answer and not a reset connection.
const MAX_DISCARD: usize = 32 * 1024 * 1024;
const DISCARD_BOUND: Duration = Duration::from_secs(5);

/// The value of `Retry-After` if there is no room, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Receives bodies.
pub(super) struct Bodies {
    limits: Limits,
    room: Arc<Semaphore>,
}

/// A received body.
pub(super) struct Received {
    pub(super) bytes: Bytes,
    /// The room of a large body. It becomes free when this is dropped.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    pub(super) fn new(limits: Limits) -> Self {
        // One body always has room.
        let room = Arc::new(Semaphore::new(limits.bodies.max(MAX_PAYLOAD)));
        Self { limits, room }
    }

    /// Receives a whole body.
    ///
    /// # Errors
    ///
    /// The response to the client: 413 if the body is too large, 408 if it comes too slowly, 400 if it is
    /// incomplete, 503 if no room becomes free.
    pub(super) async fn receive(
        &self,
        parts: &Parts,
        mut body: Incoming,
    ) -> Result<Received, Response<Bytes>> {
        let hint = body.size_hint();
        if hint.lower() > MAX_PAYLOAD as u64 {
            // A client that sends `Expect` waits for the answer before it sends its body.
            if !parts.headers.contains_key(EXPECT) {
                discard(body);
            }
            return Err(too_large());
        }
        let length = hint.exact().and_then(|length| usize::try_from(length).ok());
        let mut kept = BytesMut::new();
        if length.is_none_or(|length| length <= SMALL)
            && self.in_time(append(&mut body, &mut kept, SMALL)).await?
        {
            return Ok(Received { bytes: kept.freeze(), room: None });
        }
        let largest = length.unwrap_or(MAX_PAYLOAD);
        let Some(room) = self.room(largest).await else {
            discard(body);
            return Err(no_room());
        };
        kept.reserve(length.unwrap_or_default());
        if self.in_time(append(&mut body, &mut kept, MAX_PAYLOAD)).await? {
            return Ok(Received { bytes: kept.freeze(), room: Some(room) });
        }
        drop((kept, room));
        discard(body);
        Err(too_large())
    }

    async fn in_time<T>(
        &self,
        receiving: impl Future<Output = Result<T, Response<Bytes>>>,
    ) -> Result<T, Response<Bytes>> {
        let bound = self.limits.body;
        match timeout(bound, receiving).await {
            Ok(received) => received,
            Err(_) => Err(too_slow(bound)),
        }
    }

    /// Waits for room for this many bytes; `None` if no room becomes free in time.
    async fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let room = Arc::clone(&self.room).acquire_many_owned(u32::try_from(bytes).ok()?);
        timeout(self.limits.room, room).await.ok()?.ok()
    }
}

/// Receives until the body has ended (`true`), or is larger than `most` bytes (`false`).
async fn append(
    body: &mut Incoming,
    kept: &mut BytesMut,
    most: usize,
) -> Result<bool, Response<Bytes>> {
    while kept.len() <= most {
        let Some(frame) = body.frame().await else { return Ok(true) };
        let Ok(frame) = frame else {
            return Err(message(StatusCode::BAD_REQUEST, "Request body is incomplete"));
        };
        if let Ok(data) = frame.into_data() {
            kept.extend_from_slice(&data);
        }
    }
    Ok(false)
}

/// Discards the rest of a body while its request is answered, and then for a short time.
fn discard(mut body: Incoming) {
    let receiving = async move {
        let mut received = 0;
        while let Some(Ok(frame)) = body.frame().await {
            received += frame.data_ref().map_or(0, Bytes::len);
            if received > MAX_DISCARD {
                break;
            }
        }
    };
    tokio::spawn(timeout(DISCARD_BOUND, receiving));
}

fn too_slow(bound: Duration) -> Response<Bytes> {
    let text = format!("Request body did not arrive within {} seconds", bound.as_secs());
    message(StatusCode::REQUEST_TIMEOUT, &text)
}

fn no_room() -> Response<Bytes> {
    let text = "Too many large request bodies at the same time: send the request again";
    let mut response = message(StatusCode::SERVICE_UNAVAILABLE, text);
    response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    response
}

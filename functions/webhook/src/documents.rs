//! Key sets and certificates that senders publish: fetched when needed, then cached.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use placet_core::Timestamp;
use placet_runtime::{Clock, Https};

/// How long a cached document is used without fetching it again.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// The least time between two fetches of a document because a key is missing in it. A request that names an
/// invented key must not cause a fetch each time.
const LEAST_BETWEEN_FETCHES: Duration = Duration::from_secs(60);

/// The largest document that is fetched, in bytes.
const LARGEST: usize = 256 * 1024;

/// How many documents are cached.
const MOST: usize = 64;

/// The documents of all sources. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct KeyDocuments {
    https: Https,
    clock: Clock,
    kept: Arc<Mutex<BTreeMap<String, Kept>>>,
}

#[derive(Clone, Debug)]
struct Kept {
    /// When the document was last fetched, successfully or not.
    asked_at: Timestamp,
    bytes: Option<Vec<u8>>,
}

impl KeyDocuments {
    pub(crate) fn new(https: Https, clock: Clock) -> Self {
        Self { https, clock, kept: Arc::default() }
    }

    /// The document at a URL. It is fetched if no fresh copy is cached, or if a newer one may hold the key
    /// (`newer`). If the fetch fails, the cached copy is used.
    ///
    /// # Errors
    ///
    /// If the document is not cached and cannot be fetched: the reason.
    pub(crate) async fn get(&self, url: &str, newer: bool) -> Result<Vec<u8>, String> {
        let now = self.clock.now();
        let kept = self.lock().get(url).cloned();
        let asked = kept.as_ref().map(|kept| now.since(kept.asked_at));
        let had = kept.and_then(|kept| kept.bytes);
        let wait = if newer || had.is_none() { LEAST_BETWEEN_FETCHES } else { FRESH };
        if asked.is_some_and(|asked| asked < wait) {
            let refused = "its last fetch failed less than a minute ago";
            return had.ok_or_else(|| refused.to_owned());
        }
        let fetched = self.https.get(url, LARGEST).await.map_err(|error| error.to_string());
        let fetched = fetched.and_then(|bytes| readable(bytes.to_vec()));
        if let Err(error) = &fetched {
            tracing::error!(url = placet_core::url::shown(url), error, "signing key not fetched");
        }
        let mut all = self.lock();
        if all.len() >= MOST && !all.contains_key(url) {
            all.clear();
        }
        let bytes = fetched.as_ref().ok().cloned().or(had);
        all.insert(url.to_owned(), Kept { asked_at: now, bytes: bytes.clone() });
        drop(all);
        bytes.map_or(fetched, Ok)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts only a key set or a certificate: an error page must not replace good keys.
fn readable(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let key_set = serde_json::from_slice::<serde_json::Value>(&bytes)
        .is_ok_and(|json| json.get("keys").is_some_and(serde_json::Value::is_array));
    match key_set || bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
        true => Ok(bytes),
        false => Err("the response is neither a JSON key set nor a PEM certificate".to_owned()),
    }
}
